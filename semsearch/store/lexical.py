"""Ranks passages by BM25 over immutable segments of postings; folds no text and reads no files itself.

BM25 = sum over the query's terms of idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)), with
idf = ln(1 + (N - df + 0.5) / (df + 0.5)): Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and
Beyond" (2009), with the idf that Lucene uses, which is never negative. A passage's score is 0.3 of its own BM25
among the passages and 0.7 of its document's among the documents: what an article is about is often said outside of the
passage that answers. N, df and the mean lengths count only what is part of the index at that moment, so an index that
has seen edits scores as one that was built from nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsearch.store.postings import Extent, LexicalSegment, build, merged
from semsearch.store.subset import Ids, rows_of

__all__ = ["DOCUMENT", "K1", "B", "LexicalScores", "LexicalSegment", "build", "having", "merged", "search"]

K1 = 1.2
B = 0.75

_STEP = 16

DOCUMENT = 0.7
"""The share of the document's BM25 in a passage's; measured beside others in `benchmarks/ranking.md`."""


@dataclass(frozen=True)
class _Scored:
    """One segment's BM25: `own` of its n passages, float64 (n,), and `whole` of its m documents, float64 (m,)."""

    segment: LexicalSegment
    own: NDArray[np.float64]
    whole: NDArray[np.float64]

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The scores of these rows."""
        return (1 - DOCUMENT) * self.own[rows] + DOCUMENT * self.whole[self.segment.owners[rows]]

    @cached_property
    def touched(self) -> NDArray[np.int64]:
        """The rows that have a term themselves, in rising order."""
        return np.flatnonzero(self.own > 0)

    @cached_property
    def parts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of those, their own BM25 and their documents'."""
        return self.own[self.touched], self.whole[self.segment.owners[self.touched]]

    @property
    def of_touched(self) -> NDArray[np.float64]:
        """The scores of those."""
        own, within = self.parts
        return (1 - DOCUMENT) * own + DOCUMENT * within

    def others(self, least: float) -> NDArray[np.int64]:
        """The rows without a term whose documents alone give them a score of `least`, or any above 0."""
        documents = np.flatnonzero(DOCUMENT * self.whole >= least if least > 0 else self.whole > 0)
        first, sizes = self.segment.firsts[documents], self.segment.sizes[documents]
        rows = np.repeat(first - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
        return np.asarray(rows[self.own[rows] == 0], np.int64)

    def sums(self) -> tuple[float, float]:
        """The sum of the scores of all passages, and that of their squares, without working out each."""
        (own, within), whole, sizes = self.parts, self.whole, self.segment.sizes
        total = (1 - DOCUMENT) * own.sum() + DOCUMENT * (sizes @ whole)
        square = (1 - DOCUMENT) ** 2 * (own @ own) + 2 * DOCUMENT * (1 - DOCUMENT) * (own @ within)
        return float(total), float(square + DOCUMENT**2 * (sizes @ (whole * whole)))


@dataclass(frozen=True, slots=True)
class LexicalScores:
    """What a query makes of every passage; one without a term of the query, also in its document, has 0.

    `mean` and `deviation` are over all passages of the index. Scores are worked out for those only that are asked for:
    a query's terms stand in few of a million passages.
    """

    scored: Sequence[_Scored]
    mean: float
    deviation: float

    @property
    def each(self) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """For each segment its ids and all scores: int64 and float64 (n,)."""
        return [(each.segment.ids, each.of(np.arange(len(each.own)))) for each in self.scored]

    def top(self, k: int, only: Ids | None = None) -> list[tuple[int, float]]:
        """The k passages with the highest scores above 0, of `only` where that is given: (passage id, score)."""
        masks = [None if only is None else _mask(each.segment.ids, only) for each in self.scored]
        touched = [_among(each.touched, each.of_touched, mask) for each, mask in zip(self.scored, masks, strict=True)]
        least = _kth(np.concatenate([np.empty(0), *(scores for _, scores in touched)]), k)
        best: list[tuple[int, float]] = []
        for each, mask, (rows, scores) in zip(self.scored, masks, touched, strict=True):
            kept = scores >= least
            others = each.others(least)
            others, of_others = _among(others, each.of(others), mask)
            found = np.concatenate((rows[kept], others))
            best.extend(
                zip(each.segment.ids[found].tolist(), [*scores[kept].tolist(), *of_others.tolist()], strict=True)
            )
        return sorted(best, key=lambda hit: (-hit[1], hit[0]))[:k]

    def of(self, wanted: Iterable[int]) -> dict[int, float]:
        """The scores of these passages, without those that have none."""
        sought = np.array(sorted(wanted), np.int64)
        found: dict[int, float] = {}
        for each in self.scored:
            rows = rows_of(each.segment.ids, sought)
            if len(rows):
                found.update(zip(each.segment.ids[rows].tolist(), each.of(rows).tolist(), strict=True))
        return {i: score for i, score in found.items() if score > 0}


def search(segments: Sequence[LexicalSegment], terms: Sequence[str]) -> LexicalScores:
    """What the terms make of every passage; a term that is repeated counts as often."""
    wanted = Counter(terms)
    times = list(wanted.values())
    having = [_having(segment, wanted) for segment in segments]
    whole = [_of_documents(segment.owners, found) for segment, found in zip(segments, having, strict=True)]
    own = _bm25([segment.passages for segment in segments], having, times)
    of_documents = _bm25([segment.documents for segment in segments], whole, times)
    scored = [_Scored(*each) for each in zip(segments, own, of_documents, strict=True)]
    count = max(sum(segment.passages.count for segment in segments), 1)
    sums = np.array([each.sums() for each in scored]).reshape(-1, 2).sum(axis=0)
    mean, square = float(sums[0]) / count, float(sums[1]) / count
    return LexicalScores(scored, mean, sqrt(max(square - mean * mean, 0.0)))


def having(segments: Sequence[LexicalSegment], terms: Sequence[str]) -> Ids:
    """The passages that have all the terms, of which there is at least one: in rising order."""
    found = [np.empty(0, np.int64)]
    for segment in segments:
        rows = [segment.postings(term)[0] for term in dict.fromkeys(terms)]
        shared = reduce(lambda left, right: np.intersect1d(left, right, assume_unique=True), rows)
        found.append(segment.ids[shared])
    return np.concatenate(found)


@dataclass(frozen=True, slots=True)
class _Having:
    """The texts of a segment that have a query's terms, term by term, end to end.

    rows: int64 (p,), rising within a term. counts: (p,), how often the term stands there. ends: int64 (t,), where each
    term's stop.
    """

    rows: NDArray[np.int64]
    counts: NDArray[Any]
    ends: NDArray[np.int64]


def _having(segment: LexicalSegment, terms: Iterable[str]) -> _Having:
    each = [segment.postings(term) for term in terms]
    rows = np.concatenate([segment.rows[:0], *(rows for rows, _ in each)]).astype(np.int64)
    counts = np.concatenate([segment.counts[:0], *(counts for _, counts in each)])
    return _Having(rows, counts, np.cumsum([len(rows) for rows, _ in each], dtype=np.int64))


def _of_documents(owners: NDArray[np.uint32], found: _Having) -> _Having:
    """The same for the documents, of which each may have a term in many passages."""
    if not len(found.rows):
        return found
    documents = owners[found.rows]
    first = np.empty(len(documents), np.bool_)
    first[0] = True
    np.not_equal(documents[1:], documents[:-1], out=first[1:])
    first[found.ends[found.ends < len(documents)]] = True
    firsts = np.flatnonzero(first)
    totals = np.add.reduceat(found.counts, firsts, dtype=np.int64)
    return _Having(documents[firsts].astype(np.int64), totals, np.searchsorted(firsts, found.ends))


def _bm25(extents: Sequence[Extent], having: Sequence[_Having], times: Sequence[int]) -> list[NDArray[np.float64]]:
    """Scores of shape (n,) for each segment of n texts; `times` says how often each term is in the query."""
    count, total = sum(extent.count for extent in extents), sum(extent.total for extent in extents)
    sizes = [np.diff(found.ends, prepend=0) for found in having]
    weights = (
        [n * (K1 + 1) * _idf(count, int(df)) for n, df in zip(times, np.sum(sizes, axis=0), strict=True)]
        if sizes
        else []
    )
    slope = K1 * B * max(count, 1) / max(total, 1)
    scores: list[NDArray[np.float64]] = []
    for extent, found, each in zip(extents, having, sizes, strict=True):
        impacts = np.repeat(weights, each) * found.counts
        impacts /= found.counts + extent.norms(K1 * (1 - B), slope)[found.rows]
        scores.append(np.bincount(found.rows, impacts, len(extent.lengths)).astype(np.float64, copy=False))
    return scores


def _idf(texts: int, having: int) -> float:
    return log(1 + (texts - having + 0.5) / (having + 0.5))


def _mask(ids: Ids, only: Ids) -> NDArray[np.bool_]:
    mask = np.zeros(len(ids), np.bool_)
    mask[rows_of(ids, only)] = True
    return mask


def _among(
    rows: NDArray[np.int64], scores: NDArray[np.float64], mask: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    if mask is None:
        return rows, scores
    kept = mask[rows]
    return rows[kept], scores[kept]


def _kth(scores: NDArray[np.float64], k: int) -> float:
    """The k-th highest score, 0 where there are fewer."""
    if len(scores) < k:
        return 0.0
    # No score below the k-th of a part is among the k highest of all; so most need not be put in order.
    part = scores[::_STEP]
    if len(part) > k:
        scores = scores[scores >= np.partition(part, -k)[-k]]
    return float(np.partition(scores, -k)[-k])
