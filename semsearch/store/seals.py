"""Keeps checksums of what the catalog says, beside it and in the same transaction; mends nothing.

SQLite notices pages that do not fit each other, but not a changed letter or number within one. A document has two
seals, since a search can check the first for what it cites, and the second takes all of a document's passages: of its
row, and of what belongs to it. One more, among the settings, is of all that a search does not read by document.
An index of before there were seals has none, and is sealed when it is first written to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import xxhash

_TABLE = "CREATE TABLE seals (document INTEGER PRIMARY KEY, row BLOB NOT NULL, rest BLOB NOT NULL)"
_ROWS = (
    "SELECT d.id, root, path, size, mtime_ns, digest, title, date, author, source, language, metadata "
    "FROM documents d JOIN folders f ON f.id = d.folder"
)
_STATE = (
    "SELECT name, value FROM settings WHERE name != 'seal' ORDER BY name",
    "SELECT * FROM folders ORDER BY id",
    "SELECT * FROM segments ORDER BY id",
    "SELECT * FROM lists ORDER BY id",
    "SELECT * FROM tombstones ORDER BY passage",
    "SELECT * FROM sqlite_sequence ORDER BY name",
    "SELECT type, name, tbl_name, sql FROM main.sqlite_master ORDER BY name, tbl_name",
)


def seal_of(row: Any) -> bytes:
    """16 bytes that stand for a row, or for rows, of numbers, texts and bytes: XXH3."""
    return xxhash.xxh3_128_digest(ascii(row).encode())


def stand_in(connection: sqlite3.Connection) -> None:
    """Let an index without seals be read as one in which no document is sealed yet."""
    connection.execute(_TABLE.replace("TABLE", "TEMP TABLE"))


class Seals:
    """The seals of one index inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute

    def begin(self) -> None:
        """Seal an index that was made before there were seals, as it is."""
        if self._exist():
            return
        self._run(_TABLE)
        for (document,) in self._run("SELECT id FROM documents").fetchall():
            self.put(document)
        self.close()

    def put(self, document: int) -> None:
        """Seal a document as it is now."""
        row = self._run(f"{_ROWS} WHERE d.id = ?", (document,)).fetchone()
        self._run("INSERT OR REPLACE INTO seals VALUES (?, ?, ?)", (document, seal_of(row), self._rest(document)))

    def drop(self, document: int) -> None:
        """Remove the seals of a document."""
        self._run("DELETE FROM seals WHERE document = ?", (document,))

    def close(self) -> None:
        """Seal all that does not belong to a document."""
        self._run("INSERT OR REPLACE INTO settings VALUES ('seal', ?)", (self._state().hex(),))

    def hold(self) -> bool:
        """Whether what does not belong to a document is what was sealed, or was never sealed."""
        known = self._run("SELECT value FROM settings WHERE name = 'seal'").fetchone()
        return known[0] == self._state().hex() if known else not self._exist()

    def broken(self) -> Iterator[int]:
        """The documents that are not what was sealed, seals without a document among them."""
        if not self._exist():
            return
        seals = {row[0]: row[1:] for row in self._run("SELECT document, row, rest FROM main.seals")}
        for row in self._run(_ROWS).fetchall():
            if seals.pop(row[0], None) != (seal_of(row), self._rest(row[0])):
                yield row[0]
        yield from seals

    def _rest(self, document: int) -> bytes:
        """The seal of a document's text, sketch and passages."""
        parts = (
            "SELECT sections, pages, has_lines, checksum FROM texts WHERE document = ?",
            "SELECT hashes FROM sketches WHERE document = ?",
            "SELECT * FROM passages WHERE document = ? ORDER BY id",
        )
        return seal_of([self._run(part, (document,)).fetchall() for part in parts])

    def _state(self) -> bytes:
        return seal_of([self._run(part).fetchall() for part in _STATE])

    def _exist(self) -> bool:
        return self._run("SELECT 1 FROM main.sqlite_master WHERE name = 'seals'").fetchone() is not None
