"""A PDF -> a `Document` whose text flows across its pages; reads what is written in it, and no picture of a text.

PDFium gives the text line by line, with spaces where letters stand apart; `pdf_lines` makes one text of the lines.
Bookmarks are headings where a line of their page says the same.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from threading import Lock
from typing import Any

from semsearch.errors import ReadError
from semsearch.read import stated
from semsearch.read.dates import date_in_name
from semsearch.read.extra import library
from semsearch.read.outline import LONGEST_HEADING, Heading, sections
from semsearch.read.pdf_lines import EDGE, HYPHEN, Line, flowing
from semsearch.types import NOTHING, Document

_LOCK = Lock()
"""PDFium may be called by one thread at a time (https://pypdfium2.readthedocs.io/en/stable/python_api.html)."""

_MOST_TEXT = 2**26
_MOST_BOOKMARKS = 10_000
_ENCRYPTED = {4: "encrypted: it opens only with its password", 5: "encrypted in a way that cannot be opened"}
_NO_TEXT = "has no text layer: it is a scan; run OCR first, for example `ocrmypdf`"
_NO_LETTERS = "its text layer does not say which letters it shows; run OCR anew, for example `ocrmypdf --force-ocr`"
_MOST_UNKNOWN = 0.3
_UNKNOWN = re.compile("[\ufffd\ue000-\uf8ff]")
# Ligatures are written out; what PDFium found no letter for is dropped, but not its sign for a hyphen.
_CHARACTERS = dict.fromkeys((*range(32), *range(127, 160), 65279, 65535)) | {
    0x02: HYPHEN,
    0x09: " ",
    0x0A: "\n",
    0xA0: " ",
    0xFB00: "ff",
    0xFB01: "fi",
    0xFB02: "fl",
    0xFB03: "ffi",
    0xFB04: "ffl",
    0xFB05: "st",
    0xFB06: "st",
}
_ODD = re.compile(r"[^\t\n\r\x20-\x7e\u00a1-\uaaaa]")
_LETTER = re.compile(r"[^\W_]")
_LABEL = re.compile(r"[\divxlc.]*|chapter[\divxlc]*", re.IGNORECASE)


def read(path: str, data: bytes) -> Document:
    """The document in a PDF.

    Raises:
        ReadError: it is broken or encrypted, has no text layer, or pypdfium2 is not installed.
    """
    if not data:
        raise ReadError("empty")
    pdfium = library("pypdfium2", "pdf")
    with _LOCK:
        try:
            with closing(pdfium.PdfDocument(data)) as pdf:
                pages = _pages(pdfium, pdf)
                known = pdf.get_metadata_dict(skip_empty=True)
                bookmarks = _bookmarks(pdf)
        except pdfium.PdfiumError as error:
            raise ReadError(_ENCRYPTED.get(getattr(error, "err_code", 0), "a broken PDF")) from error
    text, starts = flowing(pages)
    _check(text)
    return Document(
        path,
        text,
        title=stated.title(known.get("Title", "")),
        date=stated.date(known.get("CreationDate", "")) or date_in_name(path),
        author=stated.author(known.get("Author", "")),
        metadata={"subject": subject} if (subject := stated.line(known.get("Subject", ""))) else NOTHING,
        sections=sections(text, _headings(text, starts, bookmarks)),
        has_lines=False,
        pages=starts,
    )


def _check(text: str) -> None:
    unknown = len(_UNKNOWN.findall(text))
    if unknown and unknown > _MOST_UNKNOWN * sum(map(str.isalnum, text)):
        raise ReadError(_NO_LETTERS)
    if not _LETTER.search(text):
        raise ReadError(_NO_TEXT)


def _pages(pdfium: Any, pdf: Any) -> list[list[Line]]:
    """The lines of each page, with the heights of those that may be running heads or feet."""
    pages, size = [], 0
    for number in range(len(pdf)):
        with closing(pdf[number]) as page, closing(page.get_textpage()) as textpage:
            text = textpage.get_text_range() if textpage.count_chars() else ""
            size += len(text)
            if size > _MOST_TEXT:
                raise ReadError(f"holds more than {_MOST_TEXT // 2**20} million characters")
            lines = list(_lines(text))
            if lines:
                _measure(pdfium, page, textpage, text, lines)
            pages.append([line for _, line in lines])
    return pages


def _lines(text: str) -> Iterator[tuple[int, Line]]:
    """The lines that have words, cleaned, each with where what it was made of begins.

    Most are as they should be but for white space at their ends, which is found out faster than it is made good.
    """
    at = 0
    for raw in text.splitlines(keepends=True):
        line = raw.strip()
        if "  " in line or not line.isprintable() or not (line.isascii() or _ODD.search(line) is None):
            line = " ".join(line.translate(_CHARACTERS).split())
        if line:
            yield at, Line(line)
        at += len(raw)


def _measure(pdfium: Any, page: Any, textpage: Any, text: str, lines: list[tuple[int, Line]]) -> None:
    """Have the first and last lines of a page say how high they stand on it, 0 … 1."""
    foot, head = page.get_bbox()[1::2]
    if head <= foot:
        return
    is_wide = not text.isascii() and len(text.encode("utf-16-le")) > 2 * len(text)
    ends = [ctypes.c_double() for _ in range(4)]
    for number in {*range(min(EDGE, len(lines))), *range(max(len(lines) - EDGE, 0), len(lines))}:
        at, line = lines[number]
        while text[at].isspace():
            at += 1
        units = len(text[:at].encode("utf-16-le")) // 2 if is_wide else at
        index = pdfium.raw.FPDFText_GetCharIndexFromTextIndex(textpage, units)
        if index >= 0 and pdfium.raw.FPDFText_GetCharBox(textpage, index, *ends):
            lines[number] = at, Line(line.text, (ends[2].value - foot) / (head - foot))


def _bookmarks(pdf: Any) -> list[tuple[int, int, str]]:
    """Page from 0, level from 1, and words of each bookmark that leads to a page."""
    found: list[tuple[int, int, str]] = []
    for bookmark in pdf.get_toc():
        target = bookmark.get_dest()
        page = target.get_index() if target else None
        if page is not None and len(found) < _MOST_BOOKMARKS:
            found.append((page, min(bookmark.level + 1, 6), stated.line(bookmark.get_title())))
    return found


def _headings(text: str, starts: Sequence[int], bookmarks: Sequence[tuple[int, int, str]]) -> list[Heading]:
    """The lines of the text that bookmarks name, each on its page and after the one before it."""
    headings: list[Heading] = []
    at = 0
    for page, level, words in bookmarks:
        if not 0 < len(words) <= LONGEST_HEADING or page >= len(starts):
            continue
        end = starts[page + 1] if page + 1 < len(starts) else len(text)
        found = _line_of(text, max(at, starts[page]), end, words)
        if found:
            start, at = found
            headings.append(Heading(level, words, start, at, at))
    return headings


def _line_of(text: str, start: int, end: int, words: str) -> tuple[int, int] | None:
    """Where the line that says these words, after a number of its own perhaps, begins and ends.

    One that says them to the letter comes first; others may have other spaces and signs between them.
    """
    wanted = _letters(words)
    at = text.find(f"{words}\n", start, end)
    begin = max(text.rfind("\n", start, at) + 1, start) if at >= 0 else at
    if at >= 0 and wanted and _LABEL.fullmatch(_letters(text[begin:at])):
        return begin, at + len(words)
    for line in text[start:end].splitlines(keepends=True) if wanted else ():
        last = line.rstrip()[-1:]
        if last.lower() == wanted[-1] or not (last.isascii() and last.isalnum()):  # else it ends otherwise
            said = _letters(line)
            if said.endswith(wanted) and _LABEL.fullmatch(said[: -len(wanted)]):
                return start, start + len(line.rstrip("\n"))
        start += len(line)
    return None


def _letters(words: str) -> str:
    return "".join(filter(str.isalnum, words.casefold()))
