"""Chroma with its persistent client and cosine distance; sentence-transformers makes the vectors."""

from __future__ import annotations

from typing import Any

import chromadb
from chromadb.config import Settings
from common import Encoder, Found, Job, run


class Chroma:
    """A collection in a folder, with Chroma's own settings of HNSW."""

    def __init__(self, job: Job) -> None:
        self._job, self._encoder = job, Encoder(job)
        self._collection: Any = None

    def index(self) -> dict[str, Any]:
        """Insert, or put in the place of what has the same id."""
        self.open()
        passages = self._job.passages()
        texts = [passage.text for passage in passages]
        vectors = self._encoder.documents(texts)
        most = self._client.get_max_batch_size()
        for first in range(0, len(passages), most):
            batch = range(first, min(first + most, len(passages)))
            self._collection.upsert(
                ids=[str(i) for i in batch],
                embeddings=vectors[batch.start : batch.stop],
                documents=texts[batch.start : batch.stop],
                metadatas=[{"document": passages[i].document} for i in batch],
            )
        return {"embedding": self._encoder.seconds, "passages": self._collection.count()}

    def open(self) -> None:
        """Connect to the folder."""
        self._client = chromadb.PersistentClient(str(self._job.store), Settings(anonymized_telemetry=False))
        self._collection = self._client.get_or_create_collection(
            "passages", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
        )

    def search(self, text: str, k: int) -> list[Found]:
        """Nearest by HNSW."""
        found = self._collection.query(
            query_embeddings=self._encoder.query(text), n_results=k, include=["documents", "metadatas", "distances"]
        )
        columns = (found["metadatas"][0], found["documents"][0], found["distances"][0])
        return [Found(fields["document"], of, 1 - distance) for fields, of, distance in zip(*columns, strict=True)]


if __name__ == "__main__":
    run(Chroma)
