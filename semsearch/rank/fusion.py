"""Makes one score of the dense and the lexical one; orders nothing and looks nothing up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

WEIGHT = 0.28
"""The share of the lexical score; measured beside others in `benchmarks/ranking.md`."""

Moments: TypeAlias = tuple[float, float]
"""Mean and standard deviation of a query's scores: of similarities over all passages, of BM25 over all documents."""

LEAST_DEVIATION = 1e-4
"""Scores that differ less are the same but for rounding, and dividing by that would make an order out of it."""


def standard(score: float, moments: Moments) -> float:
    """How many standard deviations a score lies above the mean, 0 where all scores are the same."""
    mean, deviation = moments
    return (score - mean) / deviation if deviation > LEAST_DEVIATION else 0.0


def fuse(
    dense: Mapping[int, float],
    lexical: Mapping[int, float],
    of_dense: Moments,
    of_lexical: Moments,
    weight: float = WEIGHT,
) -> dict[int, float]:
    """A convex combination of standard scores: how far a passage stands out from all others, in either way.

    A passage that is in one mapping alone has 0 in the other.

    Args:
        dense: scores by passage id, higher is better.
        lexical: the same of the other search.
        of_dense: mean and deviation of the dense scores over all passages.
        of_lexical: the same of the lexical scores over all documents.
        weight: of the lexical score, 0 … 1.
    """
    return {
        i: (1 - weight) * standard(dense.get(i, 0.0), of_dense) + weight * standard(lexical.get(i, 0.0), of_lexical)
        for i in dense.keys() | lexical.keys()
    }
