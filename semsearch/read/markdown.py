"""Markdown -> a `Document` whose text is the decoded file itself, markup and all; renders nothing."""

from __future__ import annotations

import re

from semsearch.errors import ReadError
from semsearch.read import front_matter
from semsearch.read.dates import date_in_name
from semsearch.read.decode import decode
from semsearch.read.fields import day, language, said
from semsearch.read.outline import LONGEST_HEADING, MOST_HEADINGS, Heading, sections
from semsearch.types import Document

_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*\Z)|~{3,})")
_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_UNDERLINE = re.compile(r" {0,3}(={2,}|-{2,})[ \t]*")
_MARKER = re.compile(r"[>|]|[-*+][ \t]|[0-9]{1,9}[.)][ \t]")
_MARKUP = re.compile(
    r"""\\([!-/:-@\[-`{-~])             # an escaped character: itself
    | !?\[([^\[\]]*)\]\([^()]*\)         # a link or image: its text
    | [*`]+(?=\S) | (?<=\S)[*`]+         # emphasis and code
    | (?<!\w)_+(?=\w) | (?<=\w)_+(?!\w)  # emphasis with _, which within a word is a letter
    """,
    re.VERBOSE,
)


def read(path: str, data: bytes) -> Document:
    """The document in a Markdown file: what its front matter says of it, and a section for each heading.

    Raises:
        ReadError: it is not text, or has no words below its front matter.
    """
    text = decode(data)
    if not text.strip():
        raise ReadError("empty")
    fields, begin = front_matter.split(text)
    headings = find_headings(text, begin)
    first = next((heading for heading in headings if heading.level == 1), None)
    title = said(fields, "title") or (first.words if first else "")
    is_title = first is not None and first.words.casefold() == title.casefold()
    cut = sections(text, headings, begin, first if is_title else None)
    if not cut:
        raise ReadError("no text in it, only front matter")
    return Document(
        path,
        text,
        title=title,
        date=day(fields, "date", "published", "pubdate") or date_in_name(path),
        author=said(fields, "author", "authors"),
        source=said(fields, "source", "url"),
        language=language(fields),
        metadata=fields,
        sections=cut,
    )


def find_headings(text: str, begin: int = 0) -> list[Heading]:
    """The headings from `begin` on, in order: `# x`, and a lone line of words underlined by `===` or `---`.

    None is found in a fenced block of code. An underlined paragraph of several lines is none, nor is a line that is
    too long for one.

    Raises:
        ReadError: there are so many that it is no article.
    """
    found: list[Heading] = []
    fence = ""
    above: re.Match[str] | None = None  # the line before this one, if an underline would make it a heading
    alone = True  # whether the line before this one ends what was above it
    for line in _LINE.finditer(text, begin):
        opened, fence = bool(fence), _fence_after(fence, line[1])
        heading = None if opened or fence else _atx(line) or _underlined(above, line)
        if heading:
            found.append(heading)
            if len(found) > MOST_HEADINGS:
                raise ReadError(f"more than {MOST_HEADINGS:,} headings, so it is no article")
        ends = opened or bool(fence) or heading is not None or not line[1].strip()
        above = line if alone and not ends and _may_be_underlined(line[1]) else None
        alone = ends
    return found


def _fence_after(fence: str, line: str) -> str:
    """The fence of the block of code that is open after this line, "" for none; `fence` is what was open before."""
    mark = _FENCE.match(line)
    if not fence:
        return mark[1] if mark else ""
    closes = mark and mark[1].startswith(fence) and not line[mark.end() :].strip()
    return "" if closes else fence


def _atx(line: re.Match[str]) -> Heading | None:
    found = _ATX.match(line[1])
    if not found:
        return None
    words = found[2].strip()
    body = words.rstrip("#")
    return _heading(len(found[1]), body if not body or body[-1] in " \t" else words, line, line.end())


def _may_be_underlined(line: str) -> bool:
    """Whether a line of words is neither indented code nor in a quotation, list or table, nor a rule."""
    words = line.strip()
    return not line.startswith(("    ", "\t")) and not _MARKER.match(words) and bool(words.strip("-=*_ \t"))


def _underlined(above: re.Match[str] | None, line: re.Match[str]) -> Heading | None:
    mark = above and _UNDERLINE.fullmatch(line[1])
    return _heading(1 if mark[1][0] == "=" else 2, above[1], above, line.end()) if above and mark else None


def _heading(level: int, marked: str, line: re.Match[str], end: int) -> Heading | None:
    words = " ".join(_MARKUP.sub(lambda found: found[1] or found[2] or "", marked).split())
    return Heading(level, words, line.start(), line.end(1), end) if 0 < len(words) <= LONGEST_HEADING else None
