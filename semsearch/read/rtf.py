"""Rich text (.rtf) -> a `Document` of its paragraphs, by striprtf; sees no headings, which rich text does not mark."""

from __future__ import annotations

import re

from semsearch.errors import ReadError
from semsearch.read import stated
from semsearch.read.blocks import Block, document
from semsearch.read.dates import date_in_name
from semsearch.read.extra import library
from semsearch.types import Document

_MARK = b"{\\rtf"
_INFO = re.compile(r"\{\\info\b(?:[^{}]|\{[^{}]*\})*\}")
_CREATED = re.compile(r"\{\\creatim\\yr(\d{4})\\mo(\d{1,2})\\dy(\d{1,2})")
_CODE_PAGE = re.compile(rb"\\ansicpg(\d{1,5})")


def read(path: str, data: bytes) -> Document:
    """The document in an .rtf file.

    Raises:
        ReadError: it is no rich text, has no text, or striprtf is not installed.
    """
    if not data.lstrip().startswith(_MARK):
        raise ReadError("not rich text" if data.strip() else "empty")
    source = data.decode("latin-1")  # a byte is a character, as striprtf wants it; it decodes what is escaped
    encoding = _encoding(data)
    info = found[0] if (found := _INFO.search(source)) else ""
    created = _CREATED.search(info)
    day = f"{created[1]}-{created[2]:0>2}-{created[3]:0>2}" if created else ""
    return document(
        path,
        (Block(stated.line(line)) for line in _plain(source, encoding).split("\n")),
        title=stated.title(_plain(_field(info, "title"), encoding)),
        author=stated.author(_plain(_field(info, "author"), encoding)),
        date=stated.date(day) or date_in_name(path),
    )


def _plain(source: str, encoding: str) -> str:
    convert = library("striprtf.striprtf", "rtf").rtf_to_text
    try:
        return str(convert(source, encoding=encoding, errors="replace"))
    except (LookupError, ValueError, TypeError, OverflowError) as error:
        raise ReadError(f"broken rich text: {error}") from error


def _field(info: str, name: str) -> str:
    """A field of what the file states of itself, as rich text."""
    found = re.search(rf"\{{\\{name}\b([^{{}}]*)\}}", info)
    return f"{{\\rtf1 {found[1]}}}" if found else ""


def _encoding(data: bytes) -> str:
    found = _CODE_PAGE.search(data)
    return f"cp{found[1].decode()}" if found and found[1] != b"0" else "cp1252"
