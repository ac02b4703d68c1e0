"""What a table of fields says of its text: of front matter, a row or an entry; its names are compared without case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semsearch.read.dates import iso_date


def said(fields: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that says something, in one line; the parts of a list are joined by ", "."""
    there = [(folded, value) for key, value in fields.items() if (folded := key.casefold()) in names]
    for name in names if there else ():
        for folded, value in there:
            if folded == name and (words := _words(value)):
                return words
    return ""


def day(fields: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that is a date, as ISO 8601."""
    if not said(fields, *names):
        return ""
    stated = (iso_date(said(fields, name)) for name in names)
    return next((found for found in stated if found), "")


def language(fields: Mapping[str, Any]) -> str:
    """The language; YAML takes `lang: no`, Norwegian, for the truth value."""
    is_norwegian = any(fields.get(name) is False for name in ("lang", "language"))
    return said(fields, "lang", "language") or ("no" if is_norwegian else "")


def _words(value: Any) -> str:
    match value:
        case None | bool():
            return ""
        case list():
            return ", ".join(words for one in value if (words := _words(one)))
        case dict():
            return _words(value.get("name"))
        case _:
            return " ".join(str(value).split())
