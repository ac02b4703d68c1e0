"""A mail (.eml) or a saved web page (.mhtml) -> a `Document`; with it goes what is attached, which is not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from email.header import decode_header
from email.message import Message
from email.parser import BytesFeedParser
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

from semsearch.errors import ReadError
from semsearch.read import html, stated
from semsearch.read.attached import Attached, no_text
from semsearch.read.dates import date_in_name
from semsearch.read.decode import decode
from semsearch.read.html_markup import declared
from semsearch.read.mail_attached import attached
from semsearch.types import Document, Section

_BETWEEN = "\n\n"
_BLOCK = 2**16
_MOST_PARTS = 10_000
_FLOWED = re.compile(r"(?<!^--) \n", re.MULTILINE)
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_ID = re.compile(r"<([^<>\s]+)>|^([^<>\s]+)$")
_NAMING = frozenset({"content-disposition", "content-type"})
_PAGES = frozenset({"application/xhtml+xml", "text/html"})


def read(path: str, data: bytes) -> Document | list[Document | Attached]:
    """The document in a mail, its plain text or else what its HTML says, and what is attached to it.

    Raises:
        ReadError: it is no mail, is nested too deep, or has neither a text nor anything attached that is read.
    """
    message = _parsed(data)
    bodies, others = _sorted_out(message)
    files = list(attached(others))
    own = _document(path, message, bodies, [file.name for file in files])
    if not own.text and not any(file.data for file in files):
        raise ReadError(no_text(own))
    return [own, *files] if files else own


def _document(path: str, message: Message, bodies: list[Message], names: list[str]) -> Document:
    """The document in a mail, without text where it has none."""
    texts = [made for part in bodies if (made := _body(path, part))]
    sections: list[Section] = []
    start = 0
    for made in texts:
        sections += [Section(s.start + start, s.end + start, s.heading) for s in made.sections or ()]
        start += len(made.text) + len(_BETWEEN)
    return Document(
        path,
        _BETWEEN.join(made.text for made in texts),
        title=_header(message, "Subject"),
        date=_date(message) or date_in_name(path),
        author=_people(message, "From"),
        metadata=_metadata(message, names),
        sections=tuple(sections),
        has_lines=False,
    )


def read_page(path: str, data: bytes) -> Document:
    """The document in a web page that was saved with its pictures in one file.

    Raises:
        ReadError: it is no such file, or there is no text in its page.
    """
    message = _parsed(data)
    pages = [part for part in _parts(message) if part.get_content_type() in _PAGES]
    root = message.get_param("start")
    page = next((part for part in pages if root and part.get("Content-ID") == root), None) or next(iter(pages), None)
    if page is None:
        raise ReadError("no web page in it")
    made = _page(path, page)
    url = _header(message, "Snapshot-Content-Location") or _header(page, "Content-Location")
    metadata = {"url": url, **made.metadata} if url else made.metadata
    return replace(made, title=made.title or _header(message, "Subject"), metadata=metadata)


def _parsed(data: bytes) -> Message:
    if not data.strip():
        raise ReadError("empty")
    parser = BytesFeedParser()
    try:
        for start in range(0, len(data), _BLOCK):
            parser.feed(data[start : start + _BLOCK])  # whole, it would be held four times and more
        message = parser.close()
    except RecursionError as error:
        raise ReadError("nested too deep") from error
    if not message.keys():
        raise ReadError("not a mail: it has no headers")
    return message


def _parts(message: Message) -> Iterator[Message]:
    """The parts of a mail that hold no others, in order; not those of mails that are attached."""
    waiting = [message]
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting += [one for one in reversed(inner) if isinstance(one, Message)]
        else:
            yield part
    raise ReadError(f"has more than {_MOST_PARTS} parts")


def _sorted_out(message: Message) -> tuple[list[Message], list[tuple[str, Message]]]:
    """The parts that are its text, and those that are attached with their names; plain text counts before HTML."""
    texts: list[Message] = []
    others: list[tuple[str, Message]] = []
    for part in _parts(message):
        name = _file_name(part)
        if not name and part.get_content_disposition() != "attachment" and part.get_content_maintype() == "text":
            texts.append(part)
        elif not (part.get("Content-ID") and part.get_content_maintype() == "image"):  # one that stands in its HTML
            others.append((name, part))
    plain = [part for part in texts if part.get_content_type() != "text/html" and _payload(part).strip()]
    return plain or texts, others


def _file_name(part: Message) -> str:
    """The name of a part, also where it is written in bytes that no header may have."""
    for header, value in list(part.raw_items()):
        if header.lower() in _NAMING and not str(value).isascii():
            part.replace_header(header, _text(str(value).encode("utf-8", "surrogateescape"), ""))
    return stated.line(_decoded(part.get_filename() or ""))


def _body(path: str, part: Message) -> Document | None:
    """The text of a part; None if there is none."""
    if part.get_content_type() in _PAGES:
        try:
            return _page(path, part)
        except ReadError:
            return None
    text = decode(_payload(part), part.get_content_charset() or "")
    text = "\n".join(text.splitlines())
    if part.get_param("format") == "flowed":
        text = _FLOWED.sub(" ", text)
    text = _TRAILING.sub("", text).strip("\n")
    return Document(path, text, sections=(Section(0, len(text)),)) if text.strip() else None


def _page(path: str, part: Message) -> Document:
    data = _payload(part)
    return html.document(path, decode(data, part.get_content_charset() or declared(data)))


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _metadata(message: Message, attachments: list[str]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "to": _people(message, "To"),
        "message_id": _identity(message, "Message-ID"),
        "in_reply_to": _identity(message, "In-Reply-To"),
        "thread": _identity(message, "References", "In-Reply-To", "Message-ID"),
        "attachments": attachments,
    }
    return {name: value for name, value in said.items() if value}


def _identity(message: Message, *names: str) -> str:
    """The first id of a mail that these headers name, without the brackets around it: of a thread, that of its root."""
    found = (_ID.search(_header(message, name)) for name in names)
    return next((match[1] or match[2] for match in found if match), "")


def _people(message: Message, name: str) -> str:
    """The names of people, or their addresses where there is no name."""
    said = getaddresses([v if isinstance(v, str) else _decoded(v) for v in message.get_all(name, [])])
    return ", ".join(stated.line(_decoded(person) or address) for person, address in said if person or address)


def _header(message: Message, name: str) -> str:
    return stated.line(_decoded(message.get(name, "")))


def _decoded(value: Any) -> str:
    """A header without its encoding; in whichever encoding its bytes are, where it says none."""
    try:
        pieces = decode_header(value)
    except (ValueError, LookupError):
        return str(value)
    return "".join(one if isinstance(one, str) else _text(one, charset or "") for one, charset in pieces)


def _text(data: bytes, charset: str) -> str:
    try:
        return decode(data, charset)
    except ReadError:
        return data.decode("utf-8", "replace")


def _date(message: Message) -> str:
    try:
        return stated.date(parsedate_to_datetime(_header(message, "Date")).isoformat())
    except (ValueError, TypeError, OverflowError):
        return ""
