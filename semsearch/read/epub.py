"""An e-book (.epub) -> a `Document` of its chapters in reading order, below their headings; opens none with DRM."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from semsearch.errors import ReadError
from semsearch.read import stated
from semsearch.read.blocks import Block, document
from semsearch.read.dates import date_in_name
from semsearch.read.html import chapter
from semsearch.read.xml import events, texts
from semsearch.read.zipped import Parts
from semsearch.types import Document

_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})


class _Item(NamedTuple):
    part: str
    kind: str
    is_contents: bool


def read(path: str, data: bytes) -> Document:
    """The document in an .epub file.

    Raises:
        ReadError: it is broken or encrypted, unpacks to too much, or has no text.
    """
    parts = Parts(data)
    package = _package(parts)
    locked = _locked(parts)
    said = texts(parts.blocks(package), "title", "creator", "date", "language", "publisher")
    blocks: list[Block] = []
    for part in _spine(parts, package):
        if part in locked:
            raise ReadError("encrypted: it has DRM, and opens only in its shop's reader")
        blocks += chapter(parts.read(part))
    return document(
        path,
        blocks,
        title=stated.title(said["title"]),
        author=stated.author(said["creator"]),
        date=stated.date(said["date"]) or date_in_name(path),
        source=stated.line(said["publisher"]),
        language=stated.line(said["language"]),
    )


def _package(parts: Parts) -> str:
    """The part that lists the others."""
    for tag, _, given, _ in events(parts.blocks(_CONTAINER)):
        if tag == "rootfile":
            return given.get("full-path", "")
    raise ReadError("broken: it does not say where its contents are listed")


def _spine(parts: Parts, package: str) -> Iterator[str]:
    """The parts that are pages, in reading order, but for the table of contents."""
    folder = posixpath.dirname(package)
    items: dict[str, _Item] = {}
    order: list[str] = []
    for tag, _, given, is_end in events(parts.blocks(package)):
        if tag == "item" and not is_end:
            part = posixpath.normpath(posixpath.join(folder, unquote(given.get("href", ""))))
            is_contents = "nav" in given.get("properties", "").split()
            items[given.get("id", "")] = _Item(part, given.get("media-type", ""), is_contents)
        elif tag == "itemref" and not is_end:
            order.append(given.get("idref", ""))
    for item in (items[identity] for identity in dict.fromkeys(order) if identity in items):
        if item.kind in _PAGES and not item.is_contents:
            yield item.part


def _locked(parts: Parts) -> set[str]:
    """The parts that are encrypted; fonts often are, and need no reading."""
    if _ENCRYPTION not in parts:
        return set()
    listed = events(parts.blocks(_ENCRYPTION))
    return {
        unquote(given.get("URI", "")) for tag, _, given, is_end in listed if tag == "CipherReference" and not is_end
    }
