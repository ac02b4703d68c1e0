"""The tree of a page -> its blocks in order, without what its elements say is none of its text; chooses no article."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semsearch.read.html_furniture import STATED_BODY, Furniture, is_body, leads_away
from semsearch.read.html_markup import BLOCKS
from semsearch.read.outline import LONGEST_HEADING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

# fmt: off
_DROPPED = frozenset({
    "aside", "audio", "button", "canvas", "datalist", "embed", "footer", "header", "iframe", "map", "nav", "noembed",
    "noframes", "noscript", "object", "script", "select", "style", "svg", "template", "textarea", "title", "video",
})
# fmt: on
_OF_BOOKS = frozenset({"aside", "footer", "header"})
_MOST_LEFT_OUT, _LEAST_KEPT = 4, 250
_DEEPEST_BODY = 8
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INVISIBLE = {0x00AD: None, 0x200B: None, 0xFEFF: None}  # soft hyphen and zero-width spaces, which split words
_SPACE = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A paragraph, a list item, a heading: its text, and where it was found.

    `level` is 1 to 6 for a heading, else 0; `article` numbers the outermost `<article>` around it, 0 for none; `bodies`
    number the elements around it that are named as the text of an article, from without; `size` is its length in UTF-8,
    where Chinese takes as much for as many words as English; `linked` is how much of that are links; `time` is what its
    first `<time datetime>` states.
    """

    text: str
    level: int
    article: int
    in_main: bool
    bodies: tuple[int, ...]
    size: int
    linked: int
    time: str


def found_in(tree: LexborHTMLParser) -> list[Found]:
    """The blocks of a page without what is named as furniture, unless that is nearly all of it."""
    kept = _Extractor(tree, _DROPPED)
    size = sum(len(block.text) for block in kept.blocks)
    if size < _LEAST_KEPT and kept.left_out > _MOST_LEFT_OUT * size:
        return _Extractor(tree, _DROPPED, by_name=False).blocks
    return kept.blocks


def found_in_chapter(tree: LexborHTMLParser) -> list[Found]:
    """The blocks of a page of a book, all of them: what is furniture on the web are notes and mottos there."""
    return _Extractor(tree, _DROPPED - _OF_BOOKS, by_name=False).blocks


class _Extractor:
    """Goes through the tree of a page, without recursion, and gathers its blocks."""

    def __init__(self, tree: LexborHTMLParser, dropped: frozenset[str], *, by_name: bool = True) -> None:
        self.dropped = dropped
        self.by_name = by_name
        self.left_out = 0
        self.blocks: list[Found] = []
        self.parts: list[str] = []
        self.inside = Counter[str]()
        self.level = 0
        self.articles = 0
        self.bodies: list[int] = []
        self.links: list[int] = []
        self.linked = 0
        self.time = ""
        self.furniture = Furniture(tree)
        if tree.body is not None:
            self._gather(tree.body)

    def _gather(self, top: LexborNode) -> None:
        node: LexborNode | None = top
        depth = 0
        while node is not None:
            below = node.first_child if self._enters(node, depth) else None
            if below is not None:
                node, depth = below, depth + 1
            else:
                node, depth = self._after(node, depth)

    def _after(self, node: LexborNode, depth: int) -> tuple[LexborNode | None, int]:
        """The node that comes after this one and all that is below it; the elements that end in between are left."""
        while depth:
            beside = node.next
            if beside is not None:
                return beside, depth
            above = node.parent
            assert above is not None
            self._leave(above.tag or "", above)
            node, depth = above, depth - 1
        return None, 0

    def _enters(self, node: LexborNode, depth: int) -> bool:
        """Take note of a node on the way down, and say whether to look at what is below it.

        Nodes without anything below are not left again: nothing that they would end has begun.
        """
        tag = node.tag or ""
        if tag == "-text":
            self._add(node.text_content or "")
            return False
        if tag == "br":
            self.parts.append("\n")
        elif tag in BLOCKS:
            self._end_block()
        if depth and self._is_dropped(tag, node):
            return False
        if tag == "time" and not self.time:
            self.time = node.attributes.get("datetime") or ""
        if node.first_child is None:
            return False
        self._begin(tag, node)
        return True

    def _is_dropped(self, tag: str, node: LexborNode) -> bool:
        is_inside = self.inside["article"] or self.inside["main"] or self.inside["section"]
        if node.mem_id in self.furniture.hidden:
            return True
        if tag in self.dropped:
            return not (tag == "header" and is_inside) and not (tag == "aside" and node.css_first(STATED_BODY))
        if self.by_name and self.furniture.is_named(tag, node):
            self.left_out += len(node.text())
            return True
        return False

    def _begin(self, tag: str, node: LexborNode) -> None:
        if tag == "article" and not self.inside["article"]:
            self.articles += 1
        if tag in _HEADINGS:
            self.level = _HEADINGS[tag]
        if len(self.bodies) < _DEEPEST_BODY and is_body(tag, node):
            self.bodies.append(node.mem_id)
        if tag == "a" and leads_away(node):
            self.links.append(node.mem_id)
        if node.mem_id in self.furniture.mains:
            self.inside["main"] += 1
        self.inside[tag] += 1

    def _leave(self, tag: str, node: LexborNode) -> None:
        if tag in BLOCKS:
            self._end_block()
        if tag in _HEADINGS:
            self.level = 0
        if self.bodies and self.bodies[-1] == node.mem_id:
            self.bodies.pop()
        if self.links and self.links[-1] == node.mem_id:
            self.links.pop()
        if node.mem_id in self.furniture.mains:
            self.inside["main"] -= 1
        self.inside[tag] -= 1

    def _add(self, text: str) -> None:
        text = text.translate(_INVISIBLE)
        if self.links:
            self.linked += len(text.strip().encode())
        self.parts.append(text if self.inside["pre"] else _SPACE.sub(" ", text))

    def _end_block(self) -> None:
        """Make a block of what was gathered: white space collapsed except in `<pre>`, a line for each `<br>`."""
        text = "".join(self.parts)
        self.parts.clear()
        linked, self.linked = self.linked, 0
        if self.inside["pre"]:
            text = text.strip("\n") if text.strip() else ""
        else:
            text = _BLANK_LINES.sub("\n\n", "\n".join(" ".join(line.split()) for line in text.split("\n"))).strip()
        if not text:
            return
        level = self.level if len(text) <= LONGEST_HEADING else 0
        article = self.articles if self.inside["article"] else 0
        in_main, bodies = self.inside["main"] > 0, tuple(self.bodies)
        size = len(text.encode())
        self.blocks.append(Found(text, level, article, in_main, bodies, size, min(linked, size), self.time))
        self.time = ""
