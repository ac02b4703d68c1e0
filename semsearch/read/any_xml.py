"""Tells by its root which reader an XML file (.xml) is for; reads no more of it than that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import BinaryIO

from semsearch.errors import ReadError
from semsearch.read import mediawiki
from semsearch.read.opened import Part
from semsearch.read.unpack import joined
from semsearch.types import Columns, Document, Skip

_HEAD = 2**16
_ASIDE = re.compile(rb"<!--.*?-->|<\?.*?\?>|<![^-].*?>", re.DOTALL)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)")
_NAMES: Mapping[str, str] = MappingProxyType({"rss": "x.rss", "rdf": "x.rss", "feed": "x.atom"})
"""The root's name in lower case -> the name of a file of that kind."""


def read(path: str, stream: BinaryIO, _: Columns) -> Iterator[Part | Document | Skip]:
    """The file itself, under a name that says what it is; the articles of a wiki.

    Raises:
        ReadError: there is no reader for it.
    """
    head = stream.read(_HEAD)
    root = _ROOT.search(_ASIDE.sub(b"", head.replace(b"\0", b"")))
    name = root[1].decode().lower() if root else ""
    if name == "mediawiki":
        yield from mediawiki.read(path, joined(head, stream))
        return
    if name not in _NAMES:
        raise ReadError(f"no reader for XML files that are <{name}>" if name else "no XML")
    yield Part(path, _NAMES[name], partial(joined, head, stream))
