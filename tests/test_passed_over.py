"""What was passed over is not read again for that; a run without changes says it all the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from semsearch import Columns, Index, sync
from semsearch.store import Store
from semsearch.testing import HashEmbedder
from semsearch.types import Skip
from tests.test_nothing_wasted import run
from tests.test_read_sandbox import started
from tests.test_within import LONG_AGO, held, put, zipped

EMPTY = Skip("bad.docx", "empty")
WITHIN = Skip("a.zip!/b.exe", "no reader for .exe files")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An article, one that is none, and an archive of both."""
    folder = tmp_path / "articles"
    put(folder, "good.txt", b"The ferry runs again.")
    put(folder, "bad.docx", b"")
    put(folder, "a.zip", zipped({"a.txt": "The bridge is open.", "b.exe": "x"}))
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index.create(tmp_path / "x", embedder=HashEmbedder())


def read(index: Index, folder: Path, **asked: Columns) -> tuple[set[str], list[Skip]]:
    """Which files a run hands to their readers, and what it says of those that were passed over."""
    files: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        gather = sync.gather

        def noting(store: Store, root: Path, work: list[tuple[str, dict[str, int]]], *more: object) -> object:
            files.update(path for path, _ in work)
            return gather(store, root, work, *more)  # type: ignore[arg-type]

        patch.setattr(sync, "gather", noting)
        report = index.sync(folder, **asked)
    return files, sorted(report.skipped, key=lambda skip: skip.path)


def generation(index: Index) -> int:
    with Store(index.path / "e1").tables() as tables:
        return tables.generation()


def test_what_was_passed_over_is_said_and_not_read_again(index: Index, folder: Path) -> None:
    """A file, and what is in one that is otherwise sound; nothing is written either."""
    assert read(index, folder) == ({"good.txt", "bad.docx", "a.zip"}, [WITHIN, EMPTY])
    before = generation(index)
    assert [read(index, folder) for _ in range(2)] == [(set(), [WITHIN, EMPTY])] * 2
    assert generation(index) == before
    assert started(lambda: index.sync(folder)) == 0


def test_the_command_line_opens_no_file_that_it_refused(tmp_path: Path, folder: Path) -> None:
    """Nor any other that has not changed."""
    run(tmp_path, "index", "articles", "-i", "./x", "--model", "hash")
    assert not [name for name in run(tmp_path, "index", "articles", "-i", "./x").below(tmp_path) if "articles" in name]


def test_a_file_that_changed_is_tried_again(index: Index, folder: Path) -> None:
    """And forgotten when it can be read, or is gone."""
    index.sync(folder)
    put(folder, "bad.docx", b"x")
    assert read(index, folder) == ({"bad.docx"}, [WITHIN, Skip("bad.docx", "a broken zip")])
    put(folder, "bad.docx", b"").rename(folder / "bad.txt")
    put(folder, "a.zip", zipped({"a.txt": "The bridge is open."}))
    assert read(index, folder) == ({"bad.txt", "a.zip"}, [Skip("bad.txt", "empty")])
    (folder / "bad.txt").write_text("The tram is late.")
    assert read(index, folder) == ({"bad.txt"}, [])
    with Store(index.path / "e1").tables() as tables:
        assert tables.passed().of(str(folder)) == {}


def test_other_readers_and_other_columns_try_again(index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is installed may be what was missing, and a field that is named the text."""
    put(folder, "t.csv", b"words\nThe tunnel is closed.\n")
    assert read(index, folder)[0] == {"good.txt", "bad.docx", "a.zip", "t.csv"}
    monkeypatch.setattr(sync, "readers", lambda: "2.0")
    assert [read(index, folder)[0] for _ in range(2)] == [{"bad.docx", "a.zip", "t.csv"}, set()]
    assert read(index, folder, columns=Columns(text="words")) == ({"a.zip", "t.csv"}, [WITHIN, EMPTY])
    assert len(held(index)) == 3


def test_a_file_that_may_be_written_within_the_same_tick_is_tried_again(index: Index, folder: Path) -> None:
    """Its time cannot vouch for it; once it can, it does."""
    (folder / "bad.docx").write_bytes(b"")
    os.utime(folder / "bad.docx")
    assert [read(index, folder) for _ in range(2)][1] == ({"bad.docx"}, [WITHIN, EMPTY])
    os.utime(folder / "bad.docx", (LONG_AGO, LONG_AGO))
    assert [read(index, folder)[0] for _ in range(2)] == [{"bad.docx"}, set()]


def test_what_is_in_a_file_is_said_when_it_is_only_touched(index: Index, folder: Path) -> None:
    """Its content is hashed, and not read."""
    os.utime(folder / "a.zip")
    index.sync(folder)
    for _ in range(3):
        assert read(index, folder) == (set(), [WITHIN, EMPTY])
        os.utime(folder / "a.zip", (LONG_AGO, LONG_AGO))


def test_a_file_that_breaks_off_is_not_read_again_either(index: Index, folder: Path) -> None:
    """What could be read of it is in the index, as of any other."""
    put(folder, "t.csv", b'text\nOne.\n"Two\xff.\n' + b"x" * 2**21 + b"\xff")
    put(folder, "u.csv", b"text\nOne.\n" + b"x" * 2**20 + b"\n\xff\xfe\n")
    files, skipped = read(index, folder)
    assert {"t.csv", "u.csv"} < files
    assert read(index, folder) == (set(), skipped)
    assert {skip.path for skip in skipped} > {"u.csv"}
    assert "u.csv#1" in {path for path, _, _ in held(index)}


def become_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("spoil", [become_a_folder, Path.unlink], ids=["a folder by now", "gone"])
def test_what_is_passing_is_not_remembered(index: Index, folder: Path, spoil: Callable[[Path], None]) -> None:
    """What comes between the walk and the reading."""
    root = sync.root_of(folder)
    with pytest.MonkeyPatch.context() as patch:
        gather = sync.gather
        patch.setattr(sync, "gather", lambda *given: (spoil(folder / "good.txt"), gather(*given))[1])
        assert {skip.path for skip in index.sync(root).skipped} >= {"good.txt"}
    if (folder / "good.txt").is_dir():
        (folder / "good.txt").rmdir()
    put(folder, "good.txt", b"The ferry runs again.")
    assert read(index, folder)[0] == {"good.txt"}


def test_a_note_that_is_not_what_was_stored_is_as_good_as_none(index: Index, folder: Path) -> None:
    """It costs another reading."""
    index.sync(folder)
    store = Store(index.path / "e1")
    index.close()
    with store._write() as tables:
        tables._run("UPDATE passed SET skips = replace(skips, 'empty', 'full')")
    with Index.open(index.path, embedder=HashEmbedder()) as again:
        assert read(again, folder) == ({"bad.docx"}, [WITHIN, EMPTY])
        assert again.verify(deep=True) == []
