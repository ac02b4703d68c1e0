"""Puts the scores of a cross-encoder in the place of the first passages' own; runs no model."""

from __future__ import annotations

from collections.abc import Sequence

RERANKED = 50
"""How many passages a cross-encoder reads; those below keep their order after them."""


def reranked(ranked: Sequence[tuple[int, float]], scores: Sequence[float]) -> list[tuple[int, float]]:
    """The new order: (passage id, score), best first; equal scores stay in the order they had.

    Args:
        ranked: (passage id, score), best first.
        scores: of the first of them, by the cross-encoder. Those that it did not read follow; their scores are lowered,
            where they must be, to be no higher than those before them.
    """
    first = sorted(zip((i for i, _ in ranked), scores, strict=False), key=lambda hit: -hit[1])
    least = first[-1][1] if first else float("inf")
    return [*first, *((i, min(score, least)) for i, score in ranked[len(scores) :])]
