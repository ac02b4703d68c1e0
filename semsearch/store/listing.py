"""Makes the lists of a large index out of its vectors, and decides when; searches nothing and writes no file.

A search through lists is measured while they are made, on queries that are made of the vectors themselves, so that how
many lists a search looks through follows from the recall that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsearch.store.files import Array, let_go
from semsearch.store.lists import Lists, assigned, most_alike, trained
from semsearch.store.moments import living
from semsearch.store.subset import Ids
from semsearch.store.vectors import VectorSegment, unit
from semsearch.types import Vectors

EXACT = 100_000
"""Up to so many passages every search is exact, and takes some 6 ms at the most."""

RECALLS = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
"""For these it is measured how many lists a search must look through."""

_PER_CENTROID = 48
_QUERIES = 512
_BEST = 10
_AWAY = 1.35
"""How far a measured query lies from a vector, which it is then as like as 1 / sqrt(1 + 1.35²) = 0.6. The queries of
four judged collections are about as hard; vectors themselves, as queries, find everything in a tenth of the lists."""

_SPARE = 0.25
"""Of what may be missed, this share is left to the rounding of vectors and to queries that are harder than these."""

_LEAST = 8
"""So many lists are always looked through."""

_BLOCK = 8192


def wanted(living: int, listed: int, later: int, made_of: int, exact: int = EXACT) -> str:
    """What is to be done about the lists of an index: "make" all anew, "extend" them, "drop" them, or "" for nothing.

    Args:
        living: how many passages the index has.
        listed: how many the lists have, the dead among them; 0 where there are no usable lists.
        later: how many passages came after the last that the lists know; they are searched exactly.
        made_of: how many there were when the centroids were made.
        exact: up to so many passages need no lists.
    """
    if not listed:
        return "make" if living > exact else ""
    if 2 * living < exact:
        return "drop"
    if living > 2 * made_of:
        return "make"
    dead = listed - (living - later)
    return "extend" if later > max(exact // 8, living // 64) or 4 * dead > listed else ""


def made(segments: Sequence[VectorSegment]) -> dict[str, Sequence[Array]]:
    """The arrays of lists of all living vectors."""
    count = living(segments)
    centroids = max(2 * isqrt(count), 1)
    sample = _sample(segments, min(count, centroids * _PER_CENTROID))
    low, high = sample.min(axis=0), sample.max(axis=0)
    lists = Lists(
        centroids=trained(unit(sample), centroids),
        starts=np.zeros(centroids + 1, np.int64),
        ids=np.empty(0, np.int64),
        codes=np.empty((0, sample.shape[1]), np.uint8),
        middle=(low + high) / 2,
        step=np.maximum((high - low) / 255, np.float32(1e-9)),
        recalls=np.array(RECALLS),
        probes=np.zeros(len(RECALLS), np.int64),
        trained=np.array([count], np.int64),
    )
    measure = _Measure(_queries(sample))
    arrays = _extended(lists, segments, measure)
    return {**arrays, "probes": [measure.probes(lists.centroids)]}


def extended(lists: Lists, segments: Sequence[VectorSegment]) -> dict[str, Sequence[Array]]:
    """The arrays of the lists without their dead, and with the living vectors of further segments."""
    return _extended(lists, segments)


def _extended(
    lists: Lists, segments: Sequence[VectorSegment], measure: _Measure | None = None
) -> dict[str, Sequence[Array]]:
    new_ids, new_numbers, new_codes = _listed(lists, segments, measure)
    order = np.argsort(new_numbers, kind="stable")
    ends = np.concatenate(([0], np.cumsum(np.bincount(new_numbers, minlength=len(lists.centroids)))))
    # One after the other, the lists as they were and what comes to each. Made only when they are written: all the codes
    # of a million passages are 400 MB.
    old = [slice(int(a), int(b)) for a, b in pairwise(lists.starts)]
    new = [order[a:b] for a, b in pairwise(ends)]
    kept = [_alive(lists, part) for part in old]
    sizes = [len(lists.ids[a][b]) + len(c) for a, b, c in zip(old, kept, new, strict=True)]
    arrays: dict[str, Sequence[Array]] = {name: [getattr(lists, name)] for name in Lists.ARRAYS}
    return {
        **arrays,
        "starts": [np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)],
        "ids": _Pieces(len(sizes), lambda i: np.concatenate((lists.ids[old[i]][kept[i]], new_ids[new[i]]))),
        "codes": _Pieces(len(sizes), lambda i: np.concatenate((lists.codes[old[i]][kept[i]], new_codes[new[i]]))),
    }


class _Pieces(Sequence[Array]):
    """Pieces of an array, each made when it is asked for."""

    def __init__(self, count: int, piece: Callable[[int], Array]) -> None:
        self._count, self._piece = count, piece

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, i: Any) -> Any:
        if not 0 <= i < self._count:
            raise IndexError(i)
        return self._piece(i)


def _alive(lists: Lists, part: slice) -> Any:
    """Of a list, all or a mask of those that are part of the index."""
    if lists.alive is None:
        return slice(None)
    alive = lists.are_alive(lists.ids[part])
    return slice(None) if alive.all() else alive


def _listed(
    lists: Lists, segments: Sequence[VectorSegment], measure: _Measure | None
) -> tuple[Ids, NDArray[np.int64], NDArray[np.uint8]]:
    """The living passages of segments, the list that each belongs to, and its codes."""
    count = living(segments)
    ids, numbers = np.empty(count, np.int64), np.empty(count, np.int64)
    codes = np.empty((count, lists.codes.shape[1]), np.uint8)
    start = 0
    for segment in segments:
        for of_block, rows in _blocks(segment):
            part = slice(start, start := start + len(rows))
            ids[part], numbers[part] = of_block, assigned(rows, lists.centroids)
            codes[part] = lists.coded(rows)
            if measure is not None:
                measure.look_at(rows, numbers[part])
        let_go(segment.rows)
    return ids, numbers, codes


def _blocks(segment: VectorSegment) -> Iterator[tuple[Ids, Vectors]]:
    for start in range(0, len(segment.ids), _BLOCK):
        part = slice(start, start + _BLOCK)
        kept = slice(None) if segment.lives is None else segment.lives[part]
        ids, rows = segment.ids[part][kept], np.ascontiguousarray(segment.rows[part][kept])
        if len(ids):
            yield ids, rows


def _sample(segments: Sequence[VectorSegment], size: int) -> Vectors:
    """As many living vectors, evenly from all."""
    living = [
        np.arange(len(segment.ids)) if segment.lives is None else np.flatnonzero(segment.lives) for segment in segments
    ]
    count, start, parts = sum(map(len, living)), 0, []
    places = np.arange(size) * count // size
    for segment, rows in zip(segments, living, strict=True):
        here = places[(places >= start) & (places < start + len(rows))] - start
        parts.append(segment.rows[rows[here]])
        let_go(segment.rows)
        start += len(rows)
    return np.ascontiguousarray(np.concatenate(parts), np.float32)


def _queries(sample: Vectors) -> Vectors:
    """Vectors like those of queries: some of the sample, each moved away by the difference of two others."""
    rng = np.random.default_rng(1)
    towards, one, two = (unit(sample[rng.integers(0, len(sample), _QUERIES)]) for _ in range(3))
    return unit(towards + _AWAY * unit(one - two))


class _Measure:
    """Finds for some queries in which lists their best are, while all vectors pass by once."""

    def __init__(self, queries: Vectors) -> None:
        self._queries = queries
        self._scores = np.full((len(queries), 0), -np.inf, np.float32)
        self._lists = np.zeros((len(queries), 0), np.int64)

    def look_at(self, rows: Vectors, numbers: NDArray[np.int64]) -> None:
        """Take note of vectors and the lists that they are in."""
        scores, found = most_alike(self._queries, rows, _BEST)
        self._scores = np.concatenate((self._scores, scores), axis=1)
        self._lists = np.concatenate((self._lists, numbers[found]), axis=1)
        best = np.argsort(-self._scores, axis=1, kind="stable")[:, :_BEST]
        self._scores = np.take_along_axis(self._scores, best, axis=1)
        self._lists = np.take_along_axis(self._lists, best, axis=1)

    def probes(self, centroids: Vectors) -> NDArray[np.int64]:
        """How many of the nearest lists hold each of the shares `RECALLS` of the best, in the mean over the queries."""
        order = np.argsort(-(self._queries @ centroids.T), axis=1)
        ranks = np.empty_like(order)
        np.put_along_axis(ranks, order, np.arange(len(centroids))[None], axis=1)
        needed = np.sort(np.take_along_axis(ranks, self._lists, axis=1), axis=None)
        places = np.ceil((np.array(RECALLS) * (1 - _SPARE) + _SPARE) * len(needed)).astype(np.int64) - 1
        return np.asarray(np.maximum(needed[places] + 1, _LEAST), np.int64)
