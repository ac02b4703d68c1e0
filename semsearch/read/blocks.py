"""Paragraphs, headings and pages that a format has -> a `Document`; reads no format itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from semsearch.errors import ReadError
from semsearch.read.outline import LONGEST_HEADING, Heading, sections
from semsearch.types import Document

_BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or a heading of a level from 1 to 6 (0 for none), and the page it stands on, from 1 (0 for none)."""

    text: str
    level: int = 0
    page: int = 0


class Flow:
    """Gathers the paragraphs of an office document, which may stand in cells of tables and within each other.

    A row of a table becomes one block with tabs between its cells. What stands within a paragraph (a note, a text box)
    comes after it.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.page = 0
        self._open: list[list[str]] = []
        self._within: list[Block] = []
        self._tables = 0
        self._cell: list[str] = []
        self._row: list[str] = []

    def begin(self) -> None:
        """Begin a paragraph."""
        self._open.append([])

    def add(self, text: str) -> None:
        """Add text to the innermost paragraph; outside of any it is white space of the markup."""
        if self._open:
            self._open[-1].append(text)

    def end(self, level: int = 0) -> None:
        """End the innermost paragraph, a heading of this level or 0."""
        lines = (" ".join(line.split()) for line in "".join(self._open.pop()).split("\n"))
        text = "\n".join(line for line in lines if line)
        if text and self._tables:
            self._cell.append(text)
        elif self._open:
            self._within.append(Block(text, level, self.page))
        else:
            self.blocks += [Block(text, level, self.page)] if text else []
            self.blocks += self._within
            self._within = []

    def begin_table(self) -> None:
        """Begin a table; one within another adds its text to a cell of that."""
        self._tables += 1

    def end_cell(self) -> None:
        """End a cell."""
        if self._tables == 1:
            self._row.append(" ".join(" ".join(self._cell).split()))
            self._cell = []

    def end_row(self) -> None:
        """End a row."""
        text = "\t".join(self._row).strip("\t")
        if self._tables == 1:
            self._row = []
            self.blocks += [Block(text, page=self.page)] if text else []

    def end_table(self) -> None:
        """End the innermost table."""
        self._tables -= 1


def laid_out(blocks: Iterable[Block]) -> tuple[str, list[Heading], tuple[int, ...]]:
    """The text, with a blank line between blocks, where the headings are in it, and where the pages begin."""
    texts: list[str] = []
    headings: list[Heading] = []
    pages: list[int] = []
    start = 0
    for block in blocks:
        pages += [start if pages else 0] * (block.page - len(pages))
        if not block.text:
            continue
        stop = start + len(block.text)
        if block.level and len(block.text) <= LONGEST_HEADING:
            headings.append(Heading(block.level, " ".join(block.text.split()), start, stop, stop))
        texts.append(block.text)
        start = stop + len(_BETWEEN)
    text = _BETWEEN.join(texts)
    return text, headings, tuple(min(page, len(text)) for page in pages)


def document(path: str, blocks: Iterable[Block], *, title: str = "", **known: Any) -> Document:
    """The document of these blocks. A first heading that says the title is no section's, and a title if there is none.

    Args:
        path: the document's name.
        blocks: in order; those without text only open their page.
        title: as it is stated.
        known: other fields of the document.

    Raises:
        ReadError: no block has any text.
    """
    text, headings, pages = laid_out(blocks)
    if not text.strip():
        raise ReadError("no text in it")
    first = headings[0] if headings and headings[0].level == 1 and not headings[0].start else None
    title = title or (first.words if first else "")
    is_title = first is not None and first.words.casefold() == title.casefold()
    cut = sections(text, headings, title=first if is_title else None)
    return Document(path, text, title=title, sections=cut, has_lines=False, pages=pages, **known)
