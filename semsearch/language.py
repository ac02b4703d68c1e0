"""Tells whether a text is English, so that people can be told where an English model does not help; it names no other.

A quarter of the words of running English are a dozen function words that other languages do not use: where they are
rare, the text is something else. Too short a text is given the benefit of the doubt.
"""

from __future__ import annotations

import re
import unicodedata

_FUNCTION_WORDS = frozenset(["the", "of", "and", "to", "that", "was", "with", "for", "is", "by", "are", "have"])
_WORD = re.compile(r"[^\W\d_]+")
_LEAST_SHARE = 0.08
_LEAST_WORDS = 20
_SAMPLE = 20_000


def is_english(text: str, stated: str = "") -> bool:
    """Whether a text is English: what its author states, else what its words say.

    Args:
        text: its first 20,000 code points are looked at.
        stated: a language tag such as "en-GB", "" for none.
    """
    if stated:
        return stated.lower().startswith("en")
    words = _WORD.findall(text[:_SAMPLE].lower())
    if not is_latin(text):
        return False
    return len(words) < _LEAST_WORDS or sum(word in _FUNCTION_WORDS for word in words) >= _LEAST_SHARE * len(words)


def is_latin(text: str) -> bool:
    """Whether most letters of a text are Latin, or it has none."""
    letters = [character for character in text[:_SAMPLE] if character.isalpha()]
    latin = sum(character < "\u0250" or unicodedata.name(character, "").startswith("LATIN") for character in letters)
    return 2 * latin >= len(letters)
