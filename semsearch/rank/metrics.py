"""Says how good one ranked list is, given what should have been found; averages nothing and searches nothing.

The definitions are those of trec_eval; the tests compare every value with ir-measures, which calls it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from math import log2

from semsearch.errors import UsageError


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """Normalised discounted cumulative gain of the first k, 0 … 1, with the grade itself as the gain.

    The sum of grade / log2(rank + 1), divided by that of the best order. Järvelin and Kekäläinen, "Cumulated Gain-Based
    Evaluation of IR Techniques" (2002), with the linear gain of trec_eval's `ndcg_cut`.

    Args:
        ranked: names, best first, each once.
        grades: by name; above 0 is relevant, what is not named is not.
        k: how deep to look.

    Raises:
        UsageError: nothing is relevant.
    """
    best = sorted(_relevant(grades).values(), reverse=True)
    return _discounted([max(grades.get(name, 0), 0) for name in ranked[:k]]) / _discounted(best[:k])


def reciprocal_rank(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """1 / rank of the first that is relevant, 0 where none of the first k is; MRR is its mean over queries.

    Raises:
        UsageError: nothing is relevant.
    """
    relevant = _relevant(grades)
    return next((1 / rank for rank, name in enumerate(islice(ranked, k), 1) if name in relevant), 0.0)


def recall(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """The share of all that is relevant which is among the first k, 0 … 1.

    Raises:
        UsageError: nothing is relevant.
    """
    relevant = _relevant(grades)
    return len(relevant.keys() & set(ranked[:k])) / len(relevant)


def _relevant(grades: Mapping[str, int]) -> dict[str, int]:
    relevant = {name: grade for name, grade in grades.items() if grade > 0}
    if not relevant:
        raise UsageError("nothing is relevant to this query; it cannot be measured")
    return relevant


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))
