"""A feed (RSS, Atom, JSON Feed) -> a `Document` an entry, by the entry's own id; fetches nothing that it points to.

An entry that says no more than a headline has that for its text, one that says nothing is left out. Entries keep their
ids from one fetch to the next, so that what a feed still has is not stored anew when it is fetched again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple

from semsearch.address import in_collection
from semsearch.errors import ReadError
from semsearch.read import stated
from semsearch.read.blocks import Block, document
from semsearch.read.dates import iso_date
from semsearch.read.decode import decode
from semsearch.read.extra import library
from semsearch.read.front_matter import jsonable
from semsearch.read.html import fragment
from semsearch.types import Document

_END = re.compile(rb"</(?:[\w.-]+:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)
_JSON_FEED = "jsonfeed.org/version/"
_LONGEST_NAME = 500
_MARKUP = frozenset({"html", "xhtml", "text/html", "application/xhtml+xml"})


class _Entry(NamedTuple):
    """What an entry says; `blocks` are its text, none where it has a headline alone."""

    id: str
    url: str
    title: str
    blocks: Sequence[Block]
    date: str
    author: str
    language: str
    tags: Sequence[str]


def read(path: str, data: bytes) -> list[Document]:
    """The entries of an RSS or Atom feed.

    Raises:
        ReadError: it is no feed, has been cut off, or has no entry that says anything.
    """
    if not _END.search(data.replace(b"\0", b"")):  # of UTF-16, every second byte
        raise ReadError("no whole feed: it has no end, and may have been cut off; fetch it again")
    feed = library("feedparser", "feeds").parse(BytesIO(data), sanitize_html=False, resolve_relative_uris=False)
    # As dicts: feedparser's own answer for a date that is missing with another, and warn that they will not for long.
    about = dict(feed.feed)
    entries = (_of_xml(dict(entry), about) for entry in feed.entries)
    return _documents(path, entries, stated.line(about.get("title", "")))


def read_json(path: str, data: bytes) -> list[Document]:
    """The entries of a JSON Feed.

    Raises:
        ReadError: it is no such feed, or has no entry that says anything.
    """
    try:
        feed = jsonable(json.loads(decode(data)))
    except (ValueError, RecursionError) as error:
        raise ReadError("no JSON, or nested too deep") from error
    if not isinstance(feed, dict) or _JSON_FEED not in str(feed.get("version")):
        raise ReadError("no JSON Feed, and no other JSON is read; rows of JSON are, from .jsonl")
    items = feed.get("items")
    entries = (_of_json(item, feed) for item in (items if isinstance(items, list) else []) if isinstance(item, dict))
    return _documents(path, entries, stated.line(str(feed.get("title") or "")))


def _documents(path: str, entries: Iterable[_Entry], source: str) -> list[Document]:
    made = [
        document(
            in_collection(path, (entry.id or entry.url)[:_LONGEST_NAME] or number),
            entry.blocks or [Block(entry.title)],
            title=entry.title,
            date=entry.date,
            author=entry.author,
            source=source,
            language=entry.language,
            metadata=_metadata(entry),
        )
        for number, entry in enumerate(entries, 1)
        if entry.title or any(block.text for block in entry.blocks)
    ]
    if not made:
        raise ReadError("no text in it")
    return made


def _metadata(entry: _Entry) -> dict[str, Any]:
    said: dict[str, Any] = {"url": entry.url, "tags": list(entry.tags)}
    return {name: value for name, value in said.items() if value}


def _of_xml(entry: Mapping[str, Any], feed: Mapping[str, Any]) -> _Entry:
    contents = [*entry.get("content", ()), entry.get("summary_detail") or {}]
    blocks = next((found for each in contents if (found := _blocks(each))), [])
    title = " ".join(block.text for block in _blocks(entry.get("title_detail") or {}))
    return _Entry(
        stated.line(entry.get("id", "")),
        stated.line(entry.get("link", "")),
        stated.line(title),
        blocks,
        _day(entry, "published", "updated", "created"),
        stated.line((entry.get("author_detail") or {}).get("name") or entry.get("author") or feed.get("author", "")),
        stated.line((contents[0].get("language") if contents else "") or feed.get("language", "")),
        [stated.line(tag.get("label") or tag.get("term") or "") for tag in entry.get("tags", ())],
    )


def _blocks(said: Mapping[str, Any]) -> list[Block]:
    """What a part of an entry says; RSS does not state whether that is HTML, and feedparser looks."""
    return _of_markup(said.get("value") or "") if said.get("type") in _MARKUP else _of_text(said.get("value") or "")


def _of_markup(markup: str) -> list[Block]:
    return [block for block in fragment(markup) if block.text]


def _of_text(text: str) -> list[Block]:
    parts = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text.replace("\0", "")))
    return [Block(part) for part in parts if part]


def _day(entry: Mapping[str, Any], *names: str) -> str:
    """When it appeared, as it is stated, or else as feedparser understands that."""
    for name in names:
        parsed = entry.get(f"{name}_parsed")
        if found := iso_date(entry.get(name) or ""):
            return found
        if parsed:
            return f"{parsed[0]:04}-{parsed[1]:02}-{parsed[2]:02}T{parsed[3]:02}:{parsed[4]:02}:{parsed[5]:02}+00:00"
    return ""


def _of_json(item: Mapping[str, Any], feed: Mapping[str, Any]) -> _Entry:
    def said(name: str, of: Mapping[str, Any] = item) -> str:
        value = of.get(name)
        return str(value) if isinstance(value, str | int | float) else ""

    tries: list[tuple[str, Callable[[str], list[Block]]]] = [
        ("content_html", _of_markup), ("content_text", _of_text), ("summary", _of_text),
    ]  # fmt: skip
    tags = item.get("tags")
    return _Entry(
        stated.line(said("id")),
        stated.line(said("url") or said("external_url")),
        stated.line(said("title")),
        next((found for name, blocks in tries if (found := blocks(said(name)))), []),
        iso_date(said("date_published")) or iso_date(said("date_modified")),
        ", ".join(_authors(item) or _authors(feed)),
        stated.line(said("language") or said("language", feed)),
        [stated.line(tag) for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [],
    )


def _authors(of: Mapping[str, Any]) -> list[str]:
    """The names of `authors`, or of `author` as in the first version."""
    several = of.get("authors")
    each = several if isinstance(several, list) else [of.get("author")]
    return [stated.line(one["name"]) for one in each if isinstance(one, dict) and isinstance(one.get("name"), str)]
