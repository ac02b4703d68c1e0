"""Damaged indexes in small: the harness catches a naive one, and ours is refused or mended, and never lies.

The full counts are those of `make torture`. A harness runs in a process of its own, since what pytest has in memory
would count as its children's.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from semsearch import Document, Filter, Index
from semsearch.errors import IndexDamagedError
from semsearch.testing import HashEmbedder
from semsearch.types import Section

BROKEN = ("BROKEN", "MISSED", "NOT MENDED", "DELETED", "another answer")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the harness forks")


def ran(harness: str, *arguments: str) -> str:
    """What a harness prints."""
    command = [sys.executable, "-m", f"tests.torture.{harness}", *arguments]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout


def test_a_naive_index_answers_wrongly() -> None:
    """The harness can tell."""
    found = ran("damage", "--naive", "--trials", "32")
    assert "another answer" in found
    assert "traceback" in found


def test_a_damaged_index_is_refused_or_mended() -> None:
    """By every way to damage a file; `verify` finds it, and little memory is taken."""
    found = ran("damage", "--trials", "24")
    assert sum(int(count) for count in re.findall(r"(\d+) verify: (?:found|nothing to find)", found)) == 24
    assert [word for word in BROKEN if word in found] == []


def test_sizes_that_cannot_be_are_refused() -> None:
    """With checksums that are right."""
    found = ran("sizes", "--trials", "12")
    assert "search: refused" in found
    assert [word for word in BROKEN if word in found] == []


TEXT = " ".join(f"Sentence {i} tells of the ferry and of place {i * 7}." for i in range(12))

SILENT: dict[str, tuple[str, Callable[[Index], object]]] = {
    "copies": ("DELETE FROM copies WHERE document = 1", lambda index: index.search("ferry", k=3)),
    "sketch": ("DELETE FROM sketches WHERE document = 1", lambda index: index.search("ferry", k=3)),
    "line": ("UPDATE passages SET line = 0 WHERE document = 1", lambda index: index.search("ferry", k=3)),
    "heading": ("UPDATE passages SET heading = heading || '!' WHERE document = 3", lambda index: index.search("gas")),
    "pages": ("UPDATE texts SET pages = '[0, 7]' WHERE document = 3", lambda index: index.search("gas")),
    "date": (
        "UPDATE documents SET date = '2023-01-01' WHERE id = 3",
        lambda index: index.search("ferry", filter=Filter(since="2024")),
    ),
    "passages": (
        "DELETE FROM passages WHERE document = 3",
        lambda index: index.search("ferry", filter=Filter(since="2024")),
    ),
    "listed": ("DELETE FROM documents WHERE id = 3", lambda index: index.documents()),
    "no text": ("UPDATE documents SET title = CAST(x'ff41' AS TEXT) WHERE id = 3", lambda index: index.documents()),
    "counted": ("DELETE FROM documents WHERE id = 3", lambda index: index.status()),
    "path": ("DELETE FROM documents WHERE id = 3", lambda index: index.similar("gas")),
    "similar": ("DELETE FROM passages WHERE id = (SELECT max(id) FROM passages)", lambda index: index.similar("gas")),
}


@pytest.mark.parametrize("case", SILENT)
def test_what_is_lost_or_changed_in_sqlite_is_noticed_by_what_needs_it(tmp_path: Path, case: str) -> None:
    """SQLite's own checks do not see it; the answer would lack something. A repair mends it."""
    damage, look = SILENT[case]
    path = tmp_path / "x"
    with Index.create(path, embedder=HashEmbedder()) as index:
        index.add([Document("one", TEXT, "Ferry"), Document("two", f"The agency says: {TEXT}", "Ferry")])
        sections = (Section(0, 40, "A heading that is cut before it is read " * 9),)
        index.add([Document("gas", "Gas " * 10, "Gas", "2024-05-05", sections=sections, pages=(0, 9))])
        look(index)
    with closing(sqlite3.connect(path / "e1" / "index.db")) as connection, connection:
        connection.execute(damage)
    with Index.open(path) as index:
        with pytest.raises(IndexDamagedError, match=r"index\.db.*`semsearch repair`"):
            look(index)
        assert index.verify()
    Index.repair(path)
    with Index.open(path) as index:
        assert [line for line in index.verify(deep=True) if "embedded again" not in line] == []
