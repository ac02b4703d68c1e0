"""Runs a prepared model with ONNX Runtime and counts text with its tokenizer; it never imports torch.

It prepares nothing: `export.py` makes the folder that is opened here.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from semsearch.embed import card as cards
from semsearch.embed.card import Card
from semsearch.errors import ModelError
from semsearch.types import Vectors

TOKENS_PER_RUN = 1024
"""The most tokens, padding included, that go through the graph at once: they and their products fit the caches.

Passages of about 190 word pieces on 2 cores: 512 gave 37.3/s, 1024 37.7/s, 2048 35.6/s, 4096 32.7/s, 8192 29.6/s.
"""

LONGEST_TEXT = 512
"""Tokens: more than that is no passage that answers, and attention costs the square of it."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class Described:
    """What an embedder says from its card and its tokenizer alone: names, limits, counts and offsets."""

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
        room = self.card.max_tokens - self.card.special_tokens - self.count([self.card.document_prompt])[0]
        self._limit = min(max(room, 1), LONGEST_TEXT)

    @property
    def name(self) -> str:
        """What the model is called: its hub id, or the path of its folder."""
        return self.card.name

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hex over the files that define the model."""
        return self.card.fingerprint

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

    def checked(self, vectors: Vectors) -> Vectors:
        """The vectors, if each of their numbers is finite.

        Raises:
            ModelError: one is not.
        """
        if not np.isfinite(vectors).all():
            raise ModelError(f"the model {self.name} gives numbers that are not finite; choose another model")
        return vectors


class GraphEmbedder(Described):
    """The exported pipeline as an embedder.

    `truncated` counts the documents' texts that were longer than the model reads, and so were cut.

    There is a session for queries and one for documents, each opened when it is first needed. The one for documents
    lays the weights out anew, which takes 40 ms and makes it 4 % faster; the one for queries is opened in 13 ms. Both
    map the same file into memory.
    """

    def __init__(self, folder: Path, name: str = "") -> None:
        """Open the model that was prepared in `folder`; `name` stands in for the one it was prepared under.

        Raises:
            ModelError: a file is missing or is not what was written, or the model is not kept as a graph.
        """
        super().__init__(folder, name)
        if self.card.kind != "graph":
            raise ModelError(f"the model {self.name} was not exported: {self.card.reason}")
        self.truncated = 0
        self._sessions: dict[bool, onnxruntime.InferenceSession] = {}
        self._lock = threading.Lock()

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
        for rows in _batches([len(encoding) for encoding in encodings]):
            vectors[rows] = self._run([encodings[row] for row in rows], skip, for_many=for_many)
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

    def _run(self, encodings: Sequence[Encoding], skip: int, *, for_many: bool) -> Vectors:
        session = self._session(for_many=for_many)
        try:
            vectors: Vectors = session.run(None, self._inputs(encodings, skip))[0]
        except Exception as error:  # the runtime's errors have no class in common
            raise ModelError(f"the model {self.name} cannot be run: {error}") from error
        return vectors

    def _inputs(self, encodings: Sequence[Encoding], skip: int) -> dict[str, NDArray[np.int64]]:
        """The graph's inputs, each of shape (len(encodings), tokens), filled up on the side that the model wants."""
        width = max(2, *(len(encoding) for encoding in encodings))
        shape = (len(encodings), width)
        inputs = {
            "input_ids": np.full(shape, self.card.pad_id, dtype=np.int64),
            "token_type_ids": np.full(shape, self.card.pad_type_id, dtype=np.int64),
            "attention_mask": np.zeros(shape, dtype=np.int64),
            "pooling_mask": np.zeros(shape, dtype=np.int64),
        }
        for row, encoding in enumerate(encodings):
            size = len(encoding)
            start = width - size if self.card.padding_side == "left" else 0
            inputs["input_ids"][row, start : start + size] = encoding.ids
            inputs["token_type_ids"][row, start : start + size] = encoding.type_ids
            inputs["attention_mask"][row, start : start + size] = 1
            inputs["pooling_mask"][row, start + skip : start + size] = 1
        return {name: inputs[name] for name in self.card.inputs}

    def _session(self, *, for_many: bool) -> onnxruntime.InferenceSession:
        with self._lock:
            if for_many not in self._sessions:
                self._sessions[for_many] = self._open(for_many=for_many)
            return self._sessions[for_many]

    def _open(self, *, for_many: bool) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # fatal: what goes wrong is raised
        options.intra_op_num_threads = _cores()
        options.add_session_config_entry(
            "session.intra_op.allow_spinning", "0"
        )  # as fast, and faster on a busy machine
        if not for_many:
            options.add_session_config_entry("session.disable_prepacking", "1")
        path = self._folder / cards.GRAPH
        try:
            return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's errors have no class in common
            raise ModelError(f"ONNX Runtime cannot open {path}: {error}; delete its folder") from error


def plain(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which no tokenizer takes."""
    return _SURROGATE.sub("\ufffd", text)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The rows from short to long, in batches whose number of rows times longest row is within TOKENS_PER_RUN."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > TOKENS_PER_RUN:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _cores() -> int:
    """The processor's cores that this process may use; on Linux two threads of one core count once."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    threads = os.sched_getaffinity(0)
    siblings = (Path(f"/sys/devices/system/cpu/cpu{thread}/topology/thread_siblings_list") for thread in threads)
    try:
        return len({path.read_text(encoding="ascii") for path in siblings})
    except OSError:
        return len(threads)
