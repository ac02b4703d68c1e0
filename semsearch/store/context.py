"""Lets the vectors of a document's passages lean towards their neighbours', and gets them back; searches nothing.

A passage is read with what stands around it: its vector becomes 0.7 of its own and 0.3 of the mean of up to five, its
own and two on either side. What it was can be worked out from the vectors of the whole document, so it is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semsearch.types import Vectors

REACH = 2
"""So many passages on either side are a passage's neighbours."""

SHARE = 0.3
"""How far a vector leans. Measured with passages of 126 tokens in `benchmarks/ranking.md`."""

_STEPS = 24
"""The error of each step is at most 0.375 of that of the step before: after so many it is below that of float64."""


def in_context(vectors: Vectors, sizes: Sequence[int]) -> Vectors:
    """The vectors as the index compares them: float32 of the same shape; one of a document by itself stays as it is.

    Args:
        vectors: float32 of shape (n, dimension), those of a document one after the other in the order of its passages.
        sizes: how many passages each document has; n together.
    """
    ends = np.cumsum(sizes, dtype=np.int64)
    pieces = [_lean(vectors[end - size : end].astype(np.float64)) for size, end in zip(sizes, ends, strict=True)]
    return np.concatenate([vectors[:0], *pieces]).astype(np.float32)


def alone(vectors: Vectors) -> Vectors:
    """What `in_context` was given, to within the precision of float32, for all passages of one document."""
    leaning = vectors.astype(np.float64)
    found = leaning
    for _ in range(_STEPS):
        found = found + leaning - _lean(found)
    return found.astype(np.float32)


def _lean(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = np.arange(len(vectors))
    first, end = np.maximum(rows - REACH, 0), np.minimum(rows + REACH + 1, len(vectors))
    sums = np.concatenate([np.zeros_like(vectors[:1]), np.cumsum(vectors, axis=0)])
    neighbours = (sums[end] - sums[first]) / (end - first)[:, None]
    leaning: NDArray[np.float64] = (1 - SHARE) * vectors + SHARE * neighbours
    return leaning
