"""A web page -> a `Document` whose text is taken from its main content; follows no link and runs no script."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semsearch.errors import ReadError
from semsearch.read.blocks import Block, laid_out
from semsearch.read.dates import date_in_name, iso_date
from semsearch.read.decode import decode
from semsearch.read.html_facts import facts
from semsearch.read.html_furniture import is_furniture
from semsearch.read.html_markup import BLOCKS, declared, tamed
from semsearch.read.outline import LONGEST_HEADING, Heading, sections
from semsearch.types import NOTHING, Document

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

# fmt: off
_DROPPED = frozenset({
    "aside", "audio", "button", "canvas", "datalist", "embed", "footer", "header", "iframe", "map", "nav", "noembed",
    "noframes", "noscript", "object", "script", "select", "style", "svg", "template", "textarea", "title", "video",
})
# fmt: on
_OF_BOOKS = frozenset({"aside", "footer", "header"})
_MOST_LEFT_OUT = 4
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INVISIBLE = {0x00AD: None, 0x200B: None, 0xFEFF: None}  # soft hyphen and zero-width spaces, which split words
_SPACE = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class _Block:
    """A paragraph, a list item, a heading: its text, and where it was found.

    `level` is 1 to 6 for a heading, else 0; `article` numbers the outermost `<article>` around it, 0 for none; `time`
    is what its first `<time datetime>` states.
    """

    text: str
    level: int
    article: int
    in_main: bool
    time: str


def read(path: str, data: bytes) -> Document:
    """The document in a web page: its largest article, or else its main part, or else all but the furniture.

    Raises:
        ReadError: it is not text, or there is no text in it.
    """
    return document(path, decode(data, declared(data)))


def document(path: str, markup: str) -> Document:
    """The same for the source of a page that is decoded already.

    Raises:
        ReadError: there is no text in it.
    """
    tree = _tree(markup)
    content = _content(_blocks(tree))
    if not content:
        raise ReadError("no text in it")
    text, headings, _ = laid_out(Block(block.text, block.level) for block in content)
    known = facts(tree)
    first = next((heading for heading in headings if heading.level == 1), None)
    title = known.headline or (first.words if first else "") or known.title
    return Document(
        path,
        text,
        title=title,
        date=known.date or _time(content) or date_in_name(path),
        author=known.author,
        source=known.source,
        language=known.language,
        metadata={"url": known.url} if known.url else NOTHING,
        sections=sections(text, headings, title=first if first and _is_title(first, title) else None),
        has_lines=False,
    )


def chapter(data: bytes) -> list[Block]:
    """The blocks of a page of a book, all of them: what is furniture on the web are notes and mottos there.

    Raises:
        ReadError: it is not text.
    """
    blocks = _Extractor(_tree(decode(data, declared(data))), _DROPPED - _OF_BOOKS, by_name=False).blocks
    return [Block(block.text, block.level) for block in blocks]


def _tree(markup: str) -> LexborHTMLParser:
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 - only a folder with web pages needs it

    return LexborHTMLParser(tamed(markup))


def _blocks(tree: LexborHTMLParser) -> list[_Block]:
    """The blocks of a page without what is named as furniture, unless that is nearly all of it."""
    kept = _Extractor(tree, _DROPPED)
    if kept.left_out > _MOST_LEFT_OUT * sum(len(block.text) for block in kept.blocks):
        return _Extractor(tree, _DROPPED, by_name=False).blocks
    return kept.blocks


def _content(blocks: Sequence[_Block]) -> list[_Block]:
    """The blocks of the article with the most text, or else of the main part, or else all."""
    sizes = Counter[int]()
    for block in blocks:
        sizes[block.article] += len(block.text)
    del sizes[0]
    if sizes:
        largest = max(sizes, key=sizes.__getitem__)
        return [block for block in blocks if block.article == largest]
    return [block for block in blocks if block.in_main] or list(blocks)


def _time(content: Sequence[_Block]) -> str:
    return next((day for block in content if (day := iso_date(block.time))), "")


def _is_title(heading: Heading, title: str) -> bool:
    """Whether a heading repeats the title, which may go on with the name of the site: `Words | The Paper`."""
    words, title = heading.words.casefold(), title.casefold()
    return title == words or (title.startswith(words) and title[len(words) :].lstrip()[:1] in "|-–—·•")


class _Extractor:
    """Goes through the tree of a page, without recursion, and gathers its blocks."""

    def __init__(self, tree: LexborHTMLParser, dropped: frozenset[str], *, by_name: bool = True) -> None:
        self.dropped = dropped
        self.by_name = by_name
        self.left_out = 0
        self.blocks: list[_Block] = []
        self.parts: list[str] = []
        self.inside = Counter[str]()
        self.level = 0
        self.articles = 0
        self.time = ""
        self.hidden = _hidden(tree)
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
            self._leave(above.tag or "")
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
        self._begin(tag)
        return True

    def _is_dropped(self, tag: str, node: LexborNode) -> bool:
        is_inside = self.inside["article"] or self.inside["main"]
        if (tag in self.dropped and not (tag == "header" and is_inside)) or node.mem_id in self.hidden:
            return True
        if self.by_name and is_furniture(tag, node):
            self.left_out += len(node.text())
            return True
        return False

    def _begin(self, tag: str) -> None:
        if tag == "article" and not self.inside["article"]:
            self.articles += 1
        if tag in _HEADINGS:
            self.level = _HEADINGS[tag]
        self.inside[tag] += 1

    def _leave(self, tag: str) -> None:
        if tag in BLOCKS:
            self._end_block()
        if tag in _HEADINGS:
            self.level = 0
        self.inside[tag] -= 1

    def _add(self, text: str) -> None:
        text = text.translate(_INVISIBLE)
        self.parts.append(text if self.inside["pre"] else _SPACE.sub(" ", text))

    def _end_block(self) -> None:
        """Make a block of what was gathered: white space collapsed except in `<pre>`, a line for each `<br>`."""
        text = "".join(self.parts)
        self.parts.clear()
        if self.inside["pre"]:
            text = text.strip("\n") if text.strip() else ""
        else:
            text = _BLANK_LINES.sub("\n\n", "\n".join(" ".join(line.split()) for line in text.split("\n"))).strip()
        if not text:
            return
        level = self.level if len(text) <= LONGEST_HEADING else 0
        article = self.articles if self.inside["article"] else 0
        self.blocks.append(_Block(text, level, article, self.inside["main"] > 0, self.time))
        self.time = ""


def _hidden(tree: LexborHTMLParser) -> set[int]:
    """The elements that are marked as hidden, and forms; but not a form that the page's content stands in."""
    hidden = {node.mem_id for node in tree.css("[hidden], [aria-hidden=true]")}
    forms = (form for form in tree.css("form") if form.css_first("article, main, h1") is None)
    return hidden | {form.mem_id for form in forms}
