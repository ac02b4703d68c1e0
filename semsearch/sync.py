"""Brings an index up to date with a folder of articles: finds what changed, and takes it in batch by batch.

What it does equals a rebuild from nothing, for any sequence of edits. It can be stopped at any moment: what was
committed stays, and the next run goes on from there.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Self, cast

from semsearch.address import file_of, may_hold_several
from semsearch.ahead import ahead
from semsearch.config import languages_of
from semsearch.diff import NOTHING_PASSED, UNSURE, Changes, Known, by_file, diff
from semsearch.errors import FolderError, ReadError, UsageError
from semsearch.gather import Ended, Failed, Given, Same, gather, gather_stream
from semsearch.intake import Incoming, embed, incoming, stat_of_text
from semsearch.language import group, is_within
from semsearch.read import Opened, Worker, can_read, readers, settled, stat_file, walk, within
from semsearch.store import Store
from semsearch.types import NO_COLUMNS, Columns, Embedder, FileStat, Found, Passed, Skip

BATCH = 256
"""Passages that are embedded and committed together; an interruption loses the work on one batch at the most."""

_IN_MEMORY = 2**24


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come: files and bytes of those that must be read, and passages so far."""

    files: int
    of_files: int
    size: int
    of_size: int
    passages: int


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a run did: numbers of documents, of passages stored and of texts encoded for them, and every skip.

    `foreign` has the language of each document that it read in one that the model is known not to know, "" where it
    can only be told that it is none of the model's.
    """

    added: int = 0
    changed: int = 0
    renamed: int = 0
    removed: int = 0
    unchanged: int = 0
    kept: int = 0
    passages: int = 0
    encoded: int = 0
    foreign: tuple[str, ...] = ()
    skipped: tuple[Skip, ...] = ()
    seconds: float = 0.0

    @property
    def foreign_share(self) -> float:
        """The part of the documents that it read, 0 … 1, which the model does not find by their meaning."""
        return len(self.foreign) / max(self.added + self.changed + self.renamed, 1)

    def __add__(self, other: SyncReport) -> SyncReport:
        """What two runs did together."""
        return SyncReport(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class Patterns:
    """Which files of a folder are read, by gitignore-style patterns relative to it; none means all files.

    `columns` say how tables among them are read.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    columns: Columns = NO_COLUMNS

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)

    @classmethod
    def of_last_run(cls, store: Store, root: Path) -> Self:
        """Those that the last run over a folder used."""
        with store.tables() as tables:
            return cls(*tables.patterns(str(root)), store.columns(tables, str(root)))

    def or_else(self, last: Patterns) -> Patterns:
        """These, and for what they leave open those."""
        chosen = self or last
        return Patterns(chosen.include, chosen.exclude, self.columns if self.columns != NO_COLUMNS else last.columns)

    def note(self, store: Store, root: Path) -> None:
        """Let them be those of the last run."""
        store.set_patterns(str(root), *self.lists())
        store.set_columns(str(root), self.columns)

    def lists(self) -> tuple[list[str], list[str]]:
        """Both as lists.

        Raises:
            UsageError: one is a single string, whose characters would be taken for patterns.
        """
        if isinstance(self.include, str) or isinstance(self.exclude, str):
            raise UsageError("include and exclude take lists of patterns; this is one string")
        return list(self.include), list(self.exclude)


def find_changes(store: Store, root: Path, patterns: Patterns, *, allow_empty: bool = False) -> Changes:
    """Compare a folder with what the index holds of it; writes nothing.

    Raises:
        FolderError: the folder is missing, or holds nothing that can be read: then nothing is removed either, unless
            `allow_empty`.
    """
    with store.tables() as tables:
        documents, again = tables.known(str(root))
        anew = store.columns(tables, str(root)) != patterns.columns
        passed = tables.passed().of(str(root))
    known = by_file(documents)
    stale = {path for path, before in passed.items() if before.reader != readers()}
    stale |= {path for path in (*known, *passed) if anew and may_hold_several(path)}
    known = {path: replace(held, stat=UNSURE) if path in stale else held for path, held in known.items()}
    passed = {path: NOTHING_PASSED if path in stale else before for path, before in passed.items()}
    return replace(_changes(root, known, patterns, passed, allow_empty=allow_empty), again=again)


def changes_for_new(folder: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Changes:
    """What a folder has for an index that does not exist yet: everything.

    Raises:
        FolderError: the folder is missing, or holds nothing that can be read.
    """
    return _changes(root_of(folder), {}, Patterns(include, exclude), {}, allow_empty=False)


def root_of(folder: str | Path) -> Path:
    """The absolute path by which a folder is known, without symbolic links.

    Raises:
        FolderError: its name is not valid UTF-8, so that it could not be written down.
    """
    root = Path(folder).resolve()
    try:
        str(root).encode()
    except UnicodeEncodeError as error:
        raise FolderError(f"{str(root)!r}: the folder's name is not valid UTF-8; rename it") from error
    return root


def check_nesting(root: Path, others: Iterable[Path]) -> None:
    """Make sure that no file would be in an index twice.

    Raises:
        FolderError: the folder lies inside one of the others, or the other way round.
    """
    for other in others:
        if root != other and (root.is_relative_to(other) or other.is_relative_to(root)):
            raise FolderError(
                f"{root}: this index covers {other}, so files would be in it twice; "
                f"index {other} again, or choose another index with -i"
            )


def _changes(
    root: Path, known: Known, patterns: Patterns, passed: Mapping[str, Passed], *, allow_empty: bool
) -> Changes:
    began = time.time_ns()
    gone = allow_empty and not root.exists()
    found = [] if gone else list(walk(root, *patterns.lists()))
    if not allow_empty and not any(isinstance(item, Found) for item in found):
        raise FolderError(_nothing_in(root, len(known), found, patterns))
    return replace(diff(found, known, lambda path: stat_file(root / path), passed), began=began)


def apply(
    store: Store,
    root: Path,
    changes: Changes,
    embedder: Callable[[], Embedder],
    progress: Callable[[Progress], None] = lambda _: None,
    columns: Columns = NO_COLUMNS,
) -> SyncReport:
    """Make the changes part of the index, and say what was done.

    `embedder` is called only when there is something to embed.
    """
    worker = Worker()
    gathered = gather(store, root, changes.work(), embedder, worker, columns)
    return _take_in(store, gathered, _Run(store, root, changes, embedder, progress), worker)


def apply_stream(
    store: Store, name: str, stream: BinaryIO, embedder: Callable[[], Embedder], columns: Columns = NO_COLUMNS
) -> SyncReport:
    """Make what is in a stream of bytes part of the index, as a file of that name, and take out what that held before.

    Raises:
        UsageError: it is empty, or nothing that can be read; what was committed stays.
    """
    if file_of(name) != name or not name.strip():
        raise UsageError(f"{name!r} is no name for a file: it is empty, or reads like something within another")
    with store.tables() as tables:
        known, _ = tables.known("")
    held = {path: number for path, (number, _) in known.items() if file_of(path) == name}
    worker = Worker()
    with SpooledTemporaryFile(_IN_MEMORY) as copy:
        shutil.copyfileobj(stream, copy)
        stat = FileStat(copy.tell(), -1, "")
        copy.seek(0)
        file, kind = cast("BinaryIO", copy), name if can_read(name) else "plain.txt"
        opened = Opened(name, stat, within(name, file, stat.size, worker, columns, kind))
        run = _Run(
            store,
            None,
            Changes(changed={name: held}, files={name: Found(name, stat.size, -1)}),
            embedder,
            lambda _: None,
        )
        try:
            return _take_in(store, gather_stream(store, opened, held, embedder), run, worker)
        except ReadError as error:
            raise UsageError(f"{name}: {error}") from error


def _take_in(store: Store, gathered: Generator[Given, None, None], run: _Run, worker: Worker) -> SyncReport:
    begun, changes = time.monotonic(), run.changes
    # The next articles are read and cut while a batch is encoded, which leaves Python alone, and while it is committed.
    with closing(ahead(gathered, _size_of, worker.close)) as items:
        for item in items:
            run.take(item)
    run.finish()
    if run.passages or run.counts["removed"]:
        store.remember(synced=datetime.now(UTC).isoformat(timespec="seconds"))
    return SyncReport(
        added=run.counts["added"],
        changed=run.counts["changed"],
        renamed=run.counts["renamed"],
        removed=run.counts["removed"],
        unchanged=run.counts["unchanged"],
        kept=run.counts["kept"],
        passages=run.passages,
        encoded=run.encoded,
        foreign=tuple(run.foreign),
        skipped=(*changes.skipped, *run.skipped),
        seconds=time.monotonic() - begun,
    )


def _size_of(item: Given) -> int:
    return len(item.document.text) if isinstance(item, Incoming) else 0


class _Run:
    """The batch that is being filled, and what was done so far."""

    def __init__(
        self,
        store: Store,
        root: Path | None,
        changes: Changes,
        embedder: Callable[[], Embedder],
        progress: Callable[[Progress], None],
    ) -> None:
        self._store, self._root, self.changes = store, root, changes
        self._embedder, self._progress = embedder, progress
        self._batch: list[Incoming] = []
        self._removals: list[int] = []
        self._seen: list[tuple[str, FileStat]] = []
        self._skips: defaultdict[str, list[Skip]] = defaultdict(list)
        self._passed: list[tuple[str, Passed]] = []
        paths = [path for path, _ in changes.work()]
        self._total = len(paths), sum(changes.files[path].size for path in paths)
        self._files = self._size = 0
        self._known = languages_of(store.config.model)
        self.passages = self.encoded = 0
        self.counts = Counter(unchanged=changes.unchanged, kept=changes.kept)
        self.foreign: list[str] = []
        self.skipped: list[Skip] = []

    def take(self, item: Given) -> None:
        """Count in what a file gave; embed and commit when the batch is full."""
        match item:
            case Incoming():
                self._add(item)
            case Same():
                self.counts["unchanged"] += 1
            case Skip():
                self.skipped.append(item)
                self._skips[file_of(item.path)].append(item)
            case Ended():
                self._end(item.path)
                # What the file does not hold any more, or not as an article, is out of date.
                self._remove(item.gone)
                self._seen += [(item.path, item.stat)] if item.stat else []
                self._note(item)
            case Failed():
                self._end(item.path)
                self._skips.pop(item.path, None)
                self.skipped.append(Skip(item.path, item.reason))
                self.counts["kept"] += item.kept

    def finish(self) -> None:
        """Embed and commit what is left, and what needs no reading."""
        for held in self.changes.removed.values():
            self._remove(held.values())
        self._seen += self.changes.touched
        self._passed += self.changes.repassed
        self.flush()
        if self.changes.again:
            self.embed_again()

    def _remove(self, documents: Collection[int]) -> None:
        self._removals += documents
        self.counts["removed"] += len(documents)

    def _end(self, path: str) -> None:
        self._files += 1
        self._size += self.changes.files[path].size

    def _note(self, item: Ended) -> None:
        """Note what was passed over of a file, as it was when it was read."""
        skips = tuple(self._skips.pop(item.path, ()))
        if self._root is not None and (skips or item.path in self.changes.passed):
            stat = item.stat or settled(self.changes.files[item.path], self.changes.began)
            self._passed.append((item.path, Passed(stat.size, stat.mtime_ns, readers(), skips)))

    def _add(self, item: Incoming) -> None:
        is_renamed = file_of(item.document.path) in self.changes.renamed
        self.counts["added" if item.replaces is None else "renamed" if is_renamed else "changed"] += 1
        language = item.document.language
        if self._known is not None and not is_within(item.document.text, language, self._known):
            self.foreign.append(group(language))
        self._batch.append(item)
        if sum(len(item.passages) for item in self._batch) >= BATCH:
            self.flush()

    def embed_again(self) -> None:
        """Take in again the documents that never were files and whose vectors a repair has found to be lost."""
        with self._store.tables() as tables:
            documents = {stored.id: tables.document(stored) for stored in tables.documents(self.changes.again)}
        for number, document in documents.items():
            stat, config = stat_of_text(document), self._store.config
            self._batch.append(incoming(document, stat, self._embedder(), config, replaces=number))
        self.flush()

    def flush(self) -> None:
        """Embed and commit what is waiting."""
        additions, encoded = embed(self._store, self._embedder(), self._batch) if self._batch else ([], 0)
        root = str(self._root)
        seen, passed = [(root, *each) for each in self._seen], [(root, *each) for each in self._passed]
        self._store.commit(additions, self._removals, seen, passed)
        self.passages += sum(len(item.passages) for item in self._batch)
        self.encoded += encoded
        self._batch, self._removals, self._seen, self._passed = [], [], [], []
        self._progress(Progress(self._files, self._total[0], self._size, self._total[1], self.passages))


def _nothing_in(root: Path, known: int, found: Iterable[Found | Skip], patterns: Patterns) -> str:
    reasons = _first(f"{item.path}: {item.reason}" for item in found if isinstance(item, Skip))
    held = (
        f"; the index keeps the {known} documents that it has from there (--allow-empty removes them)" if known else ""
    )
    which = "matches the patterns and can be read" if patterns else "can be read"
    return f"{root}: holds no article that {which}{reasons}{held}"


def _first(reasons: Iterator[str]) -> str:
    reason = next(reasons, "")
    return f" ({reason}{', …' if next(reasons, '') else ''})" if reason else ""
