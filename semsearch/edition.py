"""An edition of an index together with the model that it was made with; finds, opens and writes nothing by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np

from semsearch import embed
from semsearch.config import IndexConfig
from semsearch.errors import IndexDamagedError, ModelMismatchError, UsageError
from semsearch.store import Store
from semsearch.types import Embedder, Vectors


class Edition:
    """A store and its embedder, which is loaded when it is first needed; safe to share between threads.

    Raises:
        ModelMismatchError: `embedder` is not the one that the index was made with.
    """

    def __init__(self, opened: Store, embedder: Embedder | None = None) -> None:
        if embedder and embedder.fingerprint != opened.config.fingerprint:
            opened.close()
            raise ModelMismatchError(mismatch(opened.folder.parent, opened.config, embedder))
        self.store = opened
        self._embedder = embedder
        self._mutex = threading.Lock()
        self._users = 0
        self._retired = False

    @property
    def config(self) -> IndexConfig:
        """How the index is made."""
        return self.store.config

    @property
    def embedder(self) -> Embedder:
        """The model.

        Raises:
            ModelError: it cannot be found, trusted or run.
        """
        with self._mutex:
            if self._embedder is None:
                self._embedder = embed.load(self.config)
            if self._embedder.dimension != self.config.dimension:
                found = f"{self._embedder.dimension} numbers, of which the index says {self.config.dimension}"
                raise IndexDamagedError(f"{self.store.path}: its model gives {found}; run `semsearch repair`")
            return self._embedder

    @contextmanager
    def used(self) -> Iterator[Self]:
        """Keep the edition open for as long as the block lasts, also when it is retired meanwhile."""
        with self._mutex:
            self._users += 1
        try:
            yield self
        finally:
            with self._mutex:
                self._users -= 1
            self._close_if_done()

    def retire(self) -> None:
        """Close it as soon as nobody uses it."""
        with self._mutex:
            self._retired = True
        self._close_if_done()

    def _close_if_done(self) -> None:
        with self._mutex:
            done = self._retired and not self._users
        if done:
            self.store.close()

    def encode(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """Vectors scaled as the index compares them, without context: float32, shape (len(texts), dimension)."""
        encoder = self.embedder.encode_query if query else self.embedder.encode_document
        return self.store.admitted(encoder(texts), len(texts), self.config.model)

    def query_vector(self, query: str | Vectors) -> Vectors:
        """The vector of a query, or the one that stands for it: float32, shape (dimension,).

        Raises:
            UsageError: it has another shape, or holds NaN or infinity.
        """
        if isinstance(query, str):
            return self.encode([query], query=True).reshape(-1)
        vector = np.ascontiguousarray(query, np.float32)
        if vector.shape != (self.config.dimension,) or not np.isfinite(vector).all():
            wanted = f"({self.config.dimension},) and finite numbers"
            raise UsageError(f"the vector has shape {vector.shape}; this index needs {wanted}")
        return vector


def mismatch(path: Path, config: IndexConfig, embedder: Embedder) -> str:
    """What to say of an index that was made with another model."""
    return (
        f"{path}: was made with the model {config.model} ({config.fingerprint[:12]}), not with {embedder.name} "
        f"({embedder.fingerprint[:12]}); leave out the model, or make the index anew with --rebuild"
    )
