"""Keeps the sketches of documents in SQLite, inside the catalog's transaction, and finds the copies of a document."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from semsearch.shingles import Shingles
from semsearch.store import sketches
from semsearch.types import Document

_IN = 500
"""How many values a statement names at the most."""


class Copies:
    """Which documents are copies of each other, as far as one transaction sees."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute
        self._many = connection.executemany
        self._sketches: dict[int, Shingles] = {}

    def of(self, document: int) -> list[int]:
        """The numbers of all other documents that are copies of a document, in rising order."""
        own = self.sketch(document)
        keys = sketches.keys(own)
        found = sketches.candidates(self._with(keys))
        if keys and not found:
            # Each of its keys is common: a text of which there are very many copies.
            found = {row[0] for row in self._run("SELECT document FROM sketch_keys WHERE hash = ?", (keys[0],))}
        found.discard(document)
        self._fetch(found)
        return sorted(other for other in found if sketches.alike(own, self.sketch(other)))

    def sketch(self, document: int) -> Shingles:
        """The sketch of a document, empty where there is none."""
        self._fetch([document])
        return self._sketches[document]

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Every key by which a document is found, with the number of the document."""
        yield from self._run("SELECT hash, document FROM sketch_keys")

    def put(self, number: int, document: Document) -> None:
        """Store the sketch of a document, in the place of the one that it had."""
        self.drop(number)
        self._sketches.clear()
        sketch = sketches.sketch(document)
        self._run("INSERT INTO sketches VALUES (?, ?)", (number, sketches.packed(sketch)))
        self._many("INSERT INTO sketch_keys VALUES (?, ?)", ((key, number) for key in sketches.keys(sketch)))

    def drop(self, number: int) -> None:
        """Remove the sketch of a document."""
        keys = ((key, number) for key in sketches.keys(self.sketch(number)))
        self._many("DELETE FROM sketch_keys WHERE hash = ? AND document = ?", keys)
        self._run("DELETE FROM sketches WHERE document = ?", (number,))
        self._sketches.clear()

    def _fetch(self, documents: Iterable[int]) -> None:
        """Have the sketches of documents at hand: those of one story are asked for with each of its copies."""
        missing = [document for document in documents if document not in self._sketches]
        self._sketches |= dict.fromkeys(missing, sketches.unpacked(b""))
        for start in range(0, len(missing), _IN):
            part = missing[start : start + _IN]
            query = f"SELECT document, hashes FROM sketches WHERE document IN ({', '.join('?' * len(part))})"
            self._sketches |= {number: sketches.unpacked(hashes) for number, hashes in self._run(query, part)}

    def _with(self, keys: Sequence[int]) -> list[list[int]]:
        """The documents with each key that is not common; one statement, since every hit waits for it."""
        if not keys:
            return []
        rows = self._run(_documents_with(len(keys)), keys)
        few = (row[0] for row in rows if row[0] and row[0].count(",") < sketches.COMMON)
        return [list(map(int, documents.split(","))) for documents in few]


@cache
def _documents_with(keys: int) -> str:
    """SQL for the documents with each of so many keys, or one more than is common: a row a key."""
    some = f"(SELECT document FROM sketch_keys WHERE hash = ? LIMIT {sketches.COMMON + 1})"
    return " UNION ALL ".join([f"SELECT group_concat(document) FROM {some}"] * keys)
