"""What the names of an element say of it: whether it is the text of an article or stands around it; reads no prose.

Sites that mark nothing with elements of HTML 5 still name what is not the article, by `class`, `id` and `role`: menus,
notices on cookies, related links, comments; and links by `rel`. Nothing counts as furniture that has the page's content
within it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from semsearch.read.html_markup import BLOCKS

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

# fmt: off
_NAMED = frozenset({"details", "div", "dl", "form", "ol", "p", "section", "table", "td", "ul"})
_ROLES = frozenset({"alertdialog", "complementary", "contentinfo", "dialog", "menu", "menubar", "navigation", "search"})
_FURNITURE = frozenset({
    "ad", "ads", "advert", "advertisement", "advertising", "adverts", "breadcrumb", "breadcrumbs", "comment",
    "commentlist", "comments", "consent", "cookie", "cookies", "disqus", "footer", "gdpr", "menu", "nav", "navbar",
    "navfooter", "navheader", "navigation", "newsletter", "outbrain", "pager", "pagination", "popular", "promo",
    "recommended", "related", "respond", "share", "sharedaddy", "sharing", "sidebar", "signup", "social", "sponsor",
    "sponsored", "subscribe", "subscription", "taboola", "toc", "topnav", "trending",
})
# What a name may say besides; "elementor-widget", "social-security" and "related-work" say more, and are content.
_OF_FORM = frozenset({
    "action", "actions", "after", "area", "article", "articles", "banner", "bar", "before", "block", "body", "bottom",
    "box", "btn", "button", "buttons", "col", "column", "container", "content", "desktop", "entry", "floating", "form",
    "group", "head", "header", "heading", "icon", "icons", "inner", "item", "items", "js", "left", "link", "links",
    "list", "main", "media", "meta", "mobile", "modal", "more", "most", "news", "notice", "outer", "overlay", "page",
    "panel", "policy", "popup", "post", "posts", "primary", "read", "reply", "right", "row", "secondary", "section",
    "side", "site", "skip", "sticky", "stories", "sub", "text", "thread", "title", "tools", "top", "viewed", "widget",
    "wrap", "wrapper",
})
# fmt: on
_NAMES_KEPT = 4096
"""Names of a page, or of many of one site, that are looked at once."""
_OF_SITE = 2
"""Letters of the marks that sites put before their names, as in `sf_comment`."""
_OF_CONTENTS = frozenset({"table", "of", "contents"})
_OF_TOPICS = ("category-", "tag-", "type-", "format-", "has-", "with-", "no-", "js-")
_WORD = re.compile(r"[a-z]+|[A-Z][a-z]*")
_MAIN = "main, [role=main]"
STATED_BODY = "[itemprop~=articleBody]"
_BODY = re.compile(
    r"(?:article|artikel|blog|entry|post|story)(?:body|content|copy|entry|text|txt)|body(?:copy|text)|contenttext|^entry$"
)
_BODY_TAGS = frozenset({"article", "div", "section", "span", "td"})
_AROUND = "a[rel~=next], a[rel~=prev], a[rel~=previous], a[rel~=up], a[rel~=contents]"
_MOST_AROUND = 40
"""Characters beside the links of a line that leads to the pages before and after: "Next:", "Up:"."""
_DEEPEST_LINK = 8
_LABELS = frozenset({"edit", "source", "src", "view source"})


class Furniture:
    """What of a page is no part of its text, as far as it takes the whole page to tell."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        self.mains = {node.mem_id for node in tree.css("[role=main]") if node.tag != "main"}
        self.content = _MAIN if tree.css_first(_MAIN) else f"{_MAIN}, h1"
        self.hidden = {node.mem_id for node in tree.css("[hidden], [aria-hidden=true]")}
        self.hidden |= {form.mem_id for form in tree.css("form") if form.css_first("article, main, h1") is None}
        self.hidden |= {_bracketed(link).mem_id for link in tree.css("a") if _is_label(link)}
        self.hidden |= {line.mem_id for line in _lines_around(tree)}

    def is_named(self, tag: str, node: LexborNode) -> bool:
        """Whether an element is named as what stands around the content, and has no content within it."""
        if tag not in _NAMED:
            return False
        given = node.attributes
        if not given:
            return False
        named = given.get("role") in _ROLES or any(map(_says_furniture, _names(tag, given)))
        return named and node.css_first(self.content) is None


def states_body(node: LexborNode) -> bool:
    """Whether an element says by schema.org that it is the text of an article."""
    return "articleBody" in (node.attributes.get("itemprop") or "").split()


def leads_away(link: LexborNode) -> bool:
    """Whether a link leads to another page."""
    href = link.attributes.get("href") or ""
    return bool(href) and not href.startswith("#")


def is_body(tag: str, node: LexborNode) -> bool:
    """Whether an element is named as the text of an article, as blogs and papers do: `entry-content`, `articleBody`."""
    if tag not in _BODY_TAGS:
        return False
    given = node.attributes
    return bool(given) and (states_body(node) or any(map(_says_body, _names(tag, given))))


@lru_cache(_NAMES_KEPT)
def _says_body(name: str) -> bool:
    words = [word.lower() for word in _WORD.findall(name)]
    return bool(_BODY.search("".join(words))) and _FURNITURE.isdisjoint(words)


def _is_label(link: LexborNode) -> bool:
    """A link to where it stands, or to the source of what is beside it: `¶`, `[source]`."""
    given = link.attributes
    href = given.get("href") or ""
    text = link.text().strip()
    if href.startswith("#"):
        return not any(map(str.isalnum, text))
    return text.strip("[]").casefold() in _LABELS and (bool(given.get("class")) or _bracketed(link) is not link)


def _bracketed(link: LexborNode) -> LexborNode:
    """The element that puts a link in brackets, or the link itself."""
    around, before, after = link.parent, link.prev, link.next
    if around is None or around.tag != "span" or before is None or after is None:
        return link
    is_whole = before.prev is None and after.next is None and (_text(before), _text(after)) == ("[", "]")
    return around if is_whole else link


def _text(node: LexborNode) -> str:
    return ((node.text_content if node.tag == "-text" else node.text()) or "").strip()


def _lines_around(tree: LexborHTMLParser) -> Iterator[LexborNode]:
    """The blocks around links to neighbouring pages that have little but links."""
    lines = {line.mem_id: line for link in tree.css(_AROUND) if (line := _line_of(link))}
    for line in lines.values():
        if len(line.text()) - sum(len(link.text()) for link in line.css("a")) <= _MOST_AROUND:
            yield line


def _line_of(link: LexborNode) -> LexborNode | None:
    line = link.parent
    for _ in range(_DEEPEST_LINK):
        if line is not None and line.tag not in BLOCKS:
            line = line.parent
    return None if line is None or line.tag not in BLOCKS or line.tag == "body" else line


def _names(tag: str, given: Mapping[str, str | None]) -> list[str]:
    """The classes and the id, but not the id of a section, which says what the section is about."""
    classes, name = given.get("class") or "", given.get("id") or ""
    is_of_section = tag == "section" or "section" in classes or "." in name
    if is_of_section and set(_WORD.findall(name)) == _OF_CONTENTS:
        is_of_section = False
    return classes.split() if is_of_section else [*classes.split(), name]


@lru_cache(_NAMES_KEPT)
def _says_furniture(name: str) -> bool:
    """Whether a name has a word for furniture, and no word that it would not need for that."""
    words = {word.lower() for word in _WORD.findall(name)}
    if words == _OF_CONTENTS:
        return True
    more = (word for word in words - _FURNITURE - _OF_FORM if len(word) > _OF_SITE or word == "no")
    return bool(words & _FURNITURE) and not name.startswith(_OF_TOPICS) and not any(more)
