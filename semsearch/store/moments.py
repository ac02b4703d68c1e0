"""Mean and deviation of a query's dense scores over all passages, without scanning them; finds no passage.

The scores of a query q over rows v have the mean q·μ and the deviation √(qᵀΣq), with the mean μ and the covariance Σ of
the rows. A large segment keeps the sums from which both are made; small ones and dead rows are simply multiplied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from semsearch.store.files import Array
from semsearch.store.vectors import VectorSegment
from semsearch.types import Vectors

LEAST_ROWS = 4096
"""Segments below this keep no sums, which would be as large as a part of their rows that counts."""

_BLOCK = 1024


def with_sums(arrays: Mapping[str, Sequence[Array]]) -> dict[str, Sequence[Array]]:
    """The arrays of a segment, with the sums of its rows where it is large.

    `total`: float64 (d,), the sum of the rows; `square`: float64 (d, d), the sum of their outer products.
    """
    pieces = arrays["rows"]
    if sum(len(piece) for piece in pieces) < LEAST_ROWS:
        return dict(arrays)
    dimension = pieces[0].shape[1]
    total, square = np.zeros(dimension, np.float64), np.zeros((dimension, dimension), np.float64)
    for block in _blocks(pieces):
        total += block.sum(axis=0, dtype=np.float64)
        square += block.T @ block
    return {**arrays, "total": [total], "square": [square]}


def moments(segments: Sequence[VectorSegment], query: Vectors) -> tuple[float, float]:
    """Mean and deviation of the inner products of `query`, float32 of shape (d,), with all living rows.

    (0, 0) where there are none.
    """
    q = query.astype(np.float64)
    count, first, second = 0, 0.0, 0.0
    for segment in segments:
        dead = 0 if segment.lives is None else int(np.count_nonzero(~segment.lives))
        count += len(segment.ids) - dead
        if segment.total is None or segment.square is None:
            # In float64, or what a score is would depend on the place of its row in the last digits.
            scores = np.concatenate([np.empty(0), *(block @ q for block in _blocks([segment.rows]))])
            scores = scores if segment.lives is None else scores[segment.lives]
            first, second = first + float(scores.sum()), second + float(scores @ scores)
            continue
        gone = segment.rows[:0] if segment.lives is None else segment.rows[~segment.lives]
        without = gone.astype(np.float64) @ q
        first += float(segment.total @ q - without.sum())
        second += float(q @ segment.square @ q - without @ without)
    if not count:
        return 0.0, 0.0
    mean = first / count
    return mean, sqrt(max(second / count - mean * mean, 0.0))


def _blocks(pieces: Iterable[Array]) -> Iterable[NDArray[np.float64]]:
    for piece in pieces:
        for start in range(0, len(piece), _BLOCK):
            yield piece[start : start + _BLOCK].astype(np.float64)
