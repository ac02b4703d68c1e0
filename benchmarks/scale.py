"""Prints what semsearch costs with 10,000, 100,000 and 1,000,000 passages, and draws how each cost grows.

    python benchmarks/scale.py                      all three; the last takes most of an hour and 6 GB of disk
    python benchmarks/scale.py 10000 100000

No million texts are encoded: sentences of judged collections, or of the sample corpus where there are none, are encoded
once, and each passage has a real sentence's vector, moved away from it as sentences differ from each other, and real
sentences for its text. Queries are real, and encoded by the default model. What is timed is `Index.search`, on one
thread, with text (encoding included) and with the query's encoding taken off. Indexes are kept in benchmarks/data.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import corpus
import measure
import numpy as np
from numpy.typing import NDArray

from semsearch import Document, Index, embed, store
from semsearch.config import DEFAULT_MODEL
from semsearch.query import parse
from semsearch.search import Mode
from semsearch.types import Embedder, Section

DATA = Path(__file__).parent / "data" / "scale"
JUDGED = Path(os.environ.get("SEMSEARCH_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))
COLLECTIONS = ("time", "scifact", "cranfield", "medline")
SIZES = (10_000, 100_000, 1_000_000)
EACH = 10
"""Passages of a document."""

BATCH = 200
"""Documents in one call of `add`."""

AWAY = 0.6
SEMSEARCH = str(Path(sysconfig.get_path("scripts")) / "semsearch")
MODES: tuple[Mode, ...] = ("dense", "lexical", "hybrid")

_TOKEN = re.compile(r"\w+|[^\w\s]")

Vectors = NDArray[np.float32]


def texts() -> tuple[list[str], list[str]]:
    """Some thousand sentences and two hundred queries."""
    sentences: list[str] = []
    queries: list[str] = []
    for name in COLLECTIONS:
        folder = JUDGED / name
        if not folder.is_dir():
            continue
        articles = (json.loads(line)["text"] for line in _lines(folder / "corpus.jsonl"))
        found = (" ".join(s.split()) for text in articles for s in re.split(r"(?<=[.!?])\s+", text))
        good = [s for s in found if 60 < len(s) < 250]
        sentences += good[:2501]
        queries += [json.loads(line)["text"] for line in _lines(folder / "queries.jsonl")][:50]
    if not sentences:
        sentences = corpus.sentences()
        queries = [" ".join(s.split()[:7]) for s in sentences[::7]]
    return sentences, [" ".join(query.split()) for query in queries]


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").split("\n") if line]


def encoded(index: Index, sentences: list[str], queries: list[str]) -> tuple[Vectors, Vectors]:
    """Vectors of both, from the cache where they are there."""
    cache = DATA / f"encoded-{len(sentences)}.npz"
    if not cache.exists():
        np.savez(cache, sentences=index.encode(sentences), queries=index.encode(queries, query=True))
    with np.load(cache) as arrays:
        return arrays["sentences"], arrays["queries"]


class Prepared:
    """The default model, but that it counts words and signs for tokens: splitting a million texts is not measured."""

    def __init__(self, model: Embedder) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Words and signs of each text."""
        return [len(_TOKEN.findall(text)) for text in texts]


class Made:
    """Documents with vectors, any number of them, the same for the same number."""

    def __init__(self, sentences: list[str], vectors: Vectors) -> None:
        self._sentences, self._vectors = [sentence.split() for sentence in sentences], vectors
        self._words = [word for sentence in self._sentences for word in sentence]
        covariance = np.cov(vectors.T.astype(np.float64))
        values, axes = np.linalg.eigh(covariance)
        self._spread = (axes * np.sqrt(np.maximum(values, 0))).astype(np.float32)

    def batch(self, first: int, count: int, name: str = "article") -> tuple[list[Document], list[Vectors]]:
        """So many documents, and an array of vectors for each."""
        rng = np.random.default_rng(first + 1)
        about = rng.integers(0, len(self._sentences), (count, EACH))
        more = rng.integers(0, len(self._sentences), (count, EACH, 2))
        rows = self._vectors[about.reshape(-1)]
        rows = rows + AWAY * (rng.standard_normal(rows.shape, np.float32) @ self._spread.T)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        documents = [self._document(rng, f"{name}/{first + i:07d}", more[i], about[i]) for i in range(count)]
        return documents, list(rows.reshape(count, EACH, -1))

    def _document(
        self, rng: np.random.Generator, path: str, more: NDArray[np.int64], about: NDArray[np.int64]
    ) -> Document:
        """Real sentences of which every second word is another's, or each article would be a copy of hundreds."""
        parts = []
        for first, others in zip(about.tolist(), more.tolist(), strict=True):
            words = [word for i in (first, *others) for word in self._sentences[i]][:48]
            places = range(int(rng.integers(2)), len(words), 2)
            for place, word in zip(places, rng.integers(0, len(self._words), len(places)).tolist(), strict=True):
                words[place] = self._words[word]
            parts.append(" ".join(words))
        starts = np.cumsum([0, *(len(part) + 2 for part in parts)]).tolist()
        sections = tuple(
            Section(s, s + len(p), f"Part {n}") for n, (s, p) in enumerate(zip(starts, parts, strict=False))
        )
        return Document(path, "\n\n".join(parts), title=f"Article {path[-7:]}", language="en", sections=sections)


def build(path: Path, passages: int, made: Made) -> None:
    """An index of so many passages through `Index.add`; prints how long it took."""
    unfinished = path.with_name(path.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    begun = time.perf_counter()
    slowest = 0.0
    with Index.create(unfinished, embedder=Prepared(embed.resolve(DEFAULT_MODEL))) as index:
        for first in range(0, passages // EACH, BATCH):
            documents, vectors = made.batch(first, min(BATCH, passages // EACH - first))
            took = time.perf_counter()
            index.add(documents, vectors)
            slowest = max(slowest, time.perf_counter() - took)
            if first % (BATCH * 25) == 0:
                print(f"  {first * EACH:,} after {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    facts = {"seconds": time.perf_counter() - begun, "slowest": slowest}
    unfinished.rename(path)
    path.with_suffix(".json").write_text(json.dumps(facts))


class LookedUp(Prepared):
    """The default model, but that queries are encoded beforehand: what is timed with it is the search alone."""

    def __init__(self, model: Embedder, queries: Sequence[str], vectors: Vectors) -> None:
        super().__init__(model)
        self._known = {parse(query).text: vector for query, vector in zip(queries, vectors, strict=True)}

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """The vectors of queries that are known."""
        return np.stack([self._known[text] for text in texts])


def timed(index: Index, queries: Sequence[str], mode: Mode, repeats: int = 1) -> dict[str, float]:
    """Milliseconds of a search: median and 95th percentile, and the median of processor time."""
    for query in queries:
        index.search(query, mode=mode)
    walls, busy = [], []
    for query in [*queries] * repeats:
        wall, cpu = time.perf_counter(), time.thread_time()
        index.search(query, mode=mode)
        walls.append(1000 * (time.perf_counter() - wall))
        busy.append(1000 * (time.thread_time() - cpu))
    return {"p50": median(walls), "p95": float(np.percentile(walls, 95)), "cpu": median(busy)}


def recall(index: Index, queries: Sequence[str], mode: Mode) -> float:
    """The share of the ten hits of an exact search that are found."""
    shares = []
    for query in queries:
        found, exact = (
            {(hit.document_id, hit.start) for hit in index.search(query, mode=mode, collapse=False, recall=wanted)}
            for wanted in (store.RECALL, 1.0)
        )
        shares.append(len(found & exact) / max(len(exact), 1))
    return sum(shares) / len(shares)


def resident() -> float:
    """This process's resident memory in MB, mapped files included."""
    return int(re.findall(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024


def searched(path: Path, made: Made, queries: list[str], vectors: Vectors) -> dict[str, Any]:
    """What searching costs, first as the index is, then with segments that wait to be merged; and changing it."""
    facts: dict[str, Any] = {}
    looked_up = LookedUp(embed.resolve(DEFAULT_MODEL), queries, vectors)
    with Index.open(path, embedder=looked_up) as index:
        facts["alone"] = {mode: timed(index, queries, mode) for mode in MODES}
        facts["resident"] = resident()
        with Index.open(path) as whole:
            facts["whole"] = {mode: timed(whole, queries[:60], mode) for mode in MODES}
        facts["recall"] = {mode: recall(index, queries[:100], mode) for mode in ("dense", "hybrid")}
        facts["segments"] = index.status().segments
    copy = path.with_name(f"{path.name}.changed")
    shutil.rmtree(copy, ignore_errors=True)
    # Segments never change, so that links to them do for a copy.
    shutil.copytree(path, copy, copy_function=lambda a, b: (shutil.copy2 if "index.db" in a else os.link)(a, b))
    with Index.open(copy, embedder=looked_up) as index:
        facts |= changed(index, copy, made, queries)
    shutil.rmtree(copy)
    return facts


def changed(index: Index, path: Path, made: Made, queries: list[str]) -> dict[str, Any]:
    """What it costs to add 1,000 passages and then more, to remove them, and to remove so many of a segment's."""
    before, size = _files(path), index.status().passages
    documents, rows = made.batch(10_000_000, 100, "later")
    index.encode(["load the model"])
    facts: dict[str, Any] = {"add": _seconds(lambda: index.add(documents, rows))}
    facts["written"] = sum(size for name, size in _files(path).items() if name not in before) / 1e6
    # A 64th of the index is what its lists may lack at the most: a segment each 1,000 passages, which wait together.
    for first in range(100, size // (64 * EACH) - 99, 100):
        index.add(*made.batch(10_000_000 + first, 100, "later"))
    facts["waiting"] = {mode: timed(index, queries, mode) for mode in MODES}
    facts["remove"] = _seconds(lambda: index.remove(*(document.path for document in documents)))
    first = [document.path for document in index.documents()[: (1 << 17) // EACH]]
    gone = first[: max(len(first) * 22 // 100, 1)]
    facts["compact"] = _seconds(lambda: index.remove(*gone))
    return facts


def _files(path: Path) -> dict[str, int]:
    return {str(file): file.stat().st_size for file in path.rglob("0*") if file.is_file()}


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def cold(path: Path, query: str) -> list[float]:
    """Seconds of a search as a whole process, the first of which may read from the disk: median and highest of five."""
    command = [SEMSEARCH, "search", query, "-i", str(path)]
    runs = [measure.run(command) for _ in range(5)]
    return [median(seconds for seconds, _ in runs), max(seconds for seconds, _ in runs), max(mb for _, mb in runs)]


ROWS: tuple[tuple[str, Callable[[dict[str, Any]], float], str], ...] = (
    ("built with `Index.add`, s", lambda f: f["seconds"], ".0f"),
    ("the slowest of its commits, s", lambda f: f["slowest"], ".1f"),
    ("size on disk, MB", lambda f: f["size"], ",.0f"),
    ("segments", lambda f: f["segments"], ".0f"),
    *(
        (f"{mode}, {part}, ms", lambda f, m=mode, p=part: f["alone"][m][p], ".1f")
        for mode in MODES
        for part in ("p50", "p95", "cpu")
    ),
    *((f"{mode} with encoding, p50, ms", lambda f, m=mode: f["whole"][m]["p50"], ".1f") for mode in MODES),
    *((f"{mode}, up to a 64th later, p50, ms", lambda f, m=mode: f["waiting"][m]["p50"], ".1f") for mode in MODES),
    ("recall@10, dense", lambda f: f["recall"]["dense"], ".3f"),
    ("the hits of an exact hybrid search", lambda f: f["recall"]["hybrid"], ".3f"),
    ("resident memory, MB", lambda f: f["resident"], ".0f"),
    ("cold search in a new process, s", lambda f: f["cold"][0], ".2f"),
    ("its peak memory, MB", lambda f: f["cold"][2], ".0f"),
    ("add 1,000 passages, s", lambda f: f["add"], ".2f"),
    ("files written for that, MB", lambda f: f["written"], ".1f"),
    ("remove 1,000 passages, s", lambda f: f["remove"], ".2f"),
    ("remove a fifth of a segment, which is rewritten, s", lambda f: f["compact"], ".2f"),
)


def table(measured: dict[int, dict[str, Any]]) -> str:
    """Rows for Markdown, a column a size."""
    lines = ["| passages | " + " | ".join(f"{size:,}" for size in measured) + " |", "|---|" + "---|" * len(measured)]
    lines += [
        f"| {name} | " + " | ".join(format(value(facts), form) for facts in measured.values()) + " |"
        for name, value, form in ROWS
    ]
    return "\n".join(lines)


DRAWN = {
    "dense p50, ms": lambda f: f["alone"]["dense"]["p50"],
    "lexical p50, ms": lambda f: f["alone"]["lexical"]["p50"],
    "hybrid p50, ms": lambda f: f["alone"]["hybrid"]["p50"],
    "cold search, s": lambda f: f["cold"][0],
    "add 1,000, s": lambda f: f["add"],
    "build, min": lambda f: f["seconds"] / 60,
    "resident, 100 MB": lambda f: f["resident"] / 100,
    "on disk, 100 MB": lambda f: f["size"] / 100,
}
COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#777777", "#000000")


def plot(measured: dict[int, dict[str, Any]]) -> str:
    """An SVG: each cost over the number of passages, both in powers of ten."""
    values = {name: [max(value(facts), 0.01) for facts in measured.values()] for name, value in DRAWN.items()}
    low = np.floor(np.log10(min(map(min, values.values()))))
    high = np.ceil(np.log10(max(map(max, values.values()))))
    sizes = np.log10(list(measured))
    span = max(float(sizes[-1] - sizes[0]), 1.0)

    def at(size: float, value: float) -> tuple[float, float]:
        return 60 + 480 * (np.log10(size) - sizes[0]) / span, 380 - 340 * (np.log10(value) - low) / (high - low)

    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 420" font-family="sans-serif" font-size="12">']
    parts.append('<rect width="720" height="420" fill="#ffffff"/>')
    for power in range(int(low), int(high) + 1):
        _, y = at(10 ** sizes[0], 10.0**power)
        parts.append(f'<path d="M60 {y:.1f}H540" stroke="#dddddd"/>')
        parts.append(f'<text x="52" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for size in measured:
        x, _ = at(size, 1)
        parts.append(f'<text x="{x:.1f}" y="400" text-anchor="middle">{size:,}</text>')
    for number, (name, each) in enumerate(values.items()):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, measured, each))
        color, y = COLORS[number], 50 + 22 * number
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts.append(
            f'<path d="M556 {y}h18" stroke="{color}" stroke-width="2"/><text x="580" y="{y + 4}">{name}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Build what is missing, measure each size in a process of its own, print the table and write the plot."""
    DATA.mkdir(parents=True, exist_ok=True)
    sentences, queries = texts()
    shutil.rmtree(DATA / "empty", ignore_errors=True)
    with Index.create(DATA / "empty") as empty:
        vectors, of_queries = encoded(empty, sentences, queries)
    made = Made(sentences, vectors)
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(searched(Path(sys.argv[2]), made, queries, of_queries)))
        return
    measured: dict[int, dict[str, Any]] = {}
    for size in [int(argument) for argument in sys.argv[1:] if argument.isdecimal()] or SIZES:
        path = DATA / f"{size}"
        if not path.exists():
            build(path, size, made)
        command = [sys.executable, __file__, "--measure", str(path)]
        alone = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
        alone |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        facts = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=alone).stdout)
        facts |= json.loads(path.with_suffix(".json").read_text())
        facts["size"] = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6
        facts["cold"] = cold(path, queries[0])
        measured[size] = facts
        print(
            f"{date.today().isoformat()}; {measure.machine()}; one thread, {len(queries)} queries; load "
            f"{os.getloadavg()[0]:.1f}\n\n{table(measured)}\n",
            flush=True,
        )
    (Path(__file__).parent / "scale.svg").write_text(plot(measured))


if __name__ == "__main__":
    main()
