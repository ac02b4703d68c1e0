"""An index on disk: one folder of which every committed state is whole; it reads no article and runs no model.

    NAME/semsearch.json     the format, and which edition is the current one; replaced at once
    NAME/lock               held by the one process that writes
    NAME/e1/index.db        the truth: see schema.sql
    NAME/e1/vectors/        a file a segment
    NAME/e1/lexical/        a file a segment
    NAME/e1/lists/          one file for all large segments; derived, and searched exactly without it

A commit writes the files of its new segment durably, then names them in one SQLite transaction. A rebuild makes a new
edition beside the current one and then replaces semsearch.json.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from semsearch.address import file_of, may_hold_several
from semsearch.config import IndexConfig
from semsearch.errors import IndexClosedError, IndexDamagedError, StorageError
from semsearch.store import context, database, lexical, listing, moments, vectors
from semsearch.store.catalog import Catalog
from semsearch.store.files import MEND, Array, remove, storage, sync_folder, write_arrays
from semsearch.store.segments import (
    Segment,
    Segments,
    lists_file,
    open_lists,
    open_segments,
    segment_files,
    write_segment,
)
from semsearch.store.stored import StoredLists
from semsearch.store.vectors import checked, unit
from semsearch.terms import terms
from semsearch.types import Columns, Document, FileStat, Passage, Passed, Vectors

LOG = logging.getLogger("semsearch")
PARTS = ("vectors", "lexical", "lists")


@dataclass(frozen=True, slots=True)
class Addition:
    """A document to store with its passages and their vectors, float32 of shape (len(passages), dimension).

    `root` is the folder that it was read from, "" for none; `replaces` is the number of the document whose place it
    takes; `own` says that the vectors are not the model's.
    """

    root: str
    document: Document
    stat: FileStat
    passages: Sequence[Passage]
    vectors: Vectors
    replaces: int | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One generation of an index: what is read through it belongs together."""

    catalog: Catalog
    segments: Segments
    generation: int


class Store:
    """An edition of an index, open for reading; `commit` writes to it and needs the lock that `locked` holds.

    Reading is safe from any number of threads, beside a writer in this process or another. Up to `exact` passages every
    search is exact.
    """

    def __init__(self, folder: Path, exact: int = listing.EXACT) -> None:
        self.folder = folder
        self.path = folder / "index.db"
        self.exact = exact
        self._idle: list[sqlite3.Connection] = []
        self._mutex = threading.Lock()
        self._segments = Segments.of([])
        self._generation = -1
        self._writer: sqlite3.Connection | None = None
        self._closed = False
        self._held = False
        try:
            with self.tables() as tables:
                self.config = IndexConfig.from_json(tables.setting("config"))
        except IndexDamagedError as error:
            self.close()
            raise IndexDamagedError(str(error) if str(self.path) in str(error) else f"{self.path}: {error}") from error

    @classmethod
    def create(cls, folder: Path, config: IndexConfig, exact: int = listing.EXACT) -> Store:
        """A new, empty edition in a folder that does not exist; durable when it returns."""
        with storage(folder):
            for part in (folder, *(folder / name for name in PARTS)):
                part.mkdir(parents=True)
            database.create(folder / "index.db", {"config": config.to_json()})
            sync_folder(folder)
            sync_folder(folder.parent)
        return cls(folder, exact)

    def close(self) -> None:
        """Close the files; the store cannot be used any more."""
        with self._mutex:
            connections, self._idle = self._idle, []
            self._closed, self._segments = True, Segments.of([])
        for connection in [*connections, *filter(None, [self._writer])]:
            connection.close()
        self._writer = None

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The latest generation, unchanged for as long as the block lasts.

        Raises:
            IndexDamagedError: a file of it is missing or is not what was written.
        """
        missed = -1
        while True:
            with self._connection() as connection, database.reading(connection, self.path) as tables:
                try:
                    snapshot = self._snapshot(tables)
                except FileNotFoundError as error:
                    # Merged away by a writer between our reading the list and opening the file, or truly missing.
                    if missed == (missed := tables.generation()):
                        raise IndexDamagedError(f"{error.filename}: is missing; {MEND}") from error
                    continue
                yield snapshot
                return

    @contextmanager
    def tables(self) -> Iterator[Catalog]:
        """The latest generation without its vectors and postings: enough to list, also when those are damaged."""
        with self._connection() as connection, database.reading(connection, self.path) as tables:
            yield tables

    def admitted(self, vectors: Vectors, rows: int, name: str) -> Vectors:
        """New vectors as the index keeps and compares them; those that it has already are never scaled again.

        Raises:
            ModelError: what `name` gave has not the shape (rows, dimension), or holds NaN or infinity.
        """
        found = checked(vectors, (rows, self.config.dimension), name)
        return unit(found) if self.config.similarity == "cosine" else found

    def commit(
        self,
        additions: Sequence[Addition] = (),
        removals: Sequence[int] = (),
        touched: Sequence[tuple[str, str, FileStat]] = (),
        passed: Sequence[tuple[str, str, Passed]] = (),
    ) -> None:
        """Make the changes part of the index, all or none; durable when it returns.

        Args:
            additions: documents to add, or to put in the place of others.
            removals: the numbers of documents to remove.
            touched: files, as a folder and a path below it, and what they are now: the documents in them are what the
                index holds after the rest is done.
            passed: files in the same way, and what was passed over of them.

        Raises:
            StorageError: the disk is full, read-only or fails; the index is as before.
        """
        if not (additions or removals or touched or passed):
            return
        with self._write() as tables:
            for number in removals:
                tables.drop(number)
            ids = [i for addition in additions for i in self._put(tables, addition)]
            if ids:
                self._add_segment(tables, ids, additions)
            for root, path, stat in touched:
                tables.touch(root, path, stat)
            for root, path, of_file in passed:
                tables.passed().put(root, path, of_file)
            if removals:
                tables.forget_empty_folders()
            tables.set("generation", str(tables.generation() + 1))
        try:
            self.tidy()
        except StorageError as error:
            # The commit stands, and segments that wait to be merged are searched all the same.
            LOG.warning("segments of %s could not be merged now: %s", self.folder, error)

    def tidy(self) -> None:
        """Merge segments and make lists where that is due."""
        self._merge()
        self._list()

    def remember(self, **settings: str) -> None:
        """Note facts about the index that are not part of how it is made, such as the time of the last run."""
        with self._write() as tables:
            for name, value in settings.items():
                tables.set(name, value)

    def set_patterns(self, root: str, include: Sequence[str], exclude: Sequence[str]) -> None:
        """Note the patterns of a run over a folder, where they are others than before."""
        with self.tables() as tables:
            if tables.patterns(root) == (list(include), list(exclude)):
                return
        with self._write() as tables:
            tables.set_patterns(root, include, exclude)

    def set_columns(self, root: str, columns: Columns) -> None:
        """Note which fields of tables are what, where they are others than before; files with tables are read anew."""
        name, said = f"columns of {root}", json.dumps(asdict(columns))
        with self.tables() as tables:
            if self.columns(tables, root) == columns:
                return
        with self._write() as tables:
            tables.set(name, said)
            files = {file_of(path): stat for path, (_, stat) in tables.known(root)[0].items()}
            for file in filter(may_hold_several, files):
                tables.touch(root, file, replace(files[file], size=-1, mtime_ns=-1))

    @staticmethod
    def columns(tables: Catalog, root: str) -> Columns:
        """The columns that the last run over a folder used."""
        said = tables.setting(f"columns of {root}")
        return Columns(**json.loads(said)) if said else Columns()

    def discard_leftovers(self) -> None:
        """Delete files that no committed state names: those of an interrupted commit."""
        with self._write() as tables:
            leftovers = self.leftovers(tables)
        for file in leftovers:
            remove(file)

    def leftovers(self, tables: Catalog) -> list[Path]:
        """The files that the catalog does not name."""
        lists = tables.lists()
        named = {file for segment in tables.segments() for file in segment_files(self.folder, segment.id)}
        named |= {lists_file(self.folder, lists.id)} if lists else set()
        return [file for part in PARTS for file in (self.folder / part).iterdir() if file not in named]

    def _put(self, tables: Catalog, addition: Addition) -> list[int]:
        if addition.replaces is not None:
            tables.drop_passages(addition.replaces)
        folder = tables.folder(addition.root)
        number = tables.put(folder, addition.document, addition.stat, addition.replaces)
        ids = tables.add_passages(number, addition.passages, own=addition.own)
        tables.seals.put(number)
        return ids

    def _add_segment(self, tables: Catalog, ids: list[int], additions: Sequence[Addition]) -> None:
        rows = np.concatenate([_as_compared(addition) for addition in additions])
        if rows.shape != (len(ids), self.config.dimension):
            raise ValueError(f"rows of shape {rows.shape} for {len(ids)} passages")
        words = (lexical_terms(a.document.title, p.embedded) for a in additions for p in a.passages)
        sizes = [len(addition.passages) for addition in additions if addition.passages]
        dense = vectors.VectorSegment(np.array(ids, np.int64), np.ascontiguousarray(rows, np.float32))
        self._write_segment(tables, dense.arrays(), lexical.build(ids, words, sizes))

    def _write_segment(self, tables: Catalog, dense: dict[str, list[Array]], sparse: lexical.LexicalSegment) -> None:
        tables.add_segment(write_segment(self.folder, tables.next_number("segments"), dense, sparse))

    def _merge(self) -> None:
        """Merge segments until there is nothing to merge; the files that are no longer named are deleted."""
        from semsearch.store import merging  # noqa: PLC0415 - a search does without it

        while True:
            with self._write() as tables:
                segments = self._snapshot(tables).segments.each
                part = merging.to_merge([s.stored.rows for s in segments], [s.dead for s in segments])
                if part is None:
                    return
                self._replace(tables, segments[part])
                tables.set("generation", str(tables.generation() + 1))
            for segment in segments[part]:
                for file in segment_files(self.folder, segment.stored.id):
                    remove(file)

    def _replace(self, tables: Catalog, segments: Sequence[Segment]) -> None:
        sparse = lexical.merged([segment.lexical for segment in segments])
        for segment in segments:
            tables.drop_segment(segment.stored)
        if len(sparse.ids):
            self._write_segment(tables, vectors.merged([segment.vectors for segment in segments]), sparse)

    def _list(self) -> None:
        """Make, extend or drop the lists of a large index where that is due. It takes minutes for a million passages.

        What is searched meanwhile is the index as it was committed, the part that no lists know exactly.
        """
        with self.snapshot() as snapshot:
            segments, old = snapshot.segments, snapshot.catalog.lists()
        lists, later = segments.lists, segments.later
        known = (len(lists.ids), int(lists.trained[0])) if lists else (0, 0)
        due = listing.wanted(segments.living, known[0], moments.living(later), known[1], self.exact)
        if not due and lists is None and old is not None:
            due = "drop"  # they are damaged, and the index has become too small for others
        if not due:
            return
        new = None
        if due != "drop":
            every = [segment.vectors for segment in segments.each]
            arrays = listing.made(every) if due == "make" or lists is None else listing.extended(lists, later)
            new = self._write_lists(arrays, int(segments.ids[-1]))
        with self._write() as tables:
            tables.set_lists(new)
            tables.set("generation", str(tables.generation() + 1))
        if old is not None:
            remove(lists_file(self.folder, old.id))

    def _write_lists(self, arrays: Mapping[str, Sequence[Array]], last: int) -> StoredLists:
        with self.tables() as tables:
            number = tables.next_number("lists")
        return StoredLists(number, last, write_arrays(lists_file(self.folder, number), arrays))

    def _snapshot(self, tables: Catalog) -> Snapshot:
        generation = tables.generation()
        with self._mutex:
            if generation != self._generation:
                tables.check()
                segments = open_segments(
                    self.folder, tables.segments(), tables.tombstones(), self._segments, self.config.dimension
                )
                self._segments = self._with_lists(segments, tables.lists())
                self._generation = generation
            return Snapshot(tables, self._segments, generation)

    def _with_lists(self, segments: Segments, stored: StoredLists | None) -> Segments:
        """The segments with the lists, without which a search is right all the same, but takes longer."""
        if stored is None:
            return segments
        try:
            return segments.with_lists(
                open_lists(self.folder, stored, self._segments, self.config.dimension), stored.last
            )
        except FileNotFoundError:
            missing = lists_file(self.folder, stored.id)
            LOG.info("%s: is missing; every search is exact until the index is changed", missing)
        except IndexDamagedError as error:
            LOG.warning("%s; until then every search is exact, which takes longer", error)
        return segments

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._mutex:
            if self._closed:
                raise IndexClosedError(f"{self.folder.parent}: the index is closed; open it again")
            connection = self._idle.pop() if self._idle else None
        connection = connection or database.connect(self.path)
        try:
            yield connection
        finally:
            with self._mutex:
                if not (self._closed or isinstance(connection, database.Frozen)):
                    self._idle.append(connection)
                    connection = None
            if connection is not None:
                connection.close()

    @contextmanager
    def _write(self) -> Iterator[Catalog]:
        self._writer = self._writer or database.connect(self.path, write=True)
        with database.writing(self._writer, self.path) as tables:
            before = self._writer.total_changes
            if not self._held:
                tables.check()
                database.upgrade(tables)
            yield tables
            if self._writer.total_changes != before:
                tables.seals.close()
        self._held = True


def _as_compared(addition: Addition) -> Vectors:
    """The vectors in the context of their document; somebody's own are left as they are."""
    return addition.vectors if addition.own else context.in_context(addition.vectors, [len(addition.vectors)])


def lexical_terms(title: str, embedded: str) -> list[str]:
    """The terms under which a passage is found: title, heading and text, those of the title twice.

    What a title names is what an article is about; how much twice is worth is measured in `benchmarks/ranking.md`.
    """
    return [*terms(title), *terms(embedded)]
