"""Exact search finds what brute force finds, over any number of segments and without the dead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch.store import vectors
from semsearch.store.vectors import VectorSegment


@given(
    st.integers(0, 2**32),
    st.lists(st.integers(1, 40), min_size=1, max_size=5),
    st.integers(1, 60),
    st.floats(0, 0.95),
)
@settings(max_examples=100, deadline=None)
def test_the_nearest_are_those_of_brute_force(seed: int, sizes: list[int], k: int, share: float) -> None:
    """Ids and scores equal a full product and a sort."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((sum(sizes), 8), np.float32)
    ids = np.cumsum(rng.integers(1, 5, len(rows)))
    lives = rng.random(len(rows)) >= share
    ends = np.cumsum(sizes)
    segments = [VectorSegment(ids[a:b], rows[a:b], lives[a:b]) for a, b in zip([0, *ends], ends, strict=False)]
    query = rng.standard_normal(8, np.float32)
    scores = rows[lives] @ query
    expected = sorted(zip(ids[lives].tolist(), scores.tolist(), strict=True), key=lambda hit: -hit[1])[:k]
    actual = vectors.search(segments, query, k)
    assert [i for i, _ in expected] == [i for i, _ in actual]
    assert pytest.approx([score for _, score in expected], abs=1e-5) == [score for _, score in actual]
    merged = vectors.merged(segments)
    np.testing.assert_array_equal(ids[lives], np.concatenate(merged["ids"]))
    np.testing.assert_array_equal(rows[lives], np.concatenate(merged["rows"]))


def test_unit_vectors_have_length_one_and_zeros_stay() -> None:
    """Scaling does not divide by zero and does not change direction."""
    scaled = vectors.unit(np.array([[3, 4], [0, 0]], np.float32))
    np.testing.assert_allclose(scaled, [[0.6, 0.8], [0, 0]], rtol=1e-6)
    assert scaled.dtype == np.float32


def test_a_segment_of_the_dead_finds_nothing() -> None:
    """Fewer than k living passages give fewer hits, never a dead one."""
    rows = np.eye(3, dtype=np.float32)
    assert vectors.search([VectorSegment(np.arange(3), rows, np.zeros(3, np.bool_))], rows[0], 3) == []
    only = VectorSegment(np.arange(3), rows, np.array([False, True, False]))
    assert vectors.search([only], rows[0], 3) == [(1, 0.0)]
