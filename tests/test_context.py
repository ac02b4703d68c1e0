"""A passage's vector leans towards its neighbours' by exactly what is stated, and what it was can be had back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from semsearch.store.context import REACH, SHARE, alone, in_context

SIZES = st.lists(st.integers(0, 12), max_size=6)


def some(count: int, seed: int) -> NDArray[np.float32]:
    """Unit vectors of dimension 32."""
    vectors = np.random.default_rng(seed).normal(size=(count, 32))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@given(SIZES, st.integers(0, 99))
@settings(deadline=None)
def test_each_leans_by_its_share_towards_the_mean_of_its_neighbours_and_not_beyond_its_document(
    sizes: list[int], seed: int
) -> None:
    """By value: (1 - share) of its own and the share of the mean over two on either side, in its own document."""
    vectors = some(sum(sizes), seed)
    expected, start = [], 0
    for size in sizes:
        document = vectors[start : start + size].astype(np.float64)
        for i in range(size):
            around = document[max(i - REACH, 0) : i + REACH + 1]
            expected.append((1 - SHARE) * document[i] + SHARE * around.mean(axis=0))
        start += size
    found = in_context(vectors, sizes)
    assert found.dtype == np.float32
    assert found.shape == vectors.shape
    np.testing.assert_allclose(found, np.array(expected).reshape(-1, 32), atol=1e-7)


def test_a_passage_that_is_the_whole_document_keeps_its_vector() -> None:
    """To the last bit."""
    vectors = some(3, 1)
    np.testing.assert_array_equal(in_context(vectors, [1, 1, 1]), vectors)


@given(st.integers(1, 60), st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_what_a_vector_was_can_be_had_back(size: int, seed: int) -> None:
    """Also after a hundred times there and back, as a passage lives through a hundred edits of its article."""
    vectors = again = some(size, seed)
    for _ in range(100):
        again = alone(in_context(again, [size]))
    np.testing.assert_allclose(again, vectors, atol=2e-6)
    once = alone(in_context(vectors, [size]))
    np.testing.assert_allclose(once, vectors, atol=2e-7)
