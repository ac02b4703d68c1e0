"""Lines of pages -> one text that flows across them, without running heads and divided words; knows no PDF."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

HYPHEN = "\ufffe"
"""What stands for a hyphen at the end of a line, and for that end."""

EDGE = 3
"""How many lines at the beginning and end of a page may be a running head or foot."""

_MARGIN = 0.13
_PLACES = 60
_REPEATED = 3
_PAGE, _PAGE_WITHIN_WORD = "\f", "\v"
_NUMBER_ALONE = re.compile(
    r"(?:pages?|seite|str(?:ana)?\.?|p\.)?\W*(?P<number>\d{1,4}|[ivxlc]{1,8})(?:\W*(?:/|of|von|od|sur)\W*\d{1,4})?\W*",
    re.IGNORECASE,
)
_FIRST_NUMBER = re.compile(r"\W*(\d{1,4})\b")
_LAST_NUMBER = re.compile(r"\b(\d{1,4})\W*\Z")
_DIGITS = re.compile(r"\d+")
_DIVIDED = re.compile(rf"[-\u00ad\u2010{HYPHEN}](?<=[^\W_].)(?:(?<={HYPHEN})\n?|\n|(?=\f))(\f*)(?=[^\W_])")
_WITHIN_LINE = re.compile(r"-(?<=[^\W_].)(?=[^\W_])")
_WORD_AFTER = re.compile(r"[^\W_]+")
_WORD_BEFORE = re.compile(r"[^\W_]+\Z")
_LONGEST_WORD = 64


class Line(NamedTuple):
    """A line and how high it stands, from 0 at the foot of the page to 1 at its head; None where nobody asked."""

    text: str
    height: float | None = None


def flowing(pages: Sequence[Sequence[Line]]) -> tuple[str, tuple[int, ...]]:
    """The text of the pages, a line a line, and where in it each page begins.

    A word that is divided at the end of a line is made whole. If that is also the end of a page, the next page begins
    within the word.
    """
    text = _PAGE.join("\n".join(line.text for line in page) for page in without_running(pages))
    starts, parts, size = [0], [""], 0
    for part in re.split(f"([{_PAGE}{_PAGE_WITHIN_WORD}])", _joined(text)):
        if part == _PAGE:
            parts.append("\n" if size and parts[-1][-1:] != "\n" else "")
        elif part != _PAGE_WITHIN_WORD:
            parts.append(part)
        size += len(parts[-1]) if part != _PAGE_WITHIN_WORD else 0
        if part in {_PAGE, _PAGE_WITHIN_WORD}:
            starts.append(size)
    whole = "".join(parts).rstrip("\n")
    return whole, tuple(min(start, len(whole)) for start in starts)


def without_running(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages without the lines that repeat in their margins at the same place, and without page numbers.

    A line repeats if it is the same but for its digits on three pages, or on all of two. A number is the page's if it
    stands alone and rises with the pages, and a line that begins or ends with the page's number is a running one.
    """
    edges = {
        (number, index): (line, _place(line), _numbers(line))
        for number, page in enumerate(pages)
        for index, line in enumerate(page)
        if line.height is not None and _is_in_margin(line.height)
    }
    places = Counter(place for _, place, _ in edges.values())
    enough = min(_REPEATED, max(len(pages), 2))
    offsets = Counter(each - number for (number, _), (_, _, numbers) in edges.items() for each in numbers)
    numbering = {offset for offset, count in offsets.items() if count >= max(_REPEATED, len(pages) // 4)}

    def runs(number: int, line: Line, place: tuple[str, int], numbers: set[int]) -> bool:
        alone = _NUMBER_ALONE.fullmatch(line.text)
        if alone and (len(pages) < _REPEATED or not alone["number"].isdigit()):
            return True
        return places[place] >= enough or any(each - number in numbering for each in numbers)

    running = {(number, index) for (number, index), said in edges.items() if runs(number, *said)}
    return [
        [line for index, line in enumerate(page) if (number, index) not in running] for number, page in enumerate(pages)
    ]


def _is_in_margin(height: float) -> bool:
    return not _MARGIN < height < 1 - _MARGIN


def _place(line: Line) -> tuple[str, int]:
    assert line.height is not None
    return _DIGITS.sub("#", line.text.casefold()), round(line.height * _PLACES)


def _numbers(line: Line) -> set[int]:
    """The numbers with which a line begins and ends."""
    found = (_FIRST_NUMBER.match(line.text), _LAST_NUMBER.search(line.text))
    return {int(one[1]) for one in found if one}


def _joined(text: str) -> str:
    """The text with words made whole that are divided at line ends.

    The hyphen goes, unless what follows is no small letter (`Nord-Süd`, `2023-24`), or the text has the word with its
    hyphen elsewhere and never without.
    """
    folded = ""
    compounds: set[str] = set()
    if _DIVIDED.search(text):
        folded = text.casefold()
        compounds = {"-".join(_around(folded, found)) for found in _WITHIN_LINE.finditer(folded)}

    def whole(found: re.Match[str]) -> str:
        before, after = _around(text, found)
        keeps = not (before[-1].isalpha() and after[0].islower())
        if not keeps and f"{before}-{after}".casefold() in compounds:
            keeps = f"{before}{after}".casefold() not in folded
        return ("-" if keeps else "") + _PAGE_WITHIN_WORD * len(found[1])

    return _DIVIDED.sub(whole, text).replace(HYPHEN, "-\n")


def _around(text: str, found: re.Match[str]) -> tuple[str, str]:
    """The words on either side of what was found."""
    at = found.start()
    before = _WORD_BEFORE.search(text, max(text.rfind(" ", max(at - _LONGEST_WORD, 0), at) + 1, at - _LONGEST_WORD), at)
    after = _WORD_AFTER.match(text, found.end(), found.end() + _LONGEST_WORD)
    assert before is not None
    assert after is not None
    return before[0], after[0]
