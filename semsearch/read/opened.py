"""Opens a file and gives the documents in it one by one, however deep they stand; knows no format.

A file of files is gone through as it lies, from its beginning to its end, and what is packed is unpacked on the way:
nothing is written to disk but what has to be read twice. All that one file unpacks to is counted, since a few kilobytes
can stand for terabytes.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

from semsearch.address import ARCHIVES, COLLECTIONS, in_archive, may_hold_several, suffix
from semsearch.errors import ReadError
from semsearch.read.attached import Attached, known_of, no_text
from semsearch.read.files import (
    MAX_BYTES,
    PACKED,
    READERS,
    STREAMS,
    TOO_LARGE,
    as_article,
    hashed,
    kind,
    load,
    no_reader,
    opened,
    read_bytes,
    read_file,
)
from semsearch.read.sandbox import Worker
from semsearch.read.unpack import PART, Budget, unpacked
from semsearch.types import NO_COLUMNS, Columns, Document, FileStat, Skip

_DEEPEST = 4
"""Files within files that hold others: more is a file that holds itself."""


class Part(NamedTuple):
    """A file within a file: its address, a name whose suffix says its kind, and what opens its bytes, once.

    `known` has title, date, author and metadata for the documents in it that state none themselves.
    """

    address: str
    name: str
    open: Callable[[], BinaryIO]
    known: Document | None = None


Stream: TypeAlias = Callable[[str, BinaryIO, Columns], Iterable[Part | Document | Skip]]
"""A reader of files that hold several: from the file's address and its bytes to what is in it, in order. A part is read
before the next is asked for. Raises ReadError where it cannot go on, OSError where the disk cannot."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is being read: the documents in it, once, and what was passed over.

    `stat` is what it was when it was opened, and `is_still` says whether it is that still. Iterating raises ReadError
    where it cannot be read on, and OSError where the disk cannot.
    """

    path: str
    stat: FileStat
    documents: Iterator[Document | Skip]
    is_still: Callable[[], bool] = lambda: True


@contextmanager
def open_file(file: Path, path: str, worker: Worker | None = None, columns: Columns = NO_COLUMNS) -> Iterator[Opened]:
    """Open a file, named `path`, for as long as the block lasts.

    Raises:
        ReadError: it is not what its suffix says, or no reader has its suffix.
        OSError: it is not there or cannot be opened.
    """
    if not may_hold_several(path):
        document, stat = read_file(file, path, worker)
        yield Opened(path, stat, iter([document]))
        return
    with os.fdopen(opened(file), "rb") as stream:
        stat = hashed(stream.fileno(), no_limit=True)
        stream.seek(0)
        before = _moment(stream)
        documents = within(path, stream, stat.size, worker, columns)
        yield Opened(path, stat, documents, lambda: _moment(stream) == before)


def within(
    path: str, stream: BinaryIO, size: int, worker: Worker | None = None, columns: Columns = NO_COLUMNS, name: str = ""
) -> Iterator[Document | Skip]:
    """The documents in the bytes of a file of this size; `name` says of which kind it is, where its path does not."""
    return _Opening(worker, columns, Budget(size)).of(path, name or path, stream, 0)


@dataclass(frozen=True, slots=True)
class _Opening:
    worker: Worker | None
    columns: Columns
    budget: Budget

    def of(self, address: str, name: str, stream: BinaryIO, depth: int) -> Iterator[Document | Skip]:
        """The documents in a file of that address, of which `name` says the kind."""
        if depth > _DEEPEST and kind(name) in ARCHIVES | COLLECTIONS:
            raise ReadError("stands in too many files, one within another")
        if suffix(name) in PACKED:
            stream = unpacked(stream, suffix(name), self.budget)
        if kind(name) in STREAMS:
            gives: Stream = load(STREAMS[kind(name)])
            for item in gives(address, stream, self.columns):
                yield from self._part(item, depth + 1) if isinstance(item, Part) else [_checked(item)]
        elif kind(name) in READERS:
            data = stream.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise ReadError(TOO_LARGE)
            yield from self._read(address, read_bytes(address, data, self.worker, f"x{kind(name)}"), depth)
        else:
            raise ReadError(no_reader(name))

    def _read(self, address: str, given: Iterable[Document | Attached], depth: int) -> Iterator[Document | Skip]:
        """The document that a reader made of a file, and those in what is attached to it."""
        own = Document(address, "")
        for each in given:
            if isinstance(each, Document):
                own = each
                yield own if own.text else Skip(address, no_text(own))
            else:
                known = known_of(own, each.name)
                part = Part(in_archive(address, each.name), each.name, partial(io.BytesIO, each.data), known)
                yield from self._part(part, depth + 1)

    def _part(self, part: Part, depth: int) -> Iterator[Document | Skip]:
        try:
            self.budget.take(PART)
            with part.open() as stream:
                for item in self.of(part.address, part.name, self.budget.counted(stream), depth):
                    yield _knowing(item, part.known)
        except ReadError as error:
            if self.budget.is_spent:
                raise
            yield Skip(part.address, str(error))


def _knowing(item: Document | Skip, known: Document | None) -> Document | Skip:
    if known is None or isinstance(item, Skip):
        return item
    return replace(
        item,
        title=item.title or known.title,
        date=item.date or known.date,
        author=item.author or known.author,
        metadata={**known.metadata, **item.metadata},
    )


def _checked(item: Document | Skip) -> Document | Skip:
    if isinstance(item, Skip):
        return item
    try:
        return as_article(item)
    except ReadError as error:
        return Skip(item.path, str(error))


def _moment(stream: BinaryIO) -> tuple[int, int]:
    now = os.fstat(stream.fileno())
    return now.st_size, now.st_mtime_ns
