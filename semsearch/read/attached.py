"""What comes with a document and is one of its own, as files attached to a mail do; reads none of it."""

from __future__ import annotations

from typing import NamedTuple

from semsearch.types import Document


class Attached(NamedTuple):
    """A file that is attached: its name, whose suffix says its kind, and its bytes, none where no reader knows it."""

    name: str
    data: bytes


def known_of(mail: Document, name: str) -> Document:
    """What is known of a file of this name by the mail that it came with."""
    thread = {"thread": mail.metadata["thread"]} if "thread" in mail.metadata else {}
    return Document(mail.path, "", title=name, date=mail.date, author=mail.author, metadata=thread)


def no_text(document: Document) -> str:
    """The reason why a document is none by itself."""
    names = document.metadata.get("attachments", ())
    return "no text in it" + (f", only {', '.join(names)}" if names else "")
