"""Runs a prepared model with ONNX Runtime and counts text with its tokenizer; it never imports torch.

It prepares nothing: `export.py` makes the folder that is opened here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tokenizers import Encoding, Tokenizer

from semsearch.embed import card as cards
from semsearch.embed.card import Card
from semsearch.embed.graph import Graph, batches
from semsearch.errors import ModelError
from semsearch.types import Vectors

LONGEST_TEXT = 512
"""Tokens: more than that is no passage that answers, and attention costs the square of it."""

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
    """The exported pipeline as an embedder.

    `truncated` counts the documents' texts that were longer than the model reads, and so were cut.
    """

    def __init__(self, folder: Path, name: str = "") -> None:
        """Open the model that was prepared in `folder`; `name` stands in for the one it was prepared under.

        Raises:
            ModelError: a file is missing or is not what was written, or the model is not kept as a graph.
        """
        super().__init__(folder, name)
        self._graph = Graph(self.card, folder)
        self.truncated = 0

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension), float32, in the order of the texts, with the document prompt.

        Raises:
            ModelError: the model cannot be run, or gives numbers that are not finite.
        """
        prompted = [self.card.document_prompt + text for text in texts]
        return self._encode(prompted, self.card.document_skip, for_many=True)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """As `encode_document`, with the query prompt; a text that is too long is cut."""
        prompted = [self.card.query_prompt + text for text in texts]
        return self._encode(prompted, self.card.query_skip, for_many=False)

    def _encode(self, texts: Sequence[str], skip: int, *, for_many: bool) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        encodings = self._tokenize(texts, counted=for_many)
        for rows in batches([len(encoding) for encoding in encodings]):
            vectors[rows] = self._graph.run([encodings[row] for row in rows], skip=skip, for_many=for_many)[0]
        return self.checked(vectors)

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
