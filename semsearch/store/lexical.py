"""Ranks passages by BM25 over immutable segments of postings; folds no text and reads no files itself.

BM25 = sum over the query's terms of idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)), with
idf = ln(1 + (N - df + 0.5) / (df + 0.5)): Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and
Beyond" (2009), with the idf that Lucene uses, which is never negative. A passage's score is 0.3 of its own BM25
among the passages and 0.7 of its document's among the documents: what an article is about is often said outside of the
passage that answers. N, df and the mean lengths count only what is part of the index at that moment, so an index that
has seen edits scores as one that was built from nothing.

All documents are scored, but only the passages of those that can have one among the best: how high a passage can score
at the most is told from what its document has of the terms. So what is left out is never among the best, as in
MaxScore: Turtle and Flood, "Query Evaluation: Strategies and Optimizations" (1995).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from semsearch.store.corpus import K1, B, Corpus, Matched, Numbers, norms
from semsearch.store.postings import LexicalSegment, build, merged
from semsearch.store.subset import Ids, rows_of, spans

__all__ = ["DOCUMENT", "K1", "B", "Corpus", "LexicalScores", "LexicalSegment", "build", "having", "merged", "search"]

DOCUMENT = 0.7
"""The share of the document's BM25 in a passage's; measured beside others in `benchmarks/ranking.md`."""

_LEAST = float(np.nextafter(0, 1))
"""A score above 0."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LexicalScores:
    """What a query makes of every passage; one without a term of the query, also in its document, has 0.

    `mean` and `deviation` are of BM25 over all documents of the index. Passages are scored where they are asked for:
    `weights` are those of the terms among passages, for each group of `matched`. `whole`: float64 (m,), the BM25 of the
    documents. `most`: float64 (m,), what no passage of each document exceeds by itself.
    """

    matched: Matched
    weights: Scores
    whole: Scores
    most: Scores
    mean: float
    deviation: float

    @property
    def corpus(self) -> Corpus:
        """What is scored."""
        return self.matched.corpus

    def every(self) -> tuple[Ids, Scores]:
        """The ids of all passages, and their scores: int64 and float64 (n,)."""
        return self.corpus.ids, self._of_documents(np.arange(len(self.whole)))[1]

    def top(self, k: int, only: Ids | None = None) -> list[tuple[int, float]]:
        """The k passages with the highest scores above 0, of `only` where that is given: (passage id, score)."""
        chosen = None if only is None else rows_of(self.corpus.ids, only)
        whole = self.whole if chosen is None else _among(self.whole, self.corpus.owners(chosen))
        # The passages of the best documents are likely to be among the best: what they reach, the others have to.
        first = self._of_documents(np.flatnonzero(whole >= max(_kth(whole, k), _LEAST)), chosen)
        least = max(_kth(first[1], k), _LEAST)
        reach = (whole > 0) & (DOCUMENT * whole + (1 - DOCUMENT) * self.most >= least)
        rows, scores = self._of_documents(np.flatnonzero(reach), chosen)
        kept = np.flatnonzero(scores >= least)
        kept = kept[np.argsort(-scores[kept], kind="stable")[:k]]
        return list(zip(self.corpus.ids[rows[kept]].tolist(), scores[kept].tolist(), strict=True))

    def of(self, wanted: Iterable[int]) -> dict[int, float]:
        """The scores of these passages, without those that have none."""
        rows = rows_of(self.corpus.ids, np.array(sorted(wanted), np.int64))
        every, scores = self._of_documents(np.unique(self.corpus.owners(rows)))
        scores = scores[np.searchsorted(every, rows)]
        found = zip(self.corpus.ids[rows].tolist(), scores.tolist(), strict=True)
        return {i: score for i, score in found if score > 0}

    def _of_documents(self, documents: Numbers, chosen: Numbers | None = None) -> tuple[Numbers, Scores]:
        """All passages of some documents, which are in rising order, or those chosen of them; and their scores."""
        corpus, matched = self.corpus, self.matched
        sizes = corpus.sizes[documents]
        rows = spans(corpus.firsts[documents], sizes)
        asked = np.zeros(len(self.whole), np.bool_)
        asked[documents] = True
        groups = np.flatnonzero(asked[matched.documents])
        scores = DOCUMENT * np.repeat(self.whole[documents], sizes)
        if len(groups):
            # From a passage of the corpus to its place among these.
            shifts = np.empty(len(self.whole), np.int64)
            shifts[documents] = np.cumsum(sizes) - sizes - corpus.firsts[documents]
            found, counts, lengths = matched.postings(groups)
            spreads = matched.spreads[groups]
            places = found + np.repeat(shifts[matched.documents[groups]], spreads)
            shares = counts / (counts + norms(lengths, corpus.passages))
            own = np.bincount(places, np.repeat(self.weights[groups], spreads) * shares, len(rows))
            scores += (1 - DOCUMENT) * own
        if corpus.alive is not None:
            scores[np.repeat(~corpus.alive[documents], sizes)] = 0
        if chosen is None:
            return rows, scores
        here = np.isin(rows, chosen, assume_unique=True)
        return rows[here], scores[here]


def search(corpus: Corpus, terms: Sequence[str]) -> LexicalScores:
    """What the terms make of every passage; a term that is repeated counts as often."""
    wanted = Counter(terms) if len(corpus.segments) else Counter()
    matched = Matched.of(corpus, list(wanted))
    of_documents, of_passages = matched.having(len(wanted)) if wanted else ([], [])
    weights = matched.weighted(_weights(corpus.passages[0], of_passages, wanted.values()))
    shares = matched.totals / (matched.totals + corpus.norms[matched.documents])
    whole = matched.weighted(_weights(corpus.documents[0], of_documents, wanted.values())) * shares
    whole = np.bincount(matched.documents, whole, len(corpus.lengths)).astype(np.float64, copy=False)
    most = np.bincount(matched.documents, weights * shares, len(corpus.lengths)) * corpus.gains
    if corpus.alive is not None:
        whole[~corpus.alive] = 0
    count = max(corpus.documents[0], 1)
    mean = float(whole.sum()) / count
    return LexicalScores(matched, weights, whole, most, mean, sqrt(max(float(whole @ whole) / count - mean * mean, 0)))


def having(segments: Sequence[LexicalSegment], terms: Sequence[str]) -> Ids:
    """The passages that have all the terms, of which there is at least one: in rising order."""
    found = [np.empty(0, np.int64)]
    for segment in segments:
        rows = [segment.having(term) for term in dict.fromkeys(terms)]
        shared = reduce(lambda left, right: np.intersect1d(left, right, assume_unique=True), rows)
        found.append(segment.ids[shared])
    return np.concatenate(found)


def _weights(texts: int, having: Iterable[int], times: Iterable[int]) -> list[float]:
    """What a term adds to a score at the most: idf * (k1 + 1), as often as it is in the query."""
    idf = [log(1 + (texts - df + 0.5) / (df + 0.5)) for df in having]
    return [n * (K1 + 1) * each for n, each in zip(times, idf, strict=True)]


def _among(whole: Scores, documents: Numbers) -> Scores:
    """The scores of these documents, 0 for the others."""
    some = np.zeros(len(whole))
    some[documents] = whole[documents]
    return some


def _kth(scores: Scores, k: int) -> float:
    """The k-th highest score, 0 where there are fewer."""
    return float(np.partition(scores, -k)[-k]) if len(scores) >= k else 0.0
