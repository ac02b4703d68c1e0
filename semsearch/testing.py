"""An embedder without a model, for tests: vectors that can be worked out by hand, and a count of what was encoded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from semsearch.terms import terms
from semsearch.types import Vectors

_TOKEN = re.compile(r"\w+|[^\w\s]")


class HashEmbedder:
    """A bag of words: each term adds 1 to the place that its hash names, and the vector is scaled to length 1.

    Text that shares no term with a query has similarity 0 to it, but for hash collisions. A text without a term is the
    first unit vector. `encoded` holds every text that was encoded as a document, in order; it is not thread-safe.
    """

    name = "hash"
    similarity = "cosine"

    def __init__(self, dimension: int = 256, limit: int = 64) -> None:
        self.dimension = dimension
        self.limit = limit
        self.fingerprint = f"hash-{dimension}-{limit}"
        self.encoded: list[str] = []

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of words and signs in each text."""
        return [len(_TOKEN.findall(text)) for text in texts]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each word and sign, in code points."""
        return [match.span() for match in _TOKEN.finditer(text)]

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension), float32, of length 1."""
        self.encoded.extend(texts)
        return self.encode_query(texts)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """The same vectors as for documents; not counted."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for term in terms(text) or [""]:
                row[self._place(term)] += 1
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _place(self, term: str) -> int:
        return int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "big") % self.dimension if term else 0
