"""The markup of a wiki (MediaWiki's wikitext) -> the blocks of its text; expands no template and follows no link.

What a template would say is not in the text, but for those that only mark what they hold. Each pass goes over the text
once, whatever it is: what is opened and never closed is text, but for the sign that opened it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from html import unescape

from semsearch.read.blocks import Block

_DROPPED = frozenset({
    "gallery", "graph", "hiero", "imagemap", "mapframe", "math", "ref", "references", "score", "templatedata",
    "templatestyles", "timeline",
})  # fmt: skip
"""Elements of which nothing is running text."""

_ELEMENT = re.compile(rf"<(/?)({'|'.join(sorted(_DROPPED, key=len, reverse=True))})\b([^<>]*)>", re.IGNORECASE)
_SIGN = re.compile(r"\{\{|\}\}|\{\||\|\}(?!\})|\[\[|\]\]")
_CLOSING = {"}}": "{{", "|}": "{|", "]]": "[["}
_DEEPEST = 40
_MARKING = frozenset({"lang", "nowrap", "small", "transl", "nobold", "noitalic", "smallcaps", "abbr"})
"""Templates that only mark what they hold, by the first part of their names."""

_OUTWARD = re.compile(r"\[(?:(?:https?:|ftp:)?//|mailto:)[^\s\]\[]*(?:[ \t]([^\]\[\n]*))?\]", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_BREAK = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
_QUOTES = re.compile(r"'{2,}")
_ITALIC, _BOLD, _BOTH = 2, 3, 5  # quotes
_WORD = re.compile(r"__[A-Z]+__")
_HEADING = re.compile(r"(={1,6})(.+?)\1")
_LIST = re.compile(r"[*#:;]+\s*")
_OTHER_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z-]+)?:")


def blocks(text: str, unread: Collection[str] = ()) -> list[Block]:
    """The headings, paragraphs, items of lists and rows of tables, in order; no heading without text below it.

    Args:
        text: the markup.
        unread: namespaces, in lower case, that links to are no text of: those of files and categories.
    """
    text = _without_elements(_without_comments(text.replace("\0", "")))
    text = _without_markup(_resolved(text, unread))
    return _with_text(list(_lines(text)))


def _without_comments(text: str) -> str:
    parts: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        parts.append(text[at:start])
        at = end + 3
    return "".join([*parts, text[at:]])


def _without_elements(text: str) -> str:
    """Without footnotes, formulas and the like."""
    marks = [found for found in _ELEMENT.finditer(text) if not found[3].rstrip().endswith("/")]
    ends: dict[str, int] = {}
    stops: list[int] = [0] * len(marks)
    for place in range(len(marks) - 1, -1, -1):
        name = marks[place][2].lower()
        if marks[place][1]:
            ends[name] = marks[place].end()
        stops[place] = ends.get(name, 0)
    parts: list[str] = []
    at = 0
    for mark, stop in zip(marks, stops, strict=True):
        if mark.start() >= at and not mark[1] and stop:
            parts.append(text[at : mark.start()])
            at = stop
    return "".join([*parts, text[at:]])


def _resolved(text: str, unread: Collection[str]) -> str:
    """With links as the words that are shown, and without templates; tables as a line a row."""
    open_: list[tuple[str, list[str]]] = [("", [])]
    at = 0
    for found in _SIGN.finditer(text):
        open_[-1][1].append(text[at : found.start()])
        at, sign = found.end(), found[0]
        if sign not in _CLOSING:
            if len(open_) <= _DEEPEST:
                open_.append((sign, []))
        elif any(opened == _CLOSING[sign] for opened, _ in open_):
            while open_[-1][0] != _CLOSING[sign]:
                _give_up(open_)
            opened, parts = open_.pop()
            open_[-1][1].append(_shown(opened, "".join(parts), unread))
    open_[-1][1].append(text[at:])
    while len(open_) > 1:
        _give_up(open_)
    return "".join(open_[0][1])


def _give_up(open_: list[tuple[str, list[str]]]) -> None:
    """Take what was opened and not closed for text."""
    _, parts = open_.pop()
    open_[-1][1].append("".join(parts))


def _shown(sign: str, inside: str, unread: Collection[str]) -> str:
    if sign == "[[":
        return _of_link(inside, unread)
    return _of_template(inside) if sign == "{{" else _of_table(inside)


def _of_link(inside: str, unread: Collection[str]) -> str:
    target, bar, words = inside.partition("|")
    target = target.strip()
    if target.partition(":")[0].strip().casefold() in unread or (not bar and _OTHER_LANGUAGE.match(target)):
        return ""
    return words.rpartition("|")[2] if bar and words else target.lstrip(":")


def _of_template(inside: str) -> str:
    name, *values = inside.split("|")
    plain = [value for value in values if "=" not in value]
    return plain[-1].strip() if plain and name.strip().casefold().partition("-")[0] in _MARKING else ""


def _of_table(inside: str) -> str:
    rows: list[list[list[str]]] = [[]]  # of cells, of lines
    for line in map(str.strip, inside.split("\n")[1:]):
        if line.startswith("|-"):
            rows.append([])
        elif line.startswith("|+"):
            rows += [[[line[2:].rpartition("|")[2]]], []]
        elif line.startswith(("|", "!")):
            rows[-1] += [[cell.rpartition("|")[2].strip()] for cell in re.split(r"\|\||!!", line[1:])]
        elif rows[-1]:
            rows[-1][-1].append(line)
    shown = ("\t".join(" ".join(cell) for cell in row).strip() for row in rows)
    return "\n".join(["", *shown, ""])


def _without_markup(text: str) -> str:
    text = _OUTWARD.sub(lambda found: (found[1] or "").strip(), text)
    text = _TAG.sub("", _BREAK.sub("\n", text))
    text = "\n".join(_without_quotes(line) if "''" in line else line for line in text.split("\n"))
    return unescape(_WORD.sub("", text))


def _without_quotes(line: str) -> str:
    """Without the signs of italics and bold.

    Where both are left open, one bold is an apostrophe before italics, as in `dans l'''Odyssée''`.
    """
    runs = [(found.start(), len(found[0])) for found in _QUOTES.finditer(line)]
    kept = {at: 1 if size == _BOLD + 1 else max(size - _BOTH, 0) for at, size in runs}
    bold = [at for at, size in runs if size == _BOLD]
    italics = sum(size == _ITALIC or size >= _BOTH for _, size in runs)
    if bold and italics % 2 and (len(runs) - sum(size == _ITALIC for _, size in runs)) % 2:
        kept[min(bold, key=lambda at: _oddity(line[max(at - 2, 0) : at]))] = 1
    return _QUOTES.sub(lambda found: "'" * kept[found.start()], line)


def _oddity(before: str) -> int:
    """How unlikely an apostrophe is behind these two letters: least after a word of one, most after none."""
    return 2 if before.endswith(" ") else 0 if before.startswith(" ") else 1


def _lines(text: str) -> Iterator[Block]:
    for line in text.split("\n"):
        stripped = line.strip()
        heading = _HEADING.fullmatch(stripped)
        if heading and heading[2].strip():
            yield Block(" ".join(heading[2].split()), len(heading[1]))
            continue
        words = _LIST.sub("", stripped, count=1) if _LIST.match(stripped) else stripped
        if words.strip("-"):
            yield Block("\t".join(" ".join(cell.split()) for cell in words.split("\t")))


def _with_text(found: list[Block]) -> list[Block]:
    """Without headings below which is nothing: what stood there was no running text."""
    kept: list[Block] = []
    below = 0  # the level of what comes next, 7 for text
    for block in reversed(found):
        level = block.level or 7
        if not block.level or level < below:
            kept.append(block)
            below = level
    return kept[::-1]
