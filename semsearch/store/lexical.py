"""Ranks passages by BM25 over immutable segments of postings; folds no text and reads no files itself.

BM25 = sum over the query's terms of idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)), with
idf = ln(1 + (N - df + 0.5) / (df + 0.5)): Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and
Beyond" (2009), with the idf that Lucene uses, which is never negative. A passage's score is the mean of its own BM25
among the passages and its document's among the documents: what an article is about is often said outside of the
passage that answers. N, df and the mean lengths count only what is part of the index at that moment, so an index that
has seen edits scores as one that was built from nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import count
from math import log, sqrt
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from semsearch.store.files import Array
from semsearch.store.subset import Ids, rows_of

K1 = 1.2
B = 0.75

DOCUMENT = 0.7
"""The share of the document's BM25 in a passage's; measured beside others in `benchmarks/ranking.md`."""

Postings: TypeAlias = tuple[NDArray[np.uint32], NDArray[Any]]
"""The rows that have a term, rising, and how often each has it."""

_MOST = np.iinfo(np.uint16).max


@dataclass(frozen=True, slots=True)
class Extent:
    """The lengths of the texts of a segment in terms, shape (n,), and the number and total length of the living."""

    lengths: NDArray[Any]
    count: int
    total: int


@dataclass(frozen=True)
class LexicalSegment:
    """Postings of n passages and t terms. A term's postings are `rows[starts[i]:starts[i + 1]]`, in rising order.

    ids: int64 (n,), rising. lengths: uint32 (n,), terms in each passage. owners: uint32 (n,), the document of each,
    counted from 0: a document's passages stand together, all of them in one segment, and die together. names: uint8,
    the terms' UTF-8 in rising order, end to end; ends: int64 (t,), where each stops. starts: int64 (t + 1,). rows:
    uint32 (p,), rows of passages. counts: uint16 (p,), how often the term stands there. `lives`: mask (n,) of the rows
    that are still part of the index; None means all of them.
    """

    ARRAYS: ClassVar = ("ids", "lengths", "owners", "names", "ends", "starts", "rows", "counts")

    ids: NDArray[np.int64]
    lengths: NDArray[np.uint32]
    owners: NDArray[np.uint32]
    names: NDArray[np.uint8]
    ends: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: NDArray[np.uint32]
    counts: NDArray[np.uint16]
    lives: NDArray[np.bool_] | None = None

    def arrays(self) -> dict[str, list[Array]]:
        """What the segment's file holds."""
        return {name: [getattr(self, name)] for name in self.ARRAYS}

    def term(self, index: int) -> bytes:
        """The UTF-8 of the term with that number."""
        start = int(self.ends[index - 1]) if index else 0
        return self.names[start : int(self.ends[index])].tobytes()

    def find(self, term: str) -> int:
        """The number of a term, -1 where no passage has it; by bisection."""
        wanted = term.encode()
        low, high = 0, len(self.ends)
        while low < high:
            middle = (low + high) // 2
            if self.term(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self.ends) and self.term(low) == wanted else -1

    def postings(self, term: str) -> Postings:
        """The living rows that have the term, and how often each has it."""
        index = self.find(term)
        if index < 0:
            return self.rows[:0], self.counts[:0]
        part = slice(int(self.starts[index]), int(self.starts[index + 1]))
        rows, counts = self.rows[part], self.counts[part]
        if self.lives is None:
            return rows, counts
        kept = self.lives[rows]
        return rows[kept], counts[kept]

    # Worked out once for a segment and its dead, not for each query.
    @cached_property
    def passages(self) -> Extent:
        """The lengths of the passages, and what the living add up to."""
        if self.lives is None:
            return Extent(self.lengths, len(self.ids), int(self.lengths.sum(dtype=np.int64)))
        living = self.lengths[self.lives]
        return Extent(self.lengths, len(living), int(living.sum(dtype=np.int64)))

    @cached_property
    def documents(self) -> Extent:
        """The same of the documents."""
        lengths = np.bincount(self.owners, self.lengths).astype(np.int64)
        alive = self.owners if self.lives is None else self.owners[self.lives]
        living = np.bincount(alive, minlength=len(lengths)) > 0
        return Extent(lengths, int(np.count_nonzero(living)), int(lengths[living].sum()))

    def document_of(self, row: int) -> tuple[int, int]:
        """The first row of the document that a row is part of, and the one after its last."""
        owner = self.owners[row]
        first, end = np.searchsorted(self.owners, owner), np.searchsorted(self.owners, owner, side="right")
        return int(first), int(end)


@dataclass(frozen=True, slots=True)
class LexicalScores:
    """What a query makes of every passage. `each` has, for each segment, its ids and scores: int64 and float64 (n,).

    A passage without a term of the query has 0. `mean` and `deviation` are over all passages of the index.
    """

    each: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]
    mean: float
    deviation: float

    def top(self, k: int, only: Ids | None = None) -> list[tuple[int, float]]:
        """The k passages with the highest scores above 0, of `only` where that is given: (passage id, score)."""
        best: list[tuple[int, float]] = []
        for ids, scores in self.each:
            chosen = slice(None) if only is None else rows_of(ids, only)
            best.extend(_top(ids[chosen], scores[chosen], k))
        return sorted(best, key=lambda hit: (-hit[1], hit[0]))[:k]

    def of(self, wanted: Iterable[int]) -> dict[int, float]:
        """The scores of these passages, without those that have none."""
        sought = np.array(sorted(wanted), np.int64)
        found: dict[int, float] = {}
        for ids, scores in self.each:
            rows = rows_of(ids, sought)
            found.update(zip(ids[rows].tolist(), scores[rows].tolist(), strict=True))
        return {i: score for i, score in found.items() if score > 0}


def build(ids: Sequence[int], passages: Iterable[Sequence[str]], sizes: Sequence[int] | None = None) -> LexicalSegment:
    """A segment from passage ids, in rising order, and the terms of each passage.

    `sizes` says how many passages each document has, in the same order; None for one each.
    """
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    lengths, rows, terms, counts = [], [], [], []
    for row, words in enumerate(passages):
        lengths.append(len(words))
        for word, times in Counter(words).items():
            rows.append(row)
            terms.append(numbers[word])
            counts.append(min(times, _MOST))
    return _assemble(
        ids,
        lengths,
        np.repeat(np.arange(len(sizes)), sizes) if sizes is not None else np.arange(len(lengths)),
        list(numbers),
        np.array(terms, np.int64),
        np.array(rows, np.uint32),
        np.array(counts, np.uint16),
    )


def merged(segments: Sequence[LexicalSegment]) -> LexicalSegment:
    """One segment that takes the place of several, in their order, without the dead."""
    numbers: defaultdict[bytes, int] = defaultdict(count().__next__)
    ids, lengths, owners, terms, rows, counts = [], [], [], [], [], []
    base = 0
    for segment in segments:
        lives = np.ones(len(segment.ids), np.bool_) if segment.lives is None else segment.lives
        kept = lives[segment.rows]
        names = np.array([numbers[segment.term(i)] for i in range(len(segment.ends))], np.int64)
        terms.append(np.repeat(names, np.diff(segment.starts))[kept])
        rows.append((base - 1 + np.cumsum(lives))[segment.rows[kept]].astype(np.uint32))
        counts.append(segment.counts[kept])
        ids.append(segment.ids[lives])
        lengths.append(segment.lengths[lives])
        owners.append(np.append(True, np.diff(segment.owners[lives]) > 0)[: int(np.count_nonzero(lives))])
        base += int(np.count_nonzero(lives))
    return _assemble(
        np.concatenate(ids), np.concatenate(lengths), np.cumsum(np.concatenate(owners)) - 1, list(numbers),
        np.concatenate(terms), np.concatenate(rows), np.concatenate(counts),
    )  # fmt: skip


def search(segments: Sequence[LexicalSegment], terms: Sequence[str]) -> LexicalScores:
    """What the terms make of every passage; a term that is repeated counts as often."""
    wanted = Counter(terms)
    postings = {term: [segment.postings(term) for segment in segments] for term in wanted}
    whole = {
        term: [_of_documents(s.owners, *found) for s, found in zip(segments, each, strict=True)]
        for term, each in postings.items()
    }
    extents = [segment.passages for segment in segments]
    passages = _bm25(extents, postings, wanted)
    documents = _bm25([segment.documents for segment in segments], whole, wanted)
    each = [
        (segment.ids, _alive(segment, (1 - DOCUMENT) * own + DOCUMENT * of_document[segment.owners]))
        for segment, own, of_document in zip(segments, passages, documents, strict=True)
    ]
    count = max(sum(extent.count for extent in extents), 1)
    mean = sum(float(scores.sum()) for _, scores in each) / count
    square = sum(float(scores @ scores) for _, scores in each) / count
    return LexicalScores(each, mean, sqrt(max(square - mean * mean, 0.0)))


def having(segments: Sequence[LexicalSegment], terms: Sequence[str]) -> Ids:
    """The passages that have all the terms, of which there is at least one: in rising order."""
    found = [np.empty(0, np.int64)]
    for segment in segments:
        rows = [segment.postings(term)[0] for term in dict.fromkeys(terms)]
        shared = reduce(lambda left, right: np.intersect1d(left, right, assume_unique=True), rows)
        found.append(segment.ids[shared])
    return np.concatenate(found)


def _alive(segment: LexicalSegment, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return scores if segment.lives is None else np.where(segment.lives, scores, 0.0)


def _bm25(
    extents: Sequence[Extent], postings: Mapping[str, Sequence[Postings]], wanted: Mapping[str, int]
) -> list[NDArray[np.float64]]:
    """Scores of shape (n,) for each segment of n texts."""
    count, total = sum(extent.count for extent in extents), sum(extent.total for extent in extents)
    scores = [np.zeros(len(extent.lengths), np.float64) for extent in extents]
    for term, times in wanted.items():
        weight = times * _idf(count, sum(len(rows) for rows, _ in postings[term]))
        for i, (rows, counts) in enumerate(postings[term]):
            _add(scores[i], extents[i].lengths, rows, counts, weight, max(total, 1) / max(count, 1))
    return scores


def _of_documents(owners: NDArray[np.uint32], rows: NDArray[np.uint32], counts: NDArray[Any]) -> Postings:
    """The postings of a term among documents, from those among their passages."""
    if not len(rows):
        return rows, counts
    documents = owners[rows]
    firsts = np.flatnonzero(np.append(True, np.diff(documents) > 0))
    return documents[firsts], np.add.reduceat(counts, firsts, dtype=np.int64)


def _idf(passages: int, having: int) -> float:
    return log(1 + (passages - having + 0.5) / (having + 0.5))


def _add(
    scores: NDArray[np.float64],
    lengths: NDArray[Any],
    rows: NDArray[np.uint32],
    counts: NDArray[Any],
    weight: float,
    mean: float,
) -> None:
    # A row stands once in a term's postings, so plain indexing adds each of them.
    norms = K1 * (1 - B + B / mean * lengths[rows])
    scores[rows] += weight * (K1 + 1) * counts / (counts + norms)


def _top(ids: NDArray[np.int64], scores: NDArray[np.float64], k: int) -> Iterator[tuple[int, float]]:
    rows = np.flatnonzero(scores)
    if len(rows) > k:
        rows = rows[np.argpartition(scores[rows], -k)[-k:]]
    return zip(ids[rows].tolist(), scores[rows].tolist(), strict=True)


def _assemble(
    ids: Sequence[int] | NDArray[np.int64],
    lengths: Sequence[int] | NDArray[np.uint32],
    owners: NDArray[np.int64],
    names: Sequence[str] | Sequence[bytes],
    terms: NDArray[np.int64],
    rows: NDArray[np.uint32],
    counts: NDArray[np.uint16],
) -> LexicalSegment:
    encoded = [name.encode() if isinstance(name, str) else name for name in names]
    order = sorted(range(len(encoded)), key=encoded.__getitem__)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    places = rank[terms]
    # Stable: the rows of a term stay in rising order.
    sequence = np.argsort(places, kind="stable")
    totals = np.bincount(places, minlength=len(order))
    used = totals > 0
    kept = [encoded[i] for i, use in zip(order, used.tolist(), strict=True) if use]
    return LexicalSegment(
        ids=np.asarray(ids, np.int64),
        lengths=np.asarray(lengths, np.uint32),
        owners=owners.astype(np.uint32),
        names=np.array(bytearray(b"".join(kept)), np.uint8),
        ends=np.cumsum([len(name) for name in kept], dtype=np.int64),
        starts=np.concatenate(([0], np.cumsum(totals[used]))).astype(np.int64),
        rows=rows[sequence],
        counts=counts[sequence],
    )
