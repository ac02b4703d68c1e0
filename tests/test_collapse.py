"""A story shows up once for each of its places, in the order of the ranking, and nothing is lost."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch.rank import Candidate, fold

LONG = " ".join(f"Word{n} and word{n * 7 % 1009}." for n in range(600))


def edited(text: str) -> str:
    """Every tenth word is another one."""
    return " ".join("new" if n % 10 == 5 else word for n, word in enumerate(text.split()))


def candidates(*passages: tuple[int, str]) -> list[Candidate]:
    return [Candidate(n, 1 - n / 100, document, text) for n, (document, text) in enumerate(passages)]


def folded(ranked: list[Candidate], *stories: Collection[int], k: int | None = None) -> list[tuple[int, list[int]]]:
    """Ids that stay and those that went into each, where the documents of a story are copies of each other."""
    kept = fold(ranked, lambda document: {d for story in stories if document in story for d in story}, k)
    return [(one.candidate.id, [other.id for other in one.folded]) for one in kept]


def stretch(start: int, count: int = 100, text: str = LONG) -> str:
    return " ".join(text.split()[start : start + count])


def test_the_same_place_of_a_story_folds_and_other_places_stay() -> None:
    """Passages of copies fold where they overlap by 40 %, also in part with one and in part with another."""
    one, two = stretch(0), stretch(100)
    assert folded(candidates((1, one), (2, stretch(50)), (2, stretch(80))), {1, 2}) == [(0, [1]), (2, [])]
    assert folded(candidates((1, one), (1, two), (2, stretch(70)), (3, one)), {1, 2, 3}) == [(0, [3]), (1, [2])]
    assert folded(candidates((1, stretch(0, 120)), (1, stretch(180, 120)), (2, stretch(80, 140))), {1, 2}) == [
        (0, [2]),
        (1, []),
    ]
    assert folded(candidates((1, one), (2, edited(one)), (2, two)), {1, 2}) == [(0, [1]), (2, [])]


def test_without_copies_only_the_same_words_fold() -> None:
    """An agency's paragraph in two articles is one hit; half of it, or a short phrase, is two."""
    paragraph = stretch(0)
    assert folded(candidates((1, paragraph), (2, f"It said: {paragraph}"), (3, stretch(40)))) == [(0, [1]), (2, [])]
    assert folded(candidates((1, "Prices fell again in spring."), (2, "Prices fell again in spring."))) == [
        (0, []),
        (1, []),
    ]
    assert folded(candidates((1, "Prices fell."), (2, "prices fell")), {1, 2}) == [(0, [1])]


def test_passages_of_one_document_fold_only_when_they_are_the_same() -> None:
    """A document that repeats itself all but word for word is shown as it is."""
    text = stretch(0)
    assert folded(candidates((1, text), (1, f"{text} Again."), (1, text)), {1, 2}) == [(0, [2]), (1, [])]


def test_folding_reads_no_further_than_it_must() -> None:
    """With k that stay, the rest of the ranking is not looked at, and its documents are not asked for."""
    texts = iter(candidates(*((n, stretch(40 * n, 40)) for n in range(20))))
    asked: list[int] = []
    kept = fold(texts, lambda document: asked.append(document) or (), k=3)
    assert [one.candidate.id for one in kept] == [0, 1, 2]
    assert next(texts).id == 3
    assert asked == []


RANKED = st.lists(st.tuples(st.integers(1, 5), st.tuples(st.integers(0, 12), st.integers(1, 8))), max_size=25).map(
    lambda drawn: candidates(*((document, stretch(10 * start, 10 * count)) for document, (start, count) in drawn))
)
STORIES = st.lists(st.sets(st.integers(1, 5), min_size=2), max_size=2)


@settings(deadline=None)
@given(RANKED, STORIES)
def test_folding_keeps_order_and_loses_nothing(ranked: list[Candidate], stories: list[set[int]]) -> None:
    """For any ranking: every passage is there once, each below the one that it went into, and all in order."""
    found = folded(ranked, *stories)
    assert sorted(i for one, others in found for i in (one, *others)) == [c.id for c in ranked]
    assert [one for one, _ in found] == sorted(one for one, _ in found)
    assert all(others == sorted(others) and all(one < other for other in others) for one, others in found)


@settings(deadline=None)
@given(RANKED, STORIES, st.integers(1, 6))
def test_folding_twice_changes_nothing(ranked: list[Candidate], stories: list[set[int]], k: int) -> None:
    """For any ranking: what stays stays again, and fewer hits are the first of more."""
    stays = [ranked[one] for one, _ in folded(ranked, *stories)]
    assert folded(stays, *stories) == [(candidate.id, []) for candidate in stays]
    assert [one for one, _ in folded(ranked, *stories, k=k)] == [candidate.id for candidate in stays[:k]]
