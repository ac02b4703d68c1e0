"""Runs the graph of a prepared model on tokens, in batches; it neither makes tokens nor knows what comes out."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Encoding

from semsearch.embed import card as cards
from semsearch.embed import runtimes
from semsearch.embed.card import Card
from semsearch.embed.runtimes import Inputs, Outputs, Runtime
from semsearch.errors import ModelError


class Graph:
    """An exported graph, opened when it is first needed, by one runtime for a text now and then or for many."""

    def __init__(self, card: Card, folder: Path, runtime: str, *, many: bool) -> None:
        """Take the graph that lies in `folder` beside the card.

        Raises:
            ModelError: the model is not kept as a graph.
        """
        if card.kind != "graph":
            raise ModelError(f"the model {card.name} was not exported: {card.reason}")
        self.runtime = runtime
        self._card = card
        self._path = folder / cards.GRAPH
        self._many = many
        self._opened: Runtime | None = None
        self._lock = threading.Lock()

    def run(self, encodings: Sequence[Encoding], *, skip: int = 0) -> Iterator[tuple[list[int], Outputs]]:
        """The graph's outputs for the encodings, a batch at a time: which they are, and a row for each of these.

        `skip` leading tokens of each stay out of the pooling.

        Raises:
            ModelError: the graph cannot be opened or run.
        """
        if not encodings:
            return
        opened = self._open()
        longest = self._card.max_tokens
        rows = list(batches([len(encoding) for encoding in encodings], opened.WIDTH, opened.TOKENS, longest))
        inputs = (self._inputs([encodings[row] for row in batch], skip, opened.WIDTH) for batch in rows)
        try:
            yield from zip(rows, opened.run(inputs), strict=True)
        except Exception as error:  # the runtimes' errors have no class in common
            raise ModelError(f"the model {self._card.name} cannot be run by {self.runtime}: {error}") from error

    def _open(self) -> Runtime:
        with self._lock:
            if self._opened is None:
                try:
                    self._opened = runtimes.open_graph(self.runtime, self._path, many=self._many)
                except Exception as error:  # the runtimes' errors have no class in common
                    raise ModelError(
                        f"the runtime {self.runtime} cannot open {self._path}: {error}; delete its folder"
                    ) from error
            return self._opened

    def _inputs(self, encodings: Sequence[Encoding], skip: int, multiple: int) -> Inputs:
        """The graph's inputs, each of shape (len(encodings), tokens), filled up on the side that the model wants."""
        card = self._card
        width = max(padded(len(encoding), multiple, card.max_tokens) for encoding in encodings)
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


def padded(length: int, multiple: int, longest: int) -> int:
    """How many tokens a text of `length` is filled up to; no more than the model reads, and no fewer than 2."""
    return max(2, length, min(-(-length // multiple) * multiple, longest))


def batches(lengths: Sequence[int], multiple: int, tokens: int, longest: int) -> Iterator[list[int]]:
    """The rows from long to short, in batches whose number of rows times longest row is within `tokens`.

    Long ones come first, so that no core has much left to do when the others are done. Where texts are filled up to a
    multiple, only those of one width share a batch: so a text is always filled up alike, and gets the same vector in
    any company.

    Args:
        lengths: tokens of each text.
        multiple: texts are filled up to a multiple of it.
        tokens: the most of a batch, padding included; a longer text has a batch of its own.
        longest: as `padded` takes it.
    """
    widths = [padded(length, multiple, longest) for length in lengths]
    batch: list[int] = []
    for row in sorted(range(len(widths)), key=widths.__getitem__, reverse=True):
        full = batch and (len(batch) + 1) * widths[batch[0]] > tokens
        if full or (batch and multiple > 1 and widths[row] != widths[batch[0]]):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
