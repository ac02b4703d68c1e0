"""What docx, pptx and xlsx have in common: how their parts refer to each other, and what they state of themselves."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from semsearch.errors import ReadError
from semsearch.read import stated
from semsearch.read.dates import date_in_name
from semsearch.read.xml import Event, events, texts
from semsearch.read.zipped import Parts

_CORE = "docProps/core.xml"


class Relation(NamedTuple):
    """A part that another one refers to; `kind` is the last word of its type: `slide`, `styles`."""

    id: str
    kind: str
    part: str


def relations(parts: Parts, name: str) -> list[Relation]:
    """The parts that a part refers to, "" for the document as a whole; not what lies outside of it.

    Raises:
        ReadError: they cannot be read.
    """
    folder, _, file = name.rpartition("/")
    listed = posixpath.join(folder, "_rels", f"{file}.rels")
    if listed not in parts:
        return []
    return [
        Relation(
            given.get("Id", ""), given.get("Type", "").rpartition("/")[2], _resolved(folder, given.get("Target", ""))
        )
        for tag, _, given, is_end in events(parts.blocks(listed))
        if tag == "Relationship" and not is_end and given.get("TargetMode") != "External"
    ]


def main_part(parts: Parts) -> str:
    """The part that the document begins with.

    Raises:
        ReadError: there is none.
    """
    for relation in relations(parts, ""):
        if relation.kind == "officeDocument" and relation.part in parts:
            return relation.part
    raise ReadError("broken: a zip, but not the document that its name says")


def known(path: str, parts: Parts) -> dict[str, Any]:
    """What the document states of itself, as fields of a `Document`."""
    names = ("title", "creator", "created", "subject", "language")
    said = texts(parts.blocks(_CORE), *names) if _CORE in parts else dict.fromkeys(names, "")
    subject = stated.line(said["subject"])
    return {
        "title": stated.title(said["title"]),
        "author": stated.author(said["creator"]),
        "date": stated.date(said["created"]) or date_in_name(path),
        "language": stated.line(said["language"]),
        "metadata": {"subject": subject} if subject else {},
    }


def seen(all_events: Iterable[Event], unseen: frozenset[str] = frozenset()) -> Iterator[Event]:
    """The events without these elements, and without what is said a second time for older programs."""
    depth = 0
    for event in all_events:
        if event.name == "Fallback" or event.name in unseen:
            depth += -1 if event.is_end else 1
        elif not depth:
            yield event


def _resolved(folder: str, target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
