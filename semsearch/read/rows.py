"""Tables of texts (CSV, TSV, JSON Lines) -> a `Document` a row, as they are read; holds no more than a row of them.

Which fields are the text, the title and the date is told by `Columns`, or else by names that such tables have.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO

from semsearch.address import in_collection
from semsearch.errors import ReadError
from semsearch.read import fields
from semsearch.read.dates import iso_date
from semsearch.read.decode import decode
from semsearch.read.files import MAX_BYTES, TOO_LARGE
from semsearch.read.front_matter import jsonable
from semsearch.read.unpack import joined
from semsearch.types import Columns, Document, Section, Skip

_TEXT = (
    "text", "body", "content", "article", "full_text", "fulltext", "maintext", "article_text", "articlebody",
)  # fmt: skip
_TITLE = ("title", "headline", "subject")
_DATE = (
    "date", "published", "date_published", "datepublished", "published_at", "publish_date", "pubdate", "created_at",
    "datetime", "timestamp",
)  # fmt: skip
_AUTHOR = ("author", "authors", "byline", "creator")
_SOURCE = ("source", "publisher", "outlet", "publication", "domain", "url", "link")

_HEAD = 2**20
_DELIMITERS = ",;\t|"
_LONGEST_NAME = 500
_LONGEST = 2**24
_MOST_VALUES = 1_000_000
_ROW_TOO_LONG = "a row of 16 million characters or more"
_TOO_MANY_VALUES = "a row of more than a million values"

# A field is an article here, and the limit is one of the whole process, so it is never made lower.
csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))


def of_csv(path: str, stream: BinaryIO, columns: Columns) -> Iterator[Document | Skip]:
    """The rows of a table below its line of names, by their numbers from 1; the sign between fields is found there.

    Raises:
        ReadError: it is no such table, or has no column of that name.
    """
    lines = _lines(_text(stream))
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=first.count)
    limits = _Limits(delimiter)
    rows = csv.reader(map(limits.take, chain([first], lines)), delimiter=delimiter)
    try:
        names = [name.strip() for name in next(rows, [])]
        _check(names, columns)
        for number, row in enumerate(rows, 1):
            limits.reset()
            if row:
                yield _document(path, number, dict(zip(names, row, strict=False)), columns)
    except csv.Error as error:
        raise ReadError(f"no such table: {error}") from error


def of_json_lines(path: str, stream: BinaryIO, columns: Columns) -> Iterator[Document | Skip]:
    """The objects in a file of one a line, by the numbers of their lines.

    Raises:
        ReadError: it is no text.
    """
    for number, line in enumerate(_lines(_text(stream)), 1):
        if line.strip():
            yield _of_line(path, number, line, columns)


def _of_line(path: str, number: int, line: str, columns: Columns) -> Document | Skip:
    address = in_collection(path, number)
    try:
        _Limits(",[{").take(line)
        row = jsonable(json.loads(line))
    except ReadError as error:
        return Skip(address, str(error))
    except (ValueError, RecursionError):
        return Skip(address, "no JSON, or nested too deep")
    if not isinstance(row, dict):
        return Skip(address, "no table of fields")
    try:
        _check(row, columns)
    except ReadError as error:
        return Skip(address, str(error))
    return _document(path, number, row, columns)


def _check(names: Iterable[str], columns: Columns) -> None:
    """See that the fields are there that are asked for, and one of them is the text."""
    there = {name.casefold() for name in names}
    missing = [name for name in (columns.text, columns.id, columns.title, columns.date) if name]
    missing = [name for name in missing if name.casefold() not in there]
    has = ", ".join(sorted(names)[:20]) or "none"
    if missing:
        raise ReadError(f"has no field {missing[0]}; it has {has}")
    if not columns.text and there.isdisjoint(_TEXT):
        raise ReadError(f"none of its fields is known to be the text: name it with --text-field; it has {has}")


def _document(path: str, number: int, row: Mapping[str, Any], columns: Columns) -> Document | Skip:
    name = fields.said(row, columns.id.casefold()) if columns.id else ""
    address = in_collection(path, name[:_LONGEST_NAME] or number)
    key = _key(row, columns.text.casefold() if columns.text else "", *_TEXT)
    text = _running(row[key]) if key else ""
    if not text.strip():
        return Skip(address, "no text in it")
    return Document(
        address,
        text,
        title=fields.said(row, *_asked(columns.title), *_TITLE),
        date=iso_date(fields.said(row, columns.date.casefold())) if columns.date else fields.day(row, *_DATE),
        author=fields.said(row, *_AUTHOR),
        source=fields.said(row, *_SOURCE),
        language=fields.language(row),
        metadata={name: value for name, value in row.items() if name != key and value not in ("", None)},
        sections=(Section(0, len(text)),),
        has_lines=False,
    )


def _asked(name: str) -> list[str]:
    return [name.casefold()] if name else []


def _key(row: Mapping[str, Any], *names: str) -> str:
    """The name of the field that is the text, as the row writes it."""
    return next((key for name in names for key in row if name and key.casefold() == name), "")


def _running(value: Any) -> str:
    """A field as a text: a list is one of paragraphs."""
    if isinstance(value, list):
        return "\n\n".join(_running(each) for each in value)
    return "" if value is None else str(value).replace("\r\n", "\n").replace("\0", "")


def _text(stream: BinaryIO) -> io.TextIOBase:
    """The text of a file of any size in UTF-8, or of up to MAX_BYTES in another encoding."""
    head = stream.read(_HEAD)
    if _is_utf8(head):
        return io.TextIOWrapper(joined(head, stream), "utf-8-sig", newline="")
    data = head + stream.read(MAX_BYTES - len(head) + 1)
    if len(data) > MAX_BYTES:
        raise ReadError(f"{TOO_LARGE}, and not in UTF-8")
    return io.StringIO(decode(data), newline="")


def _is_utf8(head: bytes) -> bool:
    """Whether the lines that are whole in it are; at the end a character may be cut off."""
    try:
        return "\0" not in head[: head.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError:
        return False


def _lines(text: io.TextIOBase) -> Iterator[str]:
    """The lines of a text, ends and all.

    Raises:
        ReadError: one is as long as no article is, or is not UTF-8.
    """
    try:
        while line := text.readline(_LONGEST):
            if len(line) == _LONGEST:
                raise ReadError(_ROW_TOO_LONG)
            yield line
    except UnicodeDecodeError as error:
        raise ReadError("not in UTF-8, as it is at its beginning") from error


class _Limits:
    """What the lines of a row may hold: a value takes fifty bytes, however short it is, and is counted by its signs."""

    def __init__(self, signs: str) -> None:
        self._signs = signs
        self.reset()

    def reset(self) -> None:
        """Begin another row."""
        self._length = self._values = 0

    def take(self, line: str) -> str:
        """A line as it is.

        Raises:
            ReadError: with it the row is beyond reason.
        """
        self._length += len(line)
        if self._length <= _MOST_VALUES:
            return line  # too short to hold as many
        self._values += sum(map(line.count, self._signs))
        if self._length >= _LONGEST:
            raise ReadError(_ROW_TOO_LONG)
        if self._values > _MOST_VALUES:
            raise ReadError(_TOO_MANY_VALUES)
        return line
