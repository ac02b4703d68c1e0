"""How an index is made: its model and how passages are cut; nothing that may change once the index exists."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from semsearch.errors import IndexDamagedError, UsageError
from semsearch.types import Embedder

DEFAULT_MODEL = "all-MiniLM-L6-v2"
ENGLISH_ONLY = frozenset({DEFAULT_MODEL})
"""Models that are known to know English alone."""

SIMILARITIES = frozenset({"cosine", "dot"})
MOST_OVERLAP = 10
LEAST_LIMIT = 16
"""Tokens that a model must be able to read for passages to make sense."""


@dataclass(frozen=True, slots=True)
class IndexConfig:
    """The settings that every vector and passage of an index shares.

    `fingerprint` names the model's weights, tokenizer, pooling and prompts; `limit` is the most tokens that a passage
    may have with its title; `overlap` is the number of sentences that a passage repeats from the one before it.
    """

    model: str
    fingerprint: str
    dimension: int
    similarity: str
    limit: int
    overlap: int = 0

    @classmethod
    def of(cls, embedder: Embedder, overlap: int = 0) -> IndexConfig:
        """The settings of an index with that embedder.

        Raises:
            UsageError: overlap is out of range, or the embedder reads too little or compares in an unknown way.
        """
        if not 0 <= overlap <= MOST_OVERLAP:
            raise UsageError(f"overlap is {overlap}; it is a number of sentences from 0 to {MOST_OVERLAP}")
        if embedder.limit < LEAST_LIMIT:
            raise UsageError(f"{embedder.name} reads {embedder.limit} tokens; at least {LEAST_LIMIT} are needed")
        if embedder.similarity not in SIMILARITIES:
            known = " and ".join(sorted(SIMILARITIES))
            raise UsageError(f"{embedder.name} compares by {embedder.similarity}; only {known} are supported")
        return cls(
            embedder.name,
            embedder.fingerprint,
            embedder.dimension,
            embedder.similarity,
            embedder.limit,
            overlap,
        )

    def to_json(self) -> str:
        """The settings as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> IndexConfig:
        """The settings from what `to_json` gave.

        Raises:
            IndexDamagedError: it is not what `to_json` gave.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            return cls(**fields)
        except (ValueError, TypeError) as error:
            raise IndexDamagedError(f"the index's settings cannot be read ({error}); rebuild it") from error
