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

_FROM = b"\nFrom "
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_EMPTY_LINE = b"\n\n", b"\n\r\n"
_LONGEST_LINE = 2**20
_BLOCK = 2**16


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
    parts = _parts(stream)
    above = next(parts)
    if above is None or above.strip():
        raise ReadError('no mailbox: it does not begin with "From "')
    yield from parts


def _parts(stream: BinaryIO) -> Iterator[bytes | None]:
    """What stands above, between and below the lines that begin a mail; None where it is too large."""
    held = bytearray(b"\n\n")  # the end of the line above, and at the beginning an empty line
    is_large = False
    while block := stream.read(_BLOCK):
        at = max(len(held) + 1 - len(_FROM), 0)
        held += block
        while (at := held.find(_FROM, at) + 1) > 0:
            if not held.endswith(_EMPTY_LINE, 0, at):
                continue
            yield None if is_large else bytes(held[1:at])
            if held.find(b"\n", at) < 0:
                held += stream.readline(_LONGEST_LINE)
            end = held.find(b"\n", at)
            del held[: end if end >= 0 else len(held)]
            at, is_large = 0, False
        if len(held) > MAX_BYTES:
            is_large = True
            del held[1 : -len(_FROM)]
    yield None if is_large else bytes(held[1:])
