"""Words are found in every language and script by the lexical search, however they are spelt; through `Index` alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from semsearch import Document, Index
from semsearch.testing import HashEmbedder

TEXTS = {
    "karadzic-latin": "Radovan Karadžić je osuđen u Haagu.",
    "karadzic-cyrillic": "Радован Караџић је осуђен у Хагу.",
    "djindjic-latin": "Zoran Đinđić bio je premijer Srbije.",
    "djindjic-cyrillic": "Зоран Ђинђић био је премијер Србије.",
    "strasse": "Die Straße nach Mostar ist gesperrt.",
    "gruesse": "Viele Grüße aus Köln sendet die Großmutter.",
    "french": "L'évêque a reçu l'œuvre à Besançon.",
    "albanian": "Këshilli i Evropës mblidhet në Shqipëri.",
    "polish": "Łódź leży w środkowej Polsce.",
    "danish": "Ærø og Tromsø ligger ved havet.",
    "turkish": "Işıklar İstanbul'da söndü.",
    "greek": "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας.",
    "russian": "Ёлка стоит на площади.",
    "arabic": "انعقد مجلس الأمن في نيويورك",
    "chinese": "安全理事会星期一召开会议。",
    "japanese": "国連安全保障理事会は月曜日に会合を開いた。",
    "thai": "คณะมนตรีความมั่นคงประชุมวันจันทร์",
    "korean": "안전보장이사회가 월요일에 열렸다.",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with Index.create(tmp_path_factory.mktemp("languages") / "index", embedder=HashEmbedder()) as made:
        made.add([Document(path, text) for path, text in TEXTS.items()])
        yield made


@pytest.mark.parametrize(
    ("queries", "expected"),
    [
        (["karadzic", "Karadžić", "KARADŽIĆ", "Караџић", "Karad\u017ei\u0107", "Karadz\u030cic\u0301"], "karadzic"),
        (["Djindjic", "Đinđić", "đinđić", "Ђинђић", "ЂИНЂИЋ"], "djindjic"),
        (["strasse", "Straße", "STRASSE", "STRAẞE"], "strasse"),
        (["grusse", "Grüße", "GRÜSSE", "grossmutter"], "gruesse"),
        (["besancon", "œuvre", "oeuvre"], "french"),
        (["shqiperi", "SHQIPËRI", "keshilli"], "albanian"),
        (["lodz", "Łódź", "srodkowej"], "polish"),
        (["aero", "Ærø", "tromso"], "danish"),
        (["istanbul", "İSTANBUL", "isiklar"], "turkish"),
        (["Αθηνα", "ΑΘΉΝΑ", "Ελλαδας", "ΕΛΛΆΔΑΣ"], "greek"),
        (["елка", "ЁЛКА", "площади"], "russian"),
        (["مجلس", "الأمن"], "arabic"),
        (["会议", "星期一"], "chinese"),
        (["会合", "月曜日", "国連"], "japanese"),
        (["วันจันทร์"], "thai"),
        (["월요일에"], "korean"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_spelling_finds_every_spelling(index: Index, queries: list[str], expected: str) -> None:
    """Case, marks, ligatures, composition and the script of Serbian do not matter; nothing else is found."""
    both = {"karadzic", "djindjic"}
    paths = {f"{expected}-latin", f"{expected}-cyrillic"} if expected in both else {expected}
    for query in queries:
        assert {hit.path for hit in index.search(query, mode="lexical", collapse=False)} == paths, query


@pytest.mark.parametrize(
    ("query", "path"), [("安全理事会", "chinese"), ("安全保障理事会", "japanese"), ("ความมั่นคง", "thai")]
)
def test_unspaced_scripts_are_found_by_pairs_of_characters(index: Index, query: str, path: str) -> None:
    """What stands inside a text without spaces is found; a text that shares more pairs comes first."""
    assert index.search(query, mode="lexical", collapse=False)[0].path == path


def test_a_word_that_stands_nowhere_finds_nothing(index: Index) -> None:
    """Folding joins spellings, not words."""
    for query in ("karas", "Djordje", "strand", "火曜", "Београд"):
        assert index.search(query, mode="lexical", collapse=False) == [], query
