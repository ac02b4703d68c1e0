"""The values that pass from stage to stage, and the protocol of an embedder; no behaviour beyond their own fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    # `semsearch --help` reads this file and does without numpy.
    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float32]"
"""float32, shape (n, dimension)."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a document's text that no passage may leave: the body below one heading.

    `start` and `end` are code points; `heading` is the trail of headings above it, outermost first, "" for none.
    """

    start: int
    end: int
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """An article: its text and what is known about it.

    Every span that semsearch reports points into `text`, in code points. For a text file this is the decoded file
    itself, without a byte order mark. `path` names the document: for a file its path below the indexed folder with
    `/` between the parts, otherwise any name that is unique in the index. `date` is an ISO 8601 date or date and
    time, or "". `has_lines` says whether lines of `text` are lines of the file. `sections` in order and not
    overlapping; None means the whole text. `pages` says where each page begins in `text`, in rising order, the first
    at 0; empty where there are no pages. A page without text begins where the next one does.
    """

    path: str
    text: str
    title: str = ""
    date: str = ""
    author: str = ""
    source: str = ""
    language: str = ""
    metadata: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    sections: tuple[Section, ...] | None = None
    has_lines: bool = True
    pages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document that is embedded and found as one: `document.text[start:end] == text`.

    `embedded` is what the model reads: title, heading and text. `tokens` counts it in the model's own tokens,
    without special tokens and prompts. `line` counts from 1; 0 where the text has no lines of a file.
    """

    start: int
    end: int
    text: str
    embedded: str
    tokens: int
    heading: str = ""
    line: int = 0


def embedded_text(title: str, heading: str, text: str) -> str:
    """What the model reads for a passage: title, trail of headings and text, a line each.

    A document that is all title, or a section that is all heading, is not read twice.
    """
    return "\n".join([*(part for part in (title, heading) if part and not text.startswith(part)), text])


@dataclass(frozen=True, slots=True)
class Copy:
    """Another place of a hit's story: a document that is a copy of the hit's. `path` and `date` are as for a hit."""

    path: str
    title: str
    source: str
    date: str
    document_id: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that answers a query, with an exact citation: `text` is `document.text[start:end]`, in code points.

    `score` is what the hits are ordered by, higher is better; `scores` holds its parts, "dense" and "lexical", None
    where a part did not find the passage. `path` can be opened for a document that came from a file. `digest` is the
    SHA-256 of the file's bytes (of the UTF-8 text for a document that never was a file), in hex. `line` counts from
    1, 0 where there are none. `stale` says that the file has changed or gone since it was indexed. `relevance`
    is the probability, 0 … 1, that the passage answers the query, None where the model is uncalibrated. `copies` are
    the other places of the same story, in order of date and path, those without a date last; `first_date` is the
    earliest date of them and of the hit itself, "" where none has one. `page` is the one on which it begins, counted
    from 1 as readers of PDF count; 0 where there are none.
    """

    rank: int
    score: float
    scores: Mapping[str, float | None]
    path: str
    document_id: int
    digest: str
    title: str
    heading: str
    date: str
    start: int
    end: int
    line: int
    text: str
    stale: bool
    relevance: float | None = None
    source: str = ""
    author: str = ""
    language: str = ""
    copies: tuple[Copy, ...] = ()
    first_date: str = ""
    page: int = 0


@dataclass(frozen=True, slots=True)
class FileStat:
    """What a file was when it was read: size in bytes, time of change in ns, SHA-256 of its bytes in hex.

    `mtime_ns` is -1 where the time of change cannot vouch for the content: the file changed while it was read, or so
    shortly before that a second change could bear the same time. Size and time only ever save the hashing.
    """

    size: int
    mtime_ns: int
    digest: str


@dataclass(frozen=True, slots=True)
class Found:
    """A file that the walk came upon: its path below the folder with `/` between the parts, size, time in ns."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Which fields of a table of texts are what, by their names; "" leaves it to the names that such tables have."""

    text: str = ""
    id: str = ""
    title: str = ""
    date: str = ""


NO_COLUMNS = Columns()


@dataclass(frozen=True, slots=True)
class Skip:
    """A file that was passed over, and why. `path` is below the folder; a folder's ends in `/`.

    `passing` says that it may be readable another time, so that what an index holds of it, or below it, stays.
    """

    path: str
    reason: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Passed:
    """What was passed over of a file when it had this size and time of change, and which readers met it."""

    size: int
    mtime_ns: int
    reader: str
    skips: tuple[Skip, ...] = ()


@runtime_checkable
class Embedder(Protocol):
    """Turns text into vectors, and counts text in its own tokens; every method may be called from several threads."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def fingerprint(self) -> str:
        """What tells its vectors from those of any other."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    @property
    def limit(self) -> int:
        """How many tokens a document's text may have; special tokens and prompt are already taken off."""

    @property
    def similarity(self) -> str:
        """How vectors are compared: "cosine" or "dot"."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, without special tokens and prompt; nothing is cut."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each token in code points; nothing is cut."""

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Float32 of shape (len(texts), dimension), in the order of the texts."""

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """The same for queries, which are cut at the limit."""


@runtime_checkable
class Reranker(Protocol):
    """Says how well passages answer a query by reading each together with it; safe to call from several threads."""

    @property
    def name(self) -> str:
        """What people call it."""

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Float32 of shape (len(texts),), higher is better."""
