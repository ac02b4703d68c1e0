"""Reads the lines of files that judge queries, and says which line is wrong; it does not know what they mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semsearch.errors import UsageError


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Each line that is not blank, without its end, and its number, counted from 1.

    Raises:
        UsageError: there is no such file, or it is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\n")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8; convert it") from error


def objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The JSON object of each line, and the place `path:line` for what there is to say of it.

    Raises:
        UsageError: there is no such file, or a line is no JSON object.
    """
    for number, line in lines(path):
        yield f"{path}:{number}", parsed(f"{path}:{number}", line)


def parsed(place: str, line: str) -> dict[str, Any]:
    """The JSON object of one line.

    Raises:
        UsageError: it is none.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place}: is not JSON ({error}); each line must be one whole object") from error
    if not isinstance(found, dict):
        raise UsageError(f"{place}: is not a JSON object; each line must be one")
    return found


def text_of(place: str, fields: dict[str, Any], name: str) -> str:
    """A field as text, "" where it is missing or null.

    Raises:
        UsageError: it is neither text nor a whole number, or holds what is no character.
    """
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UsageError(f"{place}: {name} is not text")
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{place}: {name} holds a lone surrogate, which is no character; clean it first") from error
    return text
