"""Decides which segments are merged into one; touches none.

Segments of about the same size are merged eight at a time, so a passage is rewritten once for each eightfold growth
of the index (a log-structured merge), and adding to a large index never rewrites it. A segment of which more than a
fifth is dead is rewritten by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

TOGETHER = 8
LARGEST = 1 << 16
_SMALLEST = 32
_DEAD_SHARE = 5
_MANY = 64


def to_merge(rows: Sequence[int], dead: Sequence[int]) -> slice | None:
    """Which neighbours should become one segment, None when all is well.

    Args:
        rows: the rows of each segment, in the order of their passages.
        dead: how many of them are dead.
    """
    for i, (total, gone) in enumerate(zip(rows, dead, strict=True)):
        if gone * _DEAD_SHARE > total:
            return slice(i, i + 1)
    windows = [slice(i, i + TOGETHER) for i in reversed(range(len(rows) - TOGETHER + 1))]
    windows = [window for window in windows if sum(rows[window]) <= LARGEST]
    for window in windows:
        if len({_tier(n) for n in rows[window]}) == 1:
            return window
    if len(rows) > _MANY and windows:
        return min(windows, key=lambda window: sum(rows[window.start : window.stop]))
    return None


def _tier(rows: int) -> int:
    """How often eight segments were merged to come to that size: 0 below 8 * 32 rows, 1 below 64 * 32 …."""
    tier = 0
    while rows >= _SMALLEST * TOGETHER:
        rows //= TOGETHER
        tier += 1
    return tier
