"""Decides which segments are merged into one; touches none.

Segments of about the same size are merged eight at a time, so a passage is rewritten once for each eightfold growth
of the index (a log-structured merge), and adding to a large index never rewrites it. A segment of which more than a
fifth is dead is rewritten by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

TOGETHER = 8
LARGEST = 1 << 17
"""Rows of a segment at the most: what a merge takes into memory, and how many segments a million passages have."""

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
    every = [slice(i, i + TOGETHER) for i in reversed(range(len(rows) - TOGETHER + 1))]
    windows = [window for window in every if sum(rows[window]) <= LARGEST]
    alike = [window for window in every if len({_tier(n) for n in rows[window]}) == 1]
    for window in alike:
        if window in windows:
            return window
    for window in alike:
        if part := _fitting(rows, window):
            return part
    if len(rows) > _MANY and windows:
        return min(windows, key=lambda window: sum(rows[window.start : window.stop]))
    return None


def _fitting(rows: Sequence[int], window: slice) -> slice | None:
    """Of a window that is too large together, the most neighbours that fit, none of them more than half of all."""
    parts = [slice(i, j) for i in range(window.start, window.stop) for j in range(i + 2, window.stop + 1)]
    fitting = [part for part in parts if 2 * max(rows[part]) <= sum(rows[part]) <= LARGEST]
    return max(fitting, key=lambda part: part.stop - part.start, default=None)


def _tier(rows: int) -> int:
    """How often eight segments were merged to come to that size: 0 below 8 * 32 rows, 1 below 64 * 32 …."""
    tier = 0
    while rows >= _SMALLEST * TOGETHER:
        rows //= TOGETHER
        tier += 1
    return tier
