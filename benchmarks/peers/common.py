"""Runs one peer as a whole process: makes its index, or answers a query, or many; it knows none of them.

    python with_PEER.py VARIANT index|prepare|warm|judge STORE MODEL COLLECTION REPORT
    python with_PEER.py VARIANT search STORE MODEL COLLECTION QUERY

COLLECTION is a folder that benchmarks/peers.py makes: passages.jsonl, queries.json and articles/. REPORT is a file that
is written with what was measured inside of the process. Nothing is imported here that a plain script would do without.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

K = 10
"""How many passages a query is answered with."""

JUDGED = 300
"""How many are asked for where documents are ranked: enough for ten documents."""

FAILED = 2
"""The exit status of any error; benchmarks/measure.py takes 1 for a search that found nothing."""


class Passage(NamedTuple):
    """A passage as it is embedded, and the name of the document that it is from."""

    document: str
    text: str


class Found(NamedTuple):
    """A passage that answers a query; higher scores are better."""

    document: str
    text: str
    score: float


class Job(NamedTuple):
    """What a process is about. `vectors` is a file in which the passages' vectors are kept, None where none are."""

    variant: str
    store: Path
    model: str
    collection: Path
    vectors: Path | None

    def passages(self) -> list[Passage]:
        """All passages of the collection, a document's one after the other."""
        with open(self.collection / "passages.jsonl", encoding="utf-8") as file:
            return [Passage(**json.loads(line)) for line in file]


class Peer(Protocol):
    """What is measured; it is made from a `Job`."""

    def index(self) -> dict[str, Any]:
        """Index all passages in the store, whatever is there already; gives the seconds of "embedding" at least."""

    def open(self) -> None:
        """Make ready for searching."""

    def search(self, text: str, k: int) -> list[Found]:
        """The k best passages, best first."""


class Encoder:
    """The model by sentence-transformers, for the peers that leave the encoding to their user."""

    def __init__(self, job: Job) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(job.model, device="cpu", local_files_only=True)
        self._kept = job.vectors
        self.seconds = 0.0

    def documents(self, texts: list[str]) -> Any:
        """Float32 of shape (len(texts), dimension), each of length 1; `seconds` says how long it took."""
        import numpy as np

        if self._kept and self._kept.exists():
            return np.load(self._kept)
        begun = time.perf_counter()
        vectors = self._model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
        self.seconds = time.perf_counter() - begun
        if self._kept:
            np.save(self._kept, vectors)
        return vectors

    def query(self, text: str) -> Any:
        """The same of shape (1, dimension)."""
        return self._model.encode([text], normalize_embeddings=True, show_progress_bar=False)


def run(make: Callable[[Job], Peer]) -> None:
    """Do what the command line says."""
    try:
        _run(make, *sys.argv[1:])
    except BaseException:  # noqa: BLE001 - any error must be told from a search that finds nothing
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(FAILED)


def _run(
    make: Callable[[Job], Peer], variant: str, action: str, store: str, model: str, folder: str, last: str
) -> None:
    collection = Path(folder)
    vectors = collection / "vectors.npy" if action == "prepare" else None
    peer = make(Job(variant, Path(store), model, collection, vectors))
    if action in {"index", "prepare"}:
        measured = peer.index()
    else:
        peer.open()
        if action == "search":
            for found in peer.search(last, K):
                print(f"{found.score:.4f} {found.document}\n{found.text}\n")
            return
        queries = json.loads((collection / "queries.json").read_text(encoding="utf-8"))
        measured = {"warm": _warm, "judge": _judge}[action](peer, queries)
    Path(last).write_text(json.dumps(measured), encoding="utf-8")


def _warm(peer: Peer, queries: dict[str, list[str]]) -> dict[str, Any]:
    for text in queries["before"]:
        peer.search(text, K)
    seconds = []
    for text in queries["timed"]:
        begun = time.perf_counter()
        peer.search(text, K)
        seconds.append(time.perf_counter() - begun)
    return {"seconds": seconds}


def _judge(peer: Peer, queries: dict[str, list[str]]) -> dict[str, Any]:
    """For each judged query the best documents, each ranked by its best passage."""
    found = (peer.search(text, JUDGED) for text in queries["judged"])
    return {"documents": [list(dict.fromkeys(each.document for each in hits))[:K] for hits in found]}
