"""Makes of a document's text a sketch that tells its copies, and compares sketches; pure, stores nothing.

A sketch holds the smallest numbers of a text's shingles (bottom-k, Broder, "On the resemblance and containment of
documents", 1997): all of them for up to `SIZE` words, and beyond that a fair sample, so that what it says of a short
text is exact. Copies are found by the very smallest ones, the keys, of which a part of a text keeps its share. MinHash
in bands finds those only that are about as long as each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np

from semsearch.shingles import LEAST, Shingles, shingles
from semsearch.types import Document

SIZE = 512
"""How many numbers a sketch has at most: 2 KB, and containment within 0.02 (standard error) for longer texts."""

KEYS = 32
"""How many of them a document is found by."""

COMMON = 500
"""A key of more documents than this is of a notice that stands below them all, and is not looked up."""

LEAST_KEYS = 2
"""How many keys a copy shares at the least; one may be shared by chance, or by a phrase."""

LEAST_SHARED = 0.4
"""The share of the smaller text that a copy has in common with the other; see `semsearch.shingles`."""

LEAST_JACCARD = 0.15
"""What both have in common among all that either has: a paragraph is no copy of the long article that quotes it."""


def sketch(document: Document) -> Shingles:
    """The sketch of a document: of its sections, without the front matter, in which copies differ."""
    if document.sections is None:
        body = document.text
    else:
        body = "\n".join(document.text[section.start : section.end] for section in document.sections)
    return shingles(body)[:SIZE]


def keys(found: Shingles) -> list[int]:
    """The numbers under which a sketch is looked up; those of a tiny text are one key together."""
    return [int(number) for number in found[: 1 if len(found) < LEAST else KEYS]]


def candidates(with_key: Sequence[Sequence[int]]) -> set[int]:
    """The documents that may be copies of one, by the keys that are not common; none where too few are not.

    One document finds another if the other finds it.

    Args:
        with_key: for each key of that one, the documents that have it, itself among them; more than `COMMON` of them
            need not all be there.
    """
    telling = [documents for documents in with_key if len(documents) <= COMMON]
    needed = min(LEAST_KEYS, len(with_key))
    return {document for document, n in Counter(chain.from_iterable(telling)).items() if n >= needed}


def packed(found: Shingles) -> bytes:
    """A sketch as it is stored."""
    return found.astype("<u4").tobytes()


def unpacked(data: bytes) -> Shingles:
    """A sketch that was stored."""
    return np.frombuffer(data, "<u4").astype(np.uint32, copy=False)


def alike(one: Shingles, two: Shingles) -> bool:
    """Whether two sketches are of copies: the same text, also with some words changed, cut, or with a new lead."""
    if len(one) < LEAST or len(two) < LEAST:
        return len(one) > 0 and np.array_equal(one, two)
    # Numbers beyond the end of a sketch that is full may be missing from it.
    end = min((s[-1] for s in (one, two) if len(s) == SIZE), default=None)
    if end is not None:
        one, two = one[: np.searchsorted(one, end, "right")], two[: np.searchsorted(two, end, "right")]
    common = len(np.intersect1d(one, two, assume_unique=True))
    smaller, either = min(len(one), len(two)), len(one) + len(two) - common
    return smaller >= LEAST and common >= LEAST_SHARED * smaller and common >= LEAST_JACCARD * either
