"""BM25 over segments equals BM25 worked out by hand, whatever was removed or merged."""

from __future__ import annotations

import itertools
from collections import Counter
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch.store import lexical
from semsearch.store.lexical import K1, B, LexicalSegment

WORDS = st.sampled_from(["nato", "vacuum", "gas", "ё", "a", "b", "安全", "zz"])
PASSAGES = st.lists(st.lists(WORDS, max_size=12), min_size=1, max_size=30)


def brute_force(passages: dict[int, list[str]], query: list[str]) -> dict[int, float]:
    """The formula, word by word."""
    mean = sum(map(len, passages.values())) / len(passages) if passages else 0
    scores: dict[int, float] = {}
    for number, words in passages.items():
        counts = Counter(words)
        for term in query:
            having = sum(term in other for other in passages.values())
            if counts[term]:
                idf = log(1 + (len(passages) - having + 0.5) / (having + 0.5))
                norm = K1 * (1 - B + B * len(words) / mean)
                scores[number] = scores.get(number, 0) + idf * counts[term] * (K1 + 1) / (counts[term] + norm)
    return scores


def cut(passages: list[list[str]], cuts: list[int]) -> list[LexicalSegment]:
    """Segments of passages 1, 2, 3 …, cut at these places."""
    places = sorted({0, len(passages), *(place % (len(passages) + 1) for place in cuts)})
    return [lexical.build(range(start + 1, end + 1), passages[start:end]) for start, end in itertools.pairwise(places)]


def without(segment: LexicalSegment, dead: set[int]) -> LexicalSegment:
    lives = np.array([i not in dead for i in segment.ids.tolist()], np.bool_)
    return LexicalSegment(**{name: pieces[0] for name, pieces in segment.arrays().items()}, lives=lives)


@given(
    PASSAGES,
    st.lists(st.integers(0, 40), max_size=4),
    st.sets(st.integers(1, 30)),
    st.lists(WORDS, max_size=5),
)
@settings(max_examples=300)
def test_scores_are_those_of_the_formula(
    passages: list[list[str]], cuts: list[int], dead: set[int], query: list[str]
) -> None:
    """In one segment or many, with removed passages or without, merged or not: the same scores to 1e-9."""
    segments = [without(segment, dead) for segment in cut(passages, cuts)]
    alive = {number: words for number, words in enumerate(passages, 1) if number not in dead}
    expected = brute_force(alive, query)
    k = len(passages)
    assert pytest.approx(expected, abs=1e-9) == dict(lexical.search(segments, query, k))
    one = lexical.merged(segments)
    assert one.ids.tolist() == list(alive)
    assert pytest.approx(expected, abs=1e-9) == dict(lexical.search([one], query, k))
    best = sorted(expected.values(), reverse=True)[:3]
    assert pytest.approx(best, abs=1e-9) == [score for _, score in lexical.search(segments, query, 3)]


def test_merging_equals_building_at_once() -> None:
    """A merged segment is, array by array, the one that the same passages give."""
    passages = [["b", "a", "a"], ["c"], [], ["a", "ž"]]
    for name, (expected,) in lexical.build([1, 2, 3, 4], passages).arrays().items():
        (actual,) = lexical.merged(cut(passages, [1, 2])).arrays()[name]
        assert expected.dtype == actual.dtype, name
        np.testing.assert_array_equal(expected, actual, err_msg=name)


def test_nothing_is_found_where_there_is_nothing() -> None:
    """No segments, no terms and unknown terms give no hits."""
    segment = lexical.build([7], [["nato"]])
    assert lexical.search([], ["nato"], 5) == []
    assert lexical.search([segment], [], 5) == []
    assert lexical.search([segment], ["gas"], 5) == []
    assert lexical.search([lexical.build([7], [[]])], ["nato"], 5) == []
    assert [passage for passage, _ in lexical.search([segment], ["nato"], 5)] == [7]
