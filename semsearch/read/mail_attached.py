"""The parts of a mail that are attached -> files with names and bytes; reads none of them."""

from __future__ import annotations

from binascii import a2b_base64
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from email.message import Message
from types import MappingProxyType

from semsearch.address import suffix
from semsearch.errors import ReadError
from semsearch.read.attached import Attached
from semsearch.read.decode import as_utf8
from semsearch.read.files import can_read
from semsearch.read.names import plain

_MAIL = "message/rfc822"
_SUFFIXES = MappingProxyType({
    "application/pdf": ".pdf", "application/rtf": ".rtf", "application/zip": ".zip", _MAIL: ".eml",
    "text/csv": ".csv", "text/html": ".html", "text/markdown": ".md", "text/plain": ".txt",
})  # fmt: skip
"""By the type that a part states, for those whose name has none."""

_UTF8 = frozenset({"", "ascii", "us-ascii", "utf-8", "utf8"})


def attached(parts: Iterable[tuple[str, Message]]) -> Iterator[Attached]:
    """Files for parts, each with the name that it states, if any; no two have one name.

    Raises:
        ReadError: one holds mails within mails, too many of them.
    """
    met: Counter[str] = Counter()
    for stated, part in parts:
        name = _unused(_name(stated, part), met)
        yield Attached(name, _data(part) if can_read(name) else b"")


def _name(stated: str, part: Message) -> str:
    kind = part.get_content_type()
    name = plain(stated) or ("message" if kind == _MAIL else "attached" if kind in _SUFFIXES else kind)
    is_told = can_read(name) or (suffix(name) and kind != _MAIL)
    return name if is_told else name + _SUFFIXES.get(kind, "")


def _unused(name: str, met: Counter[str]) -> str:
    """The name, with a number where another file has it; `met` counts how often each was given."""
    stem, end = name[: len(name) - len(suffix(name))], name[len(name) - len(suffix(name)) :]
    found = name
    while met[found]:
        met[name] += 1
        found = f"{stem} ({met[name]}){end}"
    met[found] += 1
    return found


def _data(part: Message) -> bytes:
    if part.get_content_type() == _MAIL and isinstance(inner := part.get_payload(), list):
        return _mail(part, inner[0]) if inner and isinstance(inner[0], Message) else b""
    data = _unpacked(part)
    charset = (part.get_content_charset() or "").lower()
    if part.get_content_maintype() == "text" and charset not in _UTF8:
        # Once it is a file, nothing says in which encoding it is.
        return as_utf8(data, charset)
    return data


def _unpacked(part: Message) -> bytes:
    if _is_base64(part):
        with suppress(ValueError):
            return a2b_base64(str(part.get_payload()))  # in a third of the memory, but only if it is sound
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _is_base64(part: Message) -> bool:
    return str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64"


def _mail(part: Message, mail: Message) -> bytes:
    """The bytes of a mail that is attached; against the rules, some programs pack it as they do other files."""
    if _is_base64(part) and not mail.keys():
        with suppress(ValueError):
            return a2b_base64(str(mail.get_payload()))
    try:
        return mail.as_bytes(policy=mail.policy.clone(max_line_length=0))
    except RecursionError as error:
        raise ReadError("nested too deep") from error
