"""Makes an index anew beside the old one, which is in use until the new one is whole and takes its place."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from semsearch import store, sync
from semsearch.config import IndexConfig
from semsearch.errors import FolderError, IndexDamagedError
from semsearch.intake import Incoming, embed, incoming
from semsearch.store import Store
from semsearch.sync import BATCH, Patterns, Progress, SyncReport
from semsearch.types import Document, Embedder, FileStat

LOG = logging.getLogger("semsearch")


@dataclass(frozen=True, slots=True)
class Old:
    """What the index was: its edition, None where that cannot be read; settings and folders as far as known."""

    edition: Store | None
    config: IndexConfig | None
    folders: dict[Path, Patterns] = field(default_factory=dict)


def look_at_old(path: Path) -> Old:
    """The index that is to be made anew; that it is damaged, or that an older semsearch made it, is no error.

    Raises:
        IndexNotFoundError: there is none.
        IndexFormatError: a newer semsearch made it.
    """
    edition = None
    try:
        edition = Store(store.current(path, older=True))
        with edition.tables() as tables:
            if any(tables.complaints()):
                edition.close()
                return Old(None, store.settings(path))
            # An older one whose documents cannot be listed by now is as one that is damaged.
            next(tables.documents(), None)
            roots = [Path(root) for root in tables.folders()]
        folders = {root: Patterns.of_last_run(edition, root) for root in roots}
        return Old(edition, edition.config, folders)
    except IndexDamagedError:
        if edition is not None:
            edition.close()
        return Old(None, store.settings(path))


def config_of(old: Old, embedder: Embedder, overlap: int | None, passage_tokens: int | None) -> IndexConfig:
    """How the index is to be made: what is None stays as it was, where that is known and the model can read as much."""
    if old.config is not None:
        overlap = old.config.overlap if overlap is None else overlap
        passage_tokens = min(old.config.limit, embedder.limit) if passage_tokens is None else passage_tokens
    return IndexConfig.of(embedder, overlap or 0, passage_tokens)


def rebuild(
    path: Path,
    old: Old,
    root: Path,
    embedder: Embedder,
    config: IndexConfig,
    patterns: Patterns,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    allow_empty: bool = False,
) -> SyncReport:
    """Fill a new edition from the folder `root`, and from what else the old one held, and publish it.

    An edition that an interrupted rebuild has left is gone on with, when it was to be made in the same way.

    Raises:
        FolderError: a folder is missing or holds nothing that can be read, and `allow_empty` does not accept that.
    """
    folders = {**old.folders, root: patterns.or_else(old.folders.get(root, patterns))}
    sync.check_nesting(root, old.folders)
    new = _edition(path, old, config, folders)
    report = SyncReport()
    try:
        for folder, kept in folders.items():
            if allow_empty and not folder.exists():
                continue
            changes = sync.find_changes(new, folder, kept, allow_empty=allow_empty)
            kept.note(new, folder)
            report += sync.apply(new, folder, changes, lambda: embedder, progress, kept.columns)
        if old.edition is not None:
            _carry_over(old.edition, new, embedder)
        store.publish(path, new)
    except FolderError as error:
        raise FolderError(f"{error}; or leave it out of the index with --allow-empty") from error
    finally:
        new.close()
        if old.edition is not None:
            old.edition.close()
    _put_away(path, new.folder, readable=old.edition is not None)
    return report


def _put_away(path: Path, current: Path, *, readable: bool) -> None:
    """Delete the old edition; one that could not be read is kept under another name: it may hold documents."""
    if readable:
        store.discard_editions(path, current)
        return
    for folder in path.glob("e[0-9]*"):
        if folder != current:
            aside = folder.with_name(f"damaged-{time.time_ns()}-{folder.name}")
            folder.rename(aside)
            LOG.warning(
                "the old index could not be read and was set aside as %s; other folders, and documents that never were "
                "files, have to be added again",
                aside,
            )


def _edition(path: Path, old: Old, config: IndexConfig, folders: dict[Path, Patterns]) -> Store:
    unfinished = path / f"e{_number_in_use(path, old) + 1}"
    if unfinished.exists():
        begun = _try(unfinished)
        if begun is not None and begun.config == config and _roots(begun) <= set(map(str, folders)):
            begun.discard_leftovers()
            return begun
        if begun is not None:
            begun.close()
        shutil.rmtree(unfinished, ignore_errors=True)
    return Store.create(unfinished, config)


def _number_in_use(path: Path, old: Old) -> int:
    try:
        return int((old.edition.folder if old.edition else store.current(path, older=True)).name[1:])
    except IndexDamagedError:
        return max((int(folder.name[1:]) for folder in path.glob("e[0-9]*") if folder.name[1:].isdecimal()), default=0)


def _try(folder: Path) -> Store | None:
    """An edition that was begun, None where it cannot be gone on with."""
    begun = None
    try:
        begun = Store(folder)
        with begun.tables() as tables:
            tables.check()
            if tables.setting("format") == str(store.FORMAT):
                return begun
    except IndexDamagedError:
        LOG.info("%s: cannot be gone on with, and is begun again", folder)
    if begun is not None:
        begun.close()
    return None


def _roots(edition: Store) -> set[str]:
    with edition.tables() as tables:
        return set(tables.folders())


def _carry_over(old: Store, new: Store, embedder: Embedder) -> None:
    """Take along the documents that never were files."""
    batch: list[Incoming] = []
    for document, stat in _no_files(old):
        with new.tables() as tables:
            if tables.find("", document.path) is not None:
                continue
        batch.append(incoming(document, stat, embedder, new.config))
        if sum(len(item.passages) for item in batch) >= BATCH:
            new.commit(embed(new, embedder, batch)[0])
            batch = []
    if batch:
        new.commit(embed(new, embedder, batch)[0])


def _no_files(old: Store) -> Iterator[tuple[Document, FileStat]]:
    with old.tables() as tables:
        for stored in tables.documents():
            if not stored.root:
                yield tables.document(stored), stored.stat
