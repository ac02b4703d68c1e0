"""What people type is understood: phrases and exclusions where they are meant, and ordinary text otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsearch.query import Query, holds, parse
from semsearch.terms import words


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("gas prices", Query("gas prices")),
        ('"Security Vacuum" Balkans', Query("Security Vacuum Balkans", (("security", "vacuum"),))),
        ("jaguar -car", Query("jaguar", (), (("car",),))),
        ('jaguar -"sports car" cat', Query("jaguar cat", (), (("sports", "car"),))),
        ('"Karadžić"', Query("Karadžić", (("karadzic",),))),
        ("a -5 degrees frost", Query("a -5 degrees frost")),
        ("state-of-the-art", Query("state-of-the-art")),
        ("a well - known fact", Query("a well - known fact")),
        ('5" pipes and 6" pipes', Query('5" pipes and 6" pipes')),
        ('an "open quote', Query('an "open quote')),
        ('""', Query('""')),
        ("-car", Query("-car")),
        ("-car \uff9e", Query("-car \uff9e")),
        ('-"a b" -c', Query('-"a b" -c')),
        ("C++ -- what?", Query("C++ -- what?")),
    ],
)
def test_operators_and_ordinary_text(typed: str, expected: Query) -> None:
    """Quotes around words and a minus before a word are heeded; whatever only looks like it is text."""
    assert parse(typed) == expected


@given(st.text())
def test_nothing_is_an_error(text: str) -> None:
    """Any text is a query, and one that has something to look for still has."""
    query = parse(text)
    assert bool(words(query.text)) == bool(words(text))
    assert all(query.phrases)
    assert all(query.excluded)


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), min_size=1, max_size=3))
def test_a_sequence_is_found_where_it_stands(text: list[str], sequence: list[str]) -> None:
    """As joined with spaces, looked for with spaces around."""
    assert holds(text, tuple(sequence)) == (f" {' '.join(sequence)} " in f" {' '.join(text)} ")
