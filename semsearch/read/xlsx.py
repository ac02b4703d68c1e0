"""A workbook (.xlsx) -> a `Document` with a section for each sheet and a line for each row; computes no formula."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from semsearch.read import ooxml
from semsearch.read.blocks import Block, document
from semsearch.read.xml import events
from semsearch.read.zipped import Parts
from semsearch.types import Document

_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Numbers of built-in formats that show a date or a time (ECMA-376, part 1, 18.8.30)."""

_IS_DATE = re.compile(r"[dmyhs]", re.IGNORECASE)
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_EPOCH, _EPOCH_OF_MACS = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 - a sheet knows no time zones
_LAST_DAY = 2_958_465
_LEVEL = 2


def read(path: str, data: bytes) -> Document:
    """The document in an .xlsx file.

    Raises:
        ReadError: it is broken or encrypted, unpacks to too much, or has no text.
    """
    parts = Parts(data)
    main = ooxml.main_part(parts)
    relations = ooxml.relations(parts, main)
    by_id = {relation.id: relation.part for relation in relations}
    by_kind = {relation.kind: relation.part for relation in relations}
    sheets, epoch = _sheets(parts, main)
    values = _Values(_strings(parts, by_kind.get("sharedStrings", "")), _dates(parts, by_kind.get("styles", "")), epoch)
    blocks: list[Block] = []
    for name, identity in sheets:
        rows = [Block(row) for row in _rows(parts, by_id.get(identity, ""), values)]
        blocks += [Block(name, _LEVEL), *rows] if rows else []
    return document(path, blocks, **ooxml.known(path, parts))


class _Values:
    """What cells show."""

    def __init__(self, strings: Sequence[str], dates: Sequence[bool], epoch: datetime) -> None:
        self.strings, self.dates, self.epoch = strings, dates, epoch

    def shown(self, kind: str, style: str, value: str) -> str:
        """The text of a cell of a kind, style and value as the file has them."""
        value = " ".join(value.split())
        if kind == "s":
            return self.strings[int(value)] if value.isdecimal() and int(value) < len(self.strings) else ""
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        if kind in {"inlineStr", "str", "e", "d"} or not value:
            return value
        try:
            number = float(value)
        except ValueError:
            return value
        is_date = style.isdecimal() and int(style) < len(self.dates) and self.dates[int(style)]
        return self._moment(number) if is_date and 0 <= number <= _LAST_DAY else f"{number:.15g}"

    def _moment(self, number: float) -> str:
        moment = self.epoch + timedelta(seconds=round(number * 86400))
        if number < 1:
            return moment.time().isoformat()
        return moment.date().isoformat() if number == int(number) else moment.isoformat(" ")


def _sheets(parts: Parts, main: str) -> tuple[list[tuple[str, str]], datetime]:
    """Name and relation of each sheet, and the day from which dates are counted."""
    sheets, epoch = [], _EPOCH
    for tag, _, given, is_end in events(parts.blocks(main)):
        if tag == "sheet" and not is_end:
            sheets.append((given.get("name", ""), given.get("id", "")))
        elif tag == "workbookPr" and given.get("date1904") in {"1", "true"}:
            epoch = _EPOCH_OF_MACS
    return sheets, epoch


def _strings(parts: Parts, name: str) -> list[str]:
    """The strings that cells share, without the readings of Japanese words."""
    found: list[str] = []
    said: list[str] = []
    in_text = False
    for tag, text, _, is_end in ooxml.seen(events(parts.blocks(name)), frozenset({"rPh"})) if name in parts else ():
        if tag == "si":
            found += [" ".join("".join(said).split())] if is_end else []
            said = []
        elif tag == "t":
            in_text = not is_end
        elif in_text:
            said.append(text)
    return found


def _dates(parts: Parts, name: str) -> list[bool]:
    """Whether each style of cells shows a date."""
    codes: dict[str, str] = {}
    found: list[bool] = []
    in_cells = False
    for tag, _, given, is_end in events(parts.blocks(name)) if name in parts else ():
        number = given.get("numFmtId", "")
        if tag == "cellXfs":
            in_cells = not is_end
        elif tag == "numFmt" and not is_end:
            codes[number] = given.get("formatCode", "")
        elif tag == "xf" and in_cells and not is_end:
            found.append(_shows_date(number, codes))
    return found


def _shows_date(number: str, codes: Mapping[str, str]) -> bool:
    if number in codes:
        return bool(_IS_DATE.search(_LITERAL.sub("", codes[number]).replace("General", "")))
    return number.isdecimal() and int(number) in _DATES


def _rows(parts: Parts, name: str, values: _Values) -> Iterator[str]:
    """The rows of a sheet that show something, with tabs between their cells."""
    row: list[str] = []
    said: list[str] = []
    kind = style = ""
    in_value = False
    for tag, text, given, is_end in ooxml.seen(events(parts.blocks(name)), frozenset({"rPh", "f"})):
        if not tag:
            said += [text] if in_value else []
        elif tag in {"v", "t"}:
            in_value = not is_end
        elif tag == "c" and not is_end:
            kind, style, said = given.get("t", "n"), given.get("s", ""), []
        elif tag == "c":
            row += [shown] if (shown := values.shown(kind, style, "".join(said))) else []
        elif tag == "row" and is_end:
            if row:
                yield "\t".join(row)
            row = []
