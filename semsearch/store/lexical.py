"""Ranks passages by BM25 over immutable segments of postings; folds no text and reads no files itself.

score = sum over the query's terms of idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)), with
idf = ln(1 + (N - df + 0.5) / (df + 0.5)): Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and
Beyond" (2009), with the idf that Lucene uses, which is never negative. N, df and the mean length count only passages
that are part of the index at that moment, so an index that has seen edits scores as one that was built from nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import log
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from semsearch.store.files import Array

K1 = 1.2
B = 0.75
_MOST = np.iinfo(np.uint16).max


@dataclass(frozen=True, slots=True)
class LexicalSegment:
    """Postings of n passages and t terms. A term's postings are `rows[starts[i]:starts[i + 1]]`, in rising order.

    ids: int64 (n,), rising. lengths: uint32 (n,), terms in each passage. names: uint8, the terms' UTF-8 in rising
    order, end to end; ends: int64 (t,), where each stops. starts: int64 (t + 1,). rows: uint32 (p,), rows of
    passages. counts: uint16 (p,), how often the term stands there. `lives`: mask (n,) of the rows that are still part
    of the index; None means all of them.
    """

    ARRAYS: ClassVar = ("ids", "lengths", "names", "ends", "starts", "rows", "counts")

    ids: NDArray[np.int64]
    lengths: NDArray[np.uint32]
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

    def postings(self, term: str) -> tuple[NDArray[np.uint32], NDArray[np.uint16]]:
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

    def size(self) -> tuple[int, int]:
        """The number of living passages, and of the terms in them all."""
        if self.lives is None:
            return len(self.ids), int(self.lengths.sum(dtype=np.int64))
        return int(np.count_nonzero(self.lives)), int(self.lengths[self.lives].sum(dtype=np.int64))


def build(ids: Sequence[int], passages: Iterable[Sequence[str]]) -> LexicalSegment:
    """A segment from passage ids, in rising order, and the terms of each passage."""
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
        list(numbers),
        np.array(terms, np.int64),
        np.array(rows, np.uint32),
        np.array(counts, np.uint16),
    )


def merged(segments: Sequence[LexicalSegment]) -> LexicalSegment:
    """One segment that takes the place of several, in their order, without the dead."""
    numbers: defaultdict[bytes, int] = defaultdict(count().__next__)
    ids, lengths, terms, rows, counts = [], [], [], [], []
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
        base += int(np.count_nonzero(lives))
    return _assemble(
        np.concatenate(ids), np.concatenate(lengths), list(numbers), np.concatenate(terms), np.concatenate(rows),
        np.concatenate(counts),
    )  # fmt: skip


def search(segments: Sequence[LexicalSegment], terms: Sequence[str], k: int) -> list[tuple[int, float]]:
    """The k passages with the highest BM25 for the terms: (passage id, score), best first; none without a term.

    A term that is repeated in the query counts as often.
    """
    sizes = [segment.size() for segment in segments]
    passages, length = (sum(column) for column in zip(*sizes, strict=True)) if sizes else (0, 0)
    if not passages or not length:
        return []
    wanted = Counter(terms)
    postings = {term: [segment.postings(term) for segment in segments] for term in wanted}
    weights = {term: times * _idf(passages, sum(len(p[0]) for p in postings[term])) for term, times in wanted.items()}
    best: list[tuple[int, float]] = []
    for i, segment in enumerate(segments):
        scores = np.zeros(len(segment.ids), np.float64)
        for term, weight in weights.items():
            _add(scores, segment.lengths, *postings[term][i], weight, length / passages)
        best.extend(_top(segment.ids, scores, k))
    return sorted(best, key=lambda hit: (-hit[1], hit[0]))[:k]


def _idf(passages: int, having: int) -> float:
    return log(1 + (passages - having + 0.5) / (having + 0.5))


def _add(
    scores: NDArray[np.float64],
    lengths: NDArray[np.uint32],
    rows: NDArray[np.uint32],
    counts: NDArray[np.uint16],
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
        names=np.array(bytearray(b"".join(kept)), np.uint8),
        ends=np.cumsum([len(name) for name in kept], dtype=np.int64),
        starts=np.concatenate(([0], np.cumsum(totals[used]))).astype(np.int64),
        rows=rows[sequence],
        counts=counts[sequence],
    )
