"""The answers in a crawl of the web (.warc), each as a file of its own; fetches nothing, and decodes no `br`.

A record is an answer of a server, or a file by itself; requests, notes of the crawler and repeated answers are left out
unsaid. How answers were sent is undone: their chunks, and gzip or deflate, which some crawlers have undone already.
"""

from __future__ import annotations

import http.client
import io
import zlib
from collections.abc import Iterator, Mapping
from email.message import Message
from functools import partial
from types import MappingProxyType
from typing import BinaryIO, cast

from semsearch.address import in_collection, suffix
from semsearch.errors import ReadError
from semsearch.read import stated
from semsearch.read.dates import iso_date
from semsearch.read.files import can_read
from semsearch.read.opened import Part
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
_LINE = 2**16
_BLOCK = 2**16
_GOOD = 200
_LONGEST_NAME = 2000


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
        headers = _headers(stream)
        length = headers.get("Content-Length", "")
        if not length.isdecimal():
            raise ReadError("broken: a record does not say how long it is")
        block = _Limited(stream, int(length))
        yield from _record(path, headers, cast("BinaryIO", io.BufferedReader(block, _BLOCK)))
        block.drain()


def _next_line(stream: BinaryIO) -> bytes:
    """The first line of the next record; b"" at the end."""
    while line := stream.readline(_LINE):
        if line.strip():
            return line
    return b""


def _headers(stream: BinaryIO) -> Message:
    try:
        return http.client.parse_headers(stream)
    except (http.client.HTTPException, ValueError) as error:
        raise ReadError(f"broken: its headers are no headers ({error})") from error


def _record(path: str, headers: Message, block: BinaryIO) -> Iterator[Part | Skip]:
    kind, url = headers.get("WARC-Type", ""), stated.line(headers.get("WARC-Target-URI", "")).strip("<>")
    if kind not in {"response", "resource", "conversion"} or not url.startswith(("http:", "https:", "ftp:", "file:")):
        return
    address = in_collection(path, url[:_LONGEST_NAME])
    known = Document(address, "", date=iso_date(headers.get("WARC-Date", "")), metadata={"url": url})
    if kind != "response" or not url.startswith("http"):
        yield _part(address, _media_type(headers), url, block, known)
        return
    try:
        status = block.readline(_LINE).split()[1:2]
        answer = _headers(block)
        if status != [str(_GOOD).encode()]:
            yield Skip(address, f"no page: the server answered {b''.join(status).decode('ascii', 'replace')}")
            return
        yield _part(address, _media_type(answer), url, _as_meant(block, answer), known)
    except ReadError as error:
        yield Skip(address, str(error))


def _media_type(headers: Message) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _part(address: str, media_type: str, url: str, stream: BinaryIO, known: Document) -> Part | Skip:
    ending = _KINDS.get(media_type) or suffix(url.partition("?")[0].partition("#")[0])
    if not can_read(f"x{ending}"):
        return Skip(address, f"no reader for {media_type or ending or 'what says not what it is'}")
    return Part(address, f"x{ending}", partial(_given, stream), known)


def _given(stream: BinaryIO) -> BinaryIO:
    return stream


def _as_meant(block: BinaryIO, headers: Message) -> BinaryIO:
    """The content of an answer, whatever it was sent as."""
    if headers.get("Transfer-Encoding", "").strip().lower() == "chunked":
        block = _buffered(_Chunks(block))
    encoding = headers.get("Content-Encoding", "").strip().lower()
    start = cast("io.BufferedReader", block).peek(2)[:2]
    if encoding in {"gzip", "x-gzip"} and start == b"\x1f\x8b":
        return _buffered(_Inflated(block, zlib.MAX_WBITS | 16))
    if encoding == "deflate" and start[:1] != b"<":
        return _buffered(_Inflated(block, zlib.MAX_WBITS if start[:1] == b"\x78" else -zlib.MAX_WBITS))
    if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"} and start[:1] != b"<":
        raise ReadError(f"sent in the encoding {stated.line(encoding)[:20]}, which is not read")
    return block


def _buffered(raw: io.RawIOBase) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(raw, _BLOCK))


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


class _Chunks(io.RawIOBase):
    """What was sent in chunks; as it is, where the crawler has put them together already."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        head = cast("io.BufferedReader", stream).peek(_LINE)[:_LINE].partition(b"\r\n")[0]
        self._is_plain = _size(head) < 0
        self._left = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._is_plain and not self._left:
            self._left = _size(self._stream.readline(_LINE).strip())
            if self._left < 0:
                raise ReadError("broken: a chunk does not say how long it is")
            if not self._left:
                return 0
        block = self._stream.read(len(buffer) if self._is_plain else min(len(buffer), self._left))
        if not self._is_plain:
            self._left -= len(block)
            if not self._left:
                self._stream.readline(_LINE)
        buffer[: len(block)] = block
        return len(block)


def _size(line: bytes) -> int:
    """The size that a chunk begins with, -1 where that is none."""
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        return -1


class _Inflated(io.RawIOBase):
    """What zlib makes of a stream, as it is asked for."""

    def __init__(self, stream: BinaryIO, bits: int) -> None:
        self._stream, self._decoder, self._rest = stream, zlib.decompressobj(bits), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = b""
        while not block and not self._decoder.eof:
            given = self._rest or self._stream.read(_BLOCK)
            if not given:
                raise EOFError
            block = self._decoder.decompress(given, len(buffer))
            self._rest = self._decoder.unconsumed_tail
        buffer[: len(block)] = block
        return len(block)
