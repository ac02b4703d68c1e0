"""Turns text into the terms that lexical search compares, and finds terms again in a text; knows no index.

One function folds for index, query and highlighting alike: lower case, no diacritics, `đ` as `dj`, `ß` as `ss`, and
Serbian Cyrillic as Latin, so that «Скупштина», "Skupština" and "skupstina" are one term. Chinese, Japanese and Thai,
which put no spaces between words, are cut into overlapping pairs of characters. Then Snowball's English stemmer takes
the endings away, from words of every language alike: a query does not say which language it is in, and what is taken
from query and text by one rule still matches.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock
from typing import Any

MAX_TERM = 64
"""Code points of a term: longer ones are cut, so that a megabyte without a space is not a term of a megabyte."""

# Marks that belong to the letter before them, although Python's \w does not count them as part of a word.
_MARKS = "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670\u0900-\u0dff\u200c\u200d"
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(f"[{UNSPACED}]+|(?:[^\\W_{UNSPACED}]|[{_MARKS}])+")
_UNSPACED_START = re.compile(f"[{UNSPACED}]")

_LETTERS = str.maketrans(
    {
        "đ": "dj", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i",
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "ђ": "dj", "е": "e", "ж": "z", "з": "z", "и": "i", "ј": "j",
        "к": "k", "л": "l", "љ": "lj", "м": "m", "н": "n", "њ": "nj", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
        "ћ": "c", "у": "u", "ф": "f", "х": "h", "ц": "c", "ч": "c", "џ": "dz", "ш": "s",
    }
)  # fmt: skip


STOP_WORDS = frozenset(
    {
        "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "how", "if", "in", "into", "is", "it", "no",
        "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was",
        "what", "when", "where", "which", "who", "why", "will", "with",
    }
)  # fmt: skip
"""English words that say nothing of what a query is about; they are indexed, and left out of a query's terms."""

_STEMMERS_LOCK = Lock()


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The term that a word stands for: folded, and without its ending."""
    with _STEMMERS_LOCK:  # a stemmer keeps its word in one buffer
        return str(_stemmer().stemWord(fold(word)))


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import Stemmer  # noqa: PLC0415 - `semsearch --help` does without it

    return Stemmer.Stemmer("english", 0)


@lru_cache(maxsize=1 << 16)
def fold(word: str) -> str:
    """The form in which a word is compared, "" where nothing of it is left."""
    # Serbian ђ and ћ do not decompose, but й and ѓ do: letters are mapped after the marks are gone.
    plain = "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))
    return plain.translate(_LETTERS)[:MAX_TERM]


def words(text: str) -> list[str]:
    """The folded words of `text` in order, with their endings; unspaced scripts as pairs of characters."""
    return [
        folded for start, end in _word_spans(text) if (folded := fold(text[start : min(end, start + 2 * MAX_TERM)]))
    ]


def located(text: str) -> Iterator[tuple[str, int, int]]:
    """Each term of `text` with its start and end in code points, in order of the start."""
    for start, end in _word_spans(text):
        if term := stem(text[start : min(end, start + 2 * MAX_TERM)]):
            yield term, start, end


def _word_spans(text: str) -> Iterator[tuple[int, int]]:
    for match in _WORD.finditer(text):
        start, end = match.span()
        if end - start > 2 and _UNSPACED_START.match(match[0]):  # noqa: PLR2004 - pairs of characters
            yield from ((i, i + 2) for i in range(start, end - 1))
        else:
            yield start, end


def terms(text: str) -> list[str]:
    """The terms of `text` in order, repetitions kept."""
    return [term for term, _, _ in located(text)]


def query_terms(query: str) -> list[str]:
    """The terms of a query without stop words, unless it has no other: "The Who" is asked for too."""
    found = [(term, query[start:end].lower()) for term, start, end in located(query)]
    return [term for term, word in found if word not in STOP_WORDS] or [term for term, _ in found]


def spans(text: str, wanted: frozenset[str]) -> list[tuple[int, int]]:
    """Where terms of `wanted` stand in `text`: spans in code points, in order, touching ones joined."""
    found: list[tuple[int, int]] = []
    for term, start, end in located(text):
        if term not in wanted:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
