"""BM25 over segments equals BM25 worked out by hand, whatever was removed or merged."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch.store import lexical
from semsearch.store.lexical import DOCUMENT, K1, B, Corpus, LexicalSegment

WORDS = st.sampled_from(["nato", "vacuum", "gas", "ё", "a", "b", "安全", "zz"])


def brute_force(passages: dict[int, list[str]], query: list[str]) -> dict[int, float]:
    """BM25 by the formula, word by word."""
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


def together(passages: dict[int, list[str]], documents: dict[int, int]) -> dict[int, list[str]]:
    """The words of each document."""
    whole: dict[int, list[str]] = {}
    for number, words in passages.items():
        whole.setdefault(documents[number], []).extend(words)
    return whole


def expected_scores(passages: dict[int, list[str]], documents: dict[int, int], query: list[str]) -> dict[int, float]:
    """The mean of a passage's BM25 among passages and its document's among documents."""
    own, of_document = brute_force(passages, query), brute_force(together(passages, documents), query)
    scores = {i: (1 - DOCUMENT) * own.get(i, 0) + DOCUMENT * of_document.get(documents[i], 0) for i in passages}
    return {i: score for i, score in scores.items() if score > 0}


def cut(passages: list[list[str]], sizes: list[int], cuts: set[int]) -> list[LexicalSegment]:
    """Segments of passages 1, 2, 3 …, whose documents have these sizes; cut before these documents."""
    places = sorted({0, len(sizes), *(c for c in cuts if c < len(sizes))})
    segments = []
    for start, end in itertools.pairwise(places):
        first, last = sum(sizes[:start]), sum(sizes[:end])
        segments.append(lexical.build(range(first + 1, last + 1), passages[first:last], sizes[start:end]))
    return segments


def found(segments: list[LexicalSegment], query: list[str], k: int) -> list[tuple[int, float]]:
    return lexical.search(Corpus.of(segments), query).top(k)


def without(segment: LexicalSegment, dead: set[int]) -> LexicalSegment:
    lives = np.array([i not in dead for i in segment.ids.tolist()], np.bool_)
    return replace(segment, lives=lives)


@given(
    st.lists(st.lists(st.lists(WORDS, max_size=12), min_size=1, max_size=4), min_size=1, max_size=12),
    st.sets(st.integers(1, 12), max_size=4),
    st.sets(st.integers(0, 11)),
    st.lists(WORDS, max_size=5),
)
@settings(max_examples=300)
def test_scores_are_those_of_the_formula(
    documents: list[list[list[str]]], cuts: set[int], dead: set[int], query: list[str]
) -> None:
    """In one segment or many, with removed documents or without, merged or not: the same scores to 1e-9."""
    passages = [words for document in documents for words in document]
    sizes = [len(document) for document in documents]
    owners = dict(enumerate((number for number, size in enumerate(sizes) for _ in range(size)), 1))
    alive = {i: words for i, words in enumerate(passages, 1) if owners[i] not in dead}
    gone = set(owners) - set(alive)
    segments = [without(segment, gone) for segment in cut(passages, sizes, cuts)]
    expected = expected_scores(alive, owners, query)
    scores = lexical.search(Corpus.of(segments), query)
    assert pytest.approx(expected, abs=1e-9) == dict(scores.top(len(passages)))
    assert pytest.approx(expected, abs=1e-9) == scores.of([*owners, 1_000])
    whole = brute_force(together(alive, owners), query)
    every = np.array([whole.get(i, 0.0) for i in {owners[i] for i in alive}]) if alive else np.zeros(1)
    assert pytest.approx((every.mean(), every.std()), abs=1e-6) == (scores.mean, scores.deviation)
    one = lexical.merged(segments)
    assert one.ids.tolist() == list(alive)
    assert pytest.approx(expected, abs=1e-9) == dict(found([one], query, len(passages)))
    best = sorted(expected.values(), reverse=True)[:3]
    assert pytest.approx(best, abs=1e-9) == [score for _, score in found(segments, query, 3)]


def test_merging_equals_building_at_once() -> None:
    """A merged segment is, array by array, the one that the same passages give."""
    passages = [["b", "a", "a"], ["c"], [], ["a", "ž"]]
    for name, (expected,) in lexical.build([1, 2, 3, 4], passages, [1, 2, 1]).arrays().items():
        (actual,) = lexical.merged(cut(passages, [1, 2, 1], {1})).arrays()[name]
        assert expected.dtype == actual.dtype, name
        np.testing.assert_array_equal(expected, actual, err_msg=name)


@pytest.mark.parametrize("most", [255, 256, 300])
def test_a_term_may_stand_very_often_in_a_passage(most: int) -> None:
    """Counts take a byte each where that is enough, and are right where it is not, also after merging and removal."""
    passages = {1: ["gas"] * most, 2: ["gas"] * 3 + ["a"], 3: ["b"]}
    segments = [lexical.build([1, 2], [passages[1], passages[2]]), lexical.build([3], [passages[3]])]
    one = lexical.merged(segments)
    assert [segment.counts.dtype.itemsize for segment in (*segments, one)] == [1 + (most > 255), 1, 1 + (most > 255)]
    expected = expected_scores(passages, {1: 1, 2: 2, 3: 3}, ["gas"])
    assert pytest.approx(expected, abs=1e-9) == dict(found([one], ["gas"], 3)) == dict(found(segments, ["gas"], 3))
    assert lexical.merged([without(one, {1})]).counts.dtype == np.uint8


def test_nothing_is_found_where_there_is_nothing() -> None:
    """No segments, no terms and unknown terms give no hits."""
    segment = lexical.build([7], [["nato"]])
    assert found([], ["nato"], 5) == []
    assert found([segment], [], 5) == []
    assert found([segment], ["gas"], 5) == []
    assert found([lexical.build([7], [[]])], ["nato"], 5) == []
    assert [passage for passage, _ in found([segment], ["nato"], 5)] == [7]


@given(st.lists(st.lists(st.lists(WORDS, max_size=6), min_size=1, max_size=4), max_size=8))
@settings(max_examples=100, deadline=None)
def test_groups_are_the_postings_by_document(documents: list[list[list[str]]]) -> None:
    """Of each term: in which documents it stands, how often, and in how many passages; also where a file has none."""
    passages = [words for document in documents for words in document]
    segment = lexical.build(range(len(passages)), passages, [len(document) for document in documents])
    arrays = {name: pieces[0] for name, pieces in segment.arrays().items()}
    older = LexicalSegment.of({name: array for name, array in arrays.items() if not name.startswith("group")})
    for groups in (segment.groups, LexicalSegment.of(arrays).groups, older.groups):
        for number in range(len(segment.ends)):
            term = segment.term(number).decode()
            counted = [(i, sum(p.count(term) for p in d), sum(term in p for p in d)) for i, d in enumerate(documents)]
            span = slice(groups.starts[number], groups.starts[number + 1])
            found = zip(*(array[span].tolist() for array in groups[1:]), strict=True)
            assert [each for each in counted if each[1]] == list(found)


@pytest.mark.parametrize("seed", range(20))
def test_no_document_is_passed_over_that_has_one_of_the_best(seed: int) -> None:
    """Among documents and passages of very different lengths, the best k are those of all, to the last digit."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 7, 300).tolist()
    passages = [
        [f"w{rng.zipf(1.4) % 40}" for _ in range(rng.integers(0, 1 + 60 // size))]
        for size in sizes
        for _ in range(size)
    ]
    corpus = Corpus.of(cut(passages, sizes, set(rng.integers(0, 300, 4).tolist())))
    scores = lexical.search(corpus, [f"w{i}" for i in rng.integers(0, 40, rng.integers(1, 9))])
    ids, every = scores.every()
    best = sorted(zip(ids.tolist(), every.tolist(), strict=True), key=lambda hit: (-hit[1], hit[0]))
    for k in (1, 10, 100):
        assert [hit for hit in best[:k] if hit[1] > 0] == scores.top(k)
