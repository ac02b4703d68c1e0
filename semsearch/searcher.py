"""`Searcher`: opens an index and answers from it; writes nothing, so it is all that a search has to load."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from semsearch import embed, search, store
from semsearch.config import IndexConfig
from semsearch.errors import ModelMismatchError, ReadError, UsageError
from semsearch.search import Mode
from semsearch.store import Catalog, Snapshot, Store, StoredDocument
from semsearch.types import Document, Embedder, FileStat, Hit, Passage, Vectors


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
        self._store = opened
        self._card = _card(path)
        self._given = embedder
        self._embedder = embedder
        self._mutex = threading.RLock()
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
        path = Path(path)
        opened = Store(store.current(path))
        if embedder and embedder.fingerprint != opened.config.fingerprint:
            opened.close()
            raise ModelMismatchError(mismatch(path, opened.config, embedder))
        return cls(path, opened, embedder)

    def close(self) -> None:
        """Close the files of the index."""
        for opened in [*self._replaced, self._store]:
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
        return self._store.config

    @property
    def embedder(self) -> Embedder:
        """The index's model, loaded when it is first needed.

        Raises:
            ModelError: it cannot be found, trusted or run.
        """
        with self._mutex:
            if self._embedder is None:
                self._embedder = embed.load(self.config)
            return self._embedder

    def search(self, query: str | Vectors, *, k: int = 10, mode: Mode = "hybrid") -> list[Hit]:
        """The k passages that best answer a query, best first.

        Args:
            query: words, or a vector of shape (dimension,) from `encode`, which is searched for by itself.
            k: how many hits at the most.
            mode: "dense" compares meaning, "lexical" words, "hybrid" both.

        Raises:
            UsageError: the query is empty, k is below 1, or the vector has another shape.
        """
        search.checked(k, mode)
        words = query if isinstance(query, str) and mode != "dense" else ""
        vector = None if mode == "lexical" else self._query_vector(query)
        if isinstance(query, str) and not query.strip():
            raise UsageError("the query is empty; ask for something")
        with self._snapshot() as snapshot:
            parts = search.candidates(snapshot, words, vector, k)
            return search.cite(snapshot, search.rank(snapshot, parts, k), parts, _stat)

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
        search.checked(k, "dense")
        with self._snapshot() as snapshot:
            document = snapshot.catalog.locate(str(path))
            if document is None:
                vectors, own = self._vectors_of_file(Path(path), span, line), []
            else:
                own = search.near(snapshot, document, span, line)
                vectors = snapshot.segments.vectors(own)
                own = own if span or line else search.near(snapshot, document, None, None)
            parts = search.candidates(snapshot, "", search.mean(vectors), k + len(own))
            return search.cite(snapshot, search.rank(snapshot, parts, k, set(own)), parts, _stat)

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """Vectors of your own texts: float32, shape (len(texts), dimension), as the index stores and compares them.

        Args:
            texts: each is cut at the model's limit.
            query: encode them as queries, not as documents.
        """
        encoder = self.embedder.encode_query if query else self.embedder.encode_document
        shape = (len(texts), self.config.dimension)
        vectors = store.checked(encoder(texts), shape, self.config.model)
        return store.unit(vectors) if self.config.similarity == "cosine" else vectors

    def split(self, document: Document) -> list[Passage]:
        """The passages that the index makes of a document."""
        from semsearch.split import split  # noqa: PLC0415 - a search does without it

        return split(document, self.embedder, self.config.overlap)

    def folders(self) -> tuple[str, ...]:
        """The folders of articles that the index covers, as absolute paths."""
        with self._tables() as tables:
            return tuple(tables.folders())

    def documents(self) -> list[StoredDocument]:
        """All documents without their texts, in order of folder and path."""
        with self._tables() as tables:
            return list(tables.documents())

    def text(self, document_id: int) -> str:
        """The text of a document that the spans of its hits point into, "" where there is no such document."""
        with self._tables() as tables:
            return tables.text(document_id)

    def status(self) -> Status:
        """What the index is and holds."""
        with self._snapshot() as snapshot:
            return Status(
                path=str(self.path),
                config=self.config,
                **snapshot.catalog.counts(self.config.limit),
                folders=tuple(snapshot.catalog.folders()),
                segments=len(snapshot.segments.each),
                generation=snapshot.generation,
                size=sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file()),
                synced=snapshot.catalog.setting("synced"),
            )

    def verify(self) -> list[str]:
        """What is wrong with the index, a line each; an empty list when every check passed."""
        return store.complaints(self._store)

    def export(self, folder: str | Path) -> int:
        """Write every passage and its vector into a new folder: passages.jsonl and vectors.npy, row by row the same.

        Returns:
            How many passages were written.

        Raises:
            UsageError: the folder exists already.
        """
        with self._snapshot() as snapshot:
            from semsearch import transfer  # noqa: PLC0415 - a search does without it

            return transfer.export(snapshot, self.config.dimension, Path(folder))

    def _query_vector(self, query: str | Vectors) -> Vectors:
        if isinstance(query, str):
            return self.encode([query], query=True).reshape(-1)
        vector = np.ascontiguousarray(query, np.float32)
        if vector.shape != (self.config.dimension,):
            raise UsageError(f"the vector has shape {vector.shape}; this index needs ({self.config.dimension},)")
        return vector

    def _vectors_of_file(self, path: Path, span: tuple[int, int] | None, line: int | None) -> Vectors:
        from semsearch.read import read_file  # noqa: PLC0415 - a search does without it

        try:
            document, _ = read_file(path, path.name)
        except (OSError, ReadError) as error:
            why = str(error) if path.exists() else "there is no such file"
            raise UsageError(f"{path}: not a document of the index; {why}") from error
        start, end = span or (0, len(document.text))
        passages = [p for p in self.split(document) if p.start < end and p.end > start and (not line or p.line <= line)]
        if not passages:
            raise UsageError(f"{path}: holds no passage there")
        return self.encode([p.embedded for p in (passages[-1:] if line else passages)])

    @contextmanager
    def _tables(self) -> Iterator[Catalog]:
        self._refresh()
        with self._store.tables() as tables:
            yield tables

    @contextmanager
    def _snapshot(self) -> Iterator[Snapshot]:
        self._refresh()
        with self._store.snapshot() as snapshot:
            yield snapshot

    def _refresh(self) -> None:
        """Go over to the new edition where the index was rebuilt since it was opened."""
        if _card(self.path) == self._card:
            return
        with self._mutex:
            self._card = _card(self.path)
            folder = store.current(self.path)
            if folder != self._store.folder:
                self._replaced.append(self._store)
                self._store = Store(folder)
                self._embedder = self._given


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


def mismatch(path: Path, config: IndexConfig, embedder: Embedder) -> str:
    """What to say of an index that was made with another model."""
    return (
        f"{path}: was made with the model {config.model} ({config.fingerprint[:12]}), not with {embedder.name} "
        f"({embedder.fingerprint[:12]}); leave out the model, or make the index anew with --rebuild"
    )
