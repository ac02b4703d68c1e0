"""An index that watches its folder holds what was saved soon after, does nothing otherwise, and outlives mishaps."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from semsearch import Index
from semsearch.errors import FolderError, UsageError
from semsearch.read import reach, walk
from semsearch.store import locked
from semsearch.sync import SyncReport
from semsearch.testing import HashEmbedder
from semsearch.types import Found

ROOT = Path(__file__).parent.parent


class Watched:
    """An index that watches a folder in a thread of its own, and what its runs did."""

    def __init__(self, index: Index, folder: Path) -> None:
        self.index, self.folder = index, folder
        self.reports: list[SyncReport] = []
        self.stop = threading.Event()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.wait(lambda: len(self.reports) == 1)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds; the test's limit of time is the limit."""
        while not condition():
            assert self._thread.is_alive(), self.error
            time.sleep(0.01)

    def names(self) -> set[str]:
        return {Path(document.path).name for document in self.index.documents()}

    def close(self) -> None:
        self.stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            for report in self.index.watch(self.folder, stop=self.stop):
                self.reports.append(report)
        except Exception as error:  # noqa: BLE001 - shown by whoever waits
            self.error = error


@contextmanager
def watching(index: Index, folder: Path) -> Iterator[Watched]:
    watched = Watched(index, folder)
    try:
        yield watched
    finally:
        watched.close()
    assert watched.error is None


@pytest.fixture
def index(tmp_path: Path, embedder: HashEmbedder) -> Iterator[Index]:
    with Index.create(tmp_path / "x", embedder=embedder) as index:
        yield index


def equals_rebuild(index: Index, folder: Path, tmp_path: Path) -> bool:
    with Index.create(tmp_path / f"anew{time.time_ns()}", embedder=HashEmbedder()) as anew:
        anew.sync(folder)
        return [(d.path, d.stat.digest) for d in anew.documents()] == [
            (d.path, d.stat.digest) for d in index.documents()
        ]


def test_what_is_saved_renamed_and_deleted_is_taken_in(index: Index, articles: Path, tmp_path: Path) -> None:
    """In folders that are new, too; in the end the index equals one made from nothing."""
    with watching(index, articles) as watched:
        assert watched.reports[0].added == 3
        (articles / "new.txt").write_text("A ferry sails.")
        watched.wait(lambda: "new.txt" in watched.names())
        (articles / "new.txt").write_text("A ferry sails no more.")
        watched.wait(lambda: sum(report.changed for report in watched.reports) == 1)
        (articles / "new.txt").rename(articles / "renamed.txt")
        watched.wait(lambda: "renamed.txt" in watched.names())
        (articles / "deep/er").mkdir(parents=True)
        (articles / "deep/er/page.html").write_text("<p>A bridge.")
        watched.wait(lambda: "page.html" in watched.names())
        (articles / "deep").rename(tmp_path / "away")
        watched.wait(lambda: "page.html" not in watched.names())
        (articles / "renamed.txt").unlink()
        watched.wait(lambda: "renamed.txt" not in watched.names())
        assert equals_rebuild(index, articles, tmp_path)


def test_what_the_walk_leaves_out_starts_no_run(articles: Path, embedder: HashEmbedder) -> None:
    """Hidden files, the index itself, kinds without a reader, and what rules and patterns exclude."""
    (articles / ".gitignore").write_text("drafts/\n")
    for folder in ("drafts", ".git", "indexes", "old"):
        (articles / folder).mkdir()
    with Index.create(articles / "indexes/x", embedder=embedder) as index:
        index.sync(articles, exclude=["old/"])
        with watching(index, articles) as watched:
            runs = len(watched.reports)
            for name in ("drafts/a.txt", ".git/a.txt", "old/a.txt", "photo.jpg", "a.txt~", "indexes/x/a.txt"):
                (articles / name).write_text("No article.")
            time.sleep(1)
            assert len(watched.reports) == runs
            (articles / "indexes/a.txt").write_text("An article beside the index.")
            watched.wait(lambda: len(watched.reports) > runs)
            time.sleep(1)
            assert (len(watched.reports), watched.reports[-1].added) == (runs + 1, 1)
            (articles / ".gitignore").write_text("")
            watched.wait(lambda: len(watched.reports) == runs + 2)
            assert watched.reports[-1].added == 1


def test_a_thousand_changes_are_a_few_runs(index: Index, articles: Path, tmp_path: Path) -> None:
    """What is saved together is taken in together, while somebody reads."""
    with watching(index, articles) as watched:
        for number in range(1000):
            (articles / f"{number}.txt").write_text(f"Bulletin {number} of the harbour.")
        while len(index.documents()) < 1003:
            index.search("harbour", k=1)
        time.sleep(1)
        assert len(watched.reports) <= 20
        assert sum(report.added for report in watched.reports) == 1003
        assert equals_rebuild(index, articles, tmp_path)


def test_a_folder_that_vanishes_for_a_moment_loses_nothing(
    index: Index, articles: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its documents stay, and what was saved in it meanwhile is taken in when it is back."""
    with watching(index, articles) as watched:
        articles.rename(tmp_path / "away")
        watched.wait(lambda: "gone; the index keeps what it has" in caplog.text)
        (tmp_path / "away/new.txt").write_text("A ferry sails.")
        assert len(index.documents()) == 3
        (tmp_path / "away").rename(articles)
        watched.wait(lambda: "new.txt" in watched.names())
        shutil.copytree(articles, tmp_path / "copy")
        shutil.rmtree(articles)
        watched.wait(lambda: caplog.text.count("gone; the index") == 2)
        assert len(index.documents()) == 4
        (tmp_path / "copy").rename(articles)
        (articles / "newer.txt").write_text("A bridge opens.")
        watched.wait(lambda: "newer.txt" in watched.names())
        assert len(index.documents()) == 5


def test_a_folder_that_is_emptied_keeps_its_documents(
    index: Index, articles: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As with every run, and the next article goes in."""
    with watching(index, articles) as watched:
        for file in articles.iterdir():
            file.unlink()
        watched.wait(lambda: "holds no article" in caplog.text)
        assert len(index.documents()) > 0
        (articles / "new.txt").write_text("A ferry sails.")
        watched.wait(lambda: watched.names() == {"new.txt"})


def test_another_writer_is_waited_for(index: Index, articles: Path) -> None:
    """What was saved while another process wrote goes in afterwards."""
    with watching(index, articles) as watched:
        with locked(index.path):
            (articles / "new.txt").write_text("A ferry sails.")
            time.sleep(1)
            assert "new.txt" not in watched.names()
        watched.wait(lambda: "new.txt" in watched.names())


def test_what_cannot_be_watched_is_said_at_once(
    index: Index, articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is missing from the start, an empty one, and a library that is."""
    with pytest.raises(FolderError, match="there is no such folder"):
        next(index.watch(tmp_path / "missing"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderError, match="holds no article"):
        next(index.watch(tmp_path / "empty"))
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(UsageError, match=r'pip install "semsearch\[watch\]"'):
        next(index.watch(articles))


def test_reach_agrees_with_the_walk(tmp_path: Path) -> None:
    """For every file of a tree with rules on all levels, with and without patterns."""
    for name in (
        "a.txt",
        "b.jpg",
        ".c.txt",
        "d/e.md",
        "d/f.txt",
        "d/g/h.html",
        "i/j.txt",
        "k/semsearch.json",
        "k/l.txt",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("A word.")
    (tmp_path / "link").symlink_to(tmp_path / "d")
    (tmp_path / ".gitignore").write_text("i/\n*.txt\n!f.txt\n")
    (tmp_path / "d/.semsearchignore").write_text("g/\n")
    files = [file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()]
    for patterns in ({}, {"include": ["d/"]}, {"exclude": ["*.md"]}, {"include": ["*.txt", "d/g/"]}):
        met = {item.path for item in walk(tmp_path, **patterns) if isinstance(item, Found)}
        matters = reach(tmp_path, **patterns)
        assert {file for file in files if matters(file) and not file.endswith("ignore")} == met
        for name in (".gitignore", "d/.semsearchignore", "d", "gone", "d/gone"):
            assert matters(name), name
        for name in ("i/.gitignore", ".git", "i", "i/gone", "k", "k/gone", "link", "link/e.md", "b.jpg"):
            assert not matters(name), name


def command(folder: Path, *more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SEMSEARCH_MODEL": "hash"}
    line = [sys.executable, "-m", "semsearch", "index", str(folder), "-i", str(folder.parent / "index"), *more]
    return subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_command_says_a_line_for_each_run_that_changed_something(articles: Path, tmp_path: Path) -> None:
    """And nothing else, until Ctrl-C, which leaves with 130 and a sound index."""
    run = command(articles, "--watch")
    assert run.stderr is not None
    lines = iter(run.stderr)
    assert next(lines).endswith("index: 3 added, 0 changed, 0 renamed, 0 removed, 0 unchanged, 0 skipped\n")
    while not next(lines).startswith("watching "):
        pass
    time.sleep(1)
    (articles / "photo.jpg").write_bytes(b"\xff\xd8")
    (articles / "empty.md").write_text("")
    assert next(lines) == "skipped empty.md: empty\n"
    (articles / "new.txt").write_text("A ferry sails.")
    assert re.fullmatch(r"\d\d:\d\d:\d\d 1 added, 0 changed, 0 renamed, 0 removed\n", next(lines))
    (articles / "new.txt").unlink()
    assert re.fullmatch(r"\d\d:\d\d:\d\d 0 added, 0 changed, 0 renamed, 1 removed\n", next(lines))
    run.send_signal(signal.SIGINT)
    output, said = run.communicate()
    assert (run.returncode, output) == (130, "")
    assert said.strip() == "semsearch: interrupted; what was committed is safe"
    with Index.open(tmp_path / "index", embedder=HashEmbedder()) as index:
        assert index.verify() == []
        assert len(index.documents()) == 3


def test_a_dry_run_does_not_watch(articles: Path, tmp_path: Path) -> None:
    """The two contradict each other."""
    run = command(articles, "--watch", "--dry-run")
    _, said = run.communicate()
    assert run.returncode == 2
    assert "--dry-run looks once" in said
    assert not (tmp_path / "index").exists()
