"""What files of offices and PDFs state of themselves, as far as it can be believed; reads no file.

Programs fill in titles and authors that nobody wrote: the name of a file, "Untitled", "User".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from semsearch.read.dates import iso_date

_LONGEST = 300
_OF_PROGRAM = re.compile(r"microsoft (?:office )?(?:word|powerpoint|excel|publisher) - ", re.IGNORECASE)
_NO_TITLE = re.compile(
    r"(?:untitled|unbenannt|sans[ -]titre|no title|title|document|dokument|presentation|slide|book|workbook|powerpoint"
    r" presentation|präsentation|word document)?[ -]?\d*"
    r"|[^\s/]+\.(?:docx?|dvi|html?|indd|key|odt|ods|odp|p65|pages|pdf|pptx?|ps|qxd|rtf|tex|txt|xlsx?)"
    r"|.*[/\\].*\.\w{2,5}",
    re.IGNORECASE,
)
_NO_AUTHOR = re.compile(
    r"(?:admin(?:istrator)?|anonymous|author|owner|root|unknown|user|python-docx)?\d*", re.IGNORECASE
)
_OF_PDF = re.compile(
    r"(?:D:)?(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?\s*(Z(?:\d\d)?|[+-]\d\d)?'?(\d\d)?'?)?", re.ASCII
)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
_FIRST_YEAR = 1980  # clocks that were never set say 1601, 1899, 1904, 1970


def title(said: str) -> str:
    """A title in one line; "" where it is a program's."""
    said = _OF_PROGRAM.sub("", line(said))
    return "" if len(said) > _LONGEST or _NO_TITLE.fullmatch(said) else said


def author(said: str) -> str:
    """An author's name in one line; "" where it is a program's."""
    said = line(said)
    return "" if len(said) > _LONGEST or _NO_AUTHOR.fullmatch(said) else said


def date(said: str) -> str:
    """A date as ISO 8601; "" where it is none, or from before there were such files, or yet to come."""
    said = said.strip()
    found = _OF_PDF.fullmatch(said)
    day = iso_date(_spelled(found) if found else said)
    is_past = day and day < (datetime.now(UTC) + timedelta(days=2)).isoformat()
    return day if is_past and int(day[:4]) >= _FIRST_YEAR else ""


def line(said: str) -> str:
    """A string in one line, without controls and lone surrogates."""
    return " ".join(_CONTROLS.sub(" ", said).split()).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _spelled(found: re.Match[str]) -> str:
    """`D:20240215093000+01'00'` as ISO 8601."""
    year, month, day, hour, minute, second, zone, of_zone = found.groups()
    if not hour:
        return f"{year}-{month}-{day}"
    offset = "" if not zone else "+00:00" if zone[0] == "Z" else f"{zone}:{of_zone or '00'}"
    return f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{offset}"
