"""A web page -> a `Document` whose text is taken from its main content; follows no link and runs no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semsearch.errors import ReadError
from semsearch.read.blocks import Block, laid_out
from semsearch.read.dates import date_in_name, iso_date
from semsearch.read.days import day_in
from semsearch.read.decode import decode
from semsearch.read.html_blocks import Found, found_in, found_in_chapter
from semsearch.read.html_content import content
from semsearch.read.html_dates import around, in_address, in_marks
from semsearch.read.html_facts import Facts, facts
from semsearch.read.html_markup import declared, tamed
from semsearch.read.html_title import headline
from semsearch.read.html_title import title as title_of
from semsearch.read.outline import sections
from semsearch.types import NOTHING, Document

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_MONTH_FIRST = frozenset({"", "en", "en-us", "en_us"})
"""Languages of pages that may mean the second of March by `3/2/2024`, as in America."""


def read(path: str, data: bytes) -> Document:
    """The document in a web page: its largest article, or else its main part, or else all but the furniture.

    Raises:
        ReadError: it is not text, or there is no text in it.
    """
    return document(path, decode(data, declared(data)))


def document(path: str, markup: str) -> Document:
    """The same for the source of a page that is decoded already.

    Raises:
        ReadError: there is no text in it.
    """
    tree = _tree(markup)
    known = facts(tree)
    every = found_in(tree)
    found = headline(known, every)
    blocks = content(every, found, is_article=known.is_article)
    if not blocks:
        raise ReadError("no text in it")
    text, headings, _ = laid_out(Block(block.text, block.level) for block in blocks)
    title = title_of(known, found, blocks)
    repeats = next((heading for heading in headings if heading.words.casefold() == title.casefold()), None)
    return Document(
        path,
        text,
        title=title,
        date=_date(tree, known, every, found or _first(blocks, every)) or _time(blocks) or _last_resort(path, known),
        author=known.author,
        source=known.source,
        language=known.language,
        metadata={"url": known.url} if known.url else NOTHING,
        sections=sections(text, headings, title=repeats),
        has_lines=False,
    )


def chapter(data: bytes) -> list[Block]:
    """The blocks of a page of a book, all of them: what is furniture on the web are notes and mottos there.

    Raises:
        ReadError: it is not text.
    """
    return fragment(decode(data, declared(data)))


def fragment(markup: str) -> list[Block]:
    """The blocks of markup that is text alone, with no page around it."""
    return [Block(block.text, block.level) for block in found_in_chapter(_tree(markup))]


def _tree(markup: str) -> LexborHTMLParser:
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 - only a folder with web pages needs it

    return LexborHTMLParser(tamed(markup))


def _date(tree: LexborHTMLParser, known: Facts, every: Sequence[Found], about: Found | None) -> str:
    """When it was published, by what says so most clearly."""
    month_first = known.language.lower() in _MONTH_FIRST
    return known.date or in_marks(tree) or in_address(known.url) or around(every, about, month_first=month_first)


def _last_resort(path: str, known: Facts) -> str:
    return day_in(known.headline or known.title) or date_in_name(path)


def _first(blocks: Sequence[Found], every: Sequence[Found]) -> Found | None:
    """What stands for a headline: the first `<h1>`, or else what the text begins with, if not the page itself."""
    return next((block for block in blocks if block.level == 1), None if blocks[0] is every[0] else blocks[0])


def _time(blocks: Sequence[Found]) -> str:
    return next((day for block in blocks if (day := iso_date(block.time))), "")
