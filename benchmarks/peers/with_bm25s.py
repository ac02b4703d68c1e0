"""bm25s with the English stemmer and stop words: words alone, no model."""

from __future__ import annotations

from typing import Any

import bm25s
import Stemmer
from common import Found, Job, run


class Words:
    """An index and its corpus in a folder."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._stemmer = Stemmer.Stemmer("english")
        self._retriever: Any = None

    def _cut(self, texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=self._stemmer, show_progress=False)

    def index(self) -> dict[str, Any]:
        """Write the files anew."""
        passages = self._job.passages()
        retriever = bm25s.BM25()
        retriever.index(self._cut([passage.text for passage in passages]), show_progress=False)
        retriever.save(str(self._job.store), corpus=[passage._asdict() for passage in passages])
        return {"embedding": 0.0, "passages": len(passages)}

    def open(self) -> None:
        """Read index and corpus."""
        self._retriever = bm25s.BM25.load(str(self._job.store), load_corpus=True)

    def search(self, text: str, k: int) -> list[Found]:
        """What has at least one of the words."""
        rows, scores = self._retriever.retrieve(self._cut([text]), k=k, show_progress=False)
        found = zip(rows[0], scores[0].tolist(), strict=True)
        return [Found(row["document"], row["text"], score) for row, score in found if score > 0]


if __name__ == "__main__":
    run(Words)
