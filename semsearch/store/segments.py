"""Opens the files of an index's segments and searches them as one; writes nothing.

A segment is a pair of files, vectors and postings, for the same passages. Segments that were open before are not read
again; the order of segments is the order of passage ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsearch.errors import IndexDamagedError
from semsearch.store import context, lexical, moments, vectors
from semsearch.store.files import MEND, Array, fetched, map_arrays, write_arrays
from semsearch.store.lexical import Corpus, LexicalScores, LexicalSegment
from semsearch.store.lists import RECALL, Lists, nearest
from semsearch.store.moments import Key, Outer, Sums
from semsearch.store.stored import StoredLists, StoredSegment
from semsearch.store.subset import Ids
from semsearch.store.vectors import VectorSegment
from semsearch.types import Vectors

_MORE = 32
"""Lists compare rounded vectors: a quarter more than k, and so many besides, are scored exactly."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A pair of mapped files, and how many of its rows are dead."""

    stored: StoredSegment
    vectors: VectorSegment
    lexical: LexicalSegment
    dead: int


@dataclass(slots=True)
class _Noted:
    """What is worked out once and not for each query. Threads that do so at once do the same."""

    sums: Sums | None = None
    sealed: bool = False
    corpus: Corpus | None = None
    outer: dict[Key, Outer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Segments:
    """All segments of one generation, and the lists by which passages up to `last` are found, where there are any.

    `ids` are the segments' passages, the dead among them, in rising order; `starts` is where each segment's begin among
    them, and how many there are.
    """

    each: tuple[Segment, ...]
    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    lists: Lists | None = None
    last: int = -1
    noted: _Noted = field(default_factory=_Noted)
    folder: str = ""

    @classmethod
    def of(cls, each: Iterable[Segment], before: Segments | None = None, folder: str = "") -> Segments:
        """The segments, which are in order of their passages, after those of an earlier generation."""
        every = tuple(each)
        ids = np.concatenate([np.empty(0, np.int64), *(segment.vectors.ids for segment in every)])
        starts = np.cumsum([0, *(len(segment.vectors.ids) for segment in every)])
        return cls(every, ids, starts, noted=_Noted(outer=before.noted.outer if before else {}), folder=folder)

    def with_lists(self, lists: Lists, last: int) -> Segments:
        """The same with lists of all passages up to the last, some of which may be gone since."""
        # Whatever the catalog says, no more memory than the passages need; what the lists have beyond them is gone.
        last = min(last, int(self.ids[-1])) if len(self.ids) else -1
        alive = np.zeros(last + 2, np.bool_)
        for segment in self.each:
            ids = segment.vectors.ids if segment.vectors.lives is None else segment.vectors.ids[segment.vectors.lives]
            alive[ids[: np.searchsorted(ids, last, side="right")]] = True
        all_alive = np.count_nonzero(alive) == len(lists.ids)
        return replace(self, lists=replace(lists, alive=None if all_alive else alive), last=last)

    @property
    def later(self) -> list[VectorSegment]:
        """The vectors that the lists do not know."""
        parts = [
            (segment.vectors, int(np.searchsorted(segment.vectors.ids, self.last, "right"))) for segment in self.each
        ]
        return [s.since(row) for s, row in parts if row < len(s.ids)]

    def are_whole_documents(self, ids: Ids) -> bool:
        """Whether these, in rising order, are passages that there are, and each document has all or none of its own."""
        taken = 0
        for here in (segment.lexical for segment in self.each):
            had = np.isin(here.ids, ids, assume_unique=True)
            counts = np.add.reduceat(had, here.firsts[:-1], dtype=np.int64)
            if np.any((counts > 0) & (counts < here.sizes)) or (here.lives is not None and np.any(had & ~here.lives)):
                return False
            taken += int(counts.sum())
        return taken == len(ids)

    @property
    def living(self) -> int:
        """How many passages there are."""
        return len(self.ids) - sum(segment.dead for segment in self.each)

    def dense(
        self,
        query: Vectors,
        k: int,
        only: Ids | None = None,
        recall: float = RECALL,
        vectors_of: Callable[[Ids], Vectors] | None = None,
    ) -> list[tuple[int, float]]:
        """The k passages, of all or of `only`, with the highest inner product: (passage id, score), best first.

        Scores are exact. Where there are lists, a passage may be missed: `recall` is the share of the true best that is
        found in the mean. With 1 none is. `vectors_of` gives vectors in the place of `vectors`.
        """
        near = self._near(query, k, only, recall)
        if near is None:
            return vectors.search([segment.vectors for segment in self.each], query, k, only)
        scores = vectors.similarities((vectors_of or self.vectors)(near), query)
        later = vectors.search(self.later, query, k, only)
        return vectors.best([*zip(near.tolist(), scores, strict=True), *later], k)

    def _near(self, query: Vectors, k: int, only: Ids | None, recall: float) -> Ids | None:
        """Those among which the k nearest that the lists know should be, None where the lists would not help."""
        if self.lists is None or recall >= 1 or (only is not None and len(only) <= vectors.FEW):
            return None
        many = k + k // 4 + _MORE
        if 2 * many > self.lists.compared(recall):
            return None
        mask = None
        if only is not None:
            mask = np.zeros(self.last + 1, np.bool_)
            mask[only[: np.searchsorted(only, self.last, side="right")]] = True
        found = nearest(self.lists, query, many, recall, mask)
        # Lists may be so small that those looked through hold fewer than k; with a mask enough are looked through.
        return found if mask is not None or len(found) >= k else None

    def moments(self, query: Vectors) -> tuple[float, float]:
        """Mean and deviation of the inner products of `query` with all passages."""
        if self.noted.sums is None:
            every = [segment.vectors for segment in self.each]
            self.noted.sums, self.noted.outer = moments.summed(every, self.noted.outer)
        return moments.of(self.noted.sums, query)

    def lexical(self, terms: Sequence[str]) -> LexicalScores:
        """What the terms make of every passage: BM25."""
        if self.noted.corpus is None:
            self.noted.corpus = Corpus.of([segment.lexical for segment in self.each])
        return lexical.search(self.noted.corpus, terms)

    def having(self, terms: Sequence[str]) -> Ids:
        """The passages that have all these terms, in rising order."""
        return lexical.having([segment.lexical for segment in self.each], terms)

    def vectors(self, ids: Sequence[int] | Ids) -> Vectors:
        """The vectors of these passages, which are part of the index: float32, shape (len(ids), dimension).

        Raises:
            IndexDamagedError: one of them has no vector.
        """
        owners, rows = self._places(ids)
        return fetched([segment.vectors.rows for segment in self.each], owners, rows)

    def alone(self, ids: Sequence[int]) -> Vectors:
        """The same as the model gave them, without their context; not of passages with vectors of somebody's own."""
        documents: dict[tuple[int, int], Vectors] = {}
        found = []
        for owner, row in zip(*(places.tolist() for places in self._places(ids)), strict=True):
            first, end = self.each[owner].lexical.document_of(row)
            if (owner, first) not in documents:
                documents[owner, first] = context.alone(self.each[owner].vectors.rows[first:end])
            found.append(documents[owner, first][row - first])
        return np.stack(found)

    def _places(self, ids: Sequence[int] | Ids) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The segment of each passage, by its number in `each`, and its row there."""
        places = np.searchsorted(self.ids, ids)
        if len(self.ids) == 0 or np.any(self.ids[np.minimum(places, len(self.ids) - 1)] != ids):
            raise IndexDamagedError(f"{self.folder}: a passage of the index has no vector; {MEND}")
        owners = np.searchsorted(self.starts, places, side="right") - 1
        return owners, places - self.starts[owners]


class Fetched:
    """The vectors of passages that one search looks at, each read once."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._places: dict[int, int] = {}
        self._rows: Vectors | None = None

    def of(self, ids: Sequence[int] | Ids) -> Vectors:
        """As `Segments.vectors`."""
        wanted = list(map(int, ids))
        new = [i for i in wanted if i not in self._places]
        if new or self._rows is None:
            rows = self._segments.vectors(new)
            self._places |= {i: place for place, i in enumerate(new, len(self._places))}
            self._rows = rows if self._rows is None else np.concatenate((self._rows, rows))
        return self._rows[[self._places[i] for i in wanted]]


def segment_files(folder: Path, number: int) -> tuple[Path, Path]:
    """The files of a segment in an edition: of its vectors, and of its postings."""
    return folder / "vectors" / f"{number:08d}", folder / "lexical" / f"{number:08d}"


def lists_file(folder: Path, number: int) -> Path:
    """The file of lists in an edition."""
    return folder / "lists" / f"{number:08d}"


def open_segments(
    folder: Path, stored: Sequence[StoredSegment], tombstones: Sequence[int], before: Segments, dimension: int
) -> Segments:
    """The segments that the catalog lists, with vectors of that dimension, each with the mask of its living rows.

    Raises:
        FileNotFoundError: a file is missing.
        IndexDamagedError: a file is not what was written.
    """
    dead = np.array(tombstones, np.int64)
    opened = {segment.stored.id: segment for segment in before.each}
    each = (opened.get(s.id) or open_segment(folder, s, dimension) for s in stored)
    if any(one.last >= two.first for one, two in pairwise(stored)):
        raise IndexDamagedError(f"{folder}: its segments are not in order; {MEND}")
    return Segments.of((_with_dead(segment, dead) for segment in each), before, str(folder))


def write_segment(
    folder: Path, number: int, dense: Mapping[str, Sequence[Array]], sparse: LexicalSegment
) -> StoredSegment:
    """Write the files of a segment, durably; what the catalog has to say of it."""
    dense_file, sparse_file = segment_files(folder, number)
    return StoredSegment(
        number,
        int(sparse.ids[0]),
        int(sparse.ids[-1]),
        len(sparse.ids),
        write_arrays(dense_file, moments.with_sums(dense)),
        write_arrays(sparse_file, sparse.arrays()),
    )


def open_lists(folder: Path, stored: StoredLists, before: Segments, dimension: int) -> Lists:
    """The lists that the catalog names; those of an earlier generation where they are the same.

    Raises:
        FileNotFoundError: the file is missing.
        IndexDamagedError: it is not what was written.
    """
    if before.lists is not None and before.lists.number == stored.id:
        return before.lists
    path = lists_file(folder, stored.id)
    return Lists.of(stored.id, map_arrays(path, stored.file), path, dimension)


def open_segment(folder: Path, stored: StoredSegment, dimension: int) -> Segment:
    """A segment, with all its rows.

    Raises:
        FileNotFoundError: a file is missing.
        IndexDamagedError: a file is not what was written, or says of its arrays what cannot be.
    """
    files = segment_files(folder, stored.id)
    dense, sparse = map_arrays(files[0], stored.vectors), map_arrays(files[1], stored.lexical)
    try:
        vectors_ = VectorSegment(dense["ids"], dense["rows"], None, dense.get("total"), dense.get("square"))
        lexical_ = LexicalSegment.of(sparse)
        ends = vectors_.ids[:1].tolist() + vectors_.ids[-1:].tolist()
        fits = vectors_.fits(stored.rows, dimension) and lexical_.fits(stored.rows)
        if not fits or ends != [stored.first, stored.last]:
            raise IndexDamagedError(f"{folder}: the arrays of segment {stored.id} do not fit each other; {MEND}")
        return Segment(stored, vectors_, lexical_, dead=0)
    except KeyError as error:
        raise IndexDamagedError(f"{folder}: segment {stored.id} lacks the array {error}; {MEND}") from error


def _with_dead(segment: Segment, dead: NDArray[np.int64]) -> Segment:
    first, last = np.searchsorted(dead, [segment.stored.first, segment.stored.last + 1])
    here = dead[first:last]
    if len(here) == segment.dead:  # the dead only ever grow in number
        return segment
    lives = np.ones(len(segment.vectors.ids), np.bool_)
    lives[np.searchsorted(segment.vectors.ids, here)] = False
    dense, sparse = replace(segment.vectors, lives=lives), replace(segment.lexical, lives=lives)
    return Segment(segment.stored, dense, sparse, dead=len(here))
