"""A card comes back from its JSON as it was, or not at all; the cache lies where the system keeps caches."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsearch.embed import card as cards
from semsearch.embed.card import Card
from semsearch.errors import ModelError

NUMBERS = st.integers(0, 2**31)
CARDS = st.builds(
    Card,
    name=st.text(),
    fingerprint=st.text(),
    source=st.text(),
    kind=st.sampled_from(["graph", "original"]),
    dimension=NUMBERS,
    max_tokens=NUMBERS,
    special_tokens=NUMBERS,
    similarity=st.sampled_from(["cosine", "dot"]),
    query_prompt=st.text(),
    inputs=st.lists(st.text()).map(tuple),
    checksums=st.dictionaries(st.text(), st.text(), max_size=3),
)


@given(card=CARDS)
def test_a_card_survives_its_json(card: Card) -> None:
    """Every field comes back."""
    assert Card.from_json(card.to_json()) == card


@given(card=CARDS, data=st.data())
def test_a_changed_card_is_an_error(card: Card, data: st.DataObject) -> None:
    """Any change of a character is found, unless it changes nothing that is said."""
    text = card.to_json()
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.characters(codec="ascii")) + text[place + 1 :]
    with contextlib.suppress(ModelError):
        assert Card.from_json(changed) == card


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"checksum": 1}', "\ufeff{}"])
def test_what_is_no_card_is_an_error(text: str) -> None:
    """Whatever it is."""
    with pytest.raises(ModelError):
        Card.from_json(text)


def test_a_card_of_another_version_is_an_error() -> None:
    """Its fields may mean something else."""
    card = Card("n", "f", "s", "graph", 1, 1, 1, "cosine", version=cards.FORMAT + 1)
    with pytest.raises(ModelError):
        Card.from_json(card.to_json())


def test_the_cache_lies_where_the_system_keeps_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless $SEMSEARCH_CACHE says otherwise."""
    monkeypatch.delenv("SEMSEARCH_CACHE")
    assert cards.cache_root().name == "semsearch"
    monkeypatch.setenv("SEMSEARCH_CACHE", "/elsewhere")
    assert cards.folder_of("abc").parent == Path("/elsewhere/models")
