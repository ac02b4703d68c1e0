"""The source of a page before it is parsed: the encoding that it declares, and limits that keep parsing linear.

The parser follows the HTML standard, which is quadratic in places: 100,000 nested `<div>` take it 12 seconds, and
formatting elements that are never closed are opened again in every paragraph. Here the start tags beyond a limit become
`<br>` or `<wbr>`, which cannot nest, so that the text is kept, and so are its lines.
"""

from __future__ import annotations

import re
from collections import Counter

from semsearch.errors import ReadError

# fmt: off
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details", "dialog",
    "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
    "h6", "header", "hgroup", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "optgroup", "option", "p",
    "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
})
"""Elements that begin a new line in the text."""

_FORMATTING = frozenset({
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
})
_SELF_CLOSING = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "dd", "dt", "head", "li", "optgroup", "option", "p", "rp", "rt", "tbody", "td", "tfoot", "th", "thead", "tr",
})
"""Void elements, and those that the next of their kind closes: they do not nest by themselves."""
# fmt: on

_DEEPEST = 512  # as in browsers
_MOST_FORMATTING = 8
_HEAD = 4096
_META = re.compile(rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([A-Za-z0-9_.-]+)")
_LONG_TAG = re.compile(r"(<[a-z][^\s<>/]{0,30}+)[^<>]{16384,}", re.IGNORECASE)
_TAG = re.compile(
    r"""<!--.*?(?:-->|\Z)
    | <(script|style)\b.*?(?:</\1|\Z)
    | <(?P<end>/?)(?P<name>[a-z][^\s/<>]*)(?P<rest>[^<>]*>)?""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_PART = re.compile(r"""[\s/"']+""")
_MOST_PARTS = 1_000_000
"""Tags and their attributes, each of which takes the parser some 200 bytes; long pages have some ten thousand."""

_XML_EMPTY = re.compile(r"<([A-Za-z][\w:-]*)([^<>]*)/>")


def declared(data: bytes) -> str:
    """The encoding that the page declares in its first 4 KiB, "" for none."""
    found = _META.search(data, 0, _HEAD) or _XML.match(data, 0, _HEAD)
    return found[1].decode("ascii") if found else ""


def tamed(markup: str) -> str:
    """The same page in source that is parsed in linear time.

    Raises:
        ReadError: it has so many tags and attributes that it is no article.
    """
    if markup.lstrip().startswith("<?xml"):
        markup = _XML_EMPTY.sub(_closed, markup)
    return _TAG.sub(_Limits().tag, _LONG_TAG.sub(r"\1", markup))


def _closed(tag: re.Match[str]) -> str:
    """`<script src="x"/>` as HTML has to write it; as it stands, the rest of the page would be the script."""
    name = tag[1].lower()
    return tag[0] if name in _SELF_CLOSING else f"<{tag[1]}{tag[2]}></{tag[1]}>"


class _Limits:
    """Counts the elements that are open, tag by tag, and takes the start tags beyond the limits out of the nesting."""

    def __init__(self) -> None:
        self.open = Counter[str]()
        self.out = Counter[str]()
        self.depth = {True: 0, False: 0}
        self.parts = 0

    def tag(self, tag: re.Match[str]) -> str:
        """What to write for a tag, or for a comment or script, which is passed on as it is."""
        name, rest = (tag["name"] or "").lower(), tag["rest"] or ""
        self.parts += 1 + len(_PART.findall(rest))
        if self.parts > _MOST_PARTS:
            raise ReadError("more than a million tags and attributes, so it is no article")
        is_block = name in BLOCKS
        is_empty = rest.endswith("/>") and not is_block and name not in _FORMATTING
        if not name or name in _SELF_CLOSING or is_empty:
            return tag[0]
        kept = self._end(name) if tag["end"] else self._start(name)
        return tag[0] if kept else ("<br" if is_block else "<wbr") + rest

    def _start(self, name: str) -> bool:
        formatting = name in _FORMATTING
        is_second_body = name in {"body", "html"} and self.open[name] > 0
        if is_second_body or self.depth[formatting] >= (_MOST_FORMATTING if formatting else _DEEPEST):
            self.out[name] += 1
            return False
        self.open[name] += 1
        self.depth[formatting] += 1
        return True

    def _end(self, name: str) -> bool:
        if self.out[name]:
            self.out[name] -= 1
            return False
        if self.open[name]:
            self.open[name] -= 1
            self.depth[name in _FORMATTING] -= 1
        return True
