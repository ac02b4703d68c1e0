"""The values that the catalog gives: what is stored of documents, passages, segments and lists; reads none itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from semsearch.address import file_of
from semsearch.store.files import Written
from semsearch.store.seals import text_seal
from semsearch.types import Document, FileStat, Section

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
        return f"{self.file}{self.path[len(file_of(self.path)) :]}" if self.root else self.path

    def with_body(self, sections: str, pages: str, has_lines: int, text: bytes) -> Document:
        """The document as it was when it was stored; these are of the table of texts."""
        spans = json.loads(sections)
        return Document(
            *(self.path, text.decode(), self.title, self.date, self.author, self.source, self.language, self.metadata),
            sections=None if spans is None else tuple(Section(*span) for span in spans),
            has_lines=bool(has_lines),
            pages=tuple(json.loads(pages)),
        )

    @property
    def file(self) -> Path:
        """The file in which it stands, of a document that has one."""
        return Path(self.root, file_of(self.path))


def facts_of(d: Document) -> tuple[str, ...]:
    """What the table of documents has of a document, besides its name and what its file is."""
    metadata = json.dumps(dict(d.metadata), ensure_ascii=False, sort_keys=True)
    return d.title, d.date, d.author, d.source, d.language, metadata


def body_of(d: Document) -> tuple[str, str, bool, bytes]:
    """What the table of texts has of it, besides the text."""
    sections = json.dumps(d.sections and [(s.start, s.end, s.heading) for s in d.sections], ensure_ascii=False)
    pages = json.dumps(d.pages)
    return sections, pages, d.has_lines, text_seal(d.text.encode(), pages)


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
