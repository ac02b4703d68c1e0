"""Keeps checksums of what the catalog says, beside it and in the same transaction; asks no model and mends nothing.

SQLite notices pages that do not fit each other, but not a changed letter or number within one. A document has two
seals, since a search can check the first for what it cites, and the second takes all of a document's passages: of its
row, and of what belongs to it. Among the settings are the sum of all first ones, which tells that none is missing, and
a seal of all that a search does not read by document. What is said of copies is sealed where it stands: see copies.py.
An index of before there were seals has none, and is sealed when it is first written to.

A passage is besides what it was when title, heading and text are what the model read, of which the catalog keeps a
fingerprint. How far title and heading were cut between words is found by trying, so that it need not be stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

import xxhash

from semsearch.types import embedded_text

_TABLE = "CREATE TABLE seals (document INTEGER PRIMARY KEY, row BLOB NOT NULL, rest BLOB NOT NULL)"
_ROWS = (
    "SELECT d.id, root, path, size, mtime_ns, digest, title, date, author, source, language, metadata "
    "FROM documents d JOIN folders f ON f.id = d.folder"
)
# All in one statement, padded to the same number of columns, since every search asks it once.
_STATE = """
SELECT 0, name, value, 0, 0, 0, 0, 0, 0, 0, 0 FROM settings UNION ALL
SELECT 1, id, root, include, exclude, 0, 0, 0, 0, 0, 0 FROM folders UNION ALL
SELECT 2, id, first, last, rows, vectors_size, vectors_checksum, vectors_mtime_ns, lexical_size, lexical_checksum,
    lexical_mtime_ns FROM segments UNION ALL
SELECT 3, id, last, size, checksum, mtime_ns, 0, 0, 0, 0, 0 FROM lists UNION ALL
SELECT 4, passage, embedded, 0, 0, 0, 0, 0, 0, 0, 0 FROM tombstones UNION ALL
SELECT 5, name, seq, 0, 0, 0, 0, 0, 0, 0, 0 FROM sqlite_sequence UNION ALL
SELECT 6, name, type, tbl_name, sql, 0, 0, 0, 0, 0, 0 FROM main.sqlite_master ORDER BY 1, 2
"""
_SEAL, _FORMAT, _SEALED = (0, "seal"), (0, "format"), (6, "seals")

_MOST_WORDS = 80
"""A title or heading is cut to an eighth of what a passage may have, which is 64 tokens at the most."""

_NONE = b""
"""What an index of before there were seals has of a passage with vectors of somebody's own."""

_MOST_LETTERS = 400
"""The same in the letters of a script without spaces."""


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
        self._sealed: bool | None = None
        self.format = ""

    def begin(self) -> None:
        """Seal an index that was made before there were seals, or before they were added up, as it is."""
        if not self.exist():
            self._run(_TABLE)
            self._sealed = True
            for (document,) in self._run("SELECT id FROM documents").fetchall():
                self.put(document)
        self._set_sum(*_added_up(row for (row,) in self._run("SELECT row FROM seals")))

    def put(self, document: int) -> None:
        """Seal a document as it is now."""
        seal = seal_of(self._run(f"{_ROWS} WHERE d.id = ?", (document,)).fetchone())
        self._count(document, seal)
        self._run("INSERT OR REPLACE INTO seals VALUES (?, ?, ?)", (document, seal, self._rest(document)))

    def drop(self, document: int) -> None:
        """Remove the seals of a document."""
        self._count(document)
        self._run("DELETE FROM seals WHERE document = ?", (document,))

    def close(self) -> None:
        """Seal all that does not belong to a document."""
        self._run("INSERT OR REPLACE INTO settings VALUES ('seal', ?)", (_sealed(self._run(_STATE).fetchall()),))

    def hold(self) -> bool:
        """Whether what does not belong to a document is what was sealed, or was never sealed."""
        rows = self._run(_STATE).fetchall()
        known = [row[2] for row in rows if row[:2] == _SEAL]
        self.format = "".join(row[2] for row in rows if row[:2] == _FORMAT)
        self._sealed = any(row[:2] == _SEALED for row in rows)
        return known == [_sealed(rows)] if known else not self._sealed

    def hold_for(self, document: int) -> bool:
        """Whether all that belongs to a document is what was sealed, or was never sealed."""
        known = self._run("SELECT rest FROM seals WHERE document = ?", (document,)).fetchone()
        return known == (self._rest(document),) if known else not self.exist()

    def count(self) -> int | None:
        """How many documents were sealed, None where that was not counted."""
        return self._sum()[0]

    def add_up(self, seals: Iterable[bytes] | None = None) -> bool:
        """Whether the seals that the rows of all documents give are those that were counted: none lacks or differs."""
        known = self._sum()
        found = map(seal_of, self._run(_ROWS)) if seals is None else seals
        return known[0] is None or known == _added_up(found)

    def broken(self) -> Iterator[int]:
        """The documents that are not what was sealed, seals without a document among them."""
        if not self.exist():
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

    def _count(self, document: int, new: bytes = b"") -> None:
        """Put the new seal of a document's row, if any, into the sum in the place of its old one."""
        number, total = self._sum()
        if number is not None:
            old = self._run("SELECT row FROM seals WHERE document = ?", (document,)).fetchone() or (b"",)
            number += bool(new) - bool(old[0])
            self._set_sum(number, total + int.from_bytes(new) - int.from_bytes(old[0]))

    def _sum(self) -> tuple[int | None, int]:
        row = self._run("SELECT value FROM settings WHERE name = 'documents'").fetchone()
        number, _, total = row[0].partition(" ") if row else ("", "", "")
        return (int(number), int(total)) if row else (None, 0)

    def _set_sum(self, number: int, total: int) -> None:
        self._run("INSERT OR REPLACE INTO settings VALUES ('documents', ?)", (f"{number} {total}",))

    def exist(self) -> bool:
        """Whether documents have seals."""
        if self._sealed is None:
            found = self._run("SELECT 1 FROM main.sqlite_master WHERE name = 'seals'").fetchone()
            self._sealed = found is not None
        return self._sealed


def _sealed(rows: Sequence[Any]) -> str:
    return seal_of([row for row in rows if row[:2] != _SEAL]).hex()


def _added_up(seals: Iterable[bytes]) -> tuple[int, int]:
    """How many seals there are, and the sum of them as numbers: the same in any order."""
    number = total = 0
    for number, seal in enumerate(seals, 1):  # noqa: B007 - the last number is what is wanted
        total += int.from_bytes(seal)
    return number, total


def text_seal(text: bytes, pages: str) -> bytes:
    """16 bytes for a text, as its fingerprint, and for where its pages begin, if it has any."""
    return fingerprint(text if pages == "[]" else pages.encode() + b"\n" + text)


def is_text(text: bytes, pages: str, known: bytes) -> bool:
    """Whether these are what was sealed; before format 5, pages were not."""
    return known in (text_seal(text, pages), fingerprint(text))


def fingerprint(text: str | bytes, *, own: bool = False) -> bytes:
    """16 bytes that stand for a text or its UTF-8: BLAKE2b. What was embedded under one is not embedded again.

    `own` gives others for texts whose vectors are somebody's own, so that they are never taken for the model's.
    """
    data = text if isinstance(text, bytes) else text.encode()
    return blake2b(data, digest_size=16, person=b"own" if own else b"").digest()


class Inputs:
    """What the model read for passages; remembers how titles and headings were cut."""

    def __init__(self) -> None:
        self._cut: dict[tuple[str, str], tuple[str, str]] = {}

    def of(self, title: str, heading: str, text: str, known: bytes) -> str | None:
        """What was read for a passage of which `known` is the fingerprint; None where these are not its parts."""
        whole = title, heading
        read = embedded_text(*self._cut.get(whole) or (_flat(title), _flat(heading)), text)
        if known in (fingerprint(read), _NONE) or known == fingerprint(read, own=True):
            return read
        for first, second in _cuts(_flat(title), _flat(heading)):
            read = embedded_text(first, second, text)
            if known in (fingerprint(read), fingerprint(read, own=True)):
                self._cut[whole] = first, second
                return read
        return None


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cuts(title: str, heading: str) -> Iterator[tuple[str, str]]:
    """Every way in which the two can have been cut, whole ones first."""
    yield title, heading
    titles, headings = [*_beginnings(title)], [*_beginnings(heading)]
    yield from ((first, heading) for first in titles)
    yield from ((title, second) for second in headings)
    yield from ((first, second) for first in titles for second in headings)


def _beginnings(text: str) -> Iterator[str]:
    """What may be left of a text that is cut before a word, or within its first one."""
    words = text.split(" ")
    for count in range(min(len(words) - 1, _MOST_WORDS), 0, -1):
        yield " ".join(words[:count])
    for length in range(min(len(words[0]) - 1, _MOST_LETTERS), 0, -1):
        yield words[0][:length]
