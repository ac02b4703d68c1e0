"""Keeps the sketches of documents in SQLite, inside the catalog's transaction, and finds the copies of a document."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from semsearch.shingles import Shingles
from semsearch.store import sketches
from semsearch.types import Document


class Copies:
    """Which documents are copies of each other, as far as one transaction sees."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute
        self._many = connection.executemany

    def of(self, document: int) -> list[int]:
        """The numbers of all other documents that are copies of a document, in rising order."""
        own, query = self.sketch(document), "SELECT document FROM sketch_keys WHERE hash = ?"
        keys = sketches.keys(own)
        with_key = [self._column(f"{query} LIMIT {sketches.COMMON + 1}", key) for key in keys]
        found = sketches.candidates(with_key)
        if keys and not found:
            # Each of its keys is common: a text of which there are very many copies.
            found = set(self._column(query, keys[0]))
        found.discard(document)
        return sorted(other for other in found if sketches.alike(own, self.sketch(other)))

    def sketch(self, document: int) -> Shingles:
        """The sketch of a document, empty where there is none."""
        row = self._run("SELECT hashes FROM sketches WHERE document = ?", (document,)).fetchone()
        return sketches.unpacked(row[0] if row else b"")

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Every key by which a document is found, with the number of the document."""
        yield from self._run("SELECT hash, document FROM sketch_keys")

    def put(self, number: int, document: Document) -> None:
        """Store the sketch of a document, in the place of the one that it had."""
        self.drop(number)
        sketch = sketches.sketch(document)
        self._run("INSERT INTO sketches VALUES (?, ?)", (number, sketches.packed(sketch)))
        self._many("INSERT INTO sketch_keys VALUES (?, ?)", ((key, number) for key in sketches.keys(sketch)))

    def drop(self, number: int) -> None:
        """Remove the sketch of a document."""
        keys = ((key, number) for key in sketches.keys(self.sketch(number)))
        self._many("DELETE FROM sketch_keys WHERE hash = ? AND document = ?", keys)
        self._run("DELETE FROM sketches WHERE document = ?", (number,))

    def _column(self, query: str, value: int) -> list[int]:
        return [row[0] for row in self._run(query, (value,))]
