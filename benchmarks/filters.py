"""Prints what filters cost and whether they lose anything: recall@10 against numpy's exact search, and median times.

    python benchmarks/filters.py            100,000 passages of 10,000 documents

The index is made of random unit vectors and made-up words, in segments with dead rows, through the store's own commits.
Filtered and unfiltered searches run in turn in the same process; the times of a filter hold choosing its passages.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import TypeVar

import measure
import numpy as np
from numpy.typing import NDArray

from semsearch.config import IndexConfig
from semsearch.filters import Filter
from semsearch.store import Addition, Snapshot, Store, passages_where
from semsearch.testing import HashEmbedder
from semsearch.types import Document, FileStat, Passage

T = TypeVar("T")

DIMENSION = 384
QUERIES = 30
K = 10
FIRST = date(2000, 1, 1)
FILTERS = {
    "none": Filter(),
    "50 %: --since": Filter(since="2006-11-05"),
    "50 %: --lang": Filter(language="sr"),
    "50 %: --where": Filter(where="half=1"),
    "5 %: --where": Filter(where="percent=7"),
    "5 %: --source": Filter(source="agency 7."),
    "0.5 %: --where": Filter(where="desk=7"),
    "0.5 %: --path": Filter(path="007/"),
}


def filled(folder: Path, documents: int, each: int) -> Store:
    """A store of `documents` documents of `each` passages, a hundredth of which were removed again."""
    store = Store.create(folder, IndexConfig.of(HashEmbedder(DIMENSION)))
    rng = np.random.default_rng(0)
    for start in range(0, documents, 500):
        store.commit([_addition(rng, number, each) for number in range(start, min(start + 500, documents))])
    with store.tables() as tables:
        numbers = [d.id for d in tables.documents()]
    store.commit(removals=numbers[::100])
    return store


def _addition(rng: np.random.Generator, number: int, each: int) -> Addition:
    words = rng.zipf(1.3, (each, 40)) % 50_000
    texts = [" ".join(f"w{word}" for word in row) for row in words.tolist()]
    vectors = rng.standard_normal((each, DIMENSION), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    document = Document(
        f"{number % 200:03d}/{number}.md",
        "\n".join(texts),
        str(number),
        date=str(FIRST + timedelta(days=number * 7919 % 5000)),
        source=f"Agency {number % 20}.",
        language="sr-Latn" if number % 2 else "en",
        metadata={"half": number % 2, "percent": number % 20, "desk": number % 200, "tags": ["a", "b"]},
    )
    ends = np.cumsum([len(text) + 1 for text in texts]).tolist()
    starts = [0, *ends[:-1]]
    passages = [
        Passage(a, a + len(text), text, f"{number}\n{text}", 40, "") for a, text in zip(starts, texts, strict=True)
    ]
    return Addition("/articles", document, FileStat(1, 1, str(number)), passages, vectors)


def main() -> None:
    documents = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rng = np.random.default_rng(1)
    queries = rng.standard_normal((QUERIES, DIMENSION), np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    words = [[f"w{word}" for word in row] for row in (rng.zipf(1.3, (QUERIES, 4)) % 50_000).tolist()]
    with tempfile.TemporaryDirectory() as folder:
        store = filled(Path(folder) / "e1", documents, 10)
        with store.snapshot() as snapshot:
            report(snapshot, queries, words)
        store.close()


def report(snapshot: Snapshot, queries: NDArray[np.float32], words: list[list[str]]) -> None:
    ids = np.array(list(snapshot.catalog.passage_ids()), np.int64)
    rows = snapshot.segments.vectors(ids.tolist())
    print(f"{len(ids)} passages, {len(snapshot.segments.each)} segments, {QUERIES} queries; {measure.machine()}\n")
    print("| filter | passages | recall@10 dense | lexical | choose ms | dense ms | lexical ms | all ms |")
    print("|---|---|---|---|---|---|---|---|")
    for name, limits in FILTERS.items():
        row = [f"{x}" for x in figures(snapshot, limits, ids, rows, queries, words)]
        print(f"| {name} | {' | '.join(row)} |", flush=True)


def figures(
    snapshot: Snapshot,
    limits: Filter,
    ids: NDArray[np.int64],
    rows: NDArray[np.float32],
    queries: NDArray[np.float32],
    words: list[list[str]],
) -> list[str]:
    admitted = {d.id for d in snapshot.catalog.documents() if limits.matches(d)}
    kept = np.isin(ids, [i for d in admitted for i, _, _ in snapshot.catalog.passages_of(d)])
    recalls, times = [], []
    for query, terms in zip(queries, words, strict=True):
        only, choosing = timed(lambda: passages_where(snapshot, limits.test()) if limits else None)
        dense, meaning = timed(lambda q=query, o=only: snapshot.segments.dense(q, K, o))
        lexical, wording = timed(lambda t=terms, o=only: snapshot.segments.lexical(t).top(K, o))
        exact = ids[kept][np.argsort(-(rows[kept].astype(np.float64) @ query), kind="stable")[:K]]
        everything = dict(snapshot.segments.lexical(terms).top(len(ids)))
        scored = np.array([everything.get(i, 0) for i in ids[kept].tolist()])
        best = np.sort(scored[scored > 0])[::-1][:K]
        # Equal scores may stand in any order, so lexical hits are compared by their scores.
        same = sum(a == b for a, (_, b) in zip(best.tolist(), lexical, strict=False))
        recalls.append((len({i for i, _ in dense} & set(exact.tolist())) / len(exact), same / max(len(best), 1)))
        times.append((choosing, meaning, wording))
    of_dense, of_lexical = np.mean(recalls, axis=0)
    medians = [median(column) for column in zip(*times, strict=True)]
    spans = [f"{ms:.1f}" for ms in (*medians, sum(medians))]
    return [f"{np.count_nonzero(kept)}", f"{of_dense:.3f}", f"{of_lexical:.3f}", *spans]


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What the work gives, and milliseconds."""
    begun = time.perf_counter()
    found = work()
    return found, 1000 * (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
