"""An index as it is often written, for the damage harness to catch: what FAISS and SQLite read is believed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import faiss

from semsearch.testing import HashEmbedder


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """A database of texts, a file of vectors that FAISS writes, and a card."""
    folder.mkdir()
    with closing(sqlite3.connect(folder / "texts.db")) as tables, tables:
        tables.execute("CREATE TABLE texts (id INTEGER PRIMARY KEY, path TEXT, text TEXT)")
        tables.executemany("INSERT INTO texts (path, text) VALUES (?, ?)", texts.items())
    vectors = faiss.IndexFlatIP(HashEmbedder().dimension)
    vectors.add(HashEmbedder().encode_document(list(texts.values())))
    faiss.write_index(vectors, str(folder / "vectors.faiss"))
    (folder / "card.json").write_text(json.dumps({"count": len(texts), "model": "hash"}))


def search(folder: Path, query: str, k: int = 10) -> list[tuple[str, str, float]]:
    """Path, text and score of the k texts that are most like the query."""
    json.loads((folder / "card.json").read_text())
    vectors = faiss.read_index(str(folder / "vectors.faiss"))
    scores, rows = vectors.search(HashEmbedder().encode_query([query]), k)
    with closing(sqlite3.connect(folder / "texts.db")) as tables:
        found = [
            tables.execute("SELECT path, text FROM texts WHERE id = ?", (int(row) + 1,)).fetchone() for row in rows[0]
        ]
    return [(*text, round(float(score), 5)) for text, score in zip(found, scores[0], strict=True) if text]
