"""`Index`: everything that semsearch can do, one call each; it joins the rooms and knows none of their insides."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from semsearch import embed, rebuild, search, store, sync, transfer
from semsearch.config import DEFAULT_MODEL, IndexConfig
from semsearch.errors import FolderError, ModelMismatchError, UsageError
from semsearch.intake import checked, incoming, stat_of_text, well_formed, with_vectors
from semsearch.intake import embed as embed_new
from semsearch.read import read_file, stat_file
from semsearch.search import Mode
from semsearch.split import split
from semsearch.store import Catalog, Snapshot, Store, StoredDocument
from semsearch.sync import Changes, Progress, SyncReport
from semsearch.types import Document, Embedder, Hit, Passage, Vectors


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


class Index:
    """An index of passages: make one with `create`, open one with `open`, and leave it with `close` or `with`.

    Searching is safe from several threads at once, also while one of them, or another process, writes. One process
    writes at a time.
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
    def create(
        cls,
        path: str | Path,
        model: str = DEFAULT_MODEL,
        *,
        overlap: int = 0,
        embedder: Embedder | None = None,
    ) -> Self:
        """Make a new, empty index.

        Args:
            path: a folder that does not exist yet.
            model: a sentence-transformers hub id or local folder.
            overlap: sentences that each passage repeats from the one before it.
            embedder: your own in place of a model; `open` needs it again.

        Raises:
            IndexExistsError: there is something at `path` already.
            ModelError: the model cannot be found, trusted or run.
        """
        path = Path(path)
        embedder = embedder or embed.resolve(model)
        config = IndexConfig.of(embedder, overlap)
        with store.locked(path):
            opened = store.create(path, config)
        return cls(path, opened, embedder)

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
            raise ModelMismatchError(_mismatch(path, opened.config, embedder))
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
            return search.cite(snapshot, search.rank(snapshot, parts, k), parts, stat_file)

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
            document = _find(snapshot.catalog, str(path))
            if document is None:
                vectors, own = self._vectors_of_file(Path(path), span, line), []
            else:
                own = search.near(snapshot, document, span, line)
                vectors = snapshot.segments.vectors(own)
                own = own if span or line else search.near(snapshot, document, None, None)
            parts = search.candidates(snapshot, "", search.mean(vectors), k + len(own))
            return search.cite(snapshot, search.rank(snapshot, parts, k, set(own)), parts, stat_file)

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """Vectors of your own texts: float32, shape (len(texts), dimension), as the index stores and compares them.

        Args:
            texts: each is cut at the model's limit.
            query: encode them as queries, not as documents.
        """
        encoder = self.embedder.encode_query if query else self.embedder.encode_document
        shape = (len(texts), self.config.dimension)
        vectors = checked(encoder(texts), shape, self.config.model)
        return store.unit(vectors) if self.config.similarity == "cosine" else vectors

    def split(self, document: Document) -> list[Passage]:
        """The passages that the index makes of a document."""
        return split(document, self.embedder, self.config.overlap)

    def add(self, documents: Sequence[Document], vectors: Sequence[Vectors] | None = None) -> None:
        """Add documents that are no files, each under its `path`; one that is there under that name is replaced.

        Args:
            documents: what to add, all in one step.
            vectors: your own, for each document float32 of shape (passages that `split` gives, dimension).

        Raises:
            UsageError: two documents have the same name, one has no text, or vectors do not fit.
            IndexLockedError: another process is writing.
        """
        well_formed(documents)
        stats = [stat_of_text(document) for document in documents]
        with self.writing():
            with self._store.tables() as tables:
                numbers = [tables.find("", document.path) for document in documents]
            batch = [
                incoming(document, stat, self.embedder, self.config.overlap, replaces=number)
                for document, stat, number in zip(documents, stats, numbers, strict=True)
            ]
            if vectors is None:
                additions, _ = embed_new(self._store, self.embedder, batch)
            else:
                additions = with_vectors(batch, vectors, self.config.dimension)
            self._store.commit(additions)

    def remove(self, *paths: str | Path) -> int:
        """Remove documents by name or path; how many there were.

        A file that stays in its folder comes back with the next sync.

        Raises:
            UsageError: the index holds no such document; nothing was removed.
        """
        with self.writing():
            with self._store.tables() as tables:
                numbers = {str(path): _find(tables, str(path)) for path in paths}
            missing = [path for path, number in numbers.items() if number is None]
            if missing:
                raise UsageError(f"the index holds no {missing[0]}; see what it holds with `semsearch list`")
            self._store.commit(removals=sorted({number for number in numbers.values() if number is not None}))
            return len(numbers)

    def sync(
        self,
        folder: str | Path,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        allow_empty: bool = False,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> SyncReport:
        """Bring the index up to date with a folder of articles; what it then holds equals a rebuild from nothing.

        Args:
            folder: is walked; `.gitignore` and `.semsearchignore` are heeded, links are not followed.
            include: gitignore-style patterns; only files that match one are read.
            exclude: patterns of files to leave out.
            allow_empty: accept that the folder holds no article any more.
            progress: is called after each batch.

        Raises:
            FolderError: the folder is missing or holds nothing that can be read; nothing was changed.
            IndexLockedError: another process is writing.
            StorageError: the disk is full, read-only or fails; what was committed stays.
        """
        root = self._root(folder)
        with self.writing():
            changes = sync.find_changes(self._store, root, include, exclude, allow_empty=allow_empty)
            return sync.apply(self._store, root, changes, lambda: self.embedder, progress)

    def changes(
        self,
        folder: str | Path,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        allow_empty: bool = False,
    ) -> Changes:
        """What `sync` would do; changes nothing."""
        return sync.find_changes(self._store, self._root(folder), include, exclude, allow_empty=allow_empty)

    def expect(self, model: str | None = None, overlap: int | None = None) -> None:
        """Make sure that the index is made in a certain way.

        Raises:
            ModelMismatchError: with another model.
            UsageError: with another overlap.
        """
        if model is not None:
            found = embed.resolve(model)
            if found.fingerprint != self.config.fingerprint:
                raise ModelMismatchError(_mismatch(self.path, self.config, found))
            self._embedder = self._embedder or found
        if overlap is not None and overlap != self.config.overlap:
            made = f"was made with an overlap of {self.config.overlap}, not {overlap}"
            raise UsageError(f"{self.path}: {made}; leave the option out, or make the index anew with --rebuild")

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
            return transfer.export(snapshot, self.config.dimension, Path(folder))

    @classmethod
    def rebuild(
        cls,
        path: str | Path,
        folder: str | Path,
        model: str = "",
        *,
        overlap: int | None = None,
        embedder: Embedder | None = None,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> SyncReport:
        """Make an index anew beside the old one, and put it in its place when it is whole.

        Its other folders, and documents that never were files, are taken along. When it is stopped, the old index stays
        in use, and the next rebuild goes on from there. What is left out stays as the old index has it.

        Args:
            path: of the index.
            folder: of articles.
            model: another model for the index.
            overlap: another number of sentences that passages share.
            embedder: your own in place of a model.
            include: gitignore-style patterns; only files of `folder` that match one are read.
            exclude: patterns of files to leave out.
            progress: is called after each batch.

        Raises:
            FolderError: a folder of the index is missing or holds nothing that can be read.
            IndexLockedError: another process is writing.
        """
        path, root = Path(path), Path(folder).resolve()
        with store.locked(path):
            old = rebuild.open_old(path)
            if embedder is None:
                embedder = embed.load(old.config) if old and not model else embed.resolve(model or DEFAULT_MODEL)
            if overlap is None:
                overlap = old.config.overlap if old else 0
            return rebuild.rebuild(path, old, root, embedder, overlap, include, exclude, progress)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one process that writes, for as long as the block lasts.

        Raises:
            IndexLockedError: another process is writing.
        """
        with store.locked(self.path):
            self._refresh()
            store.discard_editions(self.path, self._store.folder)
            self._store.discard_leftovers()
            yield

    def _query_vector(self, query: str | Vectors) -> Vectors:
        if isinstance(query, str):
            return self.encode([query], query=True).reshape(-1)
        vector = np.ascontiguousarray(query, np.float32)
        if vector.shape != (self.config.dimension,):
            raise UsageError(f"the vector has shape {vector.shape}; this index needs ({self.config.dimension},)")
        return vector

    def _vectors_of_file(self, path: Path, span: tuple[int, int] | None, line: int | None) -> Vectors:
        try:
            document, _ = read_file(path, path.name)
        except OSError as error:
            raise UsageError(f"{path}: neither a document of the index nor a file: {error.strerror}") from error
        start, end = span or (0, len(document.text))
        passages = [p for p in self.split(document) if p.start < end and p.end > start and (not line or p.line <= line)]
        if not passages:
            raise UsageError(f"{path}: holds no passage there")
        return self.encode([p.embedded for p in (passages[-1:] if line else passages)])

    def _root(self, folder: str | Path) -> Path:
        """The absolute path by which a folder is known.

        Raises:
            FolderError: it lies inside a folder of the index, or the other way round: files would be in it twice.
        """
        root = Path(folder).absolute()
        root = root.resolve() if root.exists() else root
        with self._tables() as tables:
            for other in map(Path, tables.folders()):
                if root != other and (root.is_relative_to(other) or other.is_relative_to(root)):
                    raise FolderError(
                        f"{root}: this index covers {other}, so files would be in it twice; "
                        f"index {other} again, or choose another index with -i"
                    )
        return root

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


def _find(tables: Catalog, path: str) -> int | None:
    """The number of the document that a path or name means, None where the index holds none."""
    absolute = Path(path).absolute()
    for root in tables.folders():
        if absolute.is_relative_to(root):
            number = tables.find(root, absolute.relative_to(root).as_posix())
            if number is not None:
                return number
    return tables.find("", path)


def _card(path: Path) -> tuple[int, int]:
    """What tells one card of an index from the next: (inode, time of change)."""
    try:
        now = (path / store.CARD).stat()
    except OSError:
        return 0, 0
    return now.st_ino, now.st_mtime_ns


def _mismatch(path: Path, config: IndexConfig, embedder: Embedder) -> str:
    return (
        f"{path}: was made with the model {config.model} ({config.fingerprint[:12]}), not with {embedder.name} "
        f"({embedder.fingerprint[:12]}); leave out the model, or make the index anew with --rebuild"
    )
