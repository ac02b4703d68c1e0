"""Runs a model with sentence-transformers itself, where there is no graph of it or a GPU is wanted.

It decides nothing: `load` and `resolve` choose between it and the graph.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semsearch.embed import export
from semsearch.embed.find import Source, fingerprint
from semsearch.embed.runtime import Described, plain
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
        place = source.folder if source else Path(self.card.source)
        if not place.is_dir():
            raise ModelNotFoundError(f"the folder of the model {self.name} has gone: {place}")
        if (found := fingerprint(place)) != self.fingerprint:
            raise ModelMismatchError(f"the model in {place} has changed: {found} now, {self.fingerprint} before")
        self._model = export.load(place, device)
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
