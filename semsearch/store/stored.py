"""The values that the catalog gives: what is stored of documents, passages, segments and lists; reads none itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from semsearch.store.files import Written
from semsearch.types import FileStat

_PARSE = json.JSONDecoder().raw_decode  # json.loads takes half as long again over a few short fields


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as the catalog lists it, without its text. `root` is "" where it never was a file."""

    id: int
    root: str
    path: str
    stat: FileStat
    title: str
    date: str
    author: str
    source: str
    language: str
    metadata: Mapping[str, Any]

    @property
    def location(self) -> str:
        """The path that opens the file, or the name of a document that never was one."""
        return str(Path(self.root, self.path)) if self.root else self.path


class Facts(NamedTuple):
    """What a filter looks at of a document; light, since a filtered search makes one of every document."""

    id: int
    root: str
    path: str
    date: str
    author: str
    source: str
    language: str
    fields: str

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The fields of the front matter, parsed when they are asked for."""
        return cast("Mapping[str, Any]", _PARSE(self.fields)[0])


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as the catalog lists it; `document` is the document's number."""

    id: int
    document: int
    start: int
    end: int
    line: int
    heading: str
    tokens: int
    text: str
    page: int


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A pair of files, for the `rows` passages whose ids lie between `first` and `last`."""

    id: int
    first: int
    last: int
    rows: int
    vectors: Written
    lexical: Written


@dataclass(frozen=True, slots=True)
class StoredLists:
    """The file by which passages up to `last` are found."""

    id: int
    last: int
    file: Written
