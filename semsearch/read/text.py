"""Plain text -> a `Document` whose text is the decoded file itself; sees a title, but no headings."""

from __future__ import annotations

import re

from semsearch.errors import ReadError
from semsearch.read.dates import date_in_name
from semsearch.read.decode import decode
from semsearch.types import Document, Section

LONGEST_TITLE = 120
"""Characters; a longer first line is a paragraph."""

_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_SENTENCE_ENDS = (".", "!", "?", "…", ":", ";", ",", "。", "！", "？", "؟", "۔", "।")
_CLOSING = "\"'”’»“)]"


def read(path: str, data: bytes) -> Document:
    """The document in a text file.

    Raises:
        ReadError: it is not text, or has no words in it.
    """
    text = decode(data)
    if not text.strip():
        raise ReadError("empty")
    title, end = _title(text)
    begin = end if text[end:].strip() else 0
    sections = (Section(begin, len(text)),)
    return Document(path, text, title=title, date=date_in_name(path), sections=sections)


def _title(text: str) -> tuple[str, int]:
    """The first line with words, if it reads as a title, and where the next line begins; else "" and 0.

    It does if a blank line or nothing follows, or if it is the only short line at the head of a long one and does not
    end like a sentence.
    """
    lead = len(text) - len(text.lstrip())
    line = _LINE.match(text, max(text.rfind("\n", 0, lead), text.rfind("\r", 0, lead)) + 1)
    assert line is not None
    title = line[1].strip()
    below = _LINE.match(text, line.end())
    following = below[1].strip() if below else ""
    if len(title) > LONGEST_TITLE:
        return "", 0
    if not following or (len(following) > LONGEST_TITLE and not _is_sentence(title)):
        return title, line.end()
    return "", 0


def _is_sentence(line: str) -> bool:
    return line.rstrip(_CLOSING).endswith(_SENTENCE_ENDS)
