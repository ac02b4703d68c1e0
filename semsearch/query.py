"""Reads what people type into a search box: words, "quoted phrases" and -words; anything else is ordinary text.

Nothing is an error: a quote that is never closed, a hyphen inside a word or before a number, a query of exclusions
alone are what they look like, text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from semsearch.terms import words

# A phrase stands between straight quotes that are not part of a word (5" pipes); a minus stands before a letter or a
# quote and after white space.
_OPERATOR = re.compile(r'(?:(?<!\S)(?P<minus>-))?(?<!\w)"(?P<phrase>[^"]*\w[^"]*)"(?!\w)|(?<!\S)-(?P<word>[^\W\d]\S*)')


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for.

    Attributes:
        text: what is compared by meaning and by words, without operators and what is left out.
        phrases: each hit has all of these, word by word, folded, where any passage has.
        excluded: no hit has any of these.
    """

    text: str
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[tuple[str, ...], ...] = ()


def parse(text: str) -> Query:
    """The query that a text stands for."""
    phrases: list[tuple[str, ...]] = []
    excluded: list[tuple[str, ...]] = []

    def taken(match: re.Match[str]) -> str:
        said = match["phrase"] or match["word"]
        sequence = tuple(words(said))
        if not sequence:
            return match[0]
        out = match["minus"] or match["word"]
        (excluded if out else phrases).append(sequence)
        return " " if out else f" {said} "

    rest = " ".join(_OPERATOR.sub(taken, text).split())
    if not words(rest):
        return Query(text.strip())
    return Query(rest, tuple(phrases), tuple(excluded))


def holds(text_words: list[str], sequence: tuple[str, ...]) -> bool:
    """Whether a text, as folded words, has a sequence of them somewhere."""
    first, size = sequence[0], len(sequence)
    return any(word == first and tuple(text_words[at : at + size]) == sequence for at, word in enumerate(text_words))
