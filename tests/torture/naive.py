"""A store as it is often made, for the harnesses to catch: SQLite commits, then FAISS overwrites its file in place.

It keeps a row a document and one vector a row, in that order, and believes what both libraries return.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import faiss
import numpy as np

from semsearch.testing import HashEmbedder


class NaiveStore:
    """Documents in `documents.db`, their vectors in `vectors.faiss`: two commits, one after the other."""

    def __init__(self, folder: Path, embedder: HashEmbedder) -> None:
        self._embedder = embedder
        self._vectors_file = folder / "vectors.faiss"
        folder.mkdir(exist_ok=True)
        self._tables = sqlite3.connect(folder / "documents.db")
        columns = "id INTEGER PRIMARY KEY, path TEXT UNIQUE, text TEXT"
        self._tables.execute(f"CREATE TABLE IF NOT EXISTS documents ({columns})")
        exists = self._vectors_file.exists()
        self.vectors = faiss.read_index(str(self._vectors_file)) if exists else faiss.IndexFlatIP(embedder.dimension)

    def close(self) -> None:
        """Close the database."""
        self._tables.close()

    def paths(self) -> list[str]:
        """The paths of the documents, in the order of their rows."""
        return [row[0] for row in self._tables.execute("SELECT path FROM documents ORDER BY id")]

    def add(self, documents: dict[str, str]) -> None:
        """Add documents, path to text."""
        vectors = self._embedder.encode_document(list(documents.values()))
        with self._tables:
            self._tables.executemany("INSERT INTO documents (path, text) VALUES (?, ?)", documents.items())
        self.vectors.add(vectors)
        faiss.write_index(self.vectors, str(self._vectors_file))

    def search(self, query: str, k: int) -> list[tuple[str, float]]:
        """The k documents most like the query, and how much."""
        paths = self.paths()
        scores, rows = self.vectors.search(self._embedder.encode_query([query]), k)
        return [(paths[row], round(float(score), 6)) for score, row in zip(scores[0], rows[0], strict=True) if row >= 0]

    def complaints(self) -> list[str]:
        """What is wrong, as far as can be told."""
        rows, documents = self.vectors.ntotal, len(self.paths())
        return [] if rows == documents else [f"{documents} documents, {rows} vectors"]


def add_missing(folder: Path, articles: Path, embedder: HashEmbedder, batch: int) -> None:
    """Add the articles that the store does not have, so many at a time."""
    with closing(NaiveStore(folder, embedder)) as store:
        known = set(store.paths())
        new = [path for path in sorted(articles.iterdir()) if path.name not in known]
        for start in range(0, len(new), batch):
            store.add({path.name: path.read_text() for path in new[start : start + batch]})


def as_list(vectors: faiss.Index) -> list[list[float]]:
    """The vectors, row by row."""
    rows: list[list[float]] = np.round(vectors.reconstruct_n(0, vectors.ntotal), 6).tolist()
    return rows
