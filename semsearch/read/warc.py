"""The answers in a crawl of the web (.warc), each as a file of its own; fetches nothing and unpacks nothing.

A record is an answer of a server, or a file by itself; requests, notes of the crawler and repeated answers are left out
unsaid.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import BinaryIO, cast

from semsearch.address import in_collection, suffix
from semsearch.errors import ReadError
from semsearch.read import http, stated
from semsearch.read.dates import iso_date
from semsearch.read.decode import as_utf8
from semsearch.read.files import MAX_BYTES, can_read
from semsearch.read.opened import Part
from semsearch.read.unpack import streamed
from semsearch.types import Columns, Document, Skip

_KINDS: Mapping[str, str] = MappingProxyType({
    "application/atom+xml": ".atom",
    "application/epub+zip": ".epub",
    "application/feed+json": ".json",
    "application/msword": ".doc",
    "application/pdf": ".pdf",
    "application/rss+xml": ".rss",
    "application/rtf": ".rtf",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/xhtml+xml": ".xhtml",
    "application/xml": ".xml",
    "message/rfc822": ".eml",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "text/xml": ".xml",
})  # fmt: skip
_OF_TEXTS = frozenset({".csv", ".html", ".md", ".txt"})
_UTF8 = frozenset({"", "ascii", "us-ascii", "utf-8", "utf8"})
_BLOCK = 2**16
_GOOD = "200"
_LONGEST_NAME = 2000
_MOST_DIGITS = 15  # of a petabyte


def read(path: str, stream: BinaryIO, _: Columns) -> Iterator[Part | Skip]:
    """The answers, by their addresses on the web.

    Raises:
        ReadError: it is no crawl, broken or cut off.
    """
    wrong = "no crawl: it does not begin with WARC/"
    while first := _next_line(stream):
        if not first.startswith(b"WARC/"):
            raise ReadError(wrong)
        wrong = "broken: a record does not begin where the one before ends"
        said = http.headers(stream)
        length = said.get("content-length", "")
        if not (length.isascii() and length.isdigit()) or len(length) > _MOST_DIGITS:
            raise ReadError("broken: a record does not say how long it is")
        block = _Limited(stream, int(length))
        yield from _record(path, said, cast("BinaryIO", io.BufferedReader(block, _BLOCK)))
        block.drain()


def _next_line(stream: BinaryIO) -> bytes:
    """The first line of the next record; b"" at the end."""
    while line := stream.readline(_BLOCK):
        if line.strip():
            return line
    return b""


def _record(path: str, said: Mapping[str, str], block: BinaryIO) -> Iterator[Part | Skip]:
    kind, url = said.get("warc-type", ""), stated.line(said.get("warc-target-uri", "")).strip("<>")
    if kind not in {"response", "resource", "conversion"} or not url.startswith(("http:", "https:", "ftp:", "file:")):
        return
    address = in_collection(path, url[:_LONGEST_NAME])
    known = Document(address, "", date=iso_date(said.get("warc-date", "")), metadata={"url": url})
    if kind != "response" or not url.startswith("http"):
        yield _part({"content-type": said.get("content-type", "")}, url, block, known)
        return
    try:
        status, answer = http.head(block)
        if status == _GOOD:
            yield _part(answer, url, block, known)
        else:
            yield Skip(address, f"no page: the server answered {status}")
    except ReadError as error:
        yield Skip(address, str(error))


def _part(said: Mapping[str, str], url: str, block: BinaryIO, known: Document) -> Part | Skip:
    media_type, charset = http.media_type(said)
    ending = _KINDS.get(media_type) or suffix(url.partition("?")[0].partition("#")[0])
    if not can_read(f"x{ending}"):
        return Skip(known.path, f"no reader for {media_type or ending or 'what says not what it is'}")
    is_recoded = ending in _OF_TEXTS and charset not in _UTF8
    return Part(known.path, f"x{ending}", partial(_opened, said, block, charset if is_recoded else ""), known)


def _opened(said: Mapping[str, str], block: BinaryIO, charset: str) -> BinaryIO:
    body = http.body(said, block)
    return streamed(_recoded(body, charset)) if charset else body


def _recoded(body: BinaryIO, charset: str) -> Iterator[bytes]:
    """A text in UTF-8: the server alone may say which encoding it has."""
    yield as_utf8(body.read(MAX_BYTES + 1), charset)


class _Limited(io.RawIOBase):
    """The next so many bytes of a stream."""

    def __init__(self, stream: BinaryIO, left: int) -> None:
        self._stream, self._left = stream, left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._stream.read(min(len(buffer), self._left))
        if not block and self._left and len(buffer):
            raise ReadError("cut off: a record is shorter than it says")
        self._left -= len(block)
        buffer[: len(block)] = block
        return len(block)

    def drain(self) -> None:
        """Pass over what was not read."""
        buffer = memoryview(bytearray(_BLOCK))
        while self.readinto(buffer):
            pass
