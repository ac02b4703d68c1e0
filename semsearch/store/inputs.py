"""Works out what the model read for a stored passage, and so whether the passage is what was stored; asks no model.

The catalog keeps a fingerprint of what was read: title, heading and text, of which title and heading may have been cut
between words. How far they were cut is found by trying, so that it need not be stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from semsearch.types import embedded_text

_MOST_WORDS = 80
"""A title or heading is cut to an eighth of what a passage may have, which is 64 tokens at the most."""

_NONE = b""
"""What an index of before there were seals has of a passage with vectors of somebody's own."""

_MOST_LETTERS = 400
"""The same in the letters of a script without spaces."""


def fingerprint(text: str | bytes, *, own: bool = False) -> bytes:
    """16 bytes that stand for a text or its UTF-8: BLAKE2b. What was embedded under one is not embedded again.

    `own` gives others for texts whose vectors are somebody's own, so that they are never taken for the model's.
    """
    data = text if isinstance(text, bytes) else text.encode()
    return blake2b(data, digest_size=16, person=b"own" if own else b"").digest()


class Inputs:
    """What the model read for passages; remembers how titles and headings were cut."""

    def __init__(self) -> None:
        self._cut: dict[tuple[str, str], tuple[str, str]] = {}

    def of(self, title: str, heading: str, text: str, known: bytes) -> str | None:
        """What was read for a passage of which `known` is the fingerprint; None where these are not its parts."""
        whole = title, heading
        read = embedded_text(*self._cut.get(whole) or (_flat(title), _flat(heading)), text)
        if known in (fingerprint(read), _NONE) or known == fingerprint(read, own=True):
            return read
        for first, second in _cuts(_flat(title), _flat(heading)):
            read = embedded_text(first, second, text)
            if known in (fingerprint(read), fingerprint(read, own=True)):
                self._cut[whole] = first, second
                return read
        return None


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cuts(title: str, heading: str) -> Iterator[tuple[str, str]]:
    """Every way in which the two can have been cut, whole ones first."""
    yield title, heading
    titles, headings = [*_beginnings(title)], [*_beginnings(heading)]
    yield from ((first, heading) for first in titles)
    yield from ((title, second) for second in headings)
    yield from ((first, second) for first in titles for second in headings)


def _beginnings(text: str) -> Iterator[str]:
    """What may be left of a text that is cut before a word, or within its first one."""
    words = text.split(" ")
    for count in range(min(len(words) - 1, _MOST_WORDS), 0, -1):
        yield " ".join(words[:count])
    for length in range(min(len(words[0]) - 1, _MOST_LETTERS), 0, -1):
        yield words[0][:length]
