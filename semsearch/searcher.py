"""`Searcher`: opens an index and answers from it; writes nothing, so it is all that a search has to load."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias, TypeVar

from semsearch import search, store
from semsearch.config import IndexConfig
from semsearch.edition import Edition
from semsearch.errors import IndexClosedError, IndexDamagedError, ReadError, UsageError
from semsearch.search import Mode
from semsearch.store import Catalog, Store, StoredDocument
from semsearch.types import Document, Embedder, FileStat, Hit, Passage, Vectors

_Result = TypeVar("_Result")

Card: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Status:
    """What an index is and holds. `size` is bytes on disk.

    `synced` is the time of the last sync that changed something, ISO 8601, UTC. `truncated` counts passages of which
    the model does not read all.
    """

    path: str
    config: IndexConfig
    documents: int
    passages: int
    tokens: int
    truncated: int
    folders: tuple[str, ...]
    segments: int
    generation: int
    size: int
    synced: str


class Searcher:
    """An open index that is only read: the half of `Index` that searches.

    Searching is safe from several threads at once, also while one of them, or another process, writes.
    """

    def __init__(self, path: Path, edition: Edition, card: Card, embedder: Embedder | None = None) -> None:
        self.path = path
        self._edition = edition
        self._card = card
        self._given = embedder
        self._mutex = threading.Lock()

    @classmethod
    def open(cls, path: str | Path, *, embedder: Embedder | None = None) -> Self:
        """Open an index.

        Raises:
            IndexNotFoundError: there is none.
            IndexFormatError: it was made by a newer semsearch.
            IndexDamagedError: a file of it is missing or is not what was written.
            ModelMismatchError: `embedder` is not the one that the index was made with.
        """
        path = Path(path).absolute()
        # The card's state is taken before it is read: if it is replaced in between, the next call looks again.
        card = card_of(path)
        return cls(path, Edition(Store(store.current(path)), embedder), card, embedder)

    def close(self) -> None:
        """Close the files of the index, as soon as no thread searches it any more; it cannot be used after that."""
        self._edition.retire()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def config(self) -> IndexConfig:
        """How the index is made."""
        return self._edition.config

    @property
    def embedder(self) -> Embedder:
        """The index's model, loaded when it is first needed.

        Raises:
            ModelError: it cannot be found, trusted or run.
        """
        return self._edition.embedder

    def search(self, query: str | Vectors, *, k: int = 10, mode: Mode = "hybrid") -> list[Hit]:
        """The k passages that best answer a query, best first.

        Args:
            query: words, or a vector of shape (dimension,) from `encode`, which is searched for by itself.
            k: how many hits at the most.
            mode: "dense" compares meaning, "lexical" words, "hybrid" both.

        Raises:
            UsageError: the query is empty, k is below 1, or the vector has another shape or no words to look for.
        """
        search.checked(query, k, mode)
        words = query if isinstance(query, str) and mode != "dense" else ""

        def answer(edition: Edition) -> list[Hit]:
            vector = None if mode == "lexical" else edition.query_vector(query)
            with edition.store.snapshot() as snapshot:
                parts = search.candidates(snapshot, words, vector, k)
                return search.cite(snapshot, search.rank(snapshot, parts, k), parts, _stat)

        return self._on_latest(answer)

    def similar(
        self, path: str | Path, *, span: tuple[int, int] | None = None, line: int | None = None, k: int = 10
    ) -> list[Hit]:
        """The k passages most like a file or a part of it, without the part itself.

        Args:
            path: a file, indexed or not, or the name of a document that never was a file.
            span: start and end in code points; None for the whole document.
            line: in place of a span, a line of the file, counted from 1.
            k: how many hits at the most.

        Raises:
            UsageError: there is no such file or document, or nothing at that place.
        """
        search.checked(str(path), k, "dense")

        def answer(edition: Edition) -> list[Hit]:
            with edition.store.snapshot() as snapshot:
                document = snapshot.catalog.locate(str(path))
                if document is None:
                    vectors, own = _vectors_of_file(edition, Path(path), span, line), []
                else:
                    passages = snapshot.catalog.passages_of(document)
                    at = search.span_of_line(snapshot.catalog.text(document), line) if line is not None else span
                    vectors = snapshot.segments.vectors(search.near(passages, at))
                    own = search.near(passages, None)
                parts = search.candidates(snapshot, "", search.mean(vectors), k + len(own))
                return search.cite(snapshot, search.rank(snapshot, parts, k, set(own)), parts, _stat)

        return self._on_latest(answer)

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """Vectors of your own texts: float32, shape (len(texts), dimension), as the index stores and compares them.

        Args:
            texts: each is cut at the model's limit.
            query: encode them as queries, not as documents.
        """
        if isinstance(texts, str):
            raise UsageError("encode takes a list of texts; this is one text")
        return self._on_latest(lambda edition: edition.encode(texts, query=query))

    def split(self, document: Document) -> list[Passage]:
        """The passages that the index makes of a document."""
        return self._on_latest(lambda edition: _split(edition, document))

    def folders(self) -> tuple[str, ...]:
        """The folders of articles that the index covers, as absolute paths."""
        return self._listed(lambda tables: tuple(tables.folders()))

    def documents(self) -> list[StoredDocument]:
        """All documents without their texts, in order of folder and path."""
        return self._listed(lambda tables: list(tables.documents()))

    def text(self, document_id: int) -> str:
        """The text of a document that the spans of its hits point into, "" where there is no such document."""
        return self._listed(lambda tables: tables.text(document_id))

    def status(self) -> Status:
        """What the index is and holds."""
        return self._on_latest(lambda edition: _status(self.path, edition))

    def verify(self) -> list[str]:
        """What is wrong with the index, a line each; an empty list when every check passed."""
        with self._latest().used() as edition:
            return store.complaints(edition.store)

    def export(self, folder: str | Path) -> int:
        """Write every passage and its vector into a new folder: passages.jsonl and vectors.npy, row by row the same.

        Returns:
            How many passages were written.

        Raises:
            UsageError: the folder exists already.
        """
        from semsearch import transfer  # noqa: PLC0415 - a search does without it

        with self._latest().used() as edition, edition.store.snapshot() as snapshot:
            return transfer.export(snapshot, edition.config.dimension, Path(folder))

    def _listed(self, work: Callable[[Catalog], _Result]) -> _Result:
        def read(edition: Edition) -> _Result:
            with edition.store.tables() as tables:
                return work(tables)

        return self._on_latest(read)

    def _on_latest(self, work: Callable[[Edition], _Result]) -> _Result:
        """Do the work on the latest edition, and again if a rebuild took that away meanwhile."""
        while True:
            with self._latest().used() as edition:
                try:
                    return work(edition)
                except (IndexDamagedError, IndexClosedError):
                    if edition is self._latest():
                        raise

    def _latest(self) -> Edition:
        """The current edition; another one than before where the index was rebuilt since."""
        if card_of(self.path) != self._card:
            with self._mutex:
                card = card_of(self.path)
                folder = store.current(self.path)
                if folder != self._edition.store.folder:
                    new = Edition(Store(folder), self._given)
                    self._edition.retire()
                    self._edition = new
                self._card = card
        return self._edition


def _status(path: Path, edition: Edition) -> Status:
    with edition.store.snapshot() as snapshot:
        return Status(
            path=str(path),
            config=edition.config,
            **snapshot.catalog.counts(edition.config.limit),
            folders=tuple(snapshot.catalog.folders()),
            segments=len(snapshot.segments.each),
            generation=snapshot.generation,
            size=sum(map(_size, path.rglob("*"))),
            synced=snapshot.catalog.setting("synced"),
        )


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except FileNotFoundError:
        return 0  # a writer has just merged it away


def _split(edition: Edition, document: Document) -> list[Passage]:
    from semsearch.split import split  # noqa: PLC0415 - a search does without it

    return split(document, edition.embedder, edition.config.overlap)


def _vectors_of_file(edition: Edition, path: Path, span: tuple[int, int] | None, line: int | None) -> Vectors:
    from semsearch.read import read_file  # noqa: PLC0415 - a search does without it

    try:
        document, _ = read_file(path, path.name)
    except (OSError, ReadError) as error:
        why = str(error) if path.exists() else "there is no such file"
        raise UsageError(f"{path}: not a document of the index; {why}") from error
    passages = _split(edition, document)
    places = [(number, passage.start, passage.end) for number, passage in enumerate(passages)]
    at = search.span_of_line(document.text, line) if line is not None else span
    return edition.encode([passages[number].embedded for number in search.near(places, at)])


def _stat(path: Path) -> FileStat:
    from semsearch.read import stat_file  # noqa: PLC0415 - only where a file has changed since it was indexed

    return stat_file(path)


def card_of(path: Path) -> Card:
    """What tells one card of an index from the next: (inode, time of change)."""
    try:
        now = (path / store.CARD).stat()
    except OSError:
        return 0, 0
    return now.st_ino, now.st_mtime_ns
