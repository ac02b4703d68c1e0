"""semsearch over its own job: the folder of articles that the passages are from; VARIANT is the mode of a search."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from common import JUDGED, Found, Job, run

from semsearch import Index, embed
from semsearch.config import DEFAULT_MODEL


class Semsearch:
    """An index, by the calls that the commands make."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._index: Any = None
        self._seconds = 0.0

    def index(self) -> dict[str, Any]:
        """What `semsearch index` does, with a clock at the encoder."""
        embedder: Any = embed.resolve(DEFAULT_MODEL)
        encode = embedder.encode_document

        def timed(texts: Any) -> Any:
            begun = time.perf_counter()
            vectors = encode(texts)
            self._seconds += time.perf_counter() - begun
            return vectors

        embedder.encode_document = timed
        with Index.make(self._job.store, embedder=embedder) as index:
            done = index.sync(self._job.collection / "articles")
        return {"embedding": self._seconds, "passages": done.passages}

    def open(self) -> None:
        """Open the index."""
        self._index = Index.open(self._job.store)

    def search(self, text: str, k: int) -> list[Found]:
        """Its hits; where documents are judged, copies are not folded, or those that are judged would be missing."""
        hits = self._index.search(text, k=k, mode=self._job.variant, collapse=k < JUDGED)
        return [Found(Path(hit.path).stem, hit.text, hit.score) for hit in hits]


if __name__ == "__main__":
    run(Semsearch)
