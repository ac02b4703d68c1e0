"""Unpacks streams of bytes as they are read, and counts what comes out; knows no format of what is in them."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from semsearch.errors import ReadError

ALLOWANCE = 8 * 2**20
"""Bytes that any file may unpack to."""

RATIO = 100
"""How many times its own size a file may unpack to above that; text packs to a tenth, tables to a fiftieth."""

PART = 4096
"""Bytes that a file within another counts for at the least, as it does on a disk: a million empty ones are a bomb."""

TOO_MUCH = f"unpacks to more than {RATIO} times its size"

_MEMORY = 2**27  # what xz may work in: twice what `xz -9` needs
_BLOCK = 2**16
_BROKEN = (EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def allowed(size: int) -> int:
    """How many bytes a file of this size may unpack to."""
    return ALLOWANCE + RATIO * size


class Budget:
    """What a file of `size` bytes may still unpack to, with all that is in it."""

    def __init__(self, size: int) -> None:
        self.left = allowed(size)

    def take(self, size: int) -> None:
        """Count so many bytes.

        Raises:
            ReadError: they are more than what is left.
        """
        self.left -= size
        if self.is_spent:
            raise ReadError(TOO_MUCH)

    @property
    def is_spent(self) -> bool:
        """Whether it has unpacked to more."""
        return self.left < 0

    def counted(self, stream: BinaryIO) -> BinaryIO:
        """The same stream, to be read once, of which each byte counts.

        It raises ReadError where it is broken, and where the budget is spent.
        """
        return cast("BinaryIO", io.BufferedReader(_Counted(stream, self), _BLOCK))


def unpacked(stream: BinaryIO, suffix: str, budget: Budget) -> BinaryIO:
    """What is in a stream that is packed as a suffix says."""
    return budget.counted(_METHODS[suffix](stream))


def joined(head: bytes, rest: BinaryIO) -> BinaryIO:
    """A stream of which the head was read already, from its beginning."""
    return cast("BinaryIO", io.BufferedReader(_Joined(head, rest), _BLOCK))


def streamed(blocks: Iterator[bytes]) -> BinaryIO:
    """A stream of what comes in blocks."""
    return cast("BinaryIO", io.BufferedReader(_Blocks(blocks), _BLOCK))


def is_broken(error: Exception) -> bool:
    """Whether an error is one of what was read, not of the disk: that has a number, and is not of a wrong place."""
    return isinstance(error, _BROKEN) or (isinstance(error, OSError) and error.errno in {None, errno.EINVAL})


class _Counted(io.RawIOBase):
    def __init__(self, stream: BinaryIO, budget: Budget) -> None:
        self._stream, self._budget = stream, budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            block = self._stream.read(len(buffer))
        except (OSError, *_BROKEN) as error:
            if not is_broken(error):
                raise
            raise ReadError("broken: it cannot be unpacked to its end") from error
        self._budget.take(len(block))
        buffer[: len(block)] = block
        return len(block)


class _Blocks(io.RawIOBase):
    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._rest or next((block for block in self._blocks if block), b"")
        given, self._rest = block[: len(buffer)], block[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


class _Joined(io.RawIOBase):
    """A stream of which the head was read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = io.BytesIO(head), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._head.read(len(buffer)) or self._rest.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


class _Xz(io.RawIOBase):
    """Unpacks xz, whose files may ask for gigabytes to work in, in a set memory; `lzma.open` knows no limit."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MEMORY)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while True:
            if self._decoder.eof:
                self._rest = (self._decoder.unused_data or self._stream.read(_BLOCK)).lstrip(b"\0")
                if not self._rest:
                    return b""
                self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MEMORY)
            elif self._decoder.needs_input and not self._rest:
                self._rest = self._stream.read(_BLOCK)
                if not self._rest:
                    raise EOFError
            given, self._rest = self._rest, b""
            if block := self._decoder.decompress(given, size):
                return block


_METHODS: dict[str, Callable[[BinaryIO], BinaryIO]] = {
    **dict.fromkeys((".gz", ".tgz"), lambda stream: cast("BinaryIO", gzip.GzipFile(fileobj=stream))),
    **dict.fromkeys((".bz2", ".tbz", ".tbz2"), lambda stream: cast("BinaryIO", bz2.BZ2File(stream))),
    **dict.fromkeys((".txz", ".xz"), lambda stream: cast("BinaryIO", _Xz(stream))),
}
