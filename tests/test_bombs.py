"""Bombs and hangs of every kind cost themselves: each is skipped with its reason, in little memory, and no more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from semsearch import Index
from semsearch.testing import HashEmbedder
from tests.bombs import BOMBS, GOOD
from tests.torture.bombs import MEMORY, Cost, caught, indexed, is_as_it_must_be, reasons, run, skipped

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them in one folder, beside what is good; made by a process of its own, as this one is not to grow."""
    folder = tmp_path_factory.mktemp("bombs") / "articles"
    folder.mkdir()
    assert run("-m", "tests.bombs", str(folder), *BOMBS).status == 0
    return folder


@pytest.fixture(scope="module")
def indexing(folder: Path) -> Cost:
    """What a run of the command line over them took and said."""
    return indexed(folder)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_skipped_with_its_reason(indexing: Cost, name: str) -> None:
    """Not with another one, and not in silence."""
    assert is_as_it_must_be(name, indexing.said), reasons(name, indexing.said)[:9]


def test_all_that_is_good_is_in_the_index(folder: Path, indexing: Cost) -> None:
    """And nothing of a bomb is."""
    assert indexing.status == 0
    assert not {path for path, _ in skipped(indexing.said)} & GOOD.keys()
    with Index.open(folder.parent / "x", embedder=HashEmbedder()) as index:
        held = {document.path for document in index.documents()}
    assert {path for path in held if not path.startswith(tuple(GOOD))} <= {"sparse.tar!/good.txt"}
    assert {name for name in GOOD if any(path.startswith(name) for path in held)} == GOOD.keys()


def test_no_process_takes_more_memory_than_promised(indexing: Cost) -> None:
    """Neither the one that reads, nor the one that a reader is in."""
    assert indexing.memory < MEMORY


@pytest.mark.parametrize("name", ["words.txt.bz2", "content.pdf", "nested.eml"])
def test_a_reader_without_limits_is_caught(folder: Path, name: str) -> None:
    """So what is measured here can fail."""
    assert caught(run("-m", "tests.torture.naive_reader", str(folder / name), limited=True))
