"""What comes with a document and is one of its own, as files attached to a mail do; reads none of it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from semsearch.types import Document


class Attached(NamedTuple):
    """A file that is attached: its name, whose suffix says its kind, and its bytes, none where no reader knows it."""

    name: str
    data: bytes


def taking_over(document: Document, mail: Document, name: str) -> Document:
    """A document out of a file of this name with the facts of the mail it came with, where it states none itself."""
    thread = {"thread": mail.metadata["thread"]} if "thread" in mail.metadata else {}
    return replace(
        document,
        title=document.title or name,
        date=document.date or mail.date,
        author=document.author or mail.author,
        metadata={**thread, **document.metadata},
    )


def no_text(document: Document) -> str:
    """The reason why a document is none by itself."""
    names = document.metadata.get("attachments", ())
    return "no text in it" + (f", only {', '.join(names)}" if names else "")
