"""The mails in a mailbox (.mbox), each as a file of its own; understands none of them.

A mail begins with a line "From …" after an empty one, as RFC 4155 has it; a line of a mail that would be taken for that
has been given a ">" by whoever wrote it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from semsearch.address import in_collection
from semsearch.errors import ReadError
from semsearch.read.files import MAX_BYTES, TOO_LARGE
from semsearch.read.opened import Part
from semsearch.types import Columns, Skip

_FROM = b"From "
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_LONGEST_LINE = 2**20
_ENDS = frozenset({b"\n", b"\r\n", b""})


def read(path: str, stream: BinaryIO, _: Columns) -> Iterator[Part | Skip]:
    """The mails, by their numbers from 1.

    Raises:
        ReadError: it is no mailbox.
    """
    for number, mail in enumerate(_mails(stream), 1):
        address = in_collection(path, number)
        if mail is None:
            yield Skip(address, TOO_LARGE)
        else:
            yield Part(address, "mail.eml", partial(io.BytesIO, _QUOTED.sub(rb"\1", mail)))


def _mails(stream: BinaryIO) -> Iterator[bytes | None]:
    """The bytes of each mail; None for one that is too large."""
    lines: list[bytes] = []
    size, above = -1, b""
    while line := stream.readline(_LONGEST_LINE):
        if above in _ENDS and line.startswith(_FROM):
            if size >= 0:
                yield b"".join(lines) if size <= MAX_BYTES else None
            lines, size = [], 0
        elif size < 0 and line.strip():
            raise ReadError('no mailbox: it does not begin with "From "')
        elif size >= 0:
            size += len(line)
            if size <= MAX_BYTES:
                lines.append(line)
        above = line
    if size >= 0:
        yield b"".join(lines) if size <= MAX_BYTES else None
