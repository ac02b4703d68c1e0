"""Merging keeps segments few and never rewrites a large index for a small addition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsearch.store.merging import LARGEST, TOGETHER, to_merge


def commit(rows: list[int], new: int) -> int:
    """Add a segment and merge until all is well; how many rows were rewritten."""
    rows.append(new)
    rewritten = 0
    while (part := to_merge(rows, [0] * len(rows))) is not None:
        total = sum(rows[part])
        rewritten += total
        rows[part] = [total]
    return rewritten


@pytest.mark.parametrize("size", [1, 256, 300, 1000])
def test_segments_stay_few_and_rows_are_rewritten_seldom(size: int) -> None:
    """After a thousand commits there are few segments, and a row was rewritten a few times only."""
    rows: list[int] = []
    rewritten = sum(commit(rows, size) for _ in range(1000))
    total = sum(rows)
    assert total == 1000 * size
    assert len(rows) <= total / LARGEST * 2 + 4 * TOGETHER
    assert max(rows) <= LARGEST
    assert rewritten <= total * (40 if size == 1 else 6)


def test_a_small_addition_to_a_large_index_rewrites_little() -> None:
    """A thousand rows more never cost a merge of the large segments."""
    rows = [LARGEST] * 15
    assert sum(commit(rows, 250) for _ in range(4)) <= 8 * 1000
    assert rows[:15] == [LARGEST] * 15


def test_a_segment_with_many_dead_is_rewritten_by_itself() -> None:
    """More than a fifth dead: that one, and no other."""
    assert to_merge([1000, 1000, 1000], [0, 201, 0]) == slice(1, 2)
    assert to_merge([1000, 1000, 1000], [200, 200, 200]) is None
    assert to_merge([5], [5]) == slice(0, 1)


@given(st.lists(st.integers(1, 5000), max_size=200))
def test_merging_ends(sizes: list[int]) -> None:
    """Whatever is committed, merging comes to an end and loses no row."""
    rows: list[int] = []
    for size in sizes:
        commit(rows, size)
    assert sum(rows) == sum(sizes)
    assert len(rows) <= 64 + TOGETHER


@pytest.mark.parametrize("size", [300, 2000, 5000, 9000])
def test_large_segments_are_filled_up(size: int) -> None:
    """Where eight would be too large, fewer are merged: a segment is at least half full but for the last ones."""
    rows: list[int] = []
    rewritten = sum(commit(rows, size) for _ in range(1_000_000 // size))
    total = sum(rows)
    assert len([n for n in rows if 2 * n < LARGEST]) <= 3 * TOGETHER
    assert len(rows) <= 2 * total / LARGEST + 3 * TOGETHER
    assert rewritten <= 6 * total
    assert rows[0] > LARGEST // 2
