"""An index of every format that was ever released opens, and answers as it did; one of a newer format is refused."""

from __future__ import annotations

import importlib.util
import json
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from semsearch import Document, Index
from semsearch.errors import IndexFormatError
from semsearch.store import CARD, FORMAT, publish
from semsearch.testing import HashEmbedder

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = sorted(path.name.removesuffix(".tar.xz") for path in FIXTURES.glob("*.tar.xz"))


@pytest.fixture(scope="module")
def make() -> ModuleType:
    """The script that writes a fixture."""
    spec = importlib.util.spec_from_file_location("make", FIXTURES / "make.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def unpacked(name: str, folder: Path) -> Path:
    with tarfile.open(FIXTURES / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "index"


def test_the_present_format_has_its_fixture() -> None:
    """Whoever changes the format writes one: `python tests/fixtures/make.py format-N`. They stay small."""
    assert f"format-{FORMAT}" in NAMES
    assert all(path.stat().st_size < 100_000 for path in FIXTURES.iterdir() if path.is_file())


@pytest.mark.parametrize("name", NAMES)
def test_an_index_of_a_released_format_answers_as_it_did(name: str, tmp_path: Path, make: ModuleType) -> None:
    """Places, texts and scores; whole by every check; and so after it was written to, which may migrate it."""
    expected = json.loads((FIXTURES / f"{name}.json").read_text())
    with Index.open(unpacked(name, tmp_path)) as index:
        assert json.loads(json.dumps(make.answers(index))) == expected
        assert index.verify(deep=True) == []
        index.add([Document("new", "A word that nothing else has: xylophone.")])
        index.remove("new")
        assert json.loads(json.dumps(make.answers(index))) == expected
        assert index.verify(deep=True) == []


def test_what_an_older_semsearch_did_not_seal_is_sealed_when_it_is_written_to(tmp_path: Path) -> None:
    """From then on a changed letter is noticed; and a repair of an index that has no seals finds nothing to mend."""
    path = unpacked("format-4-unsealed", tmp_path)
    assert Index.repair(path).done == ()
    with Index.open(path, embedder=HashEmbedder()) as index:
        index.add([Document("new", "Something.")])
        with index._edition.store._write() as tables:
            tables._run("UPDATE documents SET author = 'Nobody' WHERE path = 'wire/3'")
        assert "document 4 is not what was stored" in "\n".join(index.verify())


def test_an_older_index_says_that_it_is_newer_before_it_is(tmp_path: Path) -> None:
    """Its card first, so that no older semsearch writes to what it does not know; interrupted between, it is whole."""
    path = unpacked("format-4", tmp_path)
    with Index.open(path, embedder=HashEmbedder()) as index:
        assert json.loads((path / CARD).read_text())["format"] == 4
        publish(path, index._edition.store)
        assert index.verify(deep=True) == []
        index.add([Document("new", "Something.")])
        with index._edition.store.tables() as tables:
            assert tables.setting("format") == str(FORMAT)
        assert json.loads((path / CARD).read_text())["format"] == FORMAT
        assert index.verify(deep=True) == []


def test_a_newer_format_is_refused_with_what_can_read_it(tmp_path: Path) -> None:
    """The message says which formats this one reads, and how to get one that reads more."""
    path = unpacked(f"format-{FORMAT}", tmp_path)
    card = json.loads((path / CARD).read_text())
    for newer in (FORMAT + 1, 99):
        (path / CARD).write_text(json.dumps(card | {"format": newer, "semsearch": "7.1"}))
        with pytest.raises(
            IndexFormatError, match=rf"format {newer}.*semsearch 7\.1 or newer.*pip install -U 'semsearch>=7\.1'"
        ):
            Index.open(path)
