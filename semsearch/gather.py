"""Reads the files that a run has to read and cuts what is in them into passages; stores nothing and embeds nothing.

A file gives its documents one by one, what was passed over of it, and at last its end. Of a file of several documents
those that are stored as they are need not be cut: a mailbox that has grown costs what is new in it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from semsearch.address import may_hold_several
from semsearch.diff import Numbers, reason
from semsearch.errors import ReadError
from semsearch.intake import Incoming, incoming, stat_of_text, with_language
from semsearch.read import Opened, Worker, open_file
from semsearch.store import Store
from semsearch.types import NO_COLUMNS, Columns, Document, Embedder, FileStat, Skip


@dataclass(frozen=True, slots=True)
class Same:
    """A document of a file that has changed, which has not; `path` is its own."""

    path: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A file was read to its end, and does not hold these documents now.

    `stat` is what a file of several was when all was read of it that can be; None where it changed meanwhile.
    """

    path: str
    stat: FileStat | None
    gone: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A file cannot be read now, for this reason; so many documents of it stay as they are."""

    path: str
    reason: str
    kept: int


Given: TypeAlias = Incoming | Same | Skip | Ended | Failed


def gather(
    store: Store,
    root: Path,
    work: Sequence[tuple[str, Numbers]],
    embedder: Callable[[], Embedder],
    worker: Worker,
    columns: Columns,
) -> Generator[Given, None, None]:
    """What the files of a folder hold, each with the documents that it replaces: file by file, each with its end."""
    reading = _Reading(store, str(root), embedder, worker, columns)
    for path, held in work:
        yield from reading.of(path, held)


def gather_stream(
    store: Store, opened: Opened, held: Numbers, embedder: Callable[[], Embedder]
) -> Generator[Given, None, None]:
    """What is in a file that stands in no folder, with the documents that it replaces, and its end.

    Raises:
        ReadError: it cannot be read on, or nothing in it can be read.
    """
    left = dict(held)
    reason: str | None = "there is no article in it"
    for item in _Reading(store, "", embedder).documents(opened, left):
        if not isinstance(item, Skip):
            reason = None
        elif reason is not None:
            reason = item.reason
        yield item
    if reason is not None:
        raise ReadError(reason)
    yield Ended(opened.path, None, list(left.values()))


@dataclass(frozen=True, slots=True)
class _Reading:
    store: Store
    root: str
    embedder: Callable[[], Embedder]
    worker: Worker | None = None
    columns: Columns = NO_COLUMNS

    def of(self, path: str, held: Numbers) -> Iterator[Given]:
        left = dict(held)
        try:
            with open_file(Path(self.root) / path, path, self.worker, self.columns) as opened:
                try:
                    yield from self.documents(opened, left)
                except ReadError as error:
                    yield Skip(path, str(error))
                whole = may_hold_several(path) and opened.is_still()
                yield Ended(path, opened.stat if whole else None, list(left.values()))
        except ReadError as error:
            # What the file holds now is no article, so what the index holds of it is out of date.
            yield Skip(path, str(error))
            yield Ended(path, None, list(left.values()))
        except OSError as error:
            yield Failed(path, reason(error), len(left))

    def documents(self, opened: Opened, left: dict[str, int]) -> Iterator[Given]:
        """The documents of a file; what is found of those that are left to be found is taken from them."""
        met: set[str] = set()
        several = may_hold_several(opened.path) or not self.root
        # Until the file was read to its end, what it holds is not known to be all.
        stat = replace(opened.stat, size=-1, mtime_ns=-1) if several else opened.stat
        for item in opened.documents:
            if isinstance(item, Skip):
                yield item
            elif item.path in met:
                yield Skip(item.path, "a second one of that name in its file")
            else:
                met.add(item.path)
                yield self._given(item, stat, left, several=several)

    def _given(self, document: Document, stat: FileStat, left: dict[str, int], *, several: bool) -> Given:
        number = left.get(document.path)
        document = with_language(document)
        stat = stat if self.root else stat_of_text(document)
        if several and number is not None and self._is_stored(number, document):
            del left[document.path]
            return Same(document.path)
        try:
            made = incoming(document, stat, self.embedder(), self.store.config, self.root, number)
        except ReadError as error:
            return Skip(document.path, str(error))
        left.pop(document.path, None)
        return made

    def _is_stored(self, number: int, document: Document) -> bool:
        with self.store.tables() as tables:
            return tables.is_stored(number, document)
