"""txtai with its content store and the model's folder, by vectors ("dense") or with its BM25 beside them ("hybrid").

The model is run by txtai itself, as it does with any folder: by transformers, with the pooling that the folder states.
"""

from __future__ import annotations

import time
from typing import Any

from common import Found, Job, run
from txtai import Embeddings

BETWEEN = "\t"
"""Stands between the document's name and the number of the passage in an id."""


class Txtai:
    """The embeddings database of txtai."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._embeddings: Any = None
        self._seconds = 0.0

    def index(self) -> dict[str, Any]:
        """Overwrite the index."""
        self._embeddings = Embeddings(
            path=self._job.model, content=True, hybrid=self._job.variant == "hybrid", gpu=False
        )
        self._take_time(self._embeddings.model)
        passages = self._job.passages()
        self._embeddings.index((f"{p.document}{BETWEEN}{number}", p.text) for number, p in enumerate(passages))
        self._embeddings.save(str(self._job.store))
        return {"embedding": self._seconds, "passages": self._embeddings.count()}

    def _take_time(self, model: Any) -> None:
        encode = model.encode

        def timed(*arguments: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            vectors = encode(*arguments, **named)
            self._seconds += time.perf_counter() - begun
            return vectors

        model.encode = timed

    def open(self) -> None:
        """Load what was saved."""
        self._embeddings = Embeddings()
        self._embeddings.load(str(self._job.store))

    def search(self, text: str, k: int) -> list[Found]:
        """The rows that txtai gives, with the text from its content store."""
        found = self._embeddings.search(text, k)
        return [Found(row["id"].split(BETWEEN)[0], row["text"], row["score"]) for row in found]


if __name__ == "__main__":
    run(Txtai)
