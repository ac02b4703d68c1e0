"""What passes between semsearch and the process in which readers run, as lines of JSON; runs nothing itself.

A request is a line, `[reader, path, size, seconds that it may take]`, and the bytes of the file. The answer is a line:
the fields of each document, or a string, the reason why there is none. Nothing is pickled.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from semsearch.types import Document, Section

READY = b"ready\n"
"""The first line that the process writes, when it has what it needs."""

NO_MEMORY = 77
"""The exit status of a process whose reader asked for more memory than it may have."""


def line(value: object) -> bytes:
    """A value as a line of JSON; every string survives, also lone surrogates and pairs of them."""
    return json.dumps(value, ensure_ascii=False, default=_plain).encode("utf-8", "surrogatepass") + b"\n"


def value(line: bytes) -> Any:
    """The value of a line.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(line.decode("utf-8", "surrogatepass"))


def stated(document: Document) -> dict[str, Any]:
    """The fields of a document, for `line`."""
    return {field.name: getattr(document, field.name) for field in fields(document)}


def document(stated: dict[str, Any]) -> Document:
    """The document with these fields, which JSON has made lists of."""
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stated.items()}
    if given["sections"] is not None:
        given["sections"] = tuple(Section(*section) for section in given["sections"])
    return Document(**given)


def _plain(value: Any) -> Any:
    """What JSON has no form for, as a list or a table."""
    return [value.start, value.end, value.heading] if isinstance(value, Section) else dict(value)
