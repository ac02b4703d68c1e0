"""What a page says of itself, in its head and in JSON-LD; reads none of its text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semsearch.read.html_dates import in_head

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a page, "" where it does not say. `headline` is og:title, `title` the `<title>`.

    `is_article` is whether it says that it is one, as manuals, shops and lists of articles do not.
    """

    headline: str
    title: str
    date: str
    author: str
    source: str
    language: str
    url: str
    is_article: bool


def facts(tree: LexborHTMLParser) -> Facts:
    """What the page says of itself."""
    said = _metas(tree)
    linked = _linked(tree)
    title = tree.css_first("head > title, body > title")
    page = tree.css_first("html")
    canonical = tree.css_first("link[rel=canonical]")
    return Facts(
        headline=said.get("og:title", ""),
        title=_line(title.text()) if title else "",
        date=in_head(said, linked),
        author=_author(said, linked),
        source=said.get("og:site_name", ""),
        language=_line(page.attributes.get("lang")) if page else "",
        url=(_line(canonical.attributes.get("href")) if canonical else "") or said.get("og:url", ""),
        is_article=said.get("og:type") == "article" or any("Article" in str(thing.get("@type")) for thing in linked),
    )


def _metas(tree: LexborHTMLParser) -> dict[str, str]:
    """What the `<meta>` elements say, by name or property in lower case; the first that says something counts."""
    said: dict[str, str] = {}
    for meta in tree.css("meta"):
        given = meta.attributes
        name = _line(given.get("property") or given.get("name") or given.get("itemprop")).lower()
        content = _line(given.get("content"))
        if name and content:
            said.setdefault(name, content)
    return said


def _author(said: dict[str, str], linked: list[dict[str, Any]]) -> str:
    named = [said.get("author", ""), said.get("article:author", "")]
    named += [_name(thing.get("author")) for thing in linked]
    return next((name for name in named if name and "://" not in name), "")


def _name(author: Any) -> str:
    """The name of an author in JSON-LD: a string, a thing with a name, or a list of them."""
    if isinstance(author, list):
        return ", ".join(name for one in author if (name := _name(one) if not isinstance(one, list) else ""))
    return _line(author.get("name") if isinstance(author, dict) else author)


def _linked(tree: LexborHTMLParser) -> list[dict[str, Any]]:
    """The things that JSON-LD describes, articles first; what is broken is passed over."""
    things: list[dict[str, Any]] = []
    for script in tree.css("script"):
        if _line(script.attributes.get("type")).lower().startswith("application/ld+json"):
            things += _things(script.text())
    return sorted(things, key=lambda thing: "Article" not in str(thing.get("@type")))


def _things(source: str) -> Iterator[dict[str, Any]]:
    try:
        top = json.loads(source, strict=False)
    except (ValueError, RecursionError):
        return
    for thing in top if isinstance(top, list) else [top]:
        if isinstance(thing, dict):
            yield thing
            graph = thing.get("@graph")
            yield from (inner for inner in graph if isinstance(inner, dict)) if isinstance(graph, list) else ()


def _line(value: Any) -> str:
    """A string in one line and without lone surrogates, which JSON can spell; "" for anything else."""
    return " ".join(value.encode("utf-8", "replace").decode().split()) if isinstance(value, str) else ""
