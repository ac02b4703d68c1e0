"""Fusion makes one fair score of two, and no order out of rounding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsearch.rank import fuse

SCORES = st.dictionaries(st.integers(1, 30), st.floats(-1, 1, allow_subnormal=False), max_size=12)


def test_worked_out_by_hand() -> None:
    """Each part is scaled over its own hits; what a part did not find has 0 from it."""
    assert fuse({1: 0.8, 2: 0.6, 3: 0.4}, {2: 10.0, 4: 5.0}) == pytest.approx({1: 0.5, 2: 0.75, 3: 0.0, 4: 0.0})
    assert fuse({1: 0.8, 2: 0.4}, {2: 3.0, 1: 1.0}, weight=0.25) == pytest.approx({1: 0.75, 2: 0.25})


def test_one_part_alone_and_none() -> None:
    """An empty part changes nothing but the height of the scores."""
    assert fuse({1: 0.3}, {}) == {1: 0.5}
    assert fuse({}, {7: 2.0, 8: 1.0}) == pytest.approx({7: 0.5, 8: 0.0})
    assert fuse({}, {}) == {}


@given(SCORES, SCORES, st.floats(0, 1))
def test_scores_lie_between_0_and_1_and_keep_the_order_of_each_part(dense: dict, lexical: dict, weight: float) -> None:
    """For any scores: every passage of either part is there, and better in both is never worse."""
    fused = fuse(dense, lexical, weight)
    assert fused.keys() == dense.keys() | lexical.keys()
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in fused.values())
    both = dense.keys() & lexical.keys()
    for one in both:
        for two in both:
            if dense[one] >= dense[two] and lexical[one] >= lexical[two]:
                assert fused[one] >= fused[two] - 1e-9


@given(st.lists(st.floats(0.2, 0.9), min_size=1, max_size=10), st.lists(st.floats(-1, 1), min_size=10, max_size=10))
def test_what_differs_by_rounding_stays_together(scores: list[float], noise: list[float]) -> None:
    """A change in the seventh digit of the parts changes the fused score by less than 1e-5."""
    dense = dict(enumerate(scores))
    nearly = {i: score * (1 + 6e-8 * noise[i]) for i, score in dense.items()}
    assert fuse(dense, {}) == pytest.approx(fuse(nearly, {}), abs=1e-5)
