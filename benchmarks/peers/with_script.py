"""What a person would write without any of the others: sentence-transformers, a FAISS file and a file of passages."""

from __future__ import annotations

import json
from typing import Any

import faiss
from common import Encoder, Found, Job, Passage, run


class Script:
    """Exact inner products of normalised vectors."""

    def __init__(self, job: Job) -> None:
        self._job, self._encoder = job, Encoder(job)
        self._index: Any = None
        self._passages: list[Passage] = []

    def index(self) -> dict[str, Any]:
        """Write both files anew."""
        passages = self._job.passages()
        vectors = self._encoder.documents([passage.text for passage in passages])
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        self._job.store.mkdir(parents=True, exist_ok=True)
        faiss.write_index(index, str(self._job.store / "faiss.index"))
        with open(self._job.store / "passages.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(passage._asdict()) + "\n" for passage in passages)
        return {"embedding": self._encoder.seconds, "passages": index.ntotal}

    def open(self) -> None:
        """Read both files."""
        self._index = faiss.read_index(str(self._job.store / "faiss.index"))
        with open(self._job.store / "passages.jsonl", encoding="utf-8") as file:
            self._passages = [Passage(**json.loads(line)) for line in file]

    def search(self, text: str, k: int) -> list[Found]:
        """Compare with all passages."""
        scores, rows = self._index.search(self._encoder.query(text), k)
        found = zip(scores[0].tolist(), rows[0].tolist(), strict=True)
        return [Found(*self._passages[row], score) for score, row in found if row >= 0]


if __name__ == "__main__":
    run(Script)
