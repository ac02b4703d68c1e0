"""Stores of vectors with texts, each as its own documentation uses it, behind one small face; tests none of them.

Every store gets the same vectors and texts and is told to keep a batch at a time: what `add` has returned from is
promised to be there. Nothing is imported before the store is chosen.
"""

# ruff: noqa: D102 - what each method does stands in `Store`

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

DIMENSION = 384
BATCH = 20


def text(number: int) -> str:
    """The text of a passage."""
    return f"passage {number}: " + " ".join(f"word{number * place % 9973}" for place in range(1, 40))


def vectors(numbers: Sequence[int]) -> Any:
    """Float32 of shape (len(numbers), DIMENSION), of length 1."""
    rows = np.stack([np.random.default_rng(number).standard_normal(DIMENSION) for number in numbers])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def of_texts(texts: Sequence[str]) -> Any:
    """The vectors of texts, for a store that insists on making them."""
    return vectors([int(words.split(":")[0].split()[1]) for words in texts])


class Store(Protocol):
    """Open on a folder, which is made where it is missing."""

    def add(self, numbers: Sequence[int]) -> None:
        """Keep these passages; they are promised to be there when it returns."""

    def count(self) -> int:
        """How many passages there are."""

    def nearest(self, number: int, k: int) -> list[tuple[int, str]]:
        """The passages nearest to the vector of one: numbers and texts, best first."""


class Semsearch:
    """`Index.add`."""

    def __init__(self, folder: Path) -> None:
        from semsearch import Index
        from semsearch.testing import HashEmbedder

        embedder = HashEmbedder(DIMENSION)
        there = (folder / "semsearch.json").exists()
        self._index = (Index.open if there else Index.create)(folder, embedder=embedder)

    def add(self, numbers: Sequence[int]) -> None:
        from semsearch import Document

        documents = [Document(str(number), text(number)) for number in numbers]
        self._index.add(documents, [row[None] for row in vectors(numbers)])

    def count(self) -> int:
        return self._index.status().passages

    def nearest(self, number: int, k: int) -> list[tuple[int, str]]:
        hits = self._index.search(vectors([number])[0], mode="dense", k=k, collapse=False)
        return [(int(hit.path), hit.text) for hit in hits]


class Chroma:
    """`PersistentClient` and `Collection.add`."""

    def __init__(self, folder: Path) -> None:
        import chromadb

        client = chromadb.PersistentClient(str(folder), chromadb.Settings(anonymized_telemetry=False))
        self._passages = client.get_or_create_collection("passages", configuration={"hnsw": {"space": "cosine"}})

    def add(self, numbers: Sequence[int]) -> None:
        self._passages.add([str(n) for n in numbers], vectors(numbers), documents=[text(n) for n in numbers])

    def count(self) -> int:
        return int(self._passages.count())

    def nearest(self, number: int, k: int) -> list[tuple[int, str]]:
        found = self._passages.query(vectors([number]), n_results=k)
        return [(int(n), words) for n, words in zip(found["ids"][0], found["documents"][0], strict=True)]


class LanceDb:
    """`create_table` and `Table.add`, searched without an index of vectors, hence exactly."""

    def __init__(self, folder: Path) -> None:
        import lancedb

        database = lancedb.connect(str(folder))
        names = database.list_tables().tables
        self._rows = database.open_table("passages") if "passages" in names else None
        self._database = database

    def add(self, numbers: Sequence[int]) -> None:
        rows = [{"id": n, "text": text(n), "vector": row} for n, row in zip(numbers, vectors(numbers), strict=True)]
        if self._rows is None:
            self._rows = self._database.create_table("passages", rows)
        else:
            self._rows.add(rows)

    def count(self) -> int:
        return self._rows.count_rows() if self._rows is not None else 0

    def nearest(self, number: int, k: int) -> list[tuple[int, str]]:
        found = self._rows.search(vectors([number])[0]).metric("cosine").limit(k).to_list()
        return [(row["id"], row["text"]) for row in found]


class Txtai:
    """`Embeddings.upsert` and `save`, which writes all of it anew."""

    def __init__(self, folder: Path) -> None:
        os.environ["ALLOW_RESOLVE_TRANSFORM"] = "True"  # the function is ours, above
        from txtai import Embeddings

        self._folder = folder
        self._embeddings = Embeddings(method="external", transform="stores.of_texts", content=True)
        if folder.exists() and any(folder.iterdir()):
            self._embeddings.load(str(folder))

    def add(self, numbers: Sequence[int]) -> None:
        self._embeddings.upsert([(str(n), text(n), None) for n in numbers])
        self._embeddings.save(str(self._folder))

    def count(self) -> int:
        return int(self._embeddings.count())

    def nearest(self, number: int, k: int) -> list[tuple[int, str]]:
        found = self._embeddings.search(text(number), k)
        return [(int(each["id"]), each["text"]) for each in found]


class Naive:
    """What a script does first: FAISS writes its file in place, SQLite commits texts beside it."""

    def __init__(self, folder: Path) -> None:
        import faiss

        folder.mkdir(exist_ok=True)
        self._file, self._faiss = str(folder / "vectors.faiss"), faiss
        there = Path(self._file).exists()
        self._index = faiss.read_index(self._file) if there else faiss.IndexFlatIP(DIMENSION)
        self._texts = sqlite3.connect(folder / "texts.db")
        self._texts.execute("CREATE TABLE IF NOT EXISTS texts (place INTEGER PRIMARY KEY, number, text)")

    def add(self, numbers: Sequence[int]) -> None:
        first = self._index.ntotal
        self._index.add(vectors(numbers))
        rows = ((first + place, number, text(number)) for place, number in enumerate(numbers))
        self._texts.executemany("INSERT INTO texts VALUES (?, ?, ?)", rows)
        self._texts.commit()
        self._faiss.write_index(self._index, self._file)

    def count(self) -> int:
        return int(self._index.ntotal)

    def nearest(self, number: int, k: int) -> list[tuple[int, str]]:
        _, places = self._index.search(vectors([number]), k)
        query = "SELECT number, text FROM texts WHERE place = ?"
        return [self._texts.execute(query, (int(place),)).fetchone() for place in places[0] if place >= 0]


STORES = {"semsearch": Semsearch, "chroma": Chroma, "lancedb": LanceDb, "txtai": Txtai, "naive": Naive}
