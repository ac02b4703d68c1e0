"""Models and indexes that somebody made to do harm: each is refused, and a canary file shows that nothing ran."""

from __future__ import annotations

import dataclasses
import io
import json
import pickle
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from semsearch import Document, Index
from semsearch.cli import search
from semsearch.embed import card as cards
from semsearch.embed import load, resolve
from semsearch.embed.original import OriginalEmbedder
from semsearch.errors import IndexDamagedError, ModelError, ModelUnsafeError, SemsearchError, StoreError
from semsearch.show import FORMATS, Answer, Look
from semsearch.store import CARD
from semsearch.store.seals import Seals
from semsearch.testing import HashEmbedder
from tests import models

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.\x7f"
OBEYED = set("\x1b\x07\x9b\u202e\x7f\x85")


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that comes to be when code of a model runs."""
    return tmp_path / "canary"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound model that a test may spoil."""
    return Path(shutil.copytree(models.built() / "mean", tmp_path / "model"))


class Bomb:
    """What makes the canary when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[[str, str], object], tuple[str, str]]:
        return open, (str(self.canary), "w")


def weights_of(bomb: Bomb) -> bytes:
    """As torch saves weights: a pickle in a zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(bomb))
        archive.writestr("archive/version", "3\n")
    return made.getvalue()


def changed(path: Path, **fields: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def pickled(folder: Path, canary: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(weights_of(Bomb(canary)))


def pickled_beside_a_broken_one(folder: Path, canary: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\xff" * 64)
    (folder / "pytorch_model.bin").write_bytes(weights_of(Bomb(canary)))


def pickled_under_another_name(folder: Path, canary: Path) -> None:
    (folder / "model.safetensors").write_bytes(weights_of(Bomb(canary)))


def own_module(folder: Path, canary: Path) -> None:
    (folder / "own.py").write_text(f"open({str(canary)!r}, 'w')\nclass Pooling: pass\n")
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["type"] = "own.Pooling"
    (folder / "modules.json").write_text(json.dumps(modules))


def own_architecture(folder: Path, canary: Path) -> None:
    (folder / "own.py").write_text(f"open({str(canary)!r}, 'w')\n")
    changed(folder / "config.json", model_type="own", auto_map={"AutoConfig": "own.C", "AutoModel": "own.M"})


def own_tokenizer(folder: Path, canary: Path) -> None:
    (folder / "own.py").write_text(f"open({str(canary)!r}, 'w')\n")
    changed(folder / "tokenizer_config.json", tokenizer_class="Own", auto_map={"AutoTokenizer": ["own.T", "own.T"]})
    for name in ("tokenizer.json", "vocab.txt"):
        (folder / name).unlink(missing_ok=True)


def module_elsewhere(folder: Path, canary: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "pytorch_model.bin").write_bytes(weights_of(Bomb(canary)))
    modules = json.loads((folder / "modules.json").read_text())
    modules.append({"idx": 9, "name": "9", "path": "../elsewhere", "type": "sentence_transformers.models.Dense"})
    (folder / "modules.json").write_text(json.dumps(modules))


SPOILED = [
    pickled, pickled_beside_a_broken_one, pickled_under_another_name, own_module, own_architecture, own_tokenizer,
    module_elsewhere,
]  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_a_hostile_model_is_refused_and_runs_nothing(
    folder: Path, canary: Path, spoil: Callable[[Path, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the model's folder is where Python looks for modules."""
    spoil(folder, canary)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    with pytest.raises(ModelError):
        resolve(str(folder))
    assert not canary.exists()


def test_the_canary_sings() -> None:
    """Unpickled, the weights that are used above do run code."""
    with zipfile.ZipFile(io.BytesIO(weights_of(Bomb(Path("/dev/null"))))) as archive:
        pickle.loads(archive.read("archive/data.pkl")).close()


def test_other_weights_under_the_name_of_a_known_model_are_refused(folder: Path, tmp_path: Path) -> None:
    """The index was made with what its fingerprint says, not with what lies in that place now."""
    embedder = resolve(str(folder))
    with Index.create(tmp_path / "x", embedder=embedder) as index:
        index.add([Document("a", "Peace.")])
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)
    shutil.rmtree(cards.folder_of(embedder.fingerprint))
    with Index.open(tmp_path / "x") as index, pytest.raises(ModelError, match="get back that model"):
        index.search("peace")


def test_the_card_of_a_prepared_model_leads_nowhere_else(folder: Path, canary: Path, tmp_path: Path) -> None:
    """Neither by the names of its files, nor by the folder of an original, whose code would run."""
    prepared = cards.folder_of(resolve(str(folder)).fingerprint)
    card = cards.read(prepared)
    for name in ("../../secret", "/etc/passwd", ".", "a\0b", "a/b"):
        spoiled = dataclasses.replace(card, checksums={name: card.checksums["graph.onnx"]})
        (prepared / "card.json").write_text(spoiled.to_json())
        with pytest.raises(ModelUnsafeError, match="outside of its folder"):
            cards.read(prepared)
    own_module(folder, canary)
    from semsearch.embed.find import fingerprint

    original = dataclasses.replace(card, kind="original", checksums={}, fingerprint=fingerprint(folder))
    (prepared / "card.json").write_text(original.to_json())
    with pytest.raises(ModelUnsafeError, match="needs code"):
        OriginalEmbedder(prepared)
    assert not canary.exists()
    shutil.rmtree(prepared)


@pytest.mark.parametrize("fingerprint", ["../../../../tmp/x", "/etc", "..", "", "a/b", "a\0b"])
def test_the_fingerprint_of_an_index_leads_nowhere_else(index: Index, fingerprint: str) -> None:
    """It names a folder of the cache, and only there."""
    config = dataclasses.replace(index.config, model="some/model", fingerprint=fingerprint)
    with pytest.raises(ModelUnsafeError, match="no fingerprint"):
        load(config)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """An index that the command line can open."""
    made = Index.create(tmp_path / "index", embedder=HashEmbedder())
    made.add([Document("wire/1", f"Alert {ESCAPES} text", title=f"Title {ESCAPES}", source=f"Source {ESCAPES}")])
    return made


@pytest.mark.parametrize("edition", ["../../etc", "e1/../..", "/etc", "e1\0", "", "e", 7, ["e1"], {"e1": 1}])
def test_the_card_of_an_index_leads_nowhere_else(index: Index, edition: object) -> None:
    """An edition is a name of its own folders."""
    card = json.loads((index.path / CARD).read_text())
    (index.path / CARD).write_text(json.dumps(card | {"current": edition}))
    with pytest.raises(IndexDamagedError, match=CARD):
        Index.open(index.path)


@pytest.mark.parametrize("number", ["'../../../canary'", "x'2e2e2f'", "-7", "9223372036854775807", "1.5", "NULL"])
def test_a_catalog_names_no_file_elsewhere(index: Index, number: str) -> None:
    """A segment's number is a number, whatever the catalog says, and every seal holds."""
    index.close()
    with closing(sqlite3.connect(index.path / "e1" / "index.db", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE copy AS SELECT * FROM segments")
        connection.execute("DROP TABLE segments")
        connection.execute("ALTER TABLE copy RENAME TO segments")
        connection.execute(f"UPDATE segments SET id = {number}")
        Seals(connection).close()
    with Index.open(index.path) as opened, pytest.raises(StoreError, match=r"index\.db|vectors/-?\d+: is missing"):
        opened.search("alert")


def test_a_schema_that_does_something_is_not_run(index: Index) -> None:
    """A trigger that would write, or a view in the place of a table, is refused like any other change."""
    index.close()
    with closing(sqlite3.connect(index.path / "e1" / "index.db", isolation_level=None)) as connection:
        connection.execute("CREATE TRIGGER t AFTER UPDATE ON settings BEGIN DELETE FROM documents; END")
    with Index.open(index.path) as opened:
        for call in (lambda: opened.search("alert"), lambda: opened.add([Document("b", "Text.")])):
            with pytest.raises(IndexDamagedError, match=r"index\.db.*semsearch repair"):
                call()


@pytest.mark.parametrize("model", ["hash", pytest.param("all-MiniLM-L6-v2", marks=pytest.mark.model)])
def test_nothing_is_unpickled(tmp_path: Path, model: str) -> None:
    """Neither when a folder is indexed nor when it is searched, listed, verified and repaired: Python itself tells."""
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "a.txt").write_text("The ferry to the island.")
    resolve(model)  # what prepares a model once is torch, and not looked at here
    program = (
        "import sys; found = []\n"
        "sys.addaudithook(lambda event, _: found.append(event) if event.startswith(('pickle.', 'marshal.')) and "
        "not sys._getframe(1).f_code.co_filename.startswith('<frozen') else None)\n"
        "from semsearch.cli import main\n"
        "for line in (['index', 'articles', '-i', './x', '--model', sys.argv[1]], ['search', 'ferry', '-i', './x'], "
        "['verify', '--deep', '-i', './x'], ['list', '-i', './x'], ['repair', '-i', './x']):\n"
        "    sys.argv[1:] = line\n"
        "    try: main()\n"
        "    except SystemExit as left: assert not left.code, line\n"
        "assert not found, found\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, model], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("format_", ["text", "json", "jsonl"])
def test_no_format_for_people_or_programs_has_what_a_terminal_obeys(index: Index, format_: str) -> None:
    """In JSON it is escaped, and reads back as it was."""
    answers = [Answer(f"alert {ESCAPES}", "hybrid", index.search("alert"))]
    shown = "\n".join(FORMATS[format_](answers, Look()))
    assert "lert" in shown
    assert not OBEYED & set(shown)
    if format_ == "jsonl":
        assert json.loads(shown)["title"] == f"Title {ESCAPES}"


@pytest.mark.parametrize("format_", ["csv", "paths"])
@pytest.mark.parametrize("terminal", [True, False])
def test_bare_formats_are_safe_on_a_terminal_and_whole_in_a_pipe(
    index: Index, format_: str, *, terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program must get the path as it is; a person must get no trouble."""
    index.add([Document(f"wire/{ESCAPES}", "Another alert, another place.")])
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    search._show([Answer("alert", "hybrid", index.search("alert"))], format_, "never", explain=False, many=False)
    out = capsys.readouterr().out
    assert bool(OBEYED & set(out)) is not terminal
    assert terminal or f"wire/{ESCAPES}" in out


def test_errors_are_safe(index: Index) -> None:
    """What was made to look like an index does not reach the terminal through its own refusal."""
    (index.path / CARD).write_text(json.dumps({"format": 99, "current": "e1", "semsearch": ESCAPES}))
    with pytest.raises(SemsearchError):
        Index.open(index.path)
    done = subprocess.run(
        [sys.executable, "-m", "semsearch", "status", "-i", str(index.path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "semsearch" in done.stderr
    assert not OBEYED & set(done.stderr)
