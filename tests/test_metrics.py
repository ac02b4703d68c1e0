"""The metrics are those of trec_eval, and what is said of their means holds against brute force."""

from __future__ import annotations

from itertools import product
from math import log2

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsearch.errors import UsageError
from semsearch.evaluate.significance import EXACT, Interval, bootstrap, randomisation
from semsearch.rank.metrics import ndcg, recall, reciprocal_rank

NAMES = [f"d{number}" for number in range(150)]
RUNS = st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=130)
GRADES = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 4), min_size=1, max_size=40).filter(
    lambda grades: any(grades.values())
)


def test_worked_out_by_hand() -> None:
    """Two relevant ones of three are found, at the ranks 2 and 4."""
    ranked, grades = ["a", "b", "c", "d"], {"b": 1, "d": 3, "x": 2, "c": 0}
    best = 3 + 2 / log2(3) + 1 / 2
    assert ndcg(ranked, grades) == pytest.approx((1 / log2(3) + 3 / log2(5)) / best)
    assert ndcg(ranked, grades, k=2) == pytest.approx((1 / log2(3)) / (3 + 2 / log2(3)))
    assert reciprocal_rank(ranked, grades) == 1 / 2
    assert reciprocal_rank(ranked, grades, k=1) == 0
    assert recall(ranked, grades) == pytest.approx(2 / 3)
    assert recall(ranked, grades, k=2) == pytest.approx(1 / 3)


def test_a_grade_below_0_is_as_one_of_0() -> None:
    """It neither takes away nor counts as relevant."""
    assert ndcg(["bad", "good"], {"bad": -2, "good": 1}) == ndcg(["bad", "good"], {"good": 1})
    assert reciprocal_rank(["bad", "good"], {"bad": -2, "good": 1}) == 1 / 2
    assert recall(["bad"], {"bad": -2, "good": 1}) == 0


@pytest.mark.parametrize("metric", [ndcg, reciprocal_rank, recall])
@pytest.mark.parametrize("grades", [{}, {"a": 0}])
def test_where_nothing_is_relevant_there_is_no_value(metric, grades: dict[str, int]) -> None:
    """It is an error and not 0."""
    with pytest.raises(UsageError, match="nothing is relevant"):
        metric(["a"], grades)


@given(RUNS, GRADES)
def test_as_ir_measures_has_it(ranked: list[str], grades: dict[str, int]) -> None:
    """For any list and any grades."""
    measures = [ir_measures.nDCG @ 10, ir_measures.RR @ 10, ir_measures.R @ 10, ir_measures.R @ 100]
    run = {"q": {name: float(-rank) for rank, name in enumerate(ranked)}}
    theirs = ir_measures.calc_aggregate(measures, {"q": grades}, run)
    ours = [ndcg(ranked, grades), reciprocal_rank(ranked, grades), recall(ranked, grades), recall(ranked, grades, 100)]
    assert ours == pytest.approx([theirs[measure] for measure in measures], abs=1e-9)


def test_an_interval_is_that_of_all_resamples() -> None:
    """Of five queries, two of them answered: the bounds of all 3,125 ways to draw five."""
    values = np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    low, high = np.percentile([np.mean(drawn) for drawn in product(values, repeat=5)], [2.5, 97.5])
    assert bootstrap(values[:, None]) == [Interval(pytest.approx(0.4), pytest.approx(low), pytest.approx(high))]


def test_intervals_are_the_same_in_every_run_and_drawn_by_rows() -> None:
    """The same values give the same bounds, beside any other column; a shifted column gives shifted bounds."""
    values = np.random.default_rng(1).random(300)
    one, shifted = bootstrap(np.stack([values, values + 1], axis=1))
    assert bootstrap(values[:, None]) == [
        Interval(pytest.approx(one.mean), pytest.approx(one.low), pytest.approx(one.high))
    ]
    assert (shifted.low, shifted.high) == (pytest.approx(one.low + 1), pytest.approx(one.high + 1))
    deviation = values.std() / np.sqrt(300)
    assert (one.high - one.low) / (2 * 1.96 * deviation) == pytest.approx(1, abs=0.05)


DIFFERENCES = st.lists(st.integers(-8, 8).map(lambda eighths: eighths / 8), min_size=1, max_size=9)


@given(DIFFERENCES)
def test_p_of_few_queries_is_exact(differences: list[float]) -> None:
    """It is the share of all assignments of signs whose mean is as far from 0."""
    values = np.array(differences)
    sums = [abs(np.dot(signs, values)) for signs in product((1, -1), repeat=len(values))]
    assert randomisation(values) == pytest.approx(np.mean([far >= abs(values.sum()) for far in sums]))


def test_p_of_many_queries_is_near_the_exact_one() -> None:
    """Drawn for 14 queries, within four standard deviations of all 16,384 assignments; seeded."""
    values = np.random.default_rng(3).normal(0.3, 1, EXACT + 2)
    signs = np.array(list(product((1, -1), repeat=len(values))))
    exact = np.mean(np.abs(signs @ values) >= abs(values.sum()) - 1e-12)
    assert randomisation(values) == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 10_000))
    assert randomisation(values) == randomisation(values) == randomisation(-values)


def test_p_at_both_ends() -> None:
    """No difference gives 1; 40 queries that all gain give the least p that the draws allow."""
    assert randomisation(np.zeros(40)) == 1
    assert randomisation(np.full(40, 0.1)) == 1 / 10_001
    assert randomisation(np.array([0.5, 0.25, 0.5, *[0.0] * 30])) == 2 / 8
