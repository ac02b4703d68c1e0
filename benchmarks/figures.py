"""Prints the figures of benchmarks/README.md: cold searches, runs with little to do, and memory while indexing.

    python benchmarks/figures.py            all of them
    python benchmarks/figures.py cold memory

Everything that is compared runs in turn in the same call, as whole processes. Articles and indexes are kept in
benchmarks/data, so that a second call need not embed again.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from datetime import date
from importlib.metadata import version
from pathlib import Path

import corpus
import measure

DATA = Path(__file__).parent / "data"
RUNS = 7
QUERY = "security vacuum in the Western Balkans"
SEMSEARCH = str(Path(sysconfig.get_path("scripts")) / "semsearch")

# What a person would write without semsearch: load the model, load the index, encode, search, print.
MINIMAL = """
import sys, json, faiss
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu", local_files_only=True)
index = faiss.read_index(sys.argv[2])
passages = [json.loads(line) for line in open(sys.argv[3], encoding="utf-8")]
scores, rows = index.search(model.encode([sys.argv[4]], normalize_embeddings=True), 5)
for score, row in zip(scores[0], rows[0]):
    print(score, passages[row]["path"], passages[row]["text"])
"""


def ten_thousand() -> tuple[Path, Path]:
    """A folder of 10,000 files with a passage each, and its index."""
    articles, index = DATA / "10k", DATA / "10k-index"
    if not index.exists():
        shutil.rmtree(articles, ignore_errors=True)
        corpus.write(articles, files=10_000, sections=1, length=3)
        seconds, memory = measure.run([SEMSEARCH, "index", str(articles), "-i", str(index)])
        print(f"(indexing 10,000 files with a passage each took {seconds:.0f} s and {memory:.0f} MB)\n")
    return articles, index


def cold() -> None:
    """A search in a new process, beside a minimal script and the import that semsearch avoids."""
    _, index = ten_thousand()
    exported = DATA / "10k-export"
    if not exported.exists():
        measure.run([SEMSEARCH, "export", str(exported), "-i", str(index)])
        program = "import faiss, numpy, sys; v = numpy.load(sys.argv[1]); i = faiss.IndexFlatIP(v.shape[1]); i.add(v); "
        program += "faiss.write_index(i, sys.argv[2])"
        measure.run([sys.executable, "-c", program, str(exported / "vectors.npy"), str(exported / "faiss.index")])
    model = _default_model()
    print("### A cold search over 10,000 passages\n")
    minimal = [sys.executable, "-c", MINIMAL, model, str(exported / "faiss.index"), str(exported / "passages.jsonl")]
    print(
        measure.table(
            measure.in_turn(
                {
                    "semsearch search": [SEMSEARCH, "search", QUERY, "-i", str(index)],
                    "minimal script: SentenceTransformer and a FAISS file": [*minimal, QUERY],
                    "`import sentence_transformers` alone": [sys.executable, "-c", "import sentence_transformers"],
                },
                RUNS,
            )
        )
    )


def help_() -> None:
    """The help, beside the import of the library that makes it."""
    print("### `semsearch --help`\n")
    commands = {
        "semsearch --help": [SEMSEARCH, "--help"],
        '`python -c "import click"`': [sys.executable, "-c", "import click"],
        "`python -c pass`": [sys.executable, "-c", "pass"],
    }
    print(measure.table(measure.in_turn(commands, RUNS)))


def update() -> None:
    """A run that finds nothing to do, and one that finds a changed file, each in a new process."""
    articles, index = ten_thousand()
    command = [SEMSEARCH, "index", str(articles), "-i", str(index)]
    # Two runs settle files that were so fresh when they were indexed that their times could not vouch for them.
    measure.run(command)
    measure.run(command)
    nothing = [measure.run(command) for _ in range(RUNS)]
    one = []
    target = articles / "004" / "article-004242.md"
    for turn in range(RUNS):
        with target.open("a", encoding="utf-8") as file:
            file.write(f"\nAnother sentence about the year {turn}, written at {index.stat().st_mtime_ns}.\n")
        one.append(measure.run(command))
    print("### `semsearch index` over 10,000 files that are indexed\n")
    print(measure.table([measure.summary("nothing changed", nothing), measure.summary("one file changed", one)]))


def memory() -> None:
    """Peak memory while folders of 20,000, 50,000 and 100,000 passages are indexed from nothing."""
    print("### Peak memory of indexing from nothing\n")
    print("| passages | files | seconds | passages/s | peak MB |\n|---|---|---|---|---|", flush=True)
    for passages in (20_000, 50_000, 100_000):
        articles, index = DATA / f"{passages}", DATA / f"{passages}-index"
        shutil.rmtree(index, ignore_errors=True)
        if not articles.exists():
            corpus.write(articles, files=passages // 10, sections=10, length=1)
        seconds, peak = measure.run([SEMSEARCH, "index", str(articles), "-i", str(index)])
        rate = passages / seconds
        print(f"| {passages:,} | {passages // 10:,} | {seconds:.0f} | {rate:.0f} | {peak:.0f} |", flush=True)


def _default_model() -> str:
    from semsearch.embed.find import find

    return str(find("all-MiniLM-L6-v2").folder)


PARTS = {"help": help_, "cold": cold, "update": update, "memory": memory}


def main() -> None:
    """Print the parts that were asked for, or all."""
    DATA.mkdir(exist_ok=True)
    names = ("semsearch", "sentence-transformers", "torch", "onnxruntime", "faiss-cpu", "click")
    print(f"{date.today().isoformat()}; {measure.machine()}; " + ", ".join(f"{n} {version(n)}" for n in names))
    print(f"Medians of {RUNS} runs as whole processes after one that is not counted.\n")
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
        print(flush=True)


if __name__ == "__main__":
    main()
