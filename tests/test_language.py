"""English is told from what is not English, on real articles."""

from __future__ import annotations

from pathlib import Path

import pytest

from semsearch.language import is_english, is_latin
from semsearch.read import read_file

SEEDS = Path(__file__).parent.parent / "seeds"
FOREIGN = {
    "sarajevo-film-festival.html", "izborni-zakon-bih.txt", "nucleaire-francais.md", "waermepumpen.html",
    "pacte-europeen-asile.txt", "ostflanke-kampfverbaende.txt", "kosarka-balkan.txt", "tour-de-france-maillots.html",
    "bih-kandidatski-status.md", "bundeswehr-eufor-althea.md", "dijalog-beograd-pristina.md", "kosova-pa-viza.md",
    "marreveshja-e-ohrit.txt", "visoki-predstavnik.txt",
}  # fmt: skip


@pytest.mark.parametrize("path", [p for p in sorted(SEEDS.rglob("*.*")) if p.name != "README.md"], ids=lambda p: p.name)
def test_every_seed_is_told_right_by_its_words_alone(path: Path) -> None:
    """42 English articles and 14 in six other languages."""
    document, _ = read_file(path, path.name)
    assert is_english(document.text) == (path.name not in FOREIGN)


@pytest.mark.parametrize(
    ("text", "stated", "expected"),
    [
        ("Le conseil.", "", True),
        ("The council.", "de", False),
        ("Le conseil.", "en-GB", True),
        ("Савет", "", False),
        ("理事会は月曜日", "", False),
        ("", "", True),
        ("2024: 17.5 %", "", True),
    ],
)
def test_what_is_stated_counts_and_little_text_decides_little(text: str, stated: str, *, expected: bool) -> None:
    """A tag decides; without one, the script does, and then the words, when there are enough."""
    assert is_english(text, stated) == expected


def test_scripts() -> None:
    """Most letters decide."""
    assert is_latin("Đoković, Erdoğan, ﬁn, 2024")
    assert not is_latin("Савет NATO")
