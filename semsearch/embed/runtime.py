"""Runs a prepared model and counts text with its tokenizer; it never imports torch, and OpenVINO only for documents.

It prepares nothing: `export.py` makes the folder that is opened here.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tokenizers import Encoding, Tokenizer

from semsearch.embed import card as cards
from semsearch.embed import runtimes
from semsearch.embed.card import Card
from semsearch.embed.graph import Graph
from semsearch.errors import ModelError
from semsearch.types import Vectors

LOG = logging.getLogger("semsearch")

LONGEST_TEXT = 512
"""Tokens: more than that is no passage that answers, and attention costs the square of it."""

ALIKE = 0.9999
"""The least cosine between a text's vectors by two runtimes that may stand for each other.

The difference of the vectors is compared with that of unit vectors of that cosine, so that their lengths count too.
"""

_SENTENCE = "The minister said on 3 May that Europe's banks would not pay, whatever the court had ruled. "
_PROBES = ("peace", _SENTENCE, f"Élections: {_SENTENCE * 8}")

_SURROGATE = re.compile("[\ud800-\udfff]")


class Prepared:
    """What any prepared model has: its card, its tokenizer, and the names on the card."""

    def __init__(self, folder: Path, name: str = "") -> None:
        """Open the model that was prepared in `folder`; `name` stands in for the one it was prepared under.

        Raises:
            ModelError: a file is missing or is not what was written.
        """
        found = cards.read(folder)
        self.card: Card = replace(found, name=name or found.name)
        self._folder = folder
        self._tokenizer = Tokenizer.from_file(str(folder / cards.TOKENIZER))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @property
    def name(self) -> str:
        """What the model is called: its hub id, or the path of its folder."""
        return self.card.name

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hex over the files that define the model."""
        return self.card.fingerprint

    def checked(self, numbers: Vectors) -> Vectors:
        """The vectors or scores, if each number is finite.

        Raises:
            ModelError: one is not.
        """
        if not np.isfinite(numbers).all():
            raise ModelError(f"the model {self.name} gives numbers that are not finite; choose another model")
        return numbers


class Described(Prepared):
    """What an embedder says from its card and its tokenizer alone: limits, counts and offsets."""

    def __init__(self, folder: Path, name: str = "") -> None:
        """Open the model that was prepared in `folder`; `name` stands in for the one it was prepared under.

        Raises:
            ModelError: a file is missing or is not what was written.
        """
        super().__init__(folder, name)
        room = self.card.max_tokens - self.card.special_tokens - self.count([self.card.document_prompt])[0]
        self._limit = min(max(room, 1), LONGEST_TEXT)

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self.card.dimension

    @property
    def limit(self) -> int:
        """The most tokens that a document's text may have, special tokens and prompt already taken off.

        No more than LONGEST_TEXT, also of a model that reads whole books.
        """
        return self._limit

    @property
    def similarity(self) -> str:
        """How two vectors are compared: "cosine" or "dot"."""
        return self.card.similarity

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, without special tokens and prompt; no text is cut."""
        encodings = self._tokenizer.encode_batch_fast([plain(text) for text in texts], add_special_tokens=False)
        return [len(encoding) for encoding in encodings]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Where each token begins and ends in `text`, in code points; without special tokens, and no text is cut."""
        offsets: list[tuple[int, int]] = self._tokenizer.encode(plain(text), add_special_tokens=False).offsets
        return offsets


class GraphEmbedder(Described):
    """The exported pipeline as an embedder: documents by the runtime that was named or is best, queries by QUERIES.

    `truncated` counts the documents' texts that were longer than the model reads, and so were cut.
    """

    def __init__(self, folder: Path, name: str = "", runtime: str = "") -> None:
        """Open the model that was prepared in `folder`; `name` stands in for the one it was prepared under.

        `runtime` is for documents, and without it what $SEMSEARCH_RUNTIME names, else the best.

        Raises:
            UsageError: there is no such runtime, or it is not installed.
            ModelError: a file is missing or is not what was written, or the model is not kept as a graph.
        """
        super().__init__(folder, name)
        self._wanted = runtimes.checked(runtime) if runtime else runtimes.wanted()
        self._for_queries = Graph(self.card, folder, runtimes.QUERIES, many=False)
        self._for_documents: Graph | None = None
        self._choosing = threading.Lock()
        self.truncated = 0

    @property
    def runtime(self) -> str:
        """The name of the runtime for documents; it is chosen when this is first asked or a document is encoded."""
        return self._documents().runtime

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension), float32, in the order of the texts, with the document prompt.

        Raises:
            ModelError: the model cannot be run, or gives numbers that are not finite.
        """
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        prompted = [self.card.document_prompt + text for text in texts]
        return self.checked(self._encode(self._documents(), prompted, self.card.document_skip, counted=True))

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """As `encode_document`, with the query prompt; a text that is too long is cut."""
        prompted = [self.card.query_prompt + text for text in texts]
        return self.checked(self._encode(self._for_queries, prompted, self.card.query_skip))

    def _encode(self, graph: Graph, texts: Sequence[str], skip: int, *, counted: bool = False) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for rows, outputs in graph.run(self._tokenize(texts, counted=counted), skip=skip):
            vectors[rows] = outputs[0]
        return vectors

    def _documents(self) -> Graph:
        """The graph for documents, by the runtime that was named, else by the best that is right for this model."""
        with self._choosing:
            if self._for_documents is None:
                plain = self._graph(runtimes.QUERIES)
                graph = self._graph(self._wanted or runtimes.best())
                if not self._wanted and graph.runtime != plain.runtime and not self._alike(graph, plain):
                    graph = plain
                self._for_documents = graph
            return self._for_documents

    def _graph(self, runtime: str) -> Graph:
        return Graph(self.card, self._folder, runtime, many=True)

    def _alike(self, graph: Graph, plain: Graph) -> bool:
        """Whether both give the probes the same vectors; a model can have numbers that bfloat16 is too coarse for."""
        skip = self.card.document_skip
        texts = [self.card.document_prompt + text for text in _PROBES]
        try:
            found, expected = self._encode(graph, texts, skip), self._encode(plain, texts, skip)
        except ModelError as error:
            LOG.info("the runtime %s is not used: %s", graph.runtime, error)
            return False
        errors = np.linalg.norm(found - expected, axis=1)
        alike = bool((errors <= np.sqrt(2 - 2 * ALIKE) * np.linalg.norm(expected, axis=1)).all())
        if not alike:
            LOG.info(
                "the runtime %s is not used for %s: its vectors are not those of float32", graph.runtime, self.name
            )
        return alike

    def _tokenize(self, texts: Sequence[str], *, counted: bool) -> list[Encoding]:
        texts = [plain(text) for text in texts]
        encodings = self._tokenizer.encode_batch_fast(texts)
        if counted:
            self.truncated += sum(len(encoding) > self.card.max_tokens for encoding in encodings)
        return [
            encoding if len(encoding) <= self.card.max_tokens else self._cut(text)
            for text, encoding in zip(texts, encodings, strict=True)
        ]

    def _cut(self, text: str) -> Encoding:
        """The tokens of a text that is too long: as many as there is room for, and all special tokens."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        room = self.card.max_tokens - self.card.special_tokens
        encoding.truncate(room, direction=self.card.truncation_side)
        return self._tokenizer.post_process(encoding)


def plain(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which no tokenizer takes."""
    return _SURROGATE.sub("\ufffd", text)
