"""Finds the rows of a segment that belong to chosen passages; knows no filter, no vector and no posting."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ids: TypeAlias = NDArray[np.int64]
"""Passage ids in rising order, int64, shape (n,)."""


def rows_of(ids: Ids, only: Ids) -> NDArray[np.int64]:
    """The rows of a segment whose passages are chosen, in rising order: int64, shape (at most len(only),).

    Args:
        ids: the segment's passages, in rising order.
        only: the chosen passages, in rising order; some may be of other segments, or of none.
    """
    if not len(ids):
        return np.empty(0, np.int64)
    first, last = np.searchsorted(only, [ids[0], ids[-1] + 1])
    here = only[first:last]
    rows = np.searchsorted(ids, here)
    found: NDArray[np.int64] = rows[ids[rows] == here]
    return found


def spans(firsts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers from each first on, so many of them, end to end."""
    ends = np.cumsum(sizes)
    return np.repeat(firsts - (ends - sizes), sizes) + np.arange(ends[-1] if len(ends) else 0)
