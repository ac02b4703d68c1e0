"""Scores pairs of query and passage with a prepared cross-encoder on ONNX Runtime; it never imports torch.

It orders nothing, and prepares nothing: `export_cross.py` makes the folder that is opened here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsearch.embed import runtimes
from semsearch.embed.graph import Graph
from semsearch.embed.runtime import Prepared, plain


class GraphReranker(Prepared):
    """An exported cross-encoder as a reranker; it may be called from several threads."""

    def __init__(self, folder: Path, name: str = "") -> None:
        """Open the model that was prepared in `folder`; `name` stands in for the one it was prepared under.

        Raises:
            ModelError: a file is missing or is not what was written, or the model is not kept as a graph.
        """
        super().__init__(folder, name)
        # Its scores are for people to see and to compare: float32, whatever runs documents.
        self._graph = Graph(self.card, folder, runtimes.QUERIES, many=True)
        self._tokenizer.enable_truncation(
            self.card.max_tokens, strategy="longest_first", direction=self.card.truncation_side
        )

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """What `CrossEncoder.predict` gives for the query with each text: float32, shape (len(texts),).

        Higher is better. The model's default prompt stands before the query, its activation function is applied, and
        of a pair that is too long the longer half is cut first.

        Raises:
            ModelError: the model cannot be run, or gives numbers that are not finite.
        """
        return self.checked(self.outputs([(query, text) for text in texts])[0])

    def outputs(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """The scores of pairs of query and text, and below them the same before the activation: shape (2, len(pairs)).

        Raises:
            ModelError: the model cannot be run.
        """
        prompted = [(plain(self.card.query_prompt + query), plain(text)) for query, text in pairs]
        encodings = self._tokenizer.encode_batch_fast(prompted)
        outputs = np.empty((2, len(pairs)), dtype=np.float32)
        for rows, scores in self._graph.run(encodings):
            outputs[:, rows] = scores
        return outputs
