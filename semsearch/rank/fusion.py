"""Makes one score of the dense and the lexical one; orders nothing and looks nothing up."""

from __future__ import annotations

from collections.abc import Mapping

WEIGHT = 0.5
"""The share of the lexical score; measured beside others in `benchmarks/`."""


LEAST_SPAN = 0.02
"""The best and the last score of a search are at least this share of the best apart when they are scaled."""


def fuse(dense: Mapping[int, float], lexical: Mapping[int, float], weight: float = WEIGHT) -> dict[int, float]:
    """A convex combination of scores, each scaled to 0 … 1 over its own search's best passages.

    A passage that a search did not find counts as the last that it did, with 0. Bruch, Gai and Ingber, "An Analysis of
    Fusion Functions for Hybrid Retrieval" (2023), section 4.

    Args:
        dense: scores by passage id, higher is better.
        lexical: the same of the other search.
        weight: of the lexical score, 0 … 1.
    """
    left, right = _scaled(dense), _scaled(lexical)
    return {i: (1 - weight) * left.get(i, 0.0) + weight * right.get(i, 0.0) for i in left | right}


def _scaled(scores: Mapping[int, float]) -> dict[int, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    # Scores that are all but equal are not pulled apart to 0 and 1: that would make an order out of rounding.
    span = max(high - low, LEAST_SPAN * abs(high))
    return {i: 1 - (high - score) / span if span else 1.0 for i, score in scores.items()}
