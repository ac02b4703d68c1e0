"""Runs a model with sentence-transformers itself, where there is no graph of it or a GPU is wanted.

It decides nothing: `load`, `resolve` and `load_reranker` choose between it and the graph.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsearch.embed import export, export_cross
from semsearch.embed.describe import Model
from semsearch.embed.find import Source, find, find_reranker, fingerprint
from semsearch.embed.runtime import Described, Prepared, plain
from semsearch.errors import ModelMismatchError, ModelNotFoundError
from semsearch.types import Vectors


class OriginalEmbedder(Described):
    """A sentence-transformers model as an embedder, in float32; one call at a time."""

    def __init__(self, folder: Path, source: Source | None = None, device: str = "cpu") -> None:
        """Load the model whose card lies in `folder`.

        Args:
            folder: where the model was prepared.
            source: the model; None means the folder that it was prepared from.
            device: "cpu", "cuda", "cuda:1", "mps": whatever torch calls it.

        Raises:
            ModelNotFoundError: the model's folder has gone.
            ModelMismatchError: the model in the folder is another one now.
            ModelError: sentence-transformers cannot load it, or the card is damaged.
        """
        super().__init__(folder, source.name if source else "")
        self._model = _loaded(self, source, device, export.load, find)
        self._lock = threading.Lock()

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension), float32, in the order of the texts, with the document prompt.

        Raises:
            ModelError: the model cannot be run, or gives numbers that are not finite.
        """
        return self._encode(texts, query=False)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """As `encode_document`, with the query prompt; a text that is too long is cut."""
        return self._encode(texts, query=True)

    def _encode(self, texts: Sequence[str], *, query: bool) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        with self._lock:
            return self.checked(export.encode(self._model, [plain(text) for text in texts], query=query))


class OriginalReranker(Prepared):
    """A cross-encoder as a reranker, run as `OriginalEmbedder` runs a model; one call at a time."""

    def __init__(self, folder: Path, source: Source | None = None, device: str = "cpu") -> None:
        """As `OriginalEmbedder`."""
        super().__init__(folder, source.name if source else "")
        self._model = _loaded(self, source, device, export_cross.load, find_reranker)
        self._lock = threading.Lock()

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """What `CrossEncoder.predict` gives for the query with each text: float32, shape (len(texts),).

        Raises:
            ModelError: the model cannot be run, or gives numbers that are not finite.
        """
        if not texts:
            return np.empty(0, dtype=np.float32)
        pairs = [(plain(query), plain(text)) for text in texts]
        with self._lock:
            return self.checked(export_cross.predict(self._model, pairs))


def _loaded(
    prepared: Prepared,
    source: Source | None,
    device: str,
    load: Callable[[Path, str], Model],
    check: Callable[[str], Source],
) -> Model:
    """The model that the card of `prepared` speaks of, from the folder of `source` or from the one on the card."""
    place = source.folder if source else Path(prepared.card.source)
    if not place.is_dir():
        raise ModelNotFoundError(f"the folder of the model {prepared.name} has gone: {place}")
    if (found := fingerprint(place)) != prepared.fingerprint:
        raise ModelMismatchError(f"the model in {place} has changed: {found} now, {prepared.fingerprint} before")
    # A card may name any folder; what could run code there is refused as it is of a model that is named by its path.
    check(str(place))
    return load(place, device)
