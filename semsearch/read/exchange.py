"""What passes between semsearch and the process in which readers run, as lines of JSON; runs nothing itself.

A request is a line, `[reader, path, size, seconds that it may take]`, and the bytes of the file. The answer is a line:
the fields of each document, with the size of its text, the name and size of each file that is attached to it, and then
the texts and files; or a string, the reason why there is none. Nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, BinaryIO

from semsearch.read.attached import Attached
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


def answer(given: Sequence[Document | Attached]) -> bytes:
    """What is sent of documents and files: texts and bytes as they are, since they are nearly all of it."""
    blocks = [each.data if isinstance(each, Attached) else each.text.encode("utf-8", "surrogatepass") for each in given]
    stated = [
        [each.name, len(block)]
        if isinstance(each, Attached)
        else {field.name: getattr(each, field.name) for field in fields(each)} | {"text": len(block)}
        for each, block in zip(given, blocks, strict=True)
    ]
    return b"".join([line(stated), *blocks])


def received(stream: BinaryIO) -> list[Document | Attached] | str | None:
    """What is sent, or the reason why nothing is; None where it breaks off."""
    first = stream.readline()
    said: list[dict[str, Any] | list[Any]] | str | None = value(first) if first.endswith(b"\n") else None
    if said is None or isinstance(said, str):
        return said
    given: list[Document | Attached] = []
    for stated in said:
        size = stated["text"] if isinstance(stated, dict) else stated[1]
        block = stream.read(size)
        if len(block) < size:
            return None
        given.append(_document(stated, block) if isinstance(stated, dict) else Attached(stated[0], block))
    return given


def _document(stated: dict[str, Any], text: bytes) -> Document:
    """The document with these fields, which JSON has made lists of."""
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stated.items()}
    if given["sections"] is not None:
        given["sections"] = tuple(Section(*section) for section in given["sections"])
    return Document(**given | {"text": text.decode("utf-8", "surrogatepass")})


def _plain(value: Any) -> Any:
    """What JSON has no form for, as a list or a table."""
    return [value.start, value.end, value.heading] if isinstance(value, Section) else dict(value)
