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
_BEFORE, _AFTER, _LONGEST = 4, 8, 160
"""Blocks before and after a headline, and the characters of one, among which a day is looked for."""


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
    """What the short lines around the headline say, those after it first, and then those that say what they say."""
    short = [block for block in blocks if _SAYS_SO.search(block.text)]
    for block in (*_around(blocks, headline), *short):
        is_line = len(block.text) <= _LONGEST and not _SENTENCE.fullmatch(block.text)
        if day := iso_date(block.time) or (is_line and day_in(block.text, month_first=month_first)) or "":
            return day
    return ""


def _around(blocks: Sequence[Found], headline: Found | None) -> Iterator[Found]:
    at = next((number for number, block in enumerate(blocks) if block is headline), None)
    if at is None:
        return
    yield from blocks[at + 1 : at + 1 + _AFTER]
    yield from reversed(blocks[max(at - _BEFORE, 0) : at])


def _date(stated: str) -> str:
    stated = " ".join(stated.split())
    compact = _COMPACT.fullmatch(stated)
    return iso_date(stated) or (iso_date("-".join(compact.groups())) if compact else "") or day_in(stated)
