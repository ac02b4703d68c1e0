"""Says how sure a mean over queries is, and a difference between two; pure, every draw is seeded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
EXACT = 12
"""Up to so many queries that differ, every assignment of signs is tried: 4,096 are fewer than `RESAMPLES`."""

_SEED = 20_250_101
_CELLS = 1 << 20
_CLOSE = 1e-12


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over queries, and the bounds between which 95 % of its bootstrap resamples lie."""

    mean: float
    low: float
    high: float


def bootstrap(values: NDArray[np.float64]) -> list[Interval]:
    """The mean of each column with its percentile interval. Efron and Tibshirani (1993), chapter 13.

    Whole rows are drawn, and the same ones for every table of as many rows, so that intervals can be compared.

    Args:
        values: float64, shape (queries, columns), at least one row.
    """
    rows = len(values)
    draw = np.random.default_rng(_SEED)
    means = np.concatenate(
        [values[draw.integers(0, rows, (size, rows))].mean(axis=1) for size in _sizes(RESAMPLES, values.size)]
    )
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return [Interval(float(m), float(a), float(b)) for m, a, b in zip(values.mean(axis=0), low, high, strict=True)]


def randomisation(differences: NDArray[np.float64]) -> float:
    """The two-sided p of a paired randomisation test: how often do random signs give a mean as far from 0?

    Exact for up to `EXACT` differences that are not 0, otherwise (1 + as far) / (1 + drawn) over `RESAMPLES` draws.
    Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval
    Evaluation" (2007); the estimate is that of Phipson and Smyth (2010).

    Args:
        differences: float64, shape (queries,), one setting's value less the other's.
    """
    # Turning the sign of 0 changes nothing: without them the test is the same, and more often exact.
    moved = differences[differences != 0]
    least = abs(moved.sum()) - _CLOSE
    if len(moved) <= EXACT:
        signs = 1 - 2 * (np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved)) & 1)
        return float((np.abs(signs @ moved) >= least).mean())
    draw = np.random.default_rng(_SEED)
    far = sum(
        int((np.abs(draw.choice((-1.0, 1.0), (size, len(moved))) @ moved) >= least).sum())
        for size in _sizes(RESAMPLES, len(moved))
    )
    return (1 + far) / (1 + RESAMPLES)


def _sizes(total: int, cells: int) -> Iterator[int]:
    """How many rows to draw at a time, so that no array grows large."""
    size = max(1, _CELLS // max(cells, 1))
    for begun in range(0, total, size):
        yield min(size, total - begun)
