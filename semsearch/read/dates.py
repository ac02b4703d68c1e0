"""Dates as files state them -> ISO 8601; looks for none in running text."""

from __future__ import annotations

import re
from datetime import date, datetime
from email.utils import parsedate_to_datetime

_IN_NAME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])|([0-9]{4})([0-9]{2})([0-9]{2})(?=[-_])")
_DAY = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}")
_OF_MAIL = re.compile(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(?::\d{2})? [A-Z0-9+-]+", re.ASCII)


def iso_date(stated: str) -> str:
    """A day as YYYY-MM-DD, a date and time as ISO 8601; "" for what is neither.

    ISO 8601 is read, and the dates of mail and RSS (RFC 2822): `Thu, 15 Feb 2024 09:30:00 +0100`.
    """
    stated = stated.strip()
    try:
        if _DAY.fullmatch(stated):
            return date.fromisoformat(stated).isoformat()
        if _OF_MAIL.fullmatch(stated):
            return parsedate_to_datetime(stated).isoformat()
        return datetime.fromisoformat(stated).isoformat()
    except ValueError:
        return ""


def date_in_name(path: str) -> str:
    """The date that a file's name begins with, YYYY-MM-DD or YYYYMMDD before `-` or `_`; "" where there is none."""
    found = _IN_NAME.match(path.rpartition("/")[2])
    return iso_date("-".join(part for part in found.groups() if part)) if found else ""
