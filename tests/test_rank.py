"""Fusion, feedback, reranking and relevance: what they make of scores, worked out by hand and for any numbers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsearch.rank import Calibration, calibration_of, fuse, moved, reranked, standard
from semsearch.rank.feedback import TEMPERATURE

SCORES = st.dictionaries(st.integers(1, 30), st.floats(-1, 1, allow_subnormal=False), max_size=12)
MOMENTS = st.tuples(st.floats(-1, 1), st.floats(0.01, 2))
WHOLE = st.lists(st.integers(-5, 5).map(float), max_size=8)


def test_fusion_worked_out_by_hand() -> None:
    """Each score counts in deviations above the mean of all passages; what a part did not find scores 0 in it."""
    fused = fuse({1: 0.8, 2: 0.6}, {2: 10.0, 4: 5.0}, (0.2, 0.2), (1.0, 3.0), weight=0.25)
    assert fused == pytest.approx({1: 0.75 * 3 + 0.25 * -1 / 3, 2: 0.75 * 2 + 0.25 * 3, 4: 0.75 * -1 + 0.25 * 4 / 3})
    assert fuse({}, {}, (0.0, 1.0), (0.0, 1.0)) == {}


def test_scores_that_differ_by_rounding_are_the_same() -> None:
    """Where all passages score alike, none stands out, and rounding makes no order."""
    assert standard(0.5 + 1e-7, (0.5, 1e-7)) == 0
    assert fuse({1: 0.5, 2: 0.5 + 1e-7}, {}, (0.5, 1e-7), (0.0, 0.0)) == {1: 0.0, 2: 0.0}


@given(SCORES, SCORES, MOMENTS, MOMENTS, st.floats(0, 1))
def test_better_in_both_parts_is_never_worse(
    dense: dict, lexical: dict, of_dense: tuple, of_lexical: tuple, weight: float
) -> None:
    """For any scores: every passage of either part is there, and the order of the parts is kept where they agree."""
    fused = fuse(dense, lexical, of_dense, of_lexical, weight)
    assert fused.keys() == dense.keys() | lexical.keys()
    both = dense.keys() & lexical.keys()
    for one in both:
        for two in both:
            if dense[one] >= dense[two] and lexical[one] >= lexical[two]:
                assert fused[one] >= fused[two] - 1e-9


def test_feedback_worked_out_by_hand() -> None:
    """The query turns towards the weighted mean of the passages, and keeps its length."""
    query = np.array([2.0, 0.0, 0.0], np.float32)
    passages = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], np.float32)
    towards = np.array([0.0, 1.0, np.exp(-1.0)]) / np.hypot(1.0, np.exp(-1.0))
    expected = 0.5 * np.array([1.0, 0.0, 0.0]) + 0.5 * towards
    expected *= 2 / np.linalg.norm(expected)
    result = moved(query, passages, [3.0, 3.0 - TEMPERATURE], share=0.5)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-6)
    np.testing.assert_allclose(moved(query, passages, [3.0, 1.0], share=0.0), query, rtol=1e-6)


@given(WHOLE, WHOLE)
def test_a_cross_encoder_orders_what_it_read(before: list[float], scores: list[float]) -> None:
    """Every passage stays, once; those that were read come first, by their new scores, equal ones as they were."""
    ranked = list(enumerate(sorted(before, reverse=True)))
    scores = scores[: len(ranked)]
    order = reranked(ranked, scores)
    read, rest = order[: len(scores)], order[len(scores) :]
    assert read == sorted(enumerate(scores), key=lambda hit: (-hit[1], hit[0]))
    assert [i for i, _ in rest] == list(range(len(scores), len(ranked)))
    assert all(one[1] >= two[1] for one, two in itertools.pairwise(order))


@given(st.floats(-1, 1))
def test_relevance_is_a_probability_that_rises_with_the_similarity(similarity: float) -> None:
    """For any similarity it lies between 0 and 1; at the turning point it is one half."""
    calibration = Calibration(9.0, -4.5, 0.1)
    assert 0 < calibration.relevance(similarity) <= calibration.relevance(similarity + 0.1) < 1
    assert calibration.relevance(0.5) == pytest.approx(0.5)


def test_a_model_that_was_never_calibrated_has_no_relevance() -> None:
    """Better nothing than a number that was made for another model."""
    assert calibration_of("0" * 64) is None
