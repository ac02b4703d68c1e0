"""Keeps documents, passages and the list of segments in SQLite, the one commit point; knows no vector and no posting.

Every method runs inside a transaction that the caller opened with `reading` or `writing`, so what it returns is of one
generation of the index.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from semsearch.errors import IndexDamagedError
from semsearch.store.copies import Copies
from semsearch.store.files import MEND, Written
from semsearch.store.seals import Inputs, Seals, fingerprint, is_text, seal_of
from semsearch.store.stored import Facts, StoredDocument, StoredLists, StoredPassage, StoredSegment, body_of, facts_of
from semsearch.types import Document, FileStat, Passage

if TYPE_CHECKING:
    from semsearch.store.passed import PassedOver

_IN = 500
FEWER = "its documents are not those that were stored"
_CHANGED = "its settings or its list of files are not what was stored"
_COLUMNS = "folder, path, size, mtime_ns, digest, title, date, author, source, language, metadata"


class Catalog:
    """The tables of one index inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute
        self._many = connection.executemany
        self.copies = Copies(connection, self.damage)
        self.seals = Seals(connection)

    def setting(self, name: str) -> str:
        """A setting, "" where it was never made."""
        row = self._run("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return row[0] if row else ""

    def set(self, name: str, value: str) -> None:
        """Make a setting."""
        self._run("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def generation(self) -> int:
        """The number of commits that made the index what it is."""
        return int(self.setting("generation") or 0)

    def folders(self) -> dict[str, int]:
        """The folders of articles and their numbers."""
        return {root: number for number, root in self._run("SELECT id, root FROM folders WHERE id > 0 ORDER BY id")}

    def folder(self, root: str) -> int:
        """The number of a folder, new where it has none yet; "" is 0."""
        self._run("INSERT OR IGNORE INTO folders (root) VALUES (?)", (root,))
        return int(self._run("SELECT id FROM folders WHERE root = ?", (root,)).fetchone()[0])

    def patterns(self, root: str) -> tuple[list[str], list[str]]:
        """The patterns of files to include and to exclude that the last run over a folder used."""
        row = self._run("SELECT include, exclude FROM folders WHERE root = ?", (root,)).fetchone()
        return (json.loads(row[0]), json.loads(row[1])) if row else ([], [])

    def set_patterns(self, root: str, include: Sequence[str], exclude: Sequence[str]) -> None:
        """Note the patterns of a run."""
        values = (json.dumps(list(include)), json.dumps(list(exclude)), self.folder(root))
        self._run("UPDATE folders SET include = ?, exclude = ? WHERE id = ?", values)

    def forget_empty_folders(self) -> None:
        """Drop folders that no document is from."""
        self._run("DELETE FROM folders WHERE id > 0 AND id NOT IN (SELECT folder FROM documents)")

    def known(self, root: str) -> tuple[dict[str, tuple[int, FileStat]], list[int]]:
        """Number and stat of every document of a folder, by its path; and the documents that have to be embedded again.

        Those never were files, and a repair has found their vectors to be lost.
        """
        query = (
            "SELECT root, path, d.id, size, mtime_ns, digest FROM documents d JOIN folders f ON f.id = folder "
            "WHERE root = ? OR (digest = '' AND folder = 0)"
        )
        rows = self._run(query, (root,)).fetchall()
        files = {path: (number, FileStat(*stat)) for of, path, number, *stat in rows if of == root}
        return files, [row[2] for row in rows if row[0] != root]

    def documents(self, ids: Iterable[int] | None = None) -> Iterator[StoredDocument]:
        """The documents with these numbers, in no certain order, or all of them in order of folder and path.

        Raises:
            IndexDamagedError: one is not what was stored.
        """
        query = (
            "SELECT d.id, root, path, size, mtime_ns, digest, title, date, author, source, language, metadata, row "
            "FROM documents d JOIN folders f ON f.id = d.folder LEFT JOIN seals s ON s.document = d.id "
        )
        rows = self._run(query + "ORDER BY root, path") if ids is None else self._by_id(query + "WHERE d.id IN ", ids)
        found: list[bytes] = []
        for *row, seal in rows:
            found.append(seal_of(tuple(row)))
            if seal != found[-1] and (seal is not None or self.seals.exist()):
                raise self.damage(f"document {row[0]} is not what was stored")
            number, root, path, size, mtime_ns, digest, title, date, author, source, language, metadata = row
            stat = FileStat(size, mtime_ns, digest)
            yield StoredDocument(number, root, path, stat, title, date, author, source, language, json.loads(metadata))
        if ids is None and not self.seals.add_up(found):
            raise self.damage(FEWER)

    def text(self, document: int) -> str:
        """The whole text of a document, "" where there is none.

        Raises:
            IndexDamagedError: it is not what was stored.
        """
        return self._text(document)[0]

    def document(self, stored: StoredDocument) -> Document:
        """The document as it was when it was stored."""
        query = "SELECT sections, pages, has_lines, text FROM texts WHERE document = ?"
        return stored.with_body(*self._run(query, (stored.id,)).fetchone())

    def is_intact(self, document: int) -> bool:
        """Whether a document's text is the one that was stored."""
        row = self._run("SELECT text, pages, checksum FROM texts WHERE document = ?", (document,)).fetchone()
        return row is not None and is_text(*row)

    def passages(self, ids: Iterable[int]) -> Iterator[StoredPassage]:
        """The passages with these ids, a document's together; each document's text is read once.

        Raises:
            IndexDamagedError: one is missing or is not what was stored.
        """
        return (passage for passage, _ in self.inputs(ids))

    def inputs(self, ids: Iterable[int]) -> Iterator[tuple[StoredPassage, str]]:
        """The same, each with what the model read for it."""
        query = (
            "SELECT p.id, document, start, end, line, heading, tokens, embedded, title "
            "FROM passages p JOIN documents d ON d.id = document WHERE p.id IN "
        )
        text, of, at, lines, has_lines = "", 0, 0, 1, False
        pages: list[int] = []
        inputs, wanted = Inputs(), list(ids)
        found = sorted(self._by_id(query, wanted), key=itemgetter(1, 0))
        if len(found) != len(set(wanted)):
            raise self.damage("a passage has vectors and words, but no text")
        for number, document, start, end, line, heading, tokens, known, title in found:
            if document != of:
                (text, pages, has_lines), of, at, lines = self._text(document), document, 0, 1
            cut = text[start:end]
            read = inputs.of(title, heading, cut, known)
            lines, at = lines + text.count("\n", at, start), start
            sound = 0 <= start < end <= len(text) and line in (0, lines)
            # What was cut off a heading before it was read, a line that lacks, what has no fingerprint: the seal tells.
            told = known and bool(line) == has_lines and " ".join(heading.split()) in (read or "")
            if read is None or not sound or not (told or self.seals.hold_for(document)):
                raise self.damage(f"passage {number} of document {document} is not what was stored")
            page = bisect_right(pages, start)
            yield StoredPassage(number, document, start, end, line, heading, tokens, cut, page), read

    def places(self, ids: Iterable[int]) -> dict[int, tuple[str, str, int]]:
        """Root, path and start of each passage: an order that does not depend on when it was indexed."""
        query = (
            "SELECT p.id, root, path, start FROM passages p JOIN documents d ON d.id = p.document "
            "JOIN folders f ON f.id = d.folder WHERE p.id IN "
        )
        return {row[0]: row[1:] for row in self._by_id(query, ids)}

    def owners(self, ids: Iterable[int]) -> dict[int, int]:
        """The document of each passage."""
        return dict(self._by_id("SELECT id, document FROM passages WHERE id IN ", ids))

    def passages_of(self, document: int) -> list[tuple[int, int, int]]:
        """Id, start and end of each passage of a document, in order."""
        query = "SELECT id, start, end FROM passages WHERE document = ? ORDER BY start"
        return self._run(query, (document,)).fetchall()

    def passage_ids(self) -> Iterator[int]:
        """All passages, in rising order."""
        return (row[0] for row in self._run("SELECT id FROM passages ORDER BY id"))

    def facts(self) -> Iterator[Facts]:
        """What a filter looks at of each document."""
        query = (
            "SELECT d.id, root, path, date, author, source, language, metadata "
            "FROM documents d JOIN folders f ON f.id = d.folder"
        )
        return map(Facts._make, self._run(query))

    def spans(self, documents: Iterable[int]) -> Iterator[tuple[int, int]]:
        """The first and the last passage of each of these documents that has any; what lies between is its own too.

        Raises:
            IndexDamagedError: one has none, but was embedded.
        """
        # The passages of a document come from one call of `add_passages`, so that they follow one another.
        query = (
            "SELECT (SELECT min(id) FROM passages WHERE document = d.id), "
            "(SELECT max(id) FROM passages WHERE document = d.id), digest FROM documents d WHERE d.id IN "
        )
        for first, last, digest in self._by_id(query, documents):
            if first is not None:
                yield first, last
            elif digest:
                raise self.damage("a document has lost its passages")

    def embedded(self, fingerprints: Iterable[bytes]) -> dict[bytes, int]:
        """A passage for each of the fingerprints that is known; it may be gone, but its vector is not."""
        wanted = list(fingerprints)
        gone = dict(self._by_id("SELECT embedded, passage FROM tombstones WHERE embedded IN ", wanted))
        return gone | dict(self._by_id("SELECT embedded, id FROM passages WHERE embedded IN ", wanted))

    def counts(self, limit: int) -> dict[str, int]:
        """How many documents, passages and tokens there are, and passages with more than `limit` tokens."""
        query = "SELECT count(*), coalesce(sum(tokens), 0), coalesce(sum(tokens > ?), 0) FROM passages"
        passages, tokens, truncated = self._run(query, (limit,)).fetchone()
        documents = self._run("SELECT count(*) FROM documents").fetchone()[0]
        if self.seals.count() not in (None, documents):
            raise self.damage(FEWER)
        return {"documents": documents, "passages": passages, "tokens": tokens, "truncated": truncated}

    def put(self, folder: int, document: Document, stat: FileStat, replaces: int | None) -> int:
        """Store a document and its text, under its old number where it takes the place of one; its number."""
        values = (folder, document.path, stat.size, stat.mtime_ns, stat.digest, *facts_of(document))
        if replaces is None:
            self._run(f"INSERT INTO documents ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)
            replaces = int(self._run("SELECT last_insert_rowid()").fetchone()[0])
        else:
            columns = ", ".join(f"{column} = ?" for column in _COLUMNS.split(", "))
            self._run(f"UPDATE documents SET {columns} WHERE id = ?", (*values, replaces))
        row = (replaces, *body_of(document), document.text.encode())
        self._run("INSERT OR REPLACE INTO texts VALUES (?, ?, ?, ?, ?, ?)", row)
        self.copies.put(replaces, document)
        return replaces

    def is_stored(self, number: int, document: Document) -> bool:
        """Whether the document of this number is just this one, and has its vectors."""
        query = (
            "SELECT path, title, date, author, source, language, metadata, sections, pages, has_lines, checksum "
            "FROM documents JOIN texts ON document = id WHERE id = ? AND digest != ''"
        )
        return bool(self._run(query, (number,)).fetchone() == (document.path, *facts_of(document), *body_of(document)))

    def add_passages(self, document: int, passages: Sequence[Passage], *, own: bool = False) -> list[int]:
        """Store the passages of a document; their ids, which rise.

        `own` says that their vectors are not the model's, so that they are never taken for another passage.
        """
        row = self._run("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchone()
        first = (row[0] if row else 0) + 1
        ids = list(range(first, first + len(passages)))
        rows = (
            (i, document, p.start, p.end, p.line, p.heading, p.tokens, fingerprint(p.embedded, own=own))
            for i, p in zip(ids, passages, strict=True)
        )
        self._many("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        return ids

    def drop_passages(self, document: int) -> None:
        """Remove the passages of a document; their rows in segments are dead from here on."""
        self._run("INSERT INTO tombstones SELECT id, embedded FROM passages WHERE document = ?", (document,))
        self._run("DELETE FROM passages WHERE document = ?", (document,))

    def drop(self, document: int) -> None:
        """Remove a document with all that belongs to it."""
        self.drop_passages(document)
        self.copies.drop(document)
        self.seals.drop(document)
        self._run("DELETE FROM texts WHERE document = ?", (document,))
        self._run("DELETE FROM documents WHERE id = ?", (document,))

    def unembed(self, document: int) -> None:
        """Let go of the passages of a document, whose vectors are lost; the next run embeds it again."""
        self._run("DELETE FROM passages WHERE document = ?", (document,))
        self._run("UPDATE documents SET size = -1, mtime_ns = -1, digest = '' WHERE id = ?", (document,))
        self.seals.put(document)

    def blank(self, document: int) -> None:
        """Keep of a document its name alone; the next run over its folder reads it again."""
        folder, path = self._run("SELECT folder, path FROM documents WHERE id = ?", (document,)).fetchone()
        self.put(folder, Document(path, ""), FileStat(-1, -1, ""), document)
        self.seals.put(document)

    def documents_of(self, passages: tuple[int, int]) -> list[int]:
        """The documents that have passages from the first of these to the last."""
        query = "SELECT DISTINCT document FROM passages WHERE id BETWEEN ? AND ? ORDER BY document"
        return [row[0] for row in self._run(query, passages)]

    def bury(self, rows: Iterable[int]) -> int:
        """Make tombstones of just those passages that have a row in a segment and are gone; how many that changed."""
        dead, known = set(rows) - set(self.passage_ids()), set(self.tombstones())
        self._many("DELETE FROM tombstones WHERE passage = ?", ((i,) for i in known - dead))
        self._many("INSERT INTO tombstones VALUES (?, x'')", ((i,) for i in dead - known))
        return len(dead ^ known)

    def find(self, root: str, path: str) -> int | None:
        """The number of the document with that path in that folder."""
        query = "SELECT d.id FROM documents d JOIN folders f ON f.id = d.folder WHERE root = ? AND path = ?"
        row = self._run(query, (root, path)).fetchone()
        return row[0] if row else None

    def touch(self, root: str, path: str, stat: FileStat) -> None:
        """Note what a file is now, of which the index holds all documents; not those that have lost their vectors."""
        now = stat.size, stat.mtime_ns, stat.digest
        query = (
            "SELECT d.id FROM documents d JOIN folders f ON f.id = folder WHERE root = ? AND digest != '' "
            "AND (size, mtime_ns, digest) != (?, ?, ?) "
            "AND (path = ? OR (path > ? AND path < ?) OR (path > ? AND path < ?))"
        )
        within = f"{path}!/", f"{path}!0", f"{path}#", f"{path}$"  # "0" follows "/", and "$" follows "#"
        for (number,) in self._run(query, (root, *now, path, *within)).fetchall():
            self._run("UPDATE documents SET size = ?, mtime_ns = ?, digest = ? WHERE id = ?", (*now, number))
            self.seals.put(number)

    def passed(self) -> PassedOver:
        """What was passed over of files."""
        from semsearch.store.passed import PassedOver  # noqa: PLC0415 - a search does without it

        return PassedOver(self._run)

    def segments(self) -> list[StoredSegment]:
        """The segments, in order of their passages."""
        rows = self._run("SELECT * FROM segments ORDER BY first")
        return [StoredSegment(row[0], row[1], row[2], row[3], Written(*row[4:7]), Written(*row[7:])) for row in rows]

    def lists(self) -> StoredLists | None:
        """The lists, None where there are none."""
        row = self._run("SELECT id, last, size, checksum, mtime_ns FROM lists").fetchone()
        return StoredLists(row[0], row[1], Written(*row[2:])) if row else None

    def set_lists(self, lists: StoredLists | None) -> None:
        """Put lists in the place of those that there are."""
        self._run("DELETE FROM lists")
        if lists is not None:
            values = (lists.id, lists.last, lists.file.size, lists.file.checksum, lists.file.mtime_ns)
            self._run("INSERT INTO lists VALUES (?, ?, ?, ?, ?)", values)

    def add_segment(self, s: StoredSegment) -> None:
        """Make a segment part of the index."""
        files_ = [value for file in (s.vectors, s.lexical) for value in (file.size, file.checksum, file.mtime_ns)]
        row = (s.id, s.first, s.last, s.rows, *files_)
        self._run("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def drop_segment(self, segment: StoredSegment) -> None:
        """Take a segment out of the index, and with it the tombstones of its dead."""
        self._run("DELETE FROM segments WHERE id = ?", (segment.id,))
        self._run("DELETE FROM tombstones WHERE passage BETWEEN ? AND ?", (segment.first, segment.last))

    def tombstones(self) -> list[int]:
        """Ids that still have a row in a segment, but are no passages any more, in rising order."""
        return [row[0] for row in self._run("SELECT passage FROM tombstones ORDER BY passage")]

    def complaints(self) -> Iterator[str]:
        """What SQLite's own checks and the seals find; looks at no text."""
        yield from (row[0] for row in self._run("PRAGMA integrity_check") if row[0] != "ok")
        yield from (f"a row of {row[0]} belongs to none" for row in self._run("PRAGMA foreign_key_check"))
        if not self.seals.hold():
            yield f"{_CHANGED}; {MEND}"
        yield from (f"document {number} is not what was stored; {MEND}" for number in self.seals.broken())
        if not self.seals.add_up():
            yield f"{FEWER}; {MEND}"

    def check(self) -> None:
        """Stop where settings, or the files that make up the index, are not what was stored.

        Raises:
            IndexDamagedError: they are not.
        """
        if not self.seals.hold():
            raise self.damage(_CHANGED)

    def damage(self, what: str) -> IndexDamagedError:
        """The error that says what is wrong with the catalog's file."""
        return IndexDamagedError(f"{self.file()}: {what}; {MEND}")

    def file(self) -> str:
        """The path of the catalog's file."""
        return str(self._run("PRAGMA database_list").fetchone()[2])

    def _text(self, document: int) -> tuple[str, list[int], bool]:
        """The text of a document, where its pages begin, and whether it has lines."""
        query = "SELECT text, pages, checksum, has_lines FROM texts WHERE document = ?"
        row = self._run(query, (document,)).fetchone()
        if row and not is_text(*row[:3]):
            raise self.damage(f"the text of document {document} is not what was stored")
        return (row[0].decode(), json.loads(row[1]), bool(row[3])) if row else ("", [], False)

    def next_number(self, table: str) -> int:
        """The number that the next row of a table will have."""
        row = self._run("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        return int(row[0]) + 1 if row else 1

    def _by_id(self, query: str, values: Iterable[Any]) -> Iterator[Any]:
        rest = iter(values)
        while part := list(islice(rest, _IN)):
            yield from self._run(f"{query}({', '.join('?' * len(part))})", part).fetchall()
