"""Makes an index anew beside the old one, which is in use until the new one is whole and takes its place."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from semsearch import store, sync
from semsearch.config import IndexConfig
from semsearch.errors import IndexDamagedError, IndexNotFoundError
from semsearch.intake import Incoming, embed, incoming
from semsearch.store import Store
from semsearch.sync import BATCH, Progress, SyncReport
from semsearch.types import Document, Embedder, FileStat


def open_old(path: Path) -> Store | None:
    """The index that is there, None where it is damaged beyond reading.

    Raises:
        IndexNotFoundError: there is none.
        IndexFormatError: a newer semsearch made it.
    """
    try:
        return Store(store.current(path))
    except IndexNotFoundError:
        raise
    except IndexDamagedError:
        return None


def rebuild(
    path: Path,
    old: Store | None,
    root: Path,
    embedder: Embedder,
    overlap: int,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    progress: Callable[[Progress], None] = lambda _: None,
) -> SyncReport:
    """Fill a new edition from the folder `root`, and from what else the old one held, and publish it.

    An edition that an interrupted rebuild has left is gone on with, when it was to be made in the same way.
    """
    new = _edition(path, old, IndexConfig.of(embedder, overlap))
    try:
        for other in _folders(old):
            if other != root:
                sync.apply(new, other, sync.find_changes(new, other), lambda: embedder, progress)
        if old is not None:
            _carry_over(old, new, embedder)
        report = sync.apply(new, root, sync.find_changes(new, root, include, exclude), lambda: embedder, progress)
    finally:
        new.close()
        if old is not None:
            old.close()
    store.publish(path, new.folder)
    if old is not None:
        store.discard_editions(path, new.folder)
    else:
        _set_aside(path, new.folder)
    return report


def _set_aside(path: Path, current: Path) -> None:
    """Keep what could not be read under another name: nothing is deleted that may hold documents."""
    for folder in path.glob("e[0-9]*"):
        if folder != current:
            folder.rename(folder.with_name(f"damaged-{time.time_ns()}-{folder.name}"))


def _edition(path: Path, old: Store | None, config: IndexConfig) -> Store:
    numbers = {int(folder.name[1:]) for folder in path.glob("e[0-9]*") if folder.name[1:].isdecimal()}
    used = {int(old.folder.name[1:])} if old else numbers
    unfinished = path / f"e{max(used, default=0) + 1}"
    if unfinished.exists():
        begun = _try(unfinished)
        if begun is not None and begun.config == config:
            begun.discard_leftovers()
            return begun
        if begun is not None:
            begun.close()
        shutil.rmtree(unfinished, ignore_errors=True)
    return Store.create(unfinished, config)


def _try(folder: Path) -> Store | None:
    try:
        return Store(folder)
    except IndexDamagedError:
        return None


def _folders(old: Store | None) -> list[Path]:
    if old is None:
        return []
    with old.tables() as tables:
        return [Path(root) for root in tables.folders()]


def _carry_over(old: Store, new: Store, embedder: Embedder) -> None:
    """Take along the documents that never were files."""
    batch: list[Incoming] = []
    for document, stat in _no_files(old):
        with new.tables() as tables:
            if tables.find("", document.path) is not None:
                continue
        batch.append(incoming(document, stat, embedder, new.config.overlap))
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
