"""Moves a query's vector towards the best hits of a first search; searches nothing itself.

Rocchio's relevance feedback with hits that are only presumed to be relevant: Rocchio, "Relevance Feedback in
Information Retrieval" (1971); with dense vectors: Li et al., "Pseudo Relevance Feedback with Deep Language Models and
Dense Retrievers" (2023). A hit counts the less, the more it is behind the first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semsearch.types import Vectors

SHARE = 0.3
"""How far the query moves; measured in `benchmarks/ranking.md`, as are the two below."""

HITS = 3
"""How many documents it moves towards, each by its best passage."""

TEMPERATURE = 0.5
"""By how many standard deviations a hit is behind when it counts 1/e of the first."""


def moved(query: Vectors, passages: Vectors, scores: Sequence[float], share: float = SHARE) -> Vectors:
    """The query after feedback: float32, shape (dimension,), as long as it was.

    Args:
        query: float32, shape (dimension,).
        passages: the best passages, float32, shape (n, dimension), n >= 1.
        scores: of those passages, in standard deviations, best first.
        share: 0 leaves the query as it is, 1 puts the mean of the passages in its place.
    """
    weights = np.exp((np.asarray(scores, np.float64) - scores[0]) / TEMPERATURE)
    towards = _unit(weights @ passages.astype(np.float64))
    length = float(np.linalg.norm(query))
    return np.asarray(length * _unit((1 - share) * _unit(query.astype(np.float64)) + share * towards), np.float32)


def _unit(vector: np.typing.NDArray[np.float64]) -> np.typing.NDArray[np.float64]:
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector
