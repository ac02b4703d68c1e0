"""An OpenDocument text (.odt) -> a `Document` with its headings, tables and notes, without comments and deletions."""

from __future__ import annotations

from collections.abc import Iterable

from semsearch.errors import ReadError
from semsearch.read import stated
from semsearch.read.blocks import Block, Flow, document
from semsearch.read.dates import date_in_name
from semsearch.read.xml import Event, events, texts
from semsearch.read.zipped import Parts
from semsearch.types import Document

_CONTENT, _META, _MANIFEST = "content.xml", "meta.xml", "META-INF/manifest.xml"
_PARAGRAPHS = frozenset({"p", "h"})
_UNSEEN = frozenset({"annotation", "note-citation", "table-of-content", "tracked-changes"})
_AS_TEXT = {"s": " ", "tab": " ", "line-break": "\n"}


def read(path: str, data: bytes) -> Document:
    """The document in an .odt file.

    Raises:
        ReadError: it is broken or encrypted, unpacks to too much, or has no text.
    """
    parts = Parts(data)
    if _MANIFEST in parts and any(event.name == "encryption-data" for event in events(parts.blocks(_MANIFEST))):
        raise ReadError("encrypted: it opens only with its password")
    blocks = _blocks(events(parts.blocks(_CONTENT)))
    names = ("title", "initial-creator", "creator", "creation-date", "date", "subject", "language")
    said = texts(parts.blocks(_META), *names) if _META in parts else dict.fromkeys(names, "")
    subject = stated.line(said["subject"])
    return document(
        path,
        blocks,
        title=stated.title(said["title"]),
        author=stated.author(said["initial-creator"] or said["creator"]),
        date=stated.date(said["creation-date"] or said["date"]) or date_in_name(path),
        language=stated.line(said["language"]),
        metadata={"subject": subject} if subject else {},
    )


def _blocks(all_events: Iterable[Event]) -> list[Block]:
    flow = Flow()
    ends = {"table-cell": flow.end_cell, "table-row": flow.end_row, "table": flow.end_table}
    levels: list[int] = []
    unseen = 0
    for tag, text, given, is_end in all_events:
        if tag in _UNSEEN:
            unseen += -1 if is_end else 1
        elif unseen:
            continue
        elif not tag:
            flow.add(text.replace("\n", " "))
        elif tag in _PARAGRAPHS and is_end:
            flow.end(levels.pop())
        elif tag in _PARAGRAPHS:
            flow.begin()
            levels.append(_level(tag, given.get("outline-level", "1")))
        elif is_end and tag in ends:
            ends[tag]()
        elif tag == "table" and not is_end:
            flow.begin_table()
        elif tag in _AS_TEXT and not is_end:
            flow.add(_AS_TEXT[tag])
    return flow.blocks


def _level(tag: str, stated_level: str) -> int:
    if tag != "h":
        return 0
    return min(max(int(stated_level), 1), 6) if stated_level.isdecimal() else 1
