"""Mean and deviation of a query's dense scores over all passages, without scanning them; finds no passage.

The scores of a query q over rows v have the mean q·μ and the deviation √(qᵀΣq), with the mean μ and the covariance Σ of
the rows. A large segment keeps the sums from which both are made; of small ones and dead rows they are added up once a
generation, and where these are few, they are simply multiplied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from semsearch.store.files import Array
from semsearch.store.vectors import VectorSegment
from semsearch.types import Vectors

LEAST_ROWS = 1024
"""Segments below this keep no sums, which would be as large as their rows."""

_BLOCK = 1024

Outer: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]
"""The sum of rows, (d,), and of their outer products, (d, d)."""

Key: TypeAlias = tuple[int, int, int, int]
"""What tells a segment and its dead from others: its first and last passage, its rows, how many are dead."""


class Sums(NamedTuple):
    """What the moments of any query are made of: how many rows there are, sums of most, and the rest themselves."""

    rows: int
    summed: Outer | None
    rest: Sequence[NDArray[np.float64]]


def with_sums(arrays: Mapping[str, Sequence[Array]]) -> dict[str, Sequence[Array]]:
    """The arrays of a segment, with the sums of its rows where it is large.

    `total`: float64 (d,), the sum of the rows; `square`: float64 (d, d), the sum of their outer products.
    """
    pieces = arrays["rows"]
    if sum(len(piece) for piece in pieces) < LEAST_ROWS:
        return dict(arrays)
    total, square = _outer(pieces)
    return {**arrays, "total": [total], "square": [square]}


def moments(segments: Sequence[VectorSegment], query: Vectors) -> tuple[float, float]:
    """Mean and deviation of the inner products of `query`, float32 of shape (d,), with all living rows.

    (0, 0) where there are none.
    """
    return of(summed(segments, {})[0], query)


def of(sums: Sums, query: Vectors) -> tuple[float, float]:
    """The same from the sums."""
    if not sums.rows:
        return 0.0, 0.0
    q = query.astype(np.float64)
    # In float64, or what a score is would depend on the place of its row in the last digits.
    scores = np.concatenate([np.empty(0), *(rows @ q for rows in sums.rest)])
    first, second = float(scores.sum()), float(scores @ scores)
    if sums.summed is not None:
        total, square = sums.summed
        first, second = first + float(total @ q), second + float(q @ square @ q)
    mean = first / sums.rows
    return mean, sqrt(max(second / sums.rows - mean * mean, 0.0))


def living(segments: Sequence[VectorSegment]) -> int:
    """How many rows are alive."""
    return sum(len(s.ids) if s.lives is None else int(np.count_nonzero(s.lives)) for s in segments)


def summed(segments: Sequence[VectorSegment], known: Mapping[Key, Outer]) -> tuple[Sums, dict[Key, Outer]]:
    """The sums of all living rows, and what had to be worked out for them that was not `known`, or was and is needed.

    The dead of a segment are taken off the sums that it keeps. Small segments are only added up where there are many.
    """
    small = [segment for segment in segments if segment.total is None or segment.square is None]
    few = sum(len(segment.ids) for segment in small) < LEAST_ROWS
    used: dict[Key, Outer] = {}
    parts: list[tuple[int, Outer]] = []
    for segment in segments:
        key = _key(segment)
        if segment.total is not None and segment.square is not None:
            parts.append((1, (segment.total, segment.square)))
            if segment.lives is not None:
                used[key] = known.get(key) or _outer([segment.rows[~segment.lives]])
                parts.append((-1, used[key]))
        elif not few:
            used[key] = known.get(key) or _outer([_alive(segment)])
            parts.append((1, used[key]))
    rest = [_alive(segment).astype(np.float64) for segment in small] if few else []
    return Sums(living(segments), _added(parts) if parts else None, rest), used


def _added(parts: Sequence[tuple[int, Outer]]) -> Outer:
    total, square = np.zeros_like(parts[0][1][0]), np.zeros_like(parts[0][1][1])
    for sign, (of_total, of_square) in parts:
        total += sign * of_total
        square += sign * of_square
    return total, square


def _alive(segment: VectorSegment) -> Vectors:
    return segment.rows if segment.lives is None else segment.rows[segment.lives]


def _key(segment: VectorSegment) -> Key:
    dead = 0 if segment.lives is None else len(segment.ids) - int(np.count_nonzero(segment.lives))
    return int(segment.ids[0]), int(segment.ids[-1]), len(segment.ids), dead


def _outer(pieces: Sequence[Array]) -> Outer:
    dimension = pieces[0].shape[1]
    total, square = np.zeros(dimension, np.float64), np.zeros((dimension, dimension), np.float64)
    for block in _blocks(pieces):
        total += block.sum(axis=0, dtype=np.float64)
        square += block.T @ block
    return total, square


def _blocks(pieces: Iterable[Array]) -> Iterable[NDArray[np.float64]]:
    for piece in pieces:
        for start in range(0, len(piece), _BLOCK):
            yield piece[start : start + _BLOCK].astype(np.float64)
