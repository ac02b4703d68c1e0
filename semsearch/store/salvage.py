"""Copies what is sound in a damaged catalog into a new one; touches no vectors, and leaves the old one as it is.

A document is taken along where its seals hold. One that came from a file, and is not what was stored, keeps its name
alone, so that the next run over its folder reads it again. One that never was a file keeps its text, where that is what
was stored, and is else noted. The vectors of their passages are still found by what the model read, so that taking them
in again costs no embedding.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from semsearch.config import IndexConfig
from semsearch.errors import IndexDamagedError
from semsearch.store import database
from semsearch.store.aside import Aside
from semsearch.store.catalog import Catalog
from semsearch.store.seals import Inputs, Seals, is_text, seal_of

_Row: TypeAlias = tuple[Any, ...]

_FAILURES, _PATIENCE = 2_000, 50
"""After so many ranges of rows that cannot be read, and so many more for each row that was, a table is given up."""

_HIGHEST = 1 << 40
_FIELDS = ("path", "size", "mtime_ns", "digest", "title", "date", "author", "source", "language", "metadata")
_SHAPES = {"folders": (int, str, str, str), "tombstones": (int, bytes)}
_SHAPES |= {"segments": (int,) * 4 + (int, str, int) * 2, "lists": (int, int, int, str, int)}


@dataclass(frozen=True, slots=True)
class _Old:
    """What can be read of a document."""

    row: _Row
    root: str
    text: _Row | None
    sketch: list[_Row]
    passages: list[_Row]
    seals: _Row | None

    def is_sealed(self, part: int) -> bool:
        """Whether the seal of its row, 0, or of the rest, 1, holds."""
        if self.seals is None:
            return False
        text = [] if self.text is None else [self.text[1:5]]
        whole = (self.row[0], self.root, *self.row[2:]), [text, self.sketch, self.passages]
        return bool(seal_of(whole[part]) == self.seals[part + 1])

    def fits(self) -> bool:
        """Whether the text is the one that was stored, and each passage is what the model read."""
        try:
            if self.text is None or not is_text(self.text[5], self.text[2], self.text[4]):
                return False
            text, inputs, title = self.text[5].decode(), Inputs(), self.row[6]
            return all(
                0 <= start < end <= len(text) and inputs.of(title, heading, text[start:end], known) is not None
                for _, _, start, end, _, heading, _, known in self.passages
            )
        except (TypeError, ValueError, AttributeError):
            return False


def salvage(old: Path, new: Path, config: IndexConfig | None, aside: Aside) -> list[str]:
    """Make a new catalog at `new` of what is sound in the old one; the paths of the documents that it lost.

    Args:
        old: the damaged file.
        new: a file that does not exist.
        config: the settings where the old one does not have them.
        aside: takes documents that would be lost.

    Raises:
        IndexDamagedError: nothing of it can be read, or nobody knows the settings.
    """
    with closing(_opened(old)) as connection:
        settings = _settings(connection, config)
        database.create(new, settings)
        with closing(database.connect(new, write=True)) as made, database.writing(made, new) as catalog:
            _Copier(connection, made, catalog, aside).copy_tables()
            lost = list(_Copier(connection, made, catalog, aside).copy_documents())
            _forward(connection, made)
            catalog.seals.close()
    return lost


class _Copier:
    """Copies from one connection to another."""

    def __init__(self, old: sqlite3.Connection, new: sqlite3.Connection, catalog: Catalog, aside: Aside) -> None:
        self._old, self._new, self._catalog, self._aside = old, new, catalog, aside

    def copy_tables(self) -> None:
        """The rows that do not belong to a document, as far as they are rows at all."""
        for table, shape in _SHAPES.items():
            for row in _rows(self._old, table):
                if len(row) == len(shape) and all(type(value) is kind for value, kind in zip(row, shape, strict=True)):
                    self._insert(table, row)

    def copy_documents(self) -> Iterator[str]:
        """The documents; gives the paths of those of which not even the name could be kept."""
        passages: defaultdict[Any, list[_Row]] = defaultdict(list)
        for row in _rows(self._old, "passages"):
            passages[row[1]].append(row)
        roots = {row[0]: row[1] for row in _rows(self._old, "folders")}
        sealed = self._old.execute("SELECT 1 FROM sqlite_master WHERE name = 'seals'").fetchone() is not None
        seals = {row[0]: row for row in _rows(self._old, "seals")}
        failed: list[sqlite3.DatabaseError] = []
        for row in _rows(self._old, "documents", failed):
            text, sketch = _by_key(self._old, "texts", row[0]), _by_key(self._old, "sketches", row[0])
            document = _Old(
                row, roots.get(row[1], ""), text, [sketch[1:2]] if sketch else [], sorted(passages.pop(row[0], [])),
                seals.pop(row[0], None),
            )  # fmt: skip
            if not self._take(document, sealed=sealed):
                yield str(row[2])
        for orphans in passages.values():
            self._bury(orphans)
        if failed or passages or seals:
            yield "documents of which not even the name can be read"

    def _take(self, old: _Old, *, sealed: bool) -> bool:
        sound = (old.is_sealed(0) and old.is_sealed(1)) if sealed else bool(old.passages)
        if sound and old.fits() and self._copy(old):
            return True
        self._bury(old.passages)
        if not old.root and (old.is_sealed(0) or not sealed) and self._keep_text(old):
            return True
        if old.root and self._keep_name(old):
            return True
        if not old.root:
            fields = dict(zip(_FIELDS, map(_plain, old.row[2:]), strict=True))
            self._aside.note({**fields, "text": _plain(old.text[5] if old.text else b"")})
        return False

    def _copy(self, old: _Old) -> bool:
        """Copy a document with its passages, if these are rows that can be stored."""
        self._new.execute("SAVEPOINT document")
        try:
            self._insert("documents", old.row, strict=True)
            self._insert("texts", old.text or (), strict=True)
            for passage in old.passages:
                self._insert("passages", passage, strict=True)
            self._catalog.seals.put(old.row[0])
            (stored,) = self._catalog.documents([old.row[0]])
            self._catalog.copies.put(stored.id, self._catalog.document(stored))
            self._catalog.seals.put(stored.id)
        except (TypeError, ValueError, sqlite3.Error):
            self._new.execute("ROLLBACK TO document")
            return False
        finally:
            self._new.execute("RELEASE document")
        return True

    def _keep_text(self, old: _Old) -> bool:
        """Keep a document without its passages, so that the next run makes them again."""
        whole = replace(old, passages=[])
        if not (whole.fits() and self._copy(whole)):
            return False
        self._catalog.unembed(old.row[0])
        return True

    def _keep_name(self, old: _Old) -> bool:
        """Keep a document of a file without text and passages, so that the next run over its folder reads it."""
        number, folder, path = old.row[:3]
        if type(number) is not int or type(path) is not str or not path.isprintable():
            return False
        try:
            self._insert("documents", (number, folder, path, -1, -1, "", "", "", "", "", "", "{}"), strict=True)
        except sqlite3.Error:
            return False
        self._catalog.blank(number)
        return True

    def _bury(self, passages: list[_Row]) -> None:
        for number, *_, known in passages:
            if type(number) is int and type(known) is bytes:
                self._insert("tombstones", (number, known))

    def _insert(self, table: str, row: _Row, *, strict: bool = False) -> None:
        verb = "INSERT" if strict else "INSERT OR REPLACE"
        self._new.execute(f"{verb} INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def _opened(path: Path) -> sqlite3.Connection:
    with database.translated(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        # What is no UTF-8 is read all the same, and then is not what was sealed.
        connection.text_factory = lambda data: data.decode(errors="surrogateescape")
        try:
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA cell_size_check=ON")
            connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _settings(connection: sqlite3.Connection, known: IndexConfig | None) -> dict[str, str]:
    found: dict[str, str] = {}
    columns = [row[0] for row in _rows(connection, "settings") if str(row[0]).startswith("columns of ")]
    for name in ("config", "generation", "synced", *columns):
        try:
            row = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        except sqlite3.DatabaseError:
            row = None
        if row and type(row[0]) is str:
            found[name] = row[0]
    if known is not None and not _holds(connection):
        # The card has them again. Where it is the one that was changed, the seal holds.
        found["config"] = known.to_json()
    if "config" not in found:
        raise IndexDamagedError("neither the catalog nor the card says how the index is made; make it anew")
    IndexConfig.from_json(found["config"])
    return {**found, "generation": found.get("generation", "") if found.get("generation", "").isdecimal() else "1"}


def _holds(connection: sqlite3.Connection) -> bool:
    try:
        return Seals(connection).hold()
    except sqlite3.DatabaseError:
        return False


def _rows(
    connection: sqlite3.Connection, table: str, failed: list[sqlite3.DatabaseError] | None = None
) -> Iterator[_Row]:
    """All rows that can be read; in `failed`, why others cannot."""
    failed = [] if failed is None else failed
    query, read = f"SELECT * FROM {table} WHERE rowid BETWEEN ? AND ? ORDER BY rowid", 0
    # The widest ranges first: where much can be read, more patience is had with what cannot.
    pending = deque([(0, _HIGHEST)])
    while pending and len(failed) < _FAILURES + _PATIENCE * read:
        low, high = pending.popleft()
        try:
            rows = connection.execute(query, (low, high)).fetchall()
            read += len(rows)
            yield from rows
        except sqlite3.DatabaseError as error:
            failed.append(error)
            if low < high:
                middle = (low + high) // 2
                pending += [(middle + 1, high), (low, middle)]


def _by_key(connection: sqlite3.Connection, table: str, number: Any) -> _Row | None:
    try:
        row: _Row | None = connection.execute(f"SELECT * FROM {table} WHERE rowid = ?", (number,)).fetchone()
    except (sqlite3.Error, TypeError, OverflowError):
        return None
    return row


def _forward(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """See to it that no number is used again."""
    numbers = {
        "passages": "SELECT max(last) FROM segments UNION SELECT max(passage) FROM tombstones",
        "documents": "SELECT 0",
        "segments": "SELECT 0",
        "lists": "SELECT 0",
    }
    for table, query in numbers.items():
        found = [row[0] for row in new.execute(f"{query} UNION SELECT max(rowid) FROM {table}") if row[0]]
        try:
            row = old.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        except sqlite3.DatabaseError:
            row = None
        if row and type(row[0]) is int and 0 < row[0] < _HIGHEST:
            found.append(row[0])
        new.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        if found:
            new.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table, max(found)))


def _plain(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
