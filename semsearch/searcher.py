"""`Searcher`: opens an index and answers from it; writes nothing, so it is all that a search has to load."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from semsearch import search, store
from semsearch.config import IndexConfig
from semsearch.edition import Edition
from semsearch.errors import IndexDamagedError, ReadError, UsageError
from semsearch.search import Mode
from semsearch.store import Catalog, Store, StoredDocument
from semsearch.types import Document, Embedder, FileStat, Hit, Passage, Vectors

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Status:
    """What an index is and holds. `size` is bytes on disk; `synced` is the time of the last change, ISO 8601, UTC.

    `truncated` counts passages of which the model does not read all: it is 0 unless vectors were brought along.
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

    def __init__(self, path: Path, opened: Store, embedder: Embedder | None = None) -> None:
        self.path = path
        self._given = embedder
        self._edition = Edition(opened, embedder)
        self._card = _card(path)
        self._mutex = threading.Lock()
        self._replaced: list[Store] = []

    @classmethod
    def open(cls, path: str | Path, *, embedder: Embedder | None = None) -> Self:
        """Open an index.

        Raises:
            IndexNotFoundError: there is none.
            IndexFormatError: it was made by a newer semsearch.
            IndexDamagedError: a file of it is missing or is not what was written.
            ModelMismatchError: `embedder` is not the one that the index was made with.
        """
        return cls(Path(path), Store(store.current(Path(path))), embedder)

    def close(self) -> None:
        """Close the files of the index."""
        for opened in [*self._replaced, self._edition.store]:
            opened.close()

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
                    own = [number for number, *_ in snapshot.catalog.passages_of(document)]
                    at = search.near(snapshot.catalog.passages_of(document), span, line)
                    vectors = snapshot.segments.vectors([number for number, *_ in at])
                parts = search.candidates(snapshot, "", search.mean(vectors), k + len(own))
                return search.cite(snapshot, search.rank(snapshot, parts, k, set(own)), parts, _stat)

        return self._on_latest(answer)

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """Vectors of your own texts: float32, shape (len(texts), dimension), as the index stores and compares them.

        Args:
            texts: each is cut at the model's limit.
            query: encode them as queries, not as documents.
        """
        return self._latest().encode(texts, query=query)

    def split(self, document: Document) -> list[Passage]:
        """The passages that the index makes of a document."""
        return _split(self._latest(), document)

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
        return store.complaints(self._latest().store)

    def export(self, folder: str | Path) -> int:
        """Write every passage and its vector into a new folder: passages.jsonl and vectors.npy, row by row the same.

        Returns:
            How many passages were written.

        Raises:
            UsageError: the folder exists already.
        """
        from semsearch import transfer  # noqa: PLC0415 - a search does without it

        edition = self._latest()
        with edition.store.snapshot() as snapshot:
            return transfer.export(snapshot, edition.config.dimension, Path(folder))

    def _listed(self, work: Callable[[Catalog], _Result]) -> _Result:
        def read(edition: Edition) -> _Result:
            with edition.store.tables() as tables:
                return work(tables)

        return self._on_latest(read)

    def _on_latest(self, work: Callable[[Edition], _Result]) -> _Result:
        """Do the work on the latest edition, and again if a rebuild took that away meanwhile."""
        while True:
            edition = self._latest()
            try:
                return work(edition)
            except IndexDamagedError:
                if edition is self._latest():
                    raise

    def _latest(self) -> Edition:
        """The current edition; another one than before where the index was rebuilt since."""
        if _card(self.path) != self._card:
            with self._mutex:
                self._card = _card(self.path)
                folder = store.current(self.path)
                if folder != self._edition.store.folder:
                    self._replaced.append(self._edition.store)
                    self._edition = Edition(Store(folder), self._given)
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
            size=sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
            synced=snapshot.catalog.setting("synced"),
        )


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
    places = [(number, passage.start, passage.end, passage.line) for number, passage in enumerate(passages)]
    return edition.encode([passages[number].embedded for number, *_ in search.near(places, span, line)])


def _stat(path: Path) -> FileStat:
    from semsearch.read import stat_file  # noqa: PLC0415 - only where a file has changed since it was indexed

    return stat_file(path)


def _card(path: Path) -> tuple[int, int]:
    """What tells one card of an index from the next: (inode, time of change)."""
    try:
        now = (path / store.CARD).stat()
    except OSError:
        return 0, 0
    return now.st_ino, now.st_mtime_ns
