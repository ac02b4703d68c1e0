"""What comes as a stream of bytes is read as a file of its name would be, and replaces what had that name alone."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from semsearch import Columns, Document, Index
from semsearch.errors import UsageError
from semsearch.sync import BATCH
from semsearch.testing import HashEmbedder
from tests.test_cli import Run, run
from tests.test_within import FILES, boxed, zipped

__all__ = ["run"]


CZECH = "Vítr žene dým k jižním svahům, říkají místní, a hasiči čekají déšť."


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.create(tmp_path / "index", embedder=HashEmbedder()) as made:
        made.add([Document("m.mbox.note", "It has a name of its own."), Document("other", "Another.")])
        yield made


def texts(index: Index) -> dict[str, str]:
    """What there is besides the two that were there."""
    each = {document.path: index.text(document.id).strip() for document in index.documents()}
    assert each.pop("m.mbox.note")
    assert each.pop("other")
    return each


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("note", "Čaša vode.".encode(), {"note": "Čaša vode."}),
        ("note.2024", CZECH.encode("cp1250"), {"note.2024": CZECH}),
        ("a/n.md", b"# Title\n\nText.", {"a/n.md": "# Title\n\nText."}),
        ("p.html", b"<title>T</title><p>Words of it.", {"p.html": "Words of it."}),
        ("m.mbox", boxed("One.", "Two."), {"m.mbox#1": "One.", "m.mbox#2": "Two."}),
        ("x.zip", zipped(FILES), {f"x.zip!/{path}": text for path, text in FILES.items()}),
        ("t.csv", b"lead\nOne.\n", {"t.csv#1": "One."}),
    ],
)
def test_a_stream_is_read_as_its_name_says(index: Index, name: str, data: bytes, expected: dict[str, str]) -> None:
    """As a file of that name, and as plain text where no such kind is read; again, it costs nothing."""
    columns = Columns(text="lead") if name == "t.csv" else Columns()
    assert index.add_file(io.BytesIO(data), name, columns=columns).added == len(expected)
    assert texts(index) == expected
    again = index.add_file(io.BytesIO(data), name, columns=columns)
    assert (again.unchanged, again.encoded, again.removed) == (len(expected), 0, 0)
    assert index.verify(deep=True) == []


def test_what_had_the_name_is_replaced(index: Index) -> None:
    """Document by document: what is gone goes, and what stays is not embedded again."""
    index.add_file(io.BytesIO(boxed("One.", "Two.", "Three.")), "m.mbox")
    report = index.add_file(io.BytesIO(boxed("One.", "2.")), "m.mbox")
    assert (report.unchanged, report.changed, report.removed, report.encoded) == (1, 1, 1, 1)
    assert texts(index) == {"m.mbox#1": "One.", "m.mbox#2": "2."}


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("n.txt", b" \n", "n.txt: empty"),
        ("n.txt", bytes(range(256)), "n.txt: binary data, not text"),
        ("m.mbox", b"", "m.mbox: there is no article in it"),
        ("m.mbox", b"Dear all,", "m.mbox: no mailbox"),
        ("m.mbox", boxed(" "), "m.mbox: no text in it"),
        ("x.zip", b"PK", "x.zip: a broken zip"),
        ("", b"Text.", "is no name for a file"),
        ("a.zip!/b.txt", b"Text.", "is no name for a file"),
    ],
)
def test_what_cannot_be_read_replaces_nothing(index: Index, name: str, data: bytes, why: str) -> None:
    """It is an error that says why."""
    if not why.endswith("no name for a file"):
        index.add_file(io.BytesIO({"x.zip": zipped(FILES), "m.mbox": boxed("One.")}.get(name, b"Text.")), name)
    before = texts(index)
    with pytest.raises(UsageError, match=why):
        index.add_file(io.BytesIO(data), name)
    assert texts(index) == before


def test_what_breaks_off_leaves_what_was_there(index: Index) -> None:
    """And what was committed before."""
    rows = "".join(f"Row {number}.\n" for number in range(2 * BATCH + 9))
    index.add_file(io.BytesIO(b"text,id\nOld.,z\n"), "t.csv", columns=Columns(id="id"))
    with pytest.raises(UsageError, match="not in UTF-8, as it is at its beginning"):
        index.add_file(io.BytesIO(f"text\n{rows}".encode() + b"x" * 2**20 + b"\xff\n"), "t.csv")
    found = texts(index)
    assert (found["t.csv#z"], len(found)) == ("Old.", 1 + 2 * BATCH)
    assert index.verify(deep=True) == []


def test_a_rebuild_and_a_repair_take_it_along(index: Index, tmp_path: Path) -> None:
    """As any document that is no file."""
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles/a.txt").write_text("An article.")
    index.add_file(io.BytesIO(boxed("One.")), "m.mbox")
    Index.rebuild(index.path, tmp_path / "articles", embedder=HashEmbedder())
    assert texts(index) == {"m.mbox#1": "One.", "a.txt": "An article."}
    assert index.add_file(io.BytesIO(boxed("One.")), "m.mbox").unchanged == 1


def test_standard_input_is_added(run: Run) -> None:
    """To the index that is meant, beside what it holds; under a name of its own or the one that is given."""
    assert run("index", "articles").status == 0
    first = run("index", "-", stdin="Ferries run to the islands again.")
    assert (first.status, first.out) == (0, "")
    assert "indexes/articles: 1 added, 0 changed, 0 renamed, 0 removed, 0 unchanged, 0 skipped" in first.err
    assert "1 changed" in run("index", "-", stdin="Ferries run to all islands again.").err
    assert "up to date, 1 documents unchanged" in run("index", "-", stdin="Ferries run to all islands again.").err
    assert run("search", "ferries islands", "-k", "1", "--format", "paths").out == "stdin\n"
    assert "2 added" in run("index", "-", "--name", "m.mbox", stdin=boxed("The harbour.", "The pier.")).err
    assert run("search", "pier", "-k", "1", "--format", "paths").out == "m.mbox#2\n"
    assert "3 documents unchanged" in run("index", "articles").err
    assert run("similar", "m.mbox#2", "-k", "1").status == 0
    assert run("index", "-", "-i", "new", stdin="Its own index.").status == 0
    assert len(run("list", "-i", "new").out.splitlines()) == 1


def test_standard_input_is_refused_with_a_reason(run: Run) -> None:
    """And leaves no index behind that was not there."""
    assert "no index below ./indexes" in run("index", "-", stdin="Text.").err
    assert "standard input is empty" in run("index", "-", "-i", "new").err
    assert not Path("indexes/new").exists()
    assert run("index", "articles").status == 0
    for options, why in (
        (("-", "--watch"), "are for folders"),
        (("-", "--rebuild"), "are for folders"),
        (("-", "--include", "*"), "are for folders"),
        (("articles", "--name", "x"), "--name is for standard input"),
        (("-", "--name", ""), "is no name for a file"),
    ):
        refused = run("index", *options, stdin="Text.")
        assert (refused.status, refused.out) == (2, "")
        assert why in refused.err
    assert "stdin: binary data, not text" in run("index", "-", stdin=bytes(range(256))).err


@pytest.mark.skipif(sys.platform == "win32", reason="has no terminals of that kind")
def test_a_terminal_is_not_waited_for(tmp_path: Path) -> None:
    """Who forgot what to pipe is told so."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "semsearch", "index", "-", "-i", str(tmp_path / "index")]
    try:
        done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, check=False, timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert "standard input is a terminal; pipe an article into it, or name a folder" in done.stderr
