"""Folding makes one term of what readers take for one word, and finds terms again where they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsearch.terms import MAX_TERM, fold, located, query_terms, spans, stem, terms, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Security VACUUM", ["secur", "vacuum"]),
        ("Skupština Скупштина skupstina", ["skupstina"] * 3),
        ("government governments GOVERNING", ["govern"] * 3),
        ("Đoković Djoković Ђоковић", ["djokov"] * 3),
        ("Straße STRASSE", ["strass"] * 2),
        ("Љубљана Ljubljana", ["ljubljana"] * 2),
        ("l'énergie", ["l", "energi"]),
        ("cafe\u0301 café", ["cafe", "cafe"]),
        ("NATO's 2% goal, 2024-25", ["nato", "s", "2", "goal", "2024", "25"]),
        ("под_чертой", ["pod", "certoi"]),
        ("安全真空", ["安全", "全真", "真空"]),
        ("東京 is", ["東京", "is"]),
        ("मराठी", [stem("मराठी")]),
        ("🎉 — …", []),
        ("", []),
    ],
)
def test_words_that_readers_take_for_the_same_are_one_term(text: str, expected: list[str]) -> None:
    """Case, diacritics, Serbian scripts and ß do not matter; unspaced scripts become pairs."""
    assert expected == terms(text)


def test_a_megabyte_without_a_space_is_a_short_term() -> None:
    """A term is never longer than MAX_TERM."""
    assert [len(term) for term in terms("x" * 1_000_000)] == [MAX_TERM]


@given(st.text())
def test_terms_stand_where_located_says(text: str) -> None:
    """Spans are in order, inside the text, and folding what stands there gives the term again."""
    before = 0
    for term, start, end in located(text):
        assert before <= start < end <= len(text)
        assert term == stem(text[start:end][: 2 * MAX_TERM])
        before = start


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    """What is folded for the index and for the query compares equal however often it was folded."""
    once = words(text)
    assert [fold(term) for term in once] == [fold(fold(term)) for term in once]


def test_spans_mark_the_words_of_a_query_in_any_spelling() -> None:
    """Marking uses the same folding as the search."""
    text = "U Skupštini i СКУПШТИНА, Skupština!"
    assert [text[a:b] for a, b in spans(text, frozenset({"skupstina"}))] == ["СКУПШТИНА", "Skupština"]


def test_pairs_that_touch_are_marked_as_one() -> None:
    """A Chinese word of three characters is one mark, not two that overlap."""
    assert spans("在真空里面", frozenset({"真空", "空里"})) == [(1, 4)]


def test_stop_words_of_a_query_are_left_out_unless_it_has_no_others() -> None:
    """What every English text has says nothing of a query; a band may still be called The Who."""
    assert query_terms("What is the price of gas in Bosnia?") == ["price", "gas", "bosnia"]
    assert query_terms("The Who") == ["the", "who"]
    assert query_terms("…") == []
