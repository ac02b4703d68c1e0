"""Answers of web servers as they were sent -> status, headers and the body as it was meant; asks no server.

A body may be sent in chunks and packed. It is unpacked as it is read; archives often keep the header that says so and
not what it says, so each is believed only where the body begins like that.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import BinaryIO, cast

from semsearch.errors import ReadError
from semsearch.read.extra import library
from semsearch.read.unpack import joined, streamed

LONGEST = 2**18
"""Bytes of all headers together; browsers and servers refuse more than this."""

_BLOCK = 2**16
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")
_STATUS = re.compile(rb"HTTP/\S+ (\d{3})\b")
_GZIP = b"\x1f\x8b"
_PLAIN = frozenset({b"<!", b"<?", b"<H", b"<h"})  # how pages begin


def head(stream: BinaryIO) -> tuple[str, dict[str, str]]:
    """The status of an answer, and its headers by their names in lower case; the body comes next.

    Raises:
        ReadError: it is no answer.
    """
    status = _STATUS.match(stream.readline(LONGEST))
    if not status:
        raise ReadError("no answer of a web server")
    return status[1].decode(), headers(stream)


def headers(stream: BinaryIO) -> dict[str, str]:
    """Lines `Name: value` up to an empty one; of two alike, the first.

    Raises:
        ReadError: they are longer than any are.
    """
    found: dict[str, str] = {}
    left = LONGEST
    while (line := stream.readline(left)).strip():
        left -= len(line)
        if left <= 0:
            raise ReadError("broken: its headers have no end")
        name, _, value = line.decode("utf-8", "replace").partition(":")
        found.setdefault(name.strip().lower(), value.strip())
    return found


def media_type(said: Mapping[str, str]) -> tuple[str, str]:
    """The type of a body in lower case, and its charset; "" where it is not stated."""
    message = Message()
    message["Content-Type"] = " ".join(said.get("content-type", "").split())
    return message.get_content_type() if said.get("content-type") else "", message.get_content_charset() or ""


def body(said: Mapping[str, str], stream: BinaryIO) -> BinaryIO:
    """The body of an answer with these headers, in one piece and unpacked.

    Raises:
        ReadError: it is packed in a way that is not known here.
    """
    if "chunked" in said.get("transfer-encoding", "").lower():
        stream = _in_one(stream)
    for name in reversed(said.get("content-encoding", "").lower().split(",")):
        stream = _unpacked(name.strip(), stream)
    return stream


def _unpacked(name: str, stream: BinaryIO) -> BinaryIO:
    if name in {"", "identity"}:
        return stream
    begin = stream.read(len(_GZIP))
    stream = joined(begin, stream)
    if begin in _PLAIN:
        return stream
    match name:
        case "gzip" | "x-gzip":
            return cast("BinaryIO", gzip.GzipFile(fileobj=stream)) if begin == _GZIP else stream
        case "deflate":
            return streamed(_inflated(begin, stream))
        case "br":
            return streamed(_of_brotli(stream))
        case _:
            raise ReadError(f"sent in the encoding {name[:20]}, which is not read")


def _in_one(stream: BinaryIO) -> BinaryIO:
    first = stream.readline(_BLOCK)
    found = _CHUNK.fullmatch(first)
    return streamed(_chunks(int(found[1], 16), stream)) if found else joined(first, stream)


def _chunks(left: int, stream: BinaryIO) -> Iterator[bytes]:
    while left:
        while left:
            block = stream.read(min(left, _BLOCK))
            if not block:
                raise EOFError
            left -= len(block)
            yield block
        stream.readline(_BLOCK)
        found = _CHUNK.fullmatch(stream.readline(_BLOCK))
        if not found:
            raise EOFError
        left = int(found[1], 16)


def _inflated(begin: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """What is deflated, with zlib's header as the standard wants it, or without as some servers send it."""
    is_zlib = len(begin) > 1 and begin[0] & 15 == zlib.DEFLATED and int.from_bytes(begin) % 31 == 0
    decoder = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
    while not decoder.eof:
        given = decoder.unconsumed_tail or stream.read(_BLOCK)
        block = decoder.decompress(given, _BLOCK)
        if not block and not given and not decoder.eof:
            raise EOFError
        yield block


def _of_brotli(stream: BinaryIO) -> Iterator[bytes]:
    brotli = library("brotli", "warc")
    decoder = brotli.Decompressor()
    while not decoder.is_finished():
        given = stream.read(_BLOCK) if decoder.can_accept_more_data() else b""
        try:
            block = decoder.process(given, output_buffer_limit=_BLOCK)
        except brotli.error as error:
            raise ValueError("no brotli") from error
        if not block and not given and decoder.can_accept_more_data():
            raise EOFError
        yield block
