"""A Word document (.docx) -> a `Document` with its headings, tables and notes; leaves out headers, footers, comments.

Read from its XML as it comes, by no library: what is inserted with changes tracked, or stands in a content control or
a text box, is text too, and a part that unpacks to gigabytes is given up at the limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

from semsearch.read import ooxml
from semsearch.read.blocks import Block, Flow, document
from semsearch.read.xml import Event, events
from semsearch.read.zipped import Parts
from semsearch.types import Document

_NOTES = ("footnotes", "endnotes")
_UNSEEN = frozenset({"del", "moveFrom"})
_AS_TEXT = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_HEADING = re.compile(r"heading ([1-9])")
_DEEPEST_STYLE = 20
_NO_HEADING = 10
_TITLE, _CONTENTS = -1, -2


class _Style(NamedTuple):
    name: str
    above: str
    level: int  # of the outline, from 1; 0 where it does not say


def read(path: str, data: bytes) -> Document:
    """The document in a .docx file.

    Raises:
        ReadError: it is broken or encrypted, unpacks to too much, or has no text.
    """
    parts = Parts(data)
    main = ooxml.main_part(parts)
    related = {relation.kind: relation.part for relation in ooxml.relations(parts, main)}
    styles = _styles(parts, related.get("styles", ""))
    names = [main, *(related[kind] for kind in _NOTES if related.get(kind, "") in parts)]
    blocks = [b for name in names for b in _Body(styles).blocks(ooxml.seen(events(parts.blocks(name)), _UNSEEN))]
    fields = ooxml.known(path, parts)
    fields["title"] = fields["title"] or next((block.text for block in blocks if block.level == _TITLE), "")
    return document(path, (Block(block.text, abs(block.level)) for block in blocks), **fields)


class _Body:
    """Makes blocks of the events of a part; the text of a paragraph in the style of titles has the level -1."""

    def __init__(self, styles: Mapping[str, int]) -> None:
        self.flow = Flow()
        self.styles = styles
        self.levels: list[int] = []  # of the open paragraphs
        self.in_text = self.in_properties = False
        self.begin: dict[str, Callable[[Mapping[str, str]], None]] = {
            "p": self._paragraph,
            "pPr": lambda _: self._properties(within=True),
            "pStyle": lambda given: self._level(styles.get(given.get("val", ""), 0)),
            "outlineLvl": lambda given: self._level(_level(given)),
            "t": lambda _: self._text(within=True),
            "tbl": lambda _: self.flow.begin_table(),
            **{tag: partial(self._character, text) for tag, text in _AS_TEXT.items()},
        }
        self.end: dict[str, Callable[[], None]] = {
            "p": lambda: self.flow.end(self.levels.pop()),
            "pPr": lambda: self._properties(within=False),
            "t": lambda: self._text(within=False),
            "tc": self.flow.end_cell,
            "tr": self.flow.end_row,
            "tbl": self.flow.end_table,
        }

    def blocks(self, seen: Iterable[Event]) -> list[Block]:
        """The paragraphs and rows, in order."""
        for tag, text, given, is_end in seen:
            if not tag:
                if self.in_text and self.levels and self.levels[-1] != _CONTENTS:
                    self.flow.add(text)
            elif is_end:
                if tag in self.end:
                    self.end[tag]()
            elif tag in self.begin:
                self.begin[tag](given)
        return self.flow.blocks

    def _paragraph(self, _: Mapping[str, str]) -> None:
        self.flow.begin()
        self.levels.append(0)

    def _properties(self, *, within: bool) -> None:
        self.in_properties = within

    def _text(self, *, within: bool) -> None:
        self.in_text = within

    def _level(self, level: int) -> None:
        if self.levels and self.in_properties:
            self.levels[-1] = level

    def _character(self, text: str, _: Mapping[str, str]) -> None:
        if not self.in_properties:
            self.flow.add(text)


def _styles(parts: Parts, name: str) -> dict[str, int]:
    """The level of the headings that a style makes, by its id: 1 to 6, or 0, or one of two others.

    _TITLE is for titles, _CONTENTS for lines of a table of contents, whose words are those of the headings.
    """
    found: dict[str, _Style] = {}
    current, said = "", _Style("", "", 0)
    for tag, _, given, is_end in events(parts.blocks(name)) if name in parts else ():
        value = given.get("val", "")
        if tag == "style" and not is_end:
            current, said = given.get("styleId", ""), _Style("", "", 0)
        elif tag == "style":
            found[current], current = said, ""
        elif is_end or not current:
            continue
        elif tag == "name":
            said = said._replace(name=value.casefold())
        elif tag == "basedOn":
            said = said._replace(above=value)
        elif tag == "outlineLvl":
            said = said._replace(level=_level(given))
    return {style: _level_of(found, style) for style in found}


def _level_of(styles: Mapping[str, _Style], style: str) -> int:
    for _ in range(_DEEPEST_STYLE):
        if style not in styles:
            return 0
        name, above, level = styles[style]
        heading = _HEADING.fullmatch(name)
        if heading or level:
            return min(int(heading[1]) if heading else level, 6)
        if name == "title" or name.startswith("toc "):
            return _TITLE if name == "title" else _CONTENTS
        style = above
    return 0


def _level(given: Mapping[str, str]) -> int:
    """The level of a heading that `outlineLvl` gives: it counts from 0, and 9 is body text."""
    value = given.get("val", "")
    return min(int(value) + 1, 6) if value.isdecimal() and int(value) + 1 < _NO_HEADING else 0
