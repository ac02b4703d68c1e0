"""What the names of an element say of it: whether it stands around the content of a page; looks at no text.

Sites that mark nothing with elements of HTML 5 still name what is not the article, by `class`, `id` and `role`: menus,
notices on cookies, related links, comments. Nothing counts as furniture that has the page's content within it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

# fmt: off
_NAMED = frozenset({"details", "div", "dl", "form", "ol", "p", "section", "table", "td", "ul"})
_ROLES = frozenset({"alertdialog", "complementary", "contentinfo", "dialog", "menu", "menubar", "navigation", "search"})
_FURNITURE = frozenset({
    "ad", "ads", "advert", "advertisement", "advertising", "adverts", "breadcrumb", "breadcrumbs", "comment",
    "commentlist", "comments", "consent", "cookie", "cookies", "disqus", "footer", "gdpr", "menu", "nav", "navbar",
    "navfooter", "navheader", "navigation", "newsletter", "pager", "pagination", "promo", "recommended", "related",
    "share", "sharedaddy", "sharing", "sidebar", "signup", "social", "sponsor", "sponsored", "subscribe",
    "subscription", "toc", "topnav", "widget",
})
# fmt: on
_OF_TOPICS = ("category-", "tag-", "type-", "format-", "has-", "with-", "no-", "js-")
_WORD = re.compile(r"[a-z]+|[A-Z][a-z]*")
_CONTENT = "main, h1, [role=main]"


def is_furniture(tag: str, node: LexborNode) -> bool:
    """Whether an element is named as what stands around the content, and has no content within it."""
    if tag not in _NAMED:
        return False
    given = node.attributes
    if not given:
        return False
    named = given.get("role") in _ROLES or any(map(_says_furniture, _names(tag, given)))
    return named and node.css_first(_CONTENT) is None


def _names(tag: str, given: Mapping[str, str | None]) -> list[str]:
    """The classes and the id, but not the id of a section, which says what the section is about."""
    classes, name = given.get("class") or "", given.get("id") or ""
    is_of_section = tag == "section" or "section" in classes or "." in name
    return classes.split() if is_of_section else [*classes.split(), name]


def _says_furniture(name: str) -> bool:
    return not name.startswith(_OF_TOPICS) and any(word.lower() in _FURNITURE for word in _WORD.findall(name))
