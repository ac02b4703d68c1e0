"""A file on disk -> the documents in it and what it was when it was read; knows no format, only which reader has it."""

from __future__ import annotations

import errno
import os
import stat
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from semsearch.address import may_hold_several, suffix
from semsearch.errors import ReadError
from semsearch.read.attached import Attached, no_text
from semsearch.types import Document, FileStat, Found
from semsearch.version import __version__

if TYPE_CHECKING:
    from semsearch.read.sandbox import Worker

MAX_BYTES = 64 * 2**20
"""A larger file is not an article."""

TOO_LARGE = f"larger than {MAX_BYTES // 2**20} MiB"

READERS: Mapping[str, str] = MappingProxyType(
    {
        ".atom": "semsearch.read.feed:read",
        ".docx": "semsearch.read.docx:read",
        ".eml": "semsearch.read.mail:read",
        ".epub": "semsearch.read.epub:read",
        ".htm": "semsearch.read.html:read",
        ".html": "semsearch.read.html:read",
        ".json": "semsearch.read.feed:read_json",
        ".markdown": "semsearch.read.markdown:read",
        ".md": "semsearch.read.markdown:read",
        ".mht": "semsearch.read.mail:read_page",
        ".mhtml": "semsearch.read.mail:read_page",
        ".odt": "semsearch.read.odt:read",
        ".pdf": "semsearch.read.pdf:read",
        ".pptx": "semsearch.read.pptx:read",
        ".rss": "semsearch.read.feed:read",
        ".rtf": "semsearch.read.rtf:read",
        ".text": "semsearch.read.text:read",
        ".txt": "semsearch.read.text:read",
        ".xhtml": "semsearch.read.html:read",
        ".xlsx": "semsearch.read.xlsx:read",
    },
)
"""Suffix, in lower case and with its dot -> "module:attribute" of the reader, imported when first met."""

LONGEST_TITLE = 1000
"""Code points; a longer title is cut off, as each passage of its document is found by it too."""

STREAMS: Mapping[str, str] = MappingProxyType(
    {
        ".csv": "semsearch.read.rows:of_csv",
        ".jsonl": "semsearch.read.rows:of_json_lines",
        ".mbox": "semsearch.read.mbox:read",
        ".ndjson": "semsearch.read.rows:of_json_lines",
        ".tar": "semsearch.read.tar:read",
        ".tsv": "semsearch.read.rows:of_csv",
        ".warc": "semsearch.read.warc:read",
        ".xml": "semsearch.read.any_xml:read",
        ".zip": "semsearch.read.zip:read",
    },
)
"""The same for readers of files of any size that hold several documents or files: see `opened.py`."""

PACKED: Mapping[str, str] = MappingProxyType(
    {".bz2": "", ".gz": "", ".tbz": ".tar", ".tbz2": ".tar", ".tgz": ".tar", ".txz": ".tar", ".xz": ""}
)
"""Suffixes of what is packed, and the suffix that it has unpacked; "" where that stands before."""

Reader: TypeAlias = Callable[[str, bytes], Document | list[Document | Attached]]
"""From a document's name and the bytes of its file to the document, or to it and the files attached to it.

The document may be without text where files are attached. It raises ReadError with a reason for people."""

_HERE: Mapping[str, int] = MappingProxyType(
    {"semsearch.read.markdown:read": 2**18, "semsearch.read.text:read": MAX_BYTES},
)
"""Readers that run in this process, and up to how many bytes: plain Python over the text itself, linear, with no heavy
parser below. 256 KiB of Markdown take them a second at the worst, 64 MiB of text 5 to 7."""

_BLOCK = 2**20
_WORD = 2**19
_SETTLED_NS = 2 * 10**9  # the coarsest clock of a file system in use, FAT's
_FLAGS = os.O_RDONLY
for _flag in ("O_NONBLOCK", "O_BINARY", "O_CLOEXEC", "O_NOFOLLOW"):
    _FLAGS |= getattr(os, _flag, 0)
LINK = "a symbolic link, not followed"
_KINDS = {
    stat.S_IFBLK: "a device, not a file",
    stat.S_IFCHR: "a device, not a file",
    stat.S_IFDIR: "a folder, not a file",
    stat.S_IFIFO: "a FIFO, not a file",
    stat.S_IFSOCK: "a socket, not a file",
}


def can_read(path: str) -> bool:
    """Whether a reader knows the suffix of this name."""
    return kind(path) in READERS or kind(path) in STREAMS


def kind(path: str) -> str:
    """The suffix that says which reader a file of this name has: of what is packed by itself, the one before."""
    last = suffix(path)
    return PACKED[last] or suffix(path[: -len(last)]) if last in PACKED else last


def read_file(file: Path, path: str, worker: Worker | None = None) -> tuple[Document, FileStat]:
    """The document in a file, named `path`, and what the file was: its bytes are read once.

    Raises:
        ReadError: it is not an article: no reader has its suffix, it is too large, or its reader refused it or did not
            come to an end with it.
        OSError: the file is not there or cannot be opened.
    """
    if suffix(path) not in READERS:
        raise ReadError(no_reader(path))
    blocks: list[bytes] = []
    seen = _scan(file, blocks.append)
    document = read_bytes(path, b"".join(blocks), worker)[0]
    if not isinstance(document, Document) or not document.text:
        raise ReadError(no_text(document) if isinstance(document, Document) else "no text in it")
    return document, seen


def read_bytes(path: str, data: bytes, worker: Worker | None = None, name: str = "") -> list[Document | Attached]:
    """The document in the bytes of a file, which has its `path`, and what is attached to it.

    `name` says of which kind it is, where its path does not.
    Its reader runs in the process of `worker`, or in one that lives for this file, unless no file can harm it.

    Raises:
        ReadError: it is not an article, or its reader refused it or did not come to an end with it.
    """
    reader = READERS[suffix(name or path)]
    here = len(data) <= _HERE.get(reader, -1)
    return [
        as_article(each) if isinstance(each, Document) else each
        for each in (listed(load(reader)(path, data)) if here else _read_apart(reader, path, data, worker))
    ]


def listed(read: Document | list[Document | Attached]) -> list[Document | Attached]:
    """What a reader gave, as a list."""
    return [read] if isinstance(read, Document) else read


def stat_file(file: Path) -> FileStat:
    """What a file is now; its bytes are hashed in blocks and not kept.

    Raises:
        ReadError: it is too large, a symbolic link or not a regular file.
        OSError: the file is not there or cannot be opened.
    """
    return _scan(file, len, no_limit=may_hold_several(file.name))


def no_reader(path: str) -> str:
    """The reason why a file of this name is not read."""
    return f"no reader for {suffix(path) or 'files without a suffix'}{' files' if suffix(path) else ''}"


@cache
def readers() -> str:
    """What stands for the readers that there are: another semsearch, or another library, may read what these cannot."""
    try:
        installed = Path(sysconfig.get_path("purelib")).stat().st_mtime_ns
    except OSError:
        installed = 0
    return f"{__version__} {installed}"


def no_file(mode: int) -> str:
    """What something that is no regular file is, from its `st_mode`."""
    return _KINDS.get(stat.S_IFMT(mode), "not a regular file")


def as_article(document: Document) -> Document:
    """The document with a title of some length, unless it has a word that is none.

    That is one of a million letters, or of half as many that happen to fill a block of the text.
    """
    text = document.text
    if any(text[at : at + _WORD].isalnum() for at in range(0, len(text) - _WORD + 1, _WORD)):
        raise ReadError("a word of half a million letters or more, so it is no article")
    title = document.title[:LONGEST_TITLE]
    return document if title == document.title else replace(document, title=title)


def load(reader: str) -> Any:
    """What "module:attribute" names."""
    module, _, attribute = reader.partition(":")
    return getattr(import_module(module), attribute)


def _read_apart(reader: str, path: str, data: bytes, worker: Worker | None) -> list[Document | Attached]:
    from semsearch.read.sandbox import Worker  # noqa: PLC0415 - a folder of plain text does without it

    if worker is not None:
        return worker.read(reader, path, data)
    with Worker() as own:
        return own.read(reader, path, data)


def _scan(file: Path, take: Callable[[bytes], object], *, no_limit: bool = False) -> FileStat:
    """Hash a file block by block, and hand each block to `take`."""
    descriptor = opened(file)
    try:
        return hashed(descriptor, take, no_limit=no_limit)
    finally:
        os.close(descriptor)


def hashed(descriptor: int, take: Callable[[bytes], object] = len, *, no_limit: bool = False) -> FileStat:
    """What an open file is, which is read from where it stands to its end.

    Raises:
        ReadError: it is no regular file, or too large for an article.
    """
    began = time.time_ns()
    before = os.fstat(descriptor)
    most = sys.maxsize if no_limit else MAX_BYTES
    _check_article(before.st_mode, before.st_size, most)
    digest, size = sha256(), 0
    while block := os.read(descriptor, min(_BLOCK, before.st_size + 1)):
        digest.update(block)
        size += len(block)
        _check_article(before.st_mode, size, most)
        take(block)
    after = os.fstat(descriptor)
    return FileStat(size, _vouching(before, after, size, began), digest.hexdigest())


def opened(file: Path) -> int:
    """A descriptor of a file, but not through a link, which may have taken its place since a walk saw it."""
    try:
        return os.open(file, _FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ReadError(LINK) from error
        raise


def _check_article(mode: int, size: int, most: int) -> None:
    if not stat.S_ISREG(mode):
        raise ReadError(no_file(mode))
    if size > most:
        raise ReadError(TOO_LARGE)


def settled(found: Found, began: int) -> Found:
    """What a walk that began then saw of a file, with the time -1 where it cannot vouch for what was read later."""
    return found if found.mtime_ns < began - _SETTLED_NS else replace(found, mtime_ns=-1)


def _vouching(before: os.stat_result, after: os.stat_result, size: int, began: int) -> int:
    """The time of change, or -1 where it cannot vouch for the bytes that were read.

    A time that lies in the future cannot either: its clock is not ours.
    """
    unchanged = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and size == after.st_size
    return after.st_mtime_ns if unchanged and after.st_mtime_ns < began - _SETTLED_NS else -1
