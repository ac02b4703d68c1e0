"""The parts of a zip that is one document (docx, epub …), unpacked within limits; writes nothing and knows no format.

A few kilobytes can unpack to terabytes, a directory can list a million files, and what it says of sizes need not be
true. So the directory is counted before it is read, sizes that it states are added up before a part is opened, and what
comes out is counted as it comes.
"""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator

from semsearch.errors import ReadError
from semsearch.read.unpack import TOO_MUCH, allowed

MOST_UNPACKED = 64 * 2**20
"""Bytes of all parts that are read of one document, as many as a file may have; a small one may have fewer."""

_MOST_PARTS = 20_000
_BLOCK = 2**16
_ENTRY = b"PK\x01\x02"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = 0x1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})  # LZMA may ask for gigabytes to work in
_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, NotImplementedError)


class Parts:
    """The parts of a zipped document by name; together they give no more bytes than one of its size may."""

    def __init__(self, data: bytes) -> None:
        """Read the directory.

        Raises:
            ReadError: it is no zip, a broken one, or has too many parts.
        """
        if not data:
            raise ReadError("empty")
        if data.startswith(_OLE):
            raise ReadError("encrypted, or of an older format under this name: save it anew without a password")
        if data.count(_ENTRY) > _MOST_PARTS:
            raise ReadError(f"has more than {_MOST_PARTS} parts")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise ReadError("a broken zip") from error
        self._parts = {info.filename: info for info in self._zip.infolist()}
        self._most = self._left = min(MOST_UNPACKED, allowed(len(data)))

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def names(self) -> list[str]:
        """The names of the parts, in the order of the directory."""
        return list(self._parts)

    def read(self, name: str) -> bytes:
        """A whole part.

        Raises:
            ReadError: as for `blocks`.
        """
        return b"".join(self.blocks(name))

    def blocks(self, name: str) -> Iterator[bytes]:
        """A part in blocks.

        Raises:
            ReadError: it is missing, broken or encrypted, or all that was read would be too much.
        """
        info = self._parts.get(name)
        if info is None:
            raise ReadError(f"broken: lacks its part {name}")
        if info.flag_bits & _ENCRYPTED:
            raise ReadError("encrypted: it opens only with its password")
        if info.compress_type not in _METHODS:
            raise ReadError("packed in a way that no such document is")
        self._take(info.file_size, 0)
        try:
            with self._zip.open(info) as part:
                while block := part.read(_BLOCK):
                    self._take(len(block), len(block))
                    yield block
        except _BROKEN as error:
            raise ReadError(f"broken: its part {name} cannot be unpacked") from error

    def _take(self, asked: int, taken: int) -> None:
        if asked > self._left:
            large = f"unpacks to more than {MOST_UNPACKED // 2**20} MiB"
            raise ReadError(large if self._most == MOST_UNPACKED else TOO_MUCH)
        self._left -= taken
