"""A full or a read-only disk is an error that says what to do, and what was committed is there afterwards."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from semsearch import Document, Index
from semsearch.errors import StorageError
from semsearch.testing import HashEmbedder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB of its own; only the superuser may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)):
        pytest.skip("a file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def mount(*arguments: str) -> int:
    if shutil.which("mount") is None:
        return 1
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode


def documents(count: int, offset: int = 0) -> list[Document]:
    return [Document(f"d{i}", f"Report {i} on rivers and roads. " * 20) for i in range(offset, offset + count)]


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    """The add that does not fit is refused with advice; the old answers stay; with room, work goes on."""
    filler = small_disk / "filler"
    index = Index.create(small_disk / "index", embedder=HashEmbedder())
    index.add(documents(5))
    filler.write_bytes(b"\0" * (shutil.disk_usage(small_disk).free - 150_000))
    before, error = [], None
    for turn in range(50):
        before = [h.text for h in index.search("rivers", k=500)]
        try:
            index.add(documents(20, offset=100 + 20 * turn))
        except StorageError as full:
            error = full
            break
    assert "full" in str(error)
    assert before == [h.text for h in index.search("rivers", k=500)]
    held = len(index.documents())
    index.close()
    with Index.open(small_disk / "index", embedder=HashEmbedder()) as again:
        assert before == [h.text for h in again.search("rivers", k=500)]
        assert again.verify() == []
        filler.unlink()
        again.add(documents(3, offset=9000))
        assert len(again.documents()) == held + 3
        assert again.verify() == []


def test_a_read_only_disk_can_be_searched_but_not_changed(small_disk: Path) -> None:
    """Searching needs no write; adding is a clear error."""
    with Index.create(small_disk / "index", embedder=HashEmbedder()) as index:
        index.add(documents(5))
    assert mount("-o", "remount,ro", str(small_disk)) == 0
    with Index.open(small_disk / "index", embedder=HashEmbedder()) as index:
        assert len(index.search("rivers", k=5)) == 5
        assert index.verify() == []
        with pytest.raises(StorageError, match=r"[Rr]ead"):
            index.add(documents(1))
    with pytest.raises(StorageError):
        Index.create(small_disk / "other", embedder=HashEmbedder())
