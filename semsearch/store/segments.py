"""Opens the files of an index's segments and searches them as one; writes nothing.

A segment is a pair of files, vectors and postings, for the same passages. Segments that were open before are not read
again; the order of segments is the order of passage ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsearch.errors import IndexDamagedError
from semsearch.store import context, lexical, moments, vectors
from semsearch.store.catalog import StoredSegment
from semsearch.store.files import map_arrays
from semsearch.store.lexical import LexicalScores, LexicalSegment
from semsearch.store.subset import Ids
from semsearch.store.vectors import VectorSegment
from semsearch.types import Vectors


@dataclass(frozen=True, slots=True)
class Segment:
    """A pair of mapped files, and how many of its rows are dead."""

    stored: StoredSegment
    vectors: VectorSegment
    lexical: LexicalSegment
    dead: int


@dataclass(frozen=True, slots=True)
class Segments:
    """All segments of one generation; `ids` are their passages, the dead among them, in rising order."""

    each: tuple[Segment, ...]
    ids: NDArray[np.int64]

    @classmethod
    def of(cls, each: Iterable[Segment]) -> Segments:
        """The segments, which are in order of their passages."""
        every = tuple(each)
        return cls(every, np.concatenate([np.empty(0, np.int64), *(segment.vectors.ids for segment in every)]))

    def dense(self, query: Vectors, k: int, only: Ids | None = None) -> list[tuple[int, float]]:
        """The k passages, of all or of `only`, with the highest inner product: (passage id, score), best first."""
        return vectors.search([segment.vectors for segment in self.each], query, k, only)

    def moments(self, query: Vectors) -> tuple[float, float]:
        """Mean and deviation of the inner products of `query` with all passages."""
        return moments.moments([segment.vectors for segment in self.each], query)

    def lexical(self, terms: Sequence[str]) -> LexicalScores:
        """What the terms make of every passage: BM25."""
        return lexical.search([segment.lexical for segment in self.each], terms)

    def having(self, terms: Sequence[str]) -> Ids:
        """The passages that have all these terms, in rising order."""
        return lexical.having([segment.lexical for segment in self.each], terms)

    def vectors(self, ids: Sequence[int]) -> Vectors:
        """The vectors of these passages, which are part of the index: float32, shape (len(ids), dimension).

        Raises:
            IndexDamagedError: one of them has no vector.
        """
        return np.stack([segment.vectors.rows[row] for segment, row in self._places(ids)])

    def alone(self, ids: Sequence[int]) -> Vectors:
        """The same as the model gave them, without their context; not of passages with vectors of somebody's own."""
        documents: dict[tuple[int, int], Vectors] = {}
        found = []
        for segment, row in self._places(ids):
            first, end = segment.lexical.document_of(row)
            key = segment.stored.id, first
            if key not in documents:
                documents[key] = context.alone(segment.vectors.rows[first:end])
            found.append(documents[key][row - first])
        return np.stack(found)

    def _places(self, ids: Sequence[int]) -> Iterable[tuple[Segment, int]]:
        places = np.searchsorted(self.ids, ids)
        if len(self.ids) == 0 or np.any(self.ids[np.minimum(places, len(self.ids) - 1)] != ids):
            raise IndexDamagedError("a passage of the index has no vector; run `semsearch verify`")
        ends = np.cumsum([len(segment.vectors.ids) for segment in self.each])
        starts = np.concatenate(([0], ends))
        owners = np.searchsorted(ends, places, side="right")
        return ((self.each[i], p - int(starts[i])) for i, p in zip(owners.tolist(), places.tolist(), strict=True))


def open_segments(
    folder: Path, stored: Sequence[StoredSegment], tombstones: Sequence[int], before: Segments
) -> Segments:
    """The segments that the catalog lists, each with the mask of its living rows.

    Raises:
        FileNotFoundError: a file is missing.
        IndexDamagedError: a file is not what was written.
    """
    dead = np.array(tombstones, np.int64)
    opened = {segment.stored.id: segment for segment in before.each}
    return Segments.of(_with_dead(opened.get(s.id) or _open(folder, s), dead) for s in stored)


def _open(folder: Path, stored: StoredSegment) -> Segment:
    dense = map_arrays(folder / "vectors" / f"{stored.id:08d}", stored.vectors)
    sparse = map_arrays(folder / "lexical" / f"{stored.id:08d}", stored.lexical)
    try:
        vectors_ = VectorSegment(dense["ids"], dense["rows"], None, dense.get("total"), dense.get("square"))
        return Segment(stored, vectors_, LexicalSegment(*(sparse[name] for name in LexicalSegment.ARRAYS)), dead=0)
    except KeyError as error:
        raise IndexDamagedError(f"{folder}: segment {stored.id} lacks an array; rebuild the index") from error


def _with_dead(segment: Segment, dead: NDArray[np.int64]) -> Segment:
    first, last = np.searchsorted(dead, [segment.stored.first, segment.stored.last + 1])
    here = dead[first:last]
    if len(here) == segment.dead:  # the dead only ever grow in number
        return segment
    lives = np.ones(len(segment.vectors.ids), np.bool_)
    lives[np.searchsorted(segment.vectors.ids, here)] = False
    dense, sparse = replace(segment.vectors, lives=lives), replace(segment.lexical, lives=lives)
    return Segment(segment.stored, dense, sparse, dead=len(here))
