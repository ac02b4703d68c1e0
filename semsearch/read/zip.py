"""The files in a zip, in the order of its directory; writes nothing and reads none of them.

The directory is counted before it is read: it can list a million files in a few megabytes. Names are only names here,
so that one like `../../x` harms nobody.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast

from semsearch.address import in_archive
from semsearch.errors import ReadError
from semsearch.read.files import LINK
from semsearch.read.names import is_passed_unsaid, plain
from semsearch.read.opened import Part
from semsearch.read.unpack import is_broken
from semsearch.types import Columns, Skip

MOST_FILES = 100_000
"""Files of one zip; Python takes 500 bytes and more for each."""

_IN_MEMORY = 2**24
_BLOCK = 2**20
_ENTRY = b"PK\x01\x02"
_UTF8 = 0x800
_ENCRYPTED = 0x1
_ERRORS = (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError)
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})  # LZMA may ask for gigabytes


def read(path: str, stream: BinaryIO, _: Columns) -> Iterator[Part | Skip]:
    """The files in a zip; hidden ones are left out without a word, as in a folder.

    Raises:
        ReadError: it is no zip, a broken one, or has too many files.
    """
    with SpooledTemporaryFile(_IN_MEMORY) as copy:
        place = stream if stream.seekable() else _copied(stream, copy)
        _count(place)
        try:
            archive = zipfile.ZipFile(place)
        except _ERRORS as error:
            if not _is_broken(error):
                raise
            raise ReadError("a broken zip") from error
        with archive:
            for info in archive.infolist():
                yield from _part(path, archive, info)


def _part(path: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[Part | Skip]:
    name = plain(_named(info))
    if info.is_dir() or is_passed_unsaid(name):
        return
    address = in_archive(path, name)
    mode = info.external_attr >> 16
    if info.flag_bits & _ENCRYPTED:
        yield Skip(address, "encrypted: it opens only with its password")
    elif info.compress_type not in _METHODS:
        yield Skip(address, "packed in a way that is not read")
    elif stat.S_ISLNK(mode):
        yield Skip(address, LINK)
    else:
        yield Part(address, name, partial(_opened, archive, info))


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> BinaryIO:
    try:
        return cast("BinaryIO", archive.open(info))
    except _ERRORS as error:
        if not _is_broken(error):
            raise
        raise ReadError("broken: it cannot be unpacked") from error


def _named(info: zipfile.ZipInfo) -> str:
    """The name of a file; many programs write UTF-8 and do not say so."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _copied(stream: BinaryIO, copy: IO[bytes]) -> BinaryIO:
    while block := stream.read(_BLOCK):
        copy.write(block)
    copy.seek(0)
    return cast("BinaryIO", copy)


def _count(stream: BinaryIO) -> None:
    found, rest = 0, b""
    while block := stream.read(_BLOCK):
        found += (rest + block).count(_ENTRY)
        rest = block[1 - len(_ENTRY) :]
        if found > MOST_FILES:
            raise ReadError(f"has more than {MOST_FILES:,} files")
    stream.seek(0)


def _is_broken(error: Exception) -> bool:
    return isinstance(error, RuntimeError) or is_broken(error)
