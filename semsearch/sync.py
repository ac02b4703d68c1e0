"""Brings an index up to date with a folder of articles: finds what changed, and takes it in batch by batch.

What it does equals a rebuild from nothing, for any sequence of edits. It can be stopped at any moment: what was
committed stays, and the next run goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

from semsearch.ahead import ahead
from semsearch.config import languages_of
from semsearch.diff import Changes, Known, diff, reason
from semsearch.errors import FolderError, ReadError, UsageError
from semsearch.intake import Incoming, embed, incoming, stat_of_text
from semsearch.language import group, is_within
from semsearch.read import Worker, read_file, stat_file, walk
from semsearch.store import Store
from semsearch.types import Embedder, Found, Skip

BATCH = 256
"""Passages that are embedded and committed together; an interruption loses the work on one batch at the most."""


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
    """Which files of a folder are read: gitignore-style patterns relative to it; none means all files."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)

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
        known, again = tables.known(str(root))
    return replace(_changes(root, known, patterns, allow_empty=allow_empty), again=again)


def changes_for_new(folder: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Changes:
    """What a folder has for an index that does not exist yet: everything.

    Raises:
        FolderError: the folder is missing, or holds nothing that can be read.
    """
    return _changes(root_of(folder), {}, Patterns(include, exclude), allow_empty=False)


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


def _changes(root: Path, known: Known, patterns: Patterns, *, allow_empty: bool) -> Changes:
    gone = allow_empty and not root.exists()
    found = [] if gone else list(walk(root, *patterns.lists()))
    if not allow_empty and not any(isinstance(item, Found) for item in found):
        raise FolderError(_nothing_in(root, len(known), found, patterns))
    return diff(found, known, lambda path: stat_file(root / path))


def apply(
    store: Store,
    root: Path,
    changes: Changes,
    embedder: Callable[[], Embedder],
    progress: Callable[[Progress], None] = lambda _: None,
) -> SyncReport:
    """Make the changes part of the index, and say what was done.

    `embedder` is called only when there is something to embed.
    """
    begun = time.monotonic()
    work = changes.work()
    run = _Run(store, root, changes, [path for path, _ in work], embedder, progress)
    # The next articles are read and cut while a batch is encoded, which leaves Python alone, and while it is committed.
    with closing(ahead(run.read, work, lambda each: changes.sizes[each[0]], run.worker.close)) as prepared:
        for (path, replaces), item in prepared:
            run.take(path, replaces, item)
    run.flush()
    if changes.again:
        run.embed_again()
    store.commit(removals=[*changes.removed.values(), *run.unreadable], touched=changes.touched)
    if run.passages or changes.removed or run.unreadable:
        store.remember(synced=datetime.now(UTC).isoformat(timespec="seconds"))
    failed = len(run.failed)
    lost = {path for path in run.failed if path in changes.changed or path in changes.renamed}
    return SyncReport(
        added=len(changes.added) - (failed - len(lost)),
        changed=len(changes.changed.keys() - lost),
        renamed=len(changes.renamed.keys() - lost),
        removed=len(changes.removed) + len(run.unreadable),
        unchanged=changes.unchanged,
        kept=changes.kept + len(lost) - len(run.unreadable),
        passages=run.passages,
        encoded=run.encoded,
        foreign=tuple(run.foreign),
        skipped=(*changes.skipped, *(Skip(path, why) for path, why in run.failed.items())),
        seconds=time.monotonic() - begun,
    )


class _Run:
    """The batch that is being filled, and what was done so far."""

    def __init__(
        self,
        store: Store,
        root: Path,
        changes: Changes,
        paths: Sequence[str],
        embedder: Callable[[], Embedder],
        progress: Callable[[Progress], None],
    ) -> None:
        self._store, self._root, self._changes = store, root, changes
        self._embedder, self._progress = embedder, progress
        self._batch: list[Incoming] = []
        self._total = len(paths), sum(changes.sizes[path] for path in paths)
        self._files = self._size = 0
        self._known = languages_of(store.config.model)
        self.worker = Worker()
        self.passages = self.encoded = 0
        self.foreign: list[str] = []
        self.failed: dict[str, str] = {}
        self.unreadable: list[int] = []

    def read(self, work: tuple[str, int | None]) -> Incoming | ReadError | OSError:
        """Read and cut one file, or say why it cannot be read; touches nothing else of the run."""
        path, replaces = work
        try:
            document, stat = read_file(self._root / path, path, self.worker)
        except (ReadError, OSError) as error:
            return error
        try:
            return incoming(document, stat, self._embedder(), self._store.config, str(self._root), replaces)
        except ReadError as error:
            return error

    def take(self, path: str, replaces: int | None, item: Incoming | ReadError | OSError) -> None:
        """Count one file in; embed and commit when the batch is full."""
        self._files += 1
        self._size += self._changes.sizes[path]
        if isinstance(item, ReadError):
            # What the file holds now is no article, so what the index holds of it is out of date.
            self.failed[path] = str(item)
            if replaces is not None:
                self.unreadable.append(replaces)
            return
        if isinstance(item, OSError):
            self.failed[path] = reason(item)
            return
        language = item.document.language
        if self._known is not None and not is_within(item.document.text, language, self._known):
            self.foreign.append(group(language))
        self._batch.append(item)
        if sum(len(item.passages) for item in self._batch) >= BATCH:
            self.flush()

    def embed_again(self) -> None:
        """Take in again the documents that never were files and whose vectors a repair has found to be lost."""
        with self._store.tables() as tables:
            documents = {stored.id: tables.document(stored) for stored in tables.documents(self._changes.again)}
        for number, document in documents.items():
            stat, config = stat_of_text(document), self._store.config
            self._batch.append(incoming(document, stat, self._embedder(), config, replaces=number))
        self.flush()

    def flush(self) -> None:
        """Embed and commit what is waiting."""
        if self._batch:
            additions, encoded = embed(self._store, self._embedder(), self._batch)
            self._store.commit(additions)
            self.passages += sum(len(item.passages) for item in self._batch)
            self.encoded += encoded
            self._batch = []
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
