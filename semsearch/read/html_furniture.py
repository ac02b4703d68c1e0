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
    "subscription", "toc", "topnav",
})
# What a name may say besides; "elementor-widget", "social-security" and "related-work" say more, and are content.
_OF_FORM = frozenset({
    "action", "actions", "after", "area", "article", "articles", "banner", "bar", "before", "block", "body", "bottom",
    "box", "btn", "button", "buttons", "col", "column", "container", "content", "desktop", "entry", "floating", "form",
    "group", "head", "header", "heading", "icon", "icons", "inner", "item", "items", "js", "left", "link", "links",
    "list", "main", "media", "meta", "mobile", "modal", "more", "news", "notice", "outer", "overlay", "page", "panel",
    "policy", "popup", "post", "posts", "primary", "right", "row", "secondary", "section", "side", "site", "sticky",
    "stories", "title", "tools", "top", "widget", "wp", "wrap", "wrapper",
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
    """Whether a name has a word for furniture, and no word that it would not need for that."""
    words = {word.lower() for word in _WORD.findall(name)}
    return not name.startswith(_OF_TOPICS) and bool(words & _FURNITURE) and words <= _FURNITURE | _OF_FORM
