"""A sync finds what changed, takes in only that, and loses nothing."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from semsearch.diff import by_file, diff
from semsearch.errors import FolderError, ModelError
from semsearch.index import Index
from semsearch.sync import BATCH, Progress
from semsearch.testing import HashEmbedder
from semsearch.types import FileStat, Found, Skip


@pytest.fixture
def index(tmp_path: Path, embedder: HashEmbedder) -> Index:
    return Index.create(tmp_path / "index", embedder=embedder)


def paths(index: Index) -> list[str]:
    return [document.path for document in index.documents()]


def test_a_first_run_takes_in_all_and_a_second_nothing(index: Index, articles: Path, embedder: HashEmbedder) -> None:
    """Idempotent: no encoding, no commit, and the report says so."""
    first = index.sync(articles)
    assert (first.added, first.unchanged, first.skipped) == (3, 0, ())
    assert first.encoded == first.passages == len(embedder.encoded) == 4
    generation = index.status().generation
    second = index.sync(articles)
    assert (second.added, second.changed, second.removed, second.unchanged) == (0, 0, 0, 3)
    assert second.encoded == 0
    assert len(embedder.encoded) == 4
    settled = index.status().generation
    index.sync(articles)
    assert settled == index.status().generation
    assert settled - generation <= 1


def test_added_changed_renamed_and_deleted_files_are_found(
    index: Index, articles: Path, embedder: HashEmbedder
) -> None:
    """Each kind of change is counted; a rename embeds nothing and keeps the document's number."""
    index.sync(articles)
    numbers = {document.path: document.id for document in index.documents()}
    embedder.encoded.clear()
    (articles / "deep").mkdir()
    (articles / "nato.txt").rename(articles / "deep" / "alliance.txt")
    (articles / "sport.html").unlink()
    (articles / "new.txt").write_text("A new article about rivers.")
    (articles / "energy.md").write_text((articles / "energy.md").read_text().replace("full", "empty"))
    changes = index.changes(articles)
    assert changes.added == ["new.txt"]
    assert list(changes.changed) == ["energy.md"]
    assert list(changes.removed) == ["sport.html"]
    assert changes.renamed == {"deep/alliance.txt": ("nato.txt", {"nato.txt": numbers["nato.txt"]})}
    report = index.sync(articles)
    assert (report.added, report.changed, report.renamed, report.removed) == (1, 1, 1, 1)
    assert embedder.encoded == ["Gas prices\nStorage\nStores are empty.", "A new article about rivers."]
    assert paths(index) == ["deep/alliance.txt", "energy.md", "new.txt"]
    after = {document.path: document.id for document in index.documents()}
    assert after["deep/alliance.txt"] == numbers["nato.txt"]
    assert after["energy.md"] == numbers["energy.md"]


def test_a_touched_file_is_hashed_once_and_costs_no_embedding(index: Index, articles: Path) -> None:
    """Another time of change with the same content is noted, and the content is not read again after that."""
    index.sync(articles)
    old = time.time() - 3600
    for file in articles.iterdir():
        os.utime(file, (old, old))
    assert index.sync(articles).encoded == 0
    known = {d.path: d.stat.mtime_ns for d in index.documents()}
    assert known == {file.name: file.stat().st_mtime_ns for file in articles.iterdir()}
    assert index.changes(articles).touched == []


def test_a_change_within_the_same_tick_and_of_the_same_size_is_found(index: Index, articles: Path) -> None:
    """Size and time of change alone never decide when the file was fresh as it was read."""
    file = articles / "nato.txt"
    index.sync(articles)
    stat = file.stat()
    file.write_text(file.read_text().replace("not", "now"))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert index.sync(articles).changed == 1
    assert "will now allow" in index.search("alliance", k=1)[0].text


def test_bad_files_are_listed_and_the_good_ones_taken_in(index: Index, articles: Path) -> None:
    """Each skip has its reason; a file that stops being an article leaves the index."""
    index.sync(articles)
    (articles / "binary.txt").write_bytes(b"\x00\x01\x02" * 100)
    (articles / "empty.md").write_text(" \n")
    (articles / "photo.jpg").write_bytes(b"\xff\xd8")
    (articles / "link.txt").symlink_to(articles / "nato.txt")
    (articles / "energy.md").write_bytes(b"\x00" * 50)
    report = index.sync(articles)
    assert sorted(skip.path for skip in report.skipped) == [
        "binary.txt", "empty.md", "energy.md", "link.txt", "photo.jpg",
    ]  # fmt: skip
    assert all(skip.reason for skip in report.skipped)
    assert (report.added, report.changed, report.removed) == (0, 0, 1)
    assert paths(index) == ["nato.txt", "sport.html"]


def test_an_empty_or_missing_folder_removes_nothing(index: Index, articles: Path) -> None:
    """What looks like a disk that is not there does not empty the index, unless it is said to."""
    index.sync(articles)
    for file in articles.iterdir():
        file.unlink()
    with pytest.raises(FolderError, match="keeps the 3 documents"):
        index.sync(articles)
    with pytest.raises(FolderError, match="that matches the patterns"):
        index.sync(articles, include=["*.md"])
    articles.rmdir()
    with pytest.raises(FolderError):
        index.sync(articles)
    assert len(index.documents()) == 3
    articles.mkdir()
    assert index.sync(articles, allow_empty=True).removed == 3
    assert index.documents() == []
    assert index.search("alliance") == []


def test_folders_that_lie_in_each_other_are_refused(index: Index, articles: Path) -> None:
    """A file is never in an index twice."""
    (articles / "sub").mkdir()
    (articles / "sub" / "a.txt").write_text("Text.")
    index.sync(articles)
    with pytest.raises(FolderError, match="twice"):
        index.sync(articles / "sub")
    with pytest.raises(FolderError, match="twice"):
        index.sync(articles.parent)


def test_two_folders_in_one_index_do_not_disturb_each_other(index: Index, articles: Path, tmp_path: Path) -> None:
    """Syncing one leaves the other's documents alone."""
    other = tmp_path / "other"
    shutil.copytree(articles, other)
    index.sync(articles)
    report = index.sync(other)
    assert (report.added, report.encoded) == (3, 0)
    (articles / "nato.txt").unlink()
    index.sync(articles)
    index.sync(other)
    assert len(index.documents()) == 5


def test_an_interrupted_run_goes_on_where_it_was(index: Index, articles: Path, embedder: HashEmbedder) -> None:
    """What was committed is not embedded again: one batch at the most is lost."""
    for i in range(3 * BATCH):
        (articles / f"n{i:04d}.txt").write_text(f"Article number {i} about topic {i}.")

    def stop(progress: Progress) -> None:
        if progress.passages >= 2 * BATCH:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.sync(articles, progress=stop)
    done = len(index.documents())
    assert 2 * BATCH <= index.status().passages < 3 * BATCH
    embedder.encoded.clear()
    report = index.sync(articles)
    assert report.unchanged == done
    assert len(embedder.encoded) == len(set(embedder.encoded)) == 3 * BATCH + 4 - 2 * BATCH
    assert index.verify() == []


def test_numbers_that_are_no_numbers_are_not_stored(tmp_path: Path, articles: Path) -> None:
    """A model that returns NaN stops the run with its name, and the index stays sound."""

    class Broken(HashEmbedder):
        name = "broken"

        def encode_query(self, texts):
            return super().encode_query(texts) * float("nan")

    with Index.create(tmp_path / "broken", embedder=Broken()) as index:
        with pytest.raises(ModelError, match=r"broken.*NaN"):
            index.sync(articles)
        assert index.verify() == []
        assert index.documents() == []


def test_what_cannot_be_read_for_the_moment_stays() -> None:
    """An unreadable file or folder is reported and its documents are kept; a vanished file is removed."""
    stat = FileStat(1, 1, "d")
    documents = {"a.txt": (1, stat), "sub/b.txt": (2, stat), "c.txt": (3, stat), "d.txt": (4, stat), "e.txt": (5, stat)}

    def denied(_: str) -> FileStat:
        raise PermissionError(13, "Permission denied")

    found = [
        Found("a.txt", 2, 2),
        Skip("sub/", "cannot be listed: Permission denied", passing=True),
        Skip("d.txt", "cannot be examined: Input/output error", passing=True),
        Skip("e.txt", "a FIFO, not a file"),
    ]
    changes = diff(found, by_file(documents), denied)
    assert changes.removed == {"c.txt": {"c.txt": 3}, "e.txt": {"e.txt": 5}}
    assert changes.kept == 3
    assert {skip.path: skip.reason for skip in changes.skipped} == {
        "a.txt": "cannot be read: Permission denied",
        "sub/": "cannot be listed: Permission denied",
        "d.txt": "cannot be examined: Input/output error",
        "e.txt": "a FIFO, not a file",
    }


def test_equal_files_that_move_are_matched_one_to_one() -> None:
    """Two copies renamed are two renames; a third is new; a file of another kind is no rename."""
    stat = FileStat(5, 1, "same")
    known = by_file({"a.txt": (1, stat), "b.txt": (2, stat), "c.md": (3, stat)})
    found = [Found(path, 5, 9) for path in ("x.txt", "y.txt", "z.txt", "c.html")]
    changes = diff(found, known, lambda _: FileStat(5, 9, "same"))
    assert changes.renamed == {"x.txt": ("a.txt", {"a.txt": 1}), "y.txt": ("b.txt", {"b.txt": 2})}
    assert changes.added == ["z.txt", "c.html"]
    assert changes.removed == {"c.md": {"c.md": 3}}
