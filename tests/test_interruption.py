"""Indexing may be killed at any moment: what was committed answers, and the next run makes the index whole."""

from __future__ import annotations

import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semsearch import Index
from semsearch.testing import HashEmbedder

ROOT = Path(__file__).parent.parent
FILES = 2000


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder whose indexing takes a second or two: many commits and several merges."""
    folder = tmp_path / "many"
    folder.mkdir()
    rng = random.Random(5)
    for i in range(FILES):
        subjects = rng.choices(["gas", "vote", "river", "law", "bridge", "court", "army", "rain"], k=20)
        words = " ".join(f"{subject} {rng.randrange(10_000)}" for subject in subjects)  # no article is another's copy
        (folder / f"n{i:05d}.txt").write_text(f"Report {i}.\n\n{words}.\n")
    return folder


def start(folder: Path, *more: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SEMSEARCH_MODEL": "hash", "TERM": "xterm"}
    command = [sys.executable, "-m", "semsearch", "index", str(folder), "-i", str(folder.parent / "index"), *more]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=stderr)


def answers(path: Path) -> list[tuple[str, int, float]]:
    with Index.open(path, embedder=HashEmbedder()) as index:
        assert index.verify() == []
        return [(Path(h.path).name, h.start, round(h.score, 5)) for h in index.search("river bridge law", k=10)]


def test_killed_again_and_again_it_still_comes_to_the_same_index(many: Path, tmp_path: Path) -> None:
    """SIGKILL at random moments: every time the index is sound, and in the end it equals one made undisturbed."""
    whole = tmp_path / "whole"
    begun = time.monotonic()
    with Index.create(whole, embedder=HashEmbedder()) as index:
        index.sync(many)
    typical = time.monotonic() - begun
    rng = random.Random(7)
    seen = kills = 0
    for _ in range(30):
        process = start(many, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=0.4 + rng.random() * typical / 4)
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        if (tmp_path / "index" / "semsearch.json").exists():
            with Index.open(tmp_path / "index", embedder=HashEmbedder()) as index:
                assert index.verify() == []
                documents = len(index.documents())
                assert documents >= seen
                seen = documents
    assert kills > 0
    assert start(many, stderr=subprocess.DEVNULL).wait() == 0
    assert answers(whole) == answers(tmp_path / "index")
    with Index.open(tmp_path / "index", embedder=HashEmbedder()) as index:
        assert len(index.documents()) == FILES
        named = len(list((tmp_path / "index" / "e1" / "vectors").iterdir()))
        assert named == index.status().segments


def test_ctrl_c_leaves_with_130_and_a_line(many: Path, tmp_path: Path) -> None:
    """An interruption by hand says that nothing is lost, without a traceback."""
    for i in range(3 * FILES):  # a run that is not over before the keys are pressed again
        (many / f"m{i:05d}.txt").write_text(f"Bulletin {i} of the harbour.")
    process = start(many)
    while not list(tmp_path.glob("index/e1/vectors/00000002")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    try:
        _, error = process.communicate(timeout=0.7)
    except subprocess.TimeoutExpired:
        # Python drops an interruption that comes while a destructor runs; people press the keys again.
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
    assert process.returncode == 130
    assert error.decode().strip().endswith("semsearch: interrupted; what was committed is safe")
    assert b"Traceback" not in error
    assert answers(tmp_path / "index")


def test_a_terminal_sees_a_bar_with_rate_and_time_left(many: Path) -> None:
    """On a terminal progress is drawn in place; the summary stays."""
    terminal, inner = pty.openpty()
    process = start(many, stderr=inner)
    os.close(inner)
    seen = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(terminal)
    assert process.wait() == 0
    text = seen.decode()
    assert re.search(r"\d+ of 2000 files, \d+ passages, \d+ passages/s", text)
    assert re.search(r"\d%", text)
    assert re.search(r"\d:\d\d:\d\d", text)
    assert "2000 added" in text


def test_elsewhere_progress_is_plain_lines(many: Path) -> None:
    """Without a terminal there is no escape sequence on either channel."""
    process = start(many)
    _, error = process.communicate()
    assert process.returncode == 0
    assert b"\x1b" not in error
    assert b"2000 added" in error
