"""`Searcher`: opens an index and answers from it; writes nothing, so it is all that a search has to load."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar

from semsearch import embed, search, store
from semsearch.cite import cite, mean
from semsearch.config import IndexConfig
from semsearch.edition import Edition
from semsearch.errors import IndexClosedError, IndexDamagedError, UsageError
from semsearch.filters import Filter
from semsearch.query import Query, parse
from semsearch.rank import Calibration, calibration_of
from semsearch.search import Mode
from semsearch.store import Catalog, Ids, Snapshot, Store, StoredDocument
from semsearch.types import Document, Embedder, FileStat, Hit, Passage, Reranker, Vectors

if TYPE_CHECKING:
    from semsearch.explain import Explanation

_Result = TypeVar("_Result")

Card: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Status:
    """What an index is and holds. `size` is bytes on disk.

    `synced` is the time of the last sync that changed something, ISO 8601, UTC. `truncated` counts passages of which
    the model does not read all. `runtime` and `query_runtime` are what runs the model here for documents and for
    queries, "" where it brings its own or has not been prepared here.
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
    runtime: str
    query_runtime: str


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

    def search(
        self,
        query: str | Vectors,
        *,
        k: int = 10,
        mode: Mode = "hybrid",
        filter: Filter | None = None,  # noqa: A002 - the word for it
        collapse: bool = True,
        rerank: str | Reranker | None = None,
        min_relevance: float = 0.0,
        recall: float = store.RECALL,
    ) -> list[Hit]:
        """The k passages that best answer a query, best first.

        Args:
            query: words, "quoted phrases" that each hit has, where any passage has them, and -words that none
                has; or a vector of shape (dimension,) from `encode`, which is searched for by itself.
            k: how many hits at the most.
            mode: "dense" compares meaning, "lexical" words, "hybrid" both.
            filter: which documents may be found.
            collapse: fold copies of one story into the best of them, which names the others.
            rerank: a cross-encoder, by hub id or local folder, that reads the best passages again with the query.
            min_relevance: leave out hits of a lower relevance, in a hybrid search and where the model is calibrated.
            recall: of the passages nearest in meaning, the share that is found in the mean where an index is so large
                that not all are compared: above 100,000 passages. 1 compares all.

        Raises:
            UsageError: the query is empty, k is below 1, `recall` is not above 0 and at most 1, or the vector has
                another shape or no words to look for.
            ModelError: the model of `rerank` cannot be found, trusted or run.
        """
        search.checked(query, k, mode, recall)
        asked = parse(query) if isinstance(query, str) else None
        reranker = embed.load_reranker(rerank) if isinstance(rerank, str) else rerank

        def answer(edition: Edition) -> list[Hit]:
            text = query if asked is None else asked.text
            vector = None if mode == "lexical" else edition.query_vector(text)
            with edition.store.snapshot() as snapshot:
                only = _admitted(snapshot, filter)
                wish = search.Wish(asked, vector, k, mode, only, collapse=collapse, reranker=reranker, recall=recall)
                hits = cite(snapshot, search.find(snapshot, wish), _stat, _calibration(edition, asked, mode))
                return [hit for hit in hits if hit.relevance is None or hit.relevance >= min_relevance]

        return self._on_latest(answer)

    def explain(
        self,
        query: str,
        path: str | Path,
        *,
        k: int = 10,
        mode: Mode = "hybrid",
        filter: Filter | None = None,  # noqa: A002 - the word for it
        collapse: bool = True,
        rerank: str | Reranker | None = None,
        min_relevance: float = 0.0,
    ) -> Explanation:
        """Why a document is, or is not, among the hits that `search` gives for the same query.

        Scores every passage, so it takes longer than a search.

        Args:
            query: as for `search`.
            path: a file, from here or from a folder of the index, or the name of a document that never was a file; with
                `#page=3` about that page of it.
            k: as for `search`.
            mode: the same.
            filter: the same.
            collapse: the same.
            rerank: the same.
            min_relevance: the same.

        Raises:
            UsageError: the query is empty, k is below 1, or the document has no such page.
            ModelError: the model of `rerank` cannot be found, trusted or run.
            FolderError: the document is not in the index, and the folder that it lies in cannot be listed.
        """
        from semsearch.explain import explain  # noqa: PLC0415 - a search does without it

        search.checked(query, k, mode)
        asked = parse(query)
        reranker = embed.load_reranker(rerank) if isinstance(rerank, str) else rerank

        def answer(edition: Edition) -> Explanation:
            vector = None if mode == "lexical" else edition.query_vector(asked.text)
            with edition.store.snapshot() as snapshot:
                only = _admitted(snapshot, filter)
                wish = search.Wish(asked, vector, k, mode, only, collapse=collapse, reranker=reranker)
                calibration = _calibration(edition, asked, mode)
                return explain(snapshot, wish, str(path), filter, _stat, calibration, min_relevance)

        return self._on_latest(answer)

    def calibration(self) -> Calibration | None:
        """How the relevance of hits is made for the index's model, None where it is uncalibrated."""
        return calibration_of(self.config.fingerprint)

    def similar(
        self,
        path: str | Path,
        *,
        span: tuple[int, int] | None = None,
        line: int | None = None,
        k: int = 10,
        filter: Filter | None = None,  # noqa: A002 - the word for it
        collapse: bool = True,
    ) -> list[Hit]:
        """The k passages most like a file or a part of it, without the part itself.

        Args:
            path: a file, indexed or not, or the name of a document that never was a file; with `#page=3` at its end,
                that page of it.
            span: start and end in code points; None for the whole document.
            line: in place of a span, a line of the file, counted from 1.
            k: how many hits at the most.
            filter: which documents may be found.
            collapse: fold copies of one story into the best of them.

        Raises:
            UsageError: there is no such file or document, or nothing at that place.
        """
        from semsearch.alike import vectors_of  # noqa: PLC0415 - a search does without it

        search.checked(str(path), k, "dense")

        def answer(edition: Edition) -> list[Hit]:
            with edition.store.snapshot() as snapshot:
                vectors, own = vectors_of(edition, snapshot, str(path), span, line)
                only = _admitted(snapshot, filter)
                wish = search.Wish(None, mean(vectors), k, "dense", only, frozenset(own), collapse)
                return cite(snapshot, search.find(snapshot, wish), _stat)

        return self._on_latest(answer)

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """Vectors of your own texts: float32, shape (len(texts), dimension), scaled as the index compares them.

        A passage that is stored leans besides towards its neighbours in the document: `semsearch/store/context.py`.

        Args:
            texts: each is cut at the model's limit.
            query: encode them as queries, not as documents.
        """
        if isinstance(texts, str):
            raise UsageError("encode takes a list of texts; this is one text")
        return self._on_latest(lambda edition: edition.encode(texts, query=query))

    def split(self, document: Document) -> list[Passage]:
        """The passages that the index makes of a document."""
        from semsearch.alike import split_for  # noqa: PLC0415 - a search does without it

        return self._on_latest(lambda edition: split_for(edition, document))

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

    def verify(self, *, deep: bool = False) -> list[str]:
        """What is wrong with the index, a line each; `deep` also works out again what is derived, and compares."""
        with self._latest().used() as edition:
            return store.complaints(edition.store, deep=deep)

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
            with self._latest().used() as edition, store.blamed(edition.store):
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
    runtime, query_runtime = embed.runners(edition.config)
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
            runtime=runtime,
            query_runtime=query_runtime,
        )


def _admitted(snapshot: Snapshot, given: Filter | None) -> Ids | None:
    """The passages that a filter admits, None for all."""
    return store.passages_where(snapshot, given.test(), given.pages()) if given else None


def _calibration(edition: Edition, query: Query | None, mode: Mode) -> Calibration | None:
    # Both parts are weighed, so a search by one of them says nothing of how relevant its hits are.
    return calibration_of(edition.config.fingerprint) if query is not None and mode == "hybrid" else None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except FileNotFoundError:
        return 0  # a writer has just merged it away


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
