"""When a page was published, as its head, marks and address say, or the lines around its headline; parses no page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from semsearch.read.dates import iso_date
from semsearch.read.days import day_in
from semsearch.read.html_blocks import Found

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_NAMES = (
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "dcterms.issued",
    "dc.date.issued",
    "dcterms.created",
    "dc.date.created",
    "date",
    "dc.date",
    "dcterms.date",
    "pubdate",
    "pub_date",
    "publishdate",
    "publish_date",
    "publish-date",
    "publication_date",
    "originalpublicationdate",
    "parsely-pub-date",
    "sailthru.date",
)
_MARKS = (
    "[itemprop=datePublished], [property~='dc:date'], [property~='schema:datePublished'], time[pubdate],"
    " time.published, time.entry-date, abbr.published, .dt-published"
)
_SAYS_SO = re.compile(
    r"^(?:date|datum|erstellt|objavljeno|posted|pubblicato|publicado|published|publi[ée]|ver[öo]ffentlicht)\b",
    re.IGNORECASE | re.MULTILINE,
)
_IN_ADDRESS = re.compile(r"/(20\d\d)[/-](\d{1,2})[/-](\d{1,2})(?=[/-]|$)")
_COMPACT = re.compile(r"(20\d\d)(\d\d)(\d\d)")
_SENTENCE = re.compile(r".{60,}[.!?…]\W*", re.DOTALL)
_BEFORE, _AFTER = 4, 8
"""Blocks around a headline in which a day is looked for."""
_LONGEST, _BEGINNING = 160, 22
"""Characters of a line that may name a day anywhere, and of a paragraph that begins with one: `(15.2.2024) Gas …`."""


def in_head(said: Mapping[str, str], linked: Sequence[Mapping[str, Any]]) -> str:
    """What the `<meta>` elements and JSON-LD say."""
    stated = [said.get(name, "") for name in _NAMES]
    stated += [each for thing in linked if isinstance(each := thing.get("datePublished"), str)]
    return next((day for one in stated if (day := _date(one))), "")


def in_marks(tree: LexborHTMLParser) -> str:
    """What elements that are marked as the date of publication say."""
    for node in tree.css(_MARKS):
        given = node.attributes
        for one in (given.get("datetime"), given.get("content"), given.get("title"), node.text()):
            if one and (day := _date(one)):
                return day
    return ""


def in_address(url: str) -> str:
    """The day in an address: `/2024/02/15/`."""
    found = _IN_ADDRESS.search(url)
    return iso_date(f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}") if found else ""


def around(blocks: Sequence[Found], headline: Found | None, *, month_first: bool) -> str:
    """What the lines around the headline say, those after it first, and then what the lines say that say so.

    Args:
        blocks: all that the page has, in order.
        headline: the one of them that they are around; what stands for a headline where there is none.
        month_first: how to read `2/3/2024`.
    """
    short = [block for block in blocks if _SAYS_SO.search(block.text)]
    for block in (*_around(blocks, headline), *short):
        is_line = len(block.text) <= _LONGEST and not _SENTENCE.fullmatch(block.text)
        line = block.text if is_line else block.text[:_BEGINNING] if block.text.startswith("(") else ""
        if day := iso_date(block.time) or day_in(line, month_first=month_first):
            return day
    return ""


def _around(blocks: Sequence[Found], headline: Found | None) -> Iterator[Found]:
    at = next((number for number, block in enumerate(blocks) if block is headline), None)
    if at is None:
        return
    yield from blocks[at : at + 1 + _AFTER]
    yield from reversed(blocks[max(at - _BEFORE, 0) : at])


def _date(stated: str) -> str:
    stated = " ".join(stated.split())
    compact = _COMPACT.fullmatch(stated)
    return iso_date(stated) or (iso_date("-".join(compact.groups())) if compact else "") or day_in(stated)
