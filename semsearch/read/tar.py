"""The files in a tar, as they lie in it; writes nothing and reads none of them."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, cast

from semsearch.address import in_archive
from semsearch.errors import ReadError
from semsearch.read.files import LINK
from semsearch.read.names import is_passed_unsaid, plain
from semsearch.read.opened import Part
from semsearch.types import Columns, Skip

_LONGEST_HEADER = 2**20
_HEADERS = frozenset({
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
})  # fmt: skip


def read(path: str, stream: BinaryIO, _: Columns) -> Iterator[Part | Skip]:
    """The files in a tar; hidden ones are left out without a word, as in a folder.

    Raises:
        ReadError: it is no tar, or broken from here on.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member, errors="replace") as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # or it would remember each of a million
                yield from _part(path, archive, member)
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise ReadError("a broken tar") from error


def _part(path: str, archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[Part | Skip]:
    name = plain(member.name)
    if member.isdir() or is_passed_unsaid(name):
        return
    address = in_archive(path, name)
    if member.isreg():
        yield Part(address, name, partial(_opened, archive, member))
    elif member.issym() or member.islnk():
        yield Skip(address, LINK)
    else:
        yield Skip(address, "not a regular file")


def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    return cast("BinaryIO", archive.extractfile(member))


class _Member(tarfile.TarInfo):
    """An entry of which a header that stands for a name is not read when it would take the memory of a book."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _HEADERS and self.size > _LONGEST_HEADER:
            raise tarfile.ReadError("a name of a megabyte")
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]
