"""LanceDB by vectors ("dense"), or with its full-text index beside them, fused by reciprocal ranks ("hybrid").

The vectors are made by sentence-transformers and passed in. They have no index: LanceDB compares all rows, which is
exact and what its documentation advises up to about a hundred thousand rows.
"""

from __future__ import annotations

from typing import Any

import lancedb
import pyarrow as pa
from common import Encoder, Found, Job, run


class Lance:
    """A table of a database in a folder."""

    def __init__(self, job: Job) -> None:
        self._job, self._encoder = job, Encoder(job)
        self._hybrid = job.variant == "hybrid"
        self._table: Any = None

    def index(self) -> dict[str, Any]:
        """Overwrite the table."""
        passages = self._job.passages()
        texts = [passage.text for passage in passages]
        vectors = self._encoder.documents(texts)
        flat = pa.array(vectors.reshape(-1), pa.float32())
        columns = {
            "document": [passage.document for passage in passages],
            "text": texts,
            "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
        }
        table = lancedb.connect(self._job.store).create_table("passages", pa.table(columns), mode="overwrite")
        if self._hybrid:
            table.create_fts_index("text", language="English", stem=True, remove_stop_words=True)
        return {"embedding": self._encoder.seconds, "passages": table.count_rows()}

    def open(self) -> None:
        """Open the table."""
        self._table = lancedb.connect(self._job.store).open_table("passages")

    def search(self, text: str, k: int) -> list[Found]:
        """Rows without their vectors."""
        vector = self._encoder.query(text)[0]
        if self._hybrid:
            from lancedb.rerankers import RRFReranker

            asked = self._table.search(query_type="hybrid", vector_column_name="vector", fts_columns="text")
            asked = asked.vector(vector).text(text).rerank(RRFReranker()).select(["document", "text"])
        else:
            asked = self._table.search(vector).select(["document", "text", "_distance"])
        rows = asked.distance_type("cosine").limit(k).to_list()
        return [Found(row["document"], row["text"], _score(row)) for row in rows]


def _score(row: dict[str, Any]) -> float:
    return row["_relevance_score"] if "_relevance_score" in row else 1 - row["_distance"]


if __name__ == "__main__":
    run(Lance)
