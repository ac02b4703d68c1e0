"""Indexing beside sentence-transformers, in passages a second: `python benchmarks/throughput.py COLLECTION [ROUNDS]`.

COLLECTION is a folder in BEIR layout; its documents become a folder of articles. In each round, in turn: the folder is
indexed from nothing (read, cut, embedded, committed) by each runtime, and the same passages are encoded by
`SentenceTransformer.encode(batch_size=32)` in float32. Also what part of the machine's arithmetic that reaches.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import measure
import torch
from sentence_transformers import SentenceTransformer

from semsearch import Index, embed
from semsearch.config import DEFAULT_MODEL
from semsearch.embed import find, runtimes
from semsearch.read import read_file

TOKENS = 254
"""Passages are as long as the model reads, so that they have about 190 word pieces."""

RUNTIMES = ("openvino-bf16", "openvino", "onnx")
LAYERS, WIDTH, INNER = 6, 384, 1536


def articles(collection: Path, folder: Path) -> None:
    """Write a collection's documents as files of their own."""
    folder.mkdir()
    with (collection / "corpus.jsonl").open(encoding="utf-8") as lines:
        for document in map(json.loads, lines):
            if document["text"].strip():
                text = f"{document.get('title') or ''}\n\n{document['text']}".strip()
                (folder / f"{document['_id']}.txt").write_text(text, encoding="utf-8")


def indexed(folder: Path, runtime: str) -> tuple[float, int]:
    """Seconds that it takes to index the folder from nothing, and how many passages were encoded."""
    with tempfile.TemporaryDirectory() as temporary, runtimes.using(runtime):
        embedder = embed.resolve(DEFAULT_MODEL)
        embedder.encode_document(["opened and warm"])
        with Index.create(Path(temporary) / "x", passage_tokens=TOKENS, embedder=embedder) as index:
            begun = time.perf_counter()
            report = index.sync(folder)
            return time.perf_counter() - begun, report.encoded


def passages(folder: Path) -> list[str]:
    """What the model reads of the folder's articles."""
    with (
        tempfile.TemporaryDirectory() as temporary,
        Index.create(Path(temporary) / "x", passage_tokens=TOKENS) as index,
    ):
        documents = [read_file(path, path.name)[0] for path in sorted(folder.iterdir())]
        return [passage.embedded for document in documents for passage in index.split(document)]


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def peak(kind: torch.dtype) -> float:
    """Multiplications and additions a second, in 10⁹, of a product of two matrices with 2,048 rows and columns."""
    one, two = (torch.randn(2048, 2048).to(kind) for _ in range(2))
    with torch.inference_mode():
        seconds = min(timed(lambda: one @ two) for _ in range(8))
    return 2 * 2048**3 / seconds / 1e9


def operations(tokens: int) -> float:
    """The encoder's multiplications and additions for a text, in 10⁹.

    Of each layer 4 products of width by width and 2 by the inner width for each token, and
    attention's two, which grow with the square of the text.
    """
    return LAYERS * (2 * tokens * (4 * WIDTH**2 + 2 * WIDTH * INNER) + 4 * tokens**2 * WIDTH) / 1e9


def main() -> None:
    collection, rounds = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3
    original = SentenceTransformer(str(find.find(DEFAULT_MODEL).folder), device="cpu")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "articles"
        articles(collection, folder)
        texts = passages(folder)
        lengths = [n + 2 for n in embed.resolve(DEFAULT_MODEL).count(texts)]
        original.encode(texts[:32], batch_size=32)
        theirs: list[float] = []
        ours: dict[str, list[float]] = {name: [] for name in RUNTIMES}
        peaks: list[tuple[float, float]] = []
        for _ in range(rounds):
            theirs.append(len(texts) / timed(lambda: original.encode(texts, batch_size=32)))
            for name, rates in ours.items():
                seconds, count = indexed(folder, name)
                assert count == len(set(texts))
                rates.append(len(texts) / seconds)
            peaks.append((peak(torch.bfloat16), peak(torch.float32)))
    work = sum(map(operations, lengths)) / len(lengths)
    print(
        f"{measure.machine()}; {collection.name}: {len(texts)} passages, {sum(lengths) / len(lengths):.0f} tokens each"
    )
    print("| what | passages/s | times sentence-transformers, by round |", "|---|---|---|", sep="\n")
    print(f"| `SentenceTransformer.encode(batch_size=32)`, float32, encoding alone | {median(theirs):.1f} | 1 |")
    for name, rates in ours.items():
        ratios = [rate / other for rate, other in zip(rates, theirs, strict=True)]
        each = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"| `semsearch index`, read to commit, {name} | {median(rates):.1f} | {median(ratios):.2f} ({each}) |")
    brain, single = (median(kind) for kind in zip(*peaks, strict=True))
    reached = median(ours["openvino-bf16"]) * work
    print(f"\n{work:.2f} · 10⁹ operations a passage; {reached:.0f} · 10⁹ a second while indexing in bfloat16")
    print(f"of {brain:.0f} that torch reaches in bfloat16 ({reached / brain:.0%}), {single:.0f} in float32")


if __name__ == "__main__":
    main()
