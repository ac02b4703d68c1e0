"""Writes the passages of an index and their vectors into a folder that other tools read; changes no index."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from semsearch.errors import UsageError
from semsearch.store import Snapshot, StoredDocument, StoredPassage, storage

_BLOCK = 4096


def export(snapshot: Snapshot, dimension: int, folder: Path) -> int:
    """Write passages.jsonl, a passage a line, and vectors.npy, float32 (passages, dimension), row by row the same.

    The vectors are as the index compares them, in the context of their documents.

    Returns:
        The number of passages.

    Raises:
        UsageError: the folder exists already.
        StorageError: the disk is full, read-only or fails.
    """
    if folder.exists():
        raise UsageError(f"{folder}: exists already; choose a new folder")
    ids = list(snapshot.catalog.passage_ids())
    documents = {document.id: document for document in snapshot.catalog.documents()}
    with storage(folder):
        folder.mkdir(parents=True)
        vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float32, (len(ids), dimension))
        with (folder / "passages.jsonl").open("w", encoding="utf-8") as lines:
            for start in range(0, len(ids), _BLOCK):
                block = ids[start : start + _BLOCK]
                vectors[start : start + len(block)] = snapshot.segments.vectors(block)
                passages = {passage.id: passage for passage in snapshot.catalog.passages(block)}
                for row, i in enumerate(block, start):
                    entry = _entry(row, passages[i], documents[passages[i].document])
                    lines.write(json.dumps(entry, ensure_ascii=False) + "\n")
        vectors.flush()
    return len(ids)


def _entry(row: int, passage: StoredPassage, document: StoredDocument) -> dict[str, Any]:
    return {
        "row": row,
        "id": passage.id,
        "document_id": document.id,
        "path": document.location,
        "digest": document.stat.digest,
        "title": document.title,
        "date": document.date,
        "heading": passage.heading,
        "start": passage.start,
        "end": passage.end,
        "line": passage.line,
        "page": passage.page,
        "text": passage.text,
    }
