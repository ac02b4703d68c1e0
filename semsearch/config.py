"""How an index is made: its model and how passages are cut; nothing that may change once the index exists."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from semsearch.errors import IndexDamagedError, UsageError
from semsearch.types import Embedder

DEFAULT_MODEL = "all-MiniLM-L6-v2"
USE = "universal-sentence-encoder-multilingual"

_ENGLISH_SENTENCE_TRANSFORMERS = (
    DEFAULT_MODEL, "all-MiniLM-L12-v2", "all-mpnet-base-v2", "all-distilroberta-v1", "msmarco-MiniLM-L6-cos-v5",
    "msmarco-distilbert-cos-v5", "multi-qa-MiniLM-L6-cos-v1", "multi-qa-distilbert-cos-v1",
    "multi-qa-mpnet-base-cos-v1",
)  # fmt: skip
ENGLISH_ONLY = frozenset(
    {
        *_ENGLISH_SENTENCE_TRANSFORMERS,
        *(f"sentence-transformers/{name}" for name in _ENGLISH_SENTENCE_TRANSFORMERS),
        *(f"BAAI/bge-{size}-en-v1.5" for size in ("small", "base", "large")),
        *(f"intfloat/e5-{size}-v2" for size in ("small", "base", "large")),
        *(f"thenlper/gte-{size}" for size in ("small", "base", "large")),
    }
)
"""Models that are known to know English alone."""

_USE_LANGUAGES = frozenset(
    ["ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sh", "th", "tr", "zh"]
)
"""Those that it was trained on, and Serbo-Croatian: English queries find Bosnian text at nDCG@10 0.58 by meaning."""

MULTILINGUAL = (USE, "paraphrase-multilingual-MiniLM-L12-v2", "intfloat/multilingual-e5-small", "BAAI/bge-m3")
"""Models for a corpus in other languages, the one that needs no network first."""


def languages_of(model: str) -> frozenset[str] | None:
    """The primary language tags that a model is known to know, None where that is not known."""
    if model in ENGLISH_ONLY:
        return frozenset({"en"})
    return _USE_LANGUAGES if model == USE else None


SIMILARITIES = frozenset({"cosine", "dot"})
MOST_OVERLAP = 10
LEAST_LIMIT = 16
"""Tokens that a model must be able to read for passages to make sense."""

PASSAGE_TOKENS = 126
"""The most tokens of a passage where nobody says otherwise: with two special ones the 128 that sentence encoders were
trained on. Longer ones find no better, and a citation of a hundred words is read at a glance: `benchmarks/ranking.md`.
"""


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
    def of(cls, embedder: Embedder, overlap: int = 0, passage_tokens: int | None = None) -> IndexConfig:
        """The settings of an index with that embedder; None gives passages of PASSAGE_TOKENS, or of all that it reads.

        Raises:
            UsageError: a number is out of range, or the embedder reads too little or compares in an unknown way.
        """
        if not 0 <= overlap <= MOST_OVERLAP:
            raise UsageError(f"overlap is {overlap}; it is a number of sentences from 0 to {MOST_OVERLAP}")
        if embedder.limit < LEAST_LIMIT:
            raise UsageError(f"{embedder.name} reads {embedder.limit} tokens; at least {LEAST_LIMIT} are needed")
        if passage_tokens is not None and not LEAST_LIMIT <= passage_tokens <= embedder.limit:
            reads = f"from {LEAST_LIMIT} to the {embedder.limit} that {embedder.name} reads"
            raise UsageError(f"passages of {passage_tokens} tokens cannot be made; choose a number {reads}")
        if embedder.similarity not in SIMILARITIES:
            known = " and ".join(sorted(SIMILARITIES))
            raise UsageError(f"{embedder.name} compares by {embedder.similarity}; only {known} are supported")
        return cls(
            embedder.name,
            embedder.fingerprint,
            embedder.dimension,
            embedder.similarity,
            passage_tokens or min(embedder.limit, PASSAGE_TOKENS),
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
            made = cls(**fields)
        except (ValueError, TypeError, RecursionError) as error:
            raise IndexDamagedError(f"the index's settings cannot be read ({error}); run `semsearch repair`") from error
        kinds = all(type(value).__name__ == cls.__annotations__[name] for name, value in fields.items())
        if not kinds or min(made.dimension, made.limit) < 1 or not 0 <= made.overlap <= MOST_OVERLAP:
            raise IndexDamagedError(f"the index's settings cannot be: {text[:300]}; run `semsearch repair`")
        return made
