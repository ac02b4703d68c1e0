"""A judged collection as numpy arrays: passages, vectors and scores, and what nDCG@10 a matrix of scores has; no rows.

The passages and their vectors come out of the index that `semsearch eval` keeps in its cache; the scores are made with
the package's own functions, for all queries and passages at once.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsearch import Index
from semsearch.evaluate import evaluate
from semsearch.evaluate.beir import read_beir
from semsearch.query import parse
from semsearch.rank import HITS, WEIGHT, moved
from semsearch.rank.feedback import SHARE
from semsearch.rank.fusion import LEAST_DEVIATION
from semsearch.rank.metrics import ndcg
from semsearch.store import context, lexical
from semsearch.terms import query_terms, terms
from semsearch.types import embedded_text

Scores = NDArray[np.float64]
"""Shape (queries, passages)."""

Terms = list[list[str]]

CLOSE = 1e-6
"""Scores nearer than this are equal, as in a search."""


def standard(scores: Scores) -> Scores:
    """Standard deviations above the mean of all passages: `semsearch.rank.standard` for a matrix."""
    deviation = scores.std(axis=1, keepdims=True)
    safe = np.where(deviation > LEAST_DEVIATION, deviation, np.inf)
    return (scores - scores.mean(axis=1, keepdims=True)) / safe


class Judged:
    """A collection's passages in the order of their ids, a document's together; its judged queries; their scores."""

    def __init__(self, folder: Path) -> None:
        found = evaluate(folder, settings=["hybrid"])
        self.name = folder.name
        self.measured = found.measured[0].values["nDCG@10"]
        self.queries = read_beir(folder)[0].queries
        self.asked = [parse(query.text) for query in self.queries]
        self.texts = [query.text for query in self.asked]
        with Index.open(found.index) as index, tempfile.TemporaryDirectory() as temporary:
            index.export(Path(temporary) / "out")
            lines = (Path(temporary) / "out" / "passages.jsonl").read_text(encoding="utf-8").split("\n")
            rows = [json.loads(line) for line in lines if line]
            self.vectors = np.load(Path(temporary) / "out" / "vectors.npy")
            with index._edition.store.snapshot() as snapshot:  # noqa: SLF001 - what the model read is not for users
                ids = snapshot.segments.ids.tolist()
                self.embedded = [read for _, read in snapshot.catalog.inputs(ids)]
            self.asked_vectors = np.concatenate([index.encode([text], query=True) for text in self.texts])
        self.starts = np.flatnonzero([i == 0 or rows[i - 1]["path"] != row["path"] for i, row in enumerate(rows)])
        self.sizes: list[int] = np.diff([*self.starts, len(rows)]).tolist()
        self.owners = np.repeat(np.arange(len(self.starts)), self.sizes)
        self.names = [rows[i]["path"] for i in self.starts]
        self.titles = [row["title"] for row in rows]
        self.bare = [embedded_text("", row["heading"], row["text"]) for row in rows]

    def best(self, scores: Scores) -> Scores:
        """Shape (queries, documents): a document has the score of its best passage."""
        return np.maximum.reduceat(scores, self.starts, axis=1)

    def values(self, scores: Scores) -> list[float]:
        """The nDCG@10 of each query, from scores of passages or of documents; -inf is not found."""
        best = scores if scores.shape[1] == len(self.names) else self.best(scores)
        order = np.argsort(np.array(self.names), kind="stable")  # equal scores by name, as a search has it
        nearest = order[np.argsort(-np.round(best[:, order] / CLOSE), axis=1, kind="stable")[:, :10]]
        return [
            ndcg([self.names[i] for i in row if best[number, i] > -np.inf], query.grades)
            for number, (row, query) in enumerate(zip(nearest.tolist(), self.queries, strict=True))
        ]

    def passages(self, title: int = 2, cut: Callable[[str], list[str]] = terms) -> Terms:
        """The terms of each passage with those of its title `title` times, as `store.lexical_terms` has them."""
        if not title:
            return [cut(text) for text in self.bare]
        titles = {text: cut(text) * (title - 1) for text in dict.fromkeys(self.titles)}
        return [[*titles[of], *cut(text)] for of, text in zip(self.titles, self.embedded, strict=True)]

    def documents(self, passages: Terms) -> Terms:
        """The terms of each document: those of its passages."""
        spans = zip(self.starts.tolist(), self.sizes, strict=True)
        return [list(chain.from_iterable(passages[start : start + size])) for start, size in spans]

    def bm25(self, passages: Terms, queries: Terms, sizes: Sequence[int] | None = None) -> Scores:
        """The package's lexical scores: of passage and document together, or without `sizes` of each text alone."""
        corpus = lexical.Corpus.of([lexical.build(range(len(passages)), passages, sizes)])
        return np.stack([lexical.search(corpus, query).every()[1] for query in queries])

    @cached_property
    def asked_terms(self) -> Terms:
        """Of each query, without stop words."""
        return [query_terms(text) for text in self.texts]

    @cached_property
    def lexical_passages(self) -> Terms:
        """Of each passage, as the package indexes it."""
        return self.passages()

    @cached_property
    def lexical(self) -> Scores:
        """As the package scores."""
        return self.bm25(self.lexical_passages, self.asked_terms, self.sizes)

    @cached_property
    def standard_lexical(self) -> Scores:
        """The same in deviations above the mean of the documents' own scores, as the package has it."""
        whole = self.bm25(self.documents(self.lexical_passages), self.asked_terms)
        deviation = whole.std(axis=1, keepdims=True)
        safe = np.where(deviation > LEAST_DEVIATION, deviation, np.inf)
        return (self.lexical - whole.mean(axis=1, keepdims=True)) / safe

    @cached_property
    def alone(self) -> NDArray[np.float32]:
        """The passages' vectors as the model gave them, without their context."""
        spans = zip(self.starts.tolist(), self.sizes, strict=True)
        return np.concatenate([context.alone(self.vectors[start : start + size]) for start, size in spans])

    @cached_property
    def means(self) -> NDArray[np.float32]:
        """The mean of each passage's document, of length 1."""
        sums = np.add.reduceat(self.alone, self.starts, axis=0)
        return (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12))[self.owners]

    def in_context(self, share: float, reach: int) -> NDArray[np.float32]:
        """The vectors with another share of other neighbours."""
        before = context.SHARE, context.REACH
        context.SHARE, context.REACH = share, reach
        try:
            return context.in_context(self.alone, self.sizes)
        finally:
            context.SHARE, context.REACH = before

    @cached_property
    def standard_dense(self) -> Scores:
        """Of the queries as they are asked."""
        return standard(self.dense())

    def dense(self, queries: NDArray[Any] | None = None, vectors: NDArray[np.float32] | None = None) -> Scores:
        """Similarities with the passages: float64, since the package computes its scores so."""
        asked = self.asked_vectors if queries is None else queries
        passages = self.vectors if vectors is None else vectors
        return asked.astype(np.float64) @ passages.astype(np.float64).T

    @cached_property
    def having(self) -> Counter[str]:
        """How many passages have each term."""
        return Counter(chain.from_iterable(map(set, self.lexical_passages)))

    def rarity(self, term: str) -> float:
        """Its idf among the passages."""
        having = self.having[term]
        return math.log(1 + (len(self.owners) - having + 0.5) / (having + 0.5))

    @cached_property
    def rarities(self) -> NDArray[np.float64]:
        """Shape (queries, most terms of a query): the idf of each term, 0 beyond the last."""
        out = np.zeros((len(self.texts), max(len(cut) for cut in self.asked_terms) or 1))
        for row, cut in enumerate(self.asked_terms):
            out[row, : len(cut)] = [self.rarity(term) for term in cut]
        return out

    @cached_property
    def first_hits(self) -> list[list[int]]:
        """For each query the best passages of the first documents, without feedback."""
        scores = self.hybrid(share=0)
        order = np.argsort(-self.best(scores), axis=1, kind="stable")[:, :10]
        rows: list[list[int]] = np.take_along_axis(self.rows_of_best(scores), order, axis=1).tolist()
        return rows

    def rows_of_best(self, scores: Scores) -> NDArray[np.int64]:
        """Shape (queries, documents): the row of each document's best passage."""
        spans = zip(self.starts.tolist(), self.sizes, strict=True)
        return np.stack([start + scores[:, start : start + size].argmax(axis=1) for start, size in spans], axis=1)

    def fed_back(
        self, scores: Scores, vectors: NDArray[np.float32], share: float, hits: int, *, equal: bool
    ) -> NDArray[Any]:
        """The queries after feedback from the best passages of the first documents."""
        best = self.best(scores)
        order = np.argsort(-best, axis=1, kind="stable")[:, :hits]
        out = []
        for number, (query, documents) in enumerate(zip(self.asked_vectors, order.tolist(), strict=True)):
            spans = [(self.starts[i], self.starts[i] + self.sizes[i]) for i in documents]
            rows = [start + int(np.argmax(scores[number, start:end])) for start, end in spans]
            behind = [0.0] * len(rows) if equal else scores[number, rows].tolist()
            out.append(moved(query, vectors[rows], behind, share))
        return np.stack(out)

    def hybrid(
        self,
        words: Scores | None = None,
        weight: float | NDArray[np.float64] = WEIGHT,
        share: float = SHARE,
        hits: int = HITS,
        times: int = 1,
        vectors: NDArray[np.float32] | None = None,
        *,
        equal: bool = False,
    ) -> Scores:
        """The package's ranking, or a variant of it; `words` are standard scores, `weight` one or one a query."""
        words = self.standard_lexical if words is None else words
        first = self.standard_dense if vectors is None else standard(self.dense(None, vectors))
        vectors = self.vectors if vectors is None else vectors
        scores = (1 - weight) * first + weight * words
        for _ in range(times if share else 0):
            queries = self.fed_back(scores, vectors, share, hits, equal=equal)
            scores = (1 - weight) * standard(self.dense(queries, vectors)) + weight * words
        return scores
