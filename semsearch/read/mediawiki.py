"""The articles in a dump of a wiki (MediaWiki's XML), as they are read; leaves out talk, help and redirects unsaid.

A dump of all revisions gives the last of each article.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import quote

from semsearch.address import in_collection
from semsearch.errors import ReadError
from semsearch.read import stated, wikitext
from semsearch.read.blocks import document
from semsearch.read.dates import iso_date
from semsearch.read.files import MAX_BYTES, TOO_LARGE
from semsearch.read.xml import Event, events
from semsearch.types import Document, Skip

_BLOCK = 2**16
_ARTICLES, _FILES, _CATEGORIES = "0", "6", "14"
_LONGEST_NAME = 500


@dataclass(slots=True)
class _Wiki:
    """What a dump says of its wiki."""

    language: str = ""
    name: str = ""
    base: str = ""
    unread: set[str] = field(default_factory=lambda: {"file", "image", "media", "category"})


@dataclass(slots=True)
class _Page:
    """What a dump says of a page; of its text None when it is too large."""

    title: str = ""
    namespace: str = _ARTICLES
    changed: str = ""
    text: str | None = ""
    is_redirect: bool = False


def read(path: str, stream: BinaryIO) -> Iterator[Document | Skip]:
    """The articles, by their titles.

    Raises:
        ReadError: the dump is broken, or cut off.
    """
    wiki = _Wiki()
    found = events(iter(lambda: stream.read(_BLOCK), b""))
    for event in found:
        match event.name:
            case "mediawiki" if not event.is_end:
                wiki.language = event.given.get("lang", "")
            case "siteinfo" if not event.is_end:
                _learn(wiki, found)
            case "page" if not event.is_end:
                page = _page(found)
                if page.namespace == _ARTICLES and not page.is_redirect:
                    yield _article(path, page, wiki)


def _learn(wiki: _Wiki, found: Iterator[Event]) -> None:
    for event in found:
        match event.name:
            case "siteinfo":
                return
            case "sitename" if not event.is_end:
                wiki.name = _text(found, "sitename") or ""
            case "base" if not event.is_end:
                wiki.base = _text(found, "base") or ""
            case "namespace" if not event.is_end:
                name = _text(found, "namespace") or ""
                if event.given.get("key") in {_FILES, _CATEGORIES}:
                    wiki.unread.add(name.casefold())


def _page(found: Iterator[Event]) -> _Page:
    page = _Page()
    for event in found:
        if event.is_end and event.name == "page":
            break
        if event.is_end:
            continue
        match event.name:
            case "title":
                page.title = " ".join((_text(found, "title") or "").split())
            case "ns":
                page.namespace = (_text(found, "ns") or "").strip()
            case "redirect":
                page.is_redirect = True
            case "timestamp":
                page.changed = _text(found, "timestamp") or ""
            case "text":
                page.text = _text(found, "text")
    return page


def _text(found: Iterable[Event], name: str) -> str | None:
    """The text up to the end of the element; None if it is too large."""
    parts: list[str] = []
    size = 0
    for event in found:
        if event.is_end and event.name == name:
            break
        size += len(event.text)
        if size <= MAX_BYTES:
            parts.append(event.text)
    return "".join(parts) if size <= MAX_BYTES else None


def _article(path: str, page: _Page, wiki: _Wiki) -> Document | Skip:
    address = in_collection(path, stated.line(page.title)[:_LONGEST_NAME] or "?")
    if page.text is None:
        return Skip(address, TOO_LARGE)
    try:
        return document(
            address,
            wikitext.blocks(page.text, wiki.unread),
            title=page.title,
            date=iso_date(page.changed),
            source=stated.line(wiki.name),
            language=wiki.language,
            metadata={"url": _url(wiki.base, page.title)} if wiki.base else {},
        )
    except ReadError as error:
        return Skip(address, str(error))


def _url(base: str, title: str) -> str:
    """Where the wiki has the page: its main page's address with another name."""
    return f"{base.rpartition('/')[0]}/{quote(title.replace(' ', '_'), safe='/:(),')}"
