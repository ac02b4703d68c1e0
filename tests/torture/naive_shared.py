"""A store as it is often made, for harnesses of readers and writers to catch: no lock, two commits for a change."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Self

import faiss

from semsearch.testing import HashEmbedder
from tests.torture import states


class NaiveShared:
    """Texts in SQLite, row by row the vectors in a FAISS file that is overwritten in place after SQLite's commit."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.embedder = HashEmbedder()
        self._tables, self._vectors = path / "documents.db", path / "vectors.faiss"
        with closing(sqlite3.connect(self._tables)) as tables, tables:
            tables.execute("CREATE TABLE IF NOT EXISTS documents (path TEXT PRIMARY KEY, text TEXT)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is kept open."""

    def documents(self) -> list[tuple[str, str]]:
        """Path and text of each, in the order of the vectors."""
        with closing(sqlite3.connect(self._tables, timeout=60)) as tables:
            return list(tables.execute("SELECT path, text FROM documents ORDER BY path"))

    def put(self, texts: Mapping[str, str]) -> None:
        """Add documents or put them in the place of others."""
        with closing(sqlite3.connect(self._tables, timeout=60)) as tables, tables:
            tables.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?)", texts.items())
        self.rebuild()

    def rebuild(self) -> None:
        """Make the vectors anew."""
        vectors = faiss.IndexFlatIP(self.embedder.dimension)
        vectors.add(self.embedder.encode_document([text for _, text in self.documents()]))
        faiss.write_index(vectors, str(self._vectors))

    def append(self, texts: Mapping[str, str], meanwhile: Callable[[], object]) -> None:
        """Add documents whose paths come last; `meanwhile` is called after the vectors so far have been read."""
        exists = self._vectors.exists()
        vectors = faiss.read_index(str(self._vectors)) if exists else faiss.IndexFlatIP(self.embedder.dimension)
        meanwhile()
        with closing(sqlite3.connect(self._tables, timeout=60)) as tables, tables:
            tables.executemany("INSERT INTO documents VALUES (?, ?)", texts.items())
        vectors.add(self.embedder.encode_document(list(texts.values())))
        faiss.write_index(vectors, str(self._vectors))

    def complaints(self) -> list[str]:
        """What is wrong, as far as can be told."""
        documents, rows = len(self.documents()), faiss.read_index(str(self._vectors)).ntotal
        return [] if documents == rows else [f"{documents} documents, {rows} vectors"]

    def ask(self, topic: int) -> states.Answer:
        """The answer to a topic."""
        documents = self.documents()
        asked = self.embedder.encode_query([states.query(topic)])
        scores, rows = faiss.read_index(str(self._vectors)).search(asked, states.K)
        return states.answer((*documents[row], float(score)) for score, row in zip(scores[0], rows[0], strict=True))
