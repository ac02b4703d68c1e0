"""Runs the graph of a prepared model on tokens with ONNX Runtime; it neither makes tokens nor knows what comes out."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding

from semsearch.embed import card as cards
from semsearch.embed.card import Card
from semsearch.errors import ModelError

TOKENS_PER_RUN = 1024
"""The most tokens, padding included, that go through the graph at once: they and their products fit the caches.

Passages of about 190 word pieces on 2 cores: 512 gave 37.3/s, 1024 37.7/s, 2048 35.6/s, 4096 32.7/s, 8192 29.6/s.
"""


class Graph:
    """An exported graph, with a session for one text and one for many, each opened when it is first needed.

    The one for many lays the weights out anew, which takes 40 ms and makes it 4 % faster; the one for a single text is
    opened in 13 ms. Both map the same file into memory.
    """

    def __init__(self, card: Card, folder: Path) -> None:
        """Take the graph that lies in `folder` beside the card.

        Raises:
            ModelError: the model is not kept as a graph.
        """
        if card.kind != "graph":
            raise ModelError(f"the model {card.name} was not exported: {card.reason}")
        self._card = card
        self._path = folder / cards.GRAPH
        self._sessions: dict[bool, onnxruntime.InferenceSession] = {}
        self._lock = threading.Lock()

    def run(self, encodings: Sequence[Encoding], *, skip: int = 0, for_many: bool) -> list[NDArray[np.float32]]:
        """The graph's outputs, each with one row an encoding; `skip` leading tokens stay out of the pooling.

        Raises:
            ModelError: the graph cannot be opened or run.
        """
        session = self._session(for_many=for_many)
        try:
            outputs: list[NDArray[np.float32]] = session.run(None, self._inputs(encodings, skip))
        except Exception as error:  # the runtime's errors have no class in common
            raise ModelError(f"the model {self._card.name} cannot be run: {error}") from error
        return outputs

    def _inputs(self, encodings: Sequence[Encoding], skip: int) -> dict[str, NDArray[np.int64]]:
        """The graph's inputs, each of shape (len(encodings), tokens), filled up on the side that the model wants."""
        card, width = self._card, max(2, *(len(encoding) for encoding in encodings))
        shape = (len(encodings), width)
        inputs = {
            "input_ids": np.full(shape, card.pad_id, dtype=np.int64),
            "token_type_ids": np.full(shape, card.pad_type_id, dtype=np.int64),
            "attention_mask": np.zeros(shape, dtype=np.int64),
            "pooling_mask": np.zeros(shape, dtype=np.int64),
        }
        for row, encoding in enumerate(encodings):
            size = len(encoding)
            start = width - size if card.padding_side == "left" else 0
            inputs["input_ids"][row, start : start + size] = encoding.ids
            inputs["token_type_ids"][row, start : start + size] = encoding.type_ids
            inputs["attention_mask"][row, start : start + size] = 1
            inputs["pooling_mask"][row, start + skip : start + size] = 1
        return {name: inputs[name] for name in card.inputs}

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
        try:
            return onnxruntime.InferenceSession(self._path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's errors have no class in common
            raise ModelError(f"ONNX Runtime cannot open {self._path}: {error}; delete its folder") from error


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
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
