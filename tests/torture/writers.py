"""Several writers at once: one works, the others leave with exit status 2 and a message, and nothing is lost.

    python -m tests.torture.writers [--rounds 50]

All of a round begin together; who works waits, with the lock in hand, until the others have left. Half of the rounds
make a new index. The naive store, which lets all of them write, must be caught first.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import click

from semsearch import Index
from semsearch.testing import HashEmbedder
from semsearch.types import Vectors
from tests.torture import states
from tests.torture.naive_shared import NaiveShared

SPAWN = multiprocessing.get_context("spawn")
PATIENCE = 60
"""Seconds that one waits for the others, at the most."""
REFUSED = "another process is writing to this index; wait until it has finished"


def work(kind: str, top: Path, number: int, writers: int, shared: Any) -> None:
    """Be one of the writers; a process of its own."""
    together, left, outcomes = shared
    # Who has to encode holds the lock. That the others are refused must not depend on how fast it is.
    encode, waited = HashEmbedder.encode_document, []

    def waiting(self: HashEmbedder, texts: Sequence[str]) -> Vectors:
        if not waited:
            waited.extend(left.acquire(timeout=PATIENCE) for _ in range(writers - 1))
        return encode(self, texts)

    if kind == "semsearch":
        HashEmbedder.encode_document = waiting
        together.wait(PATIENCE)
        status, said = _ours(top)
    else:
        NaiveShared(top / "index").append({f"{number} {states.name(0)}": "Words."}, lambda: together.wait(PATIENCE))
        status, said = 0, ""
    if status:
        left.release()
    outcomes.put((status, said))


def _ours(top: Path) -> tuple[int, str]:
    """What `semsearch index` leaves with, and what it said."""
    from semsearch.cli import main as command

    sys.argv = ["semsearch", "index", str(top / "articles"), "-i", str(top / "index"), "--model", "hash"]
    said = StringIO()
    with redirect_stderr(said):
        try:
            command()
        except SystemExit as left:
            return int(left.code or 0), said.getvalue()
    return 0, said.getvalue()


def one_round(kind: str, top: Path, writers: int) -> list[str]:
    """Let so many write at once, and say what is wrong with it."""
    shared = SPAWN.Barrier(writers), SPAWN.Semaphore(0), SPAWN.Queue()
    running = [SPAWN.Process(target=work, args=(kind, top, number, writers, shared)) for number in range(writers)]
    for process in running:
        process.start()
    outcomes = [shared[2].get(timeout=4 * PATIENCE) for _ in running]
    for process in running:
        process.join()
    if kind == "naive":
        return NaiveShared(top / "index").complaints()
    statuses = Counter(status for status, _ in outcomes)
    wrong = [] if statuses == {0: 1, 2: writers - 1} else [f"exit statuses {dict(statuses)}"]
    return wrong + [f"said {said!r}" for status, said in outcomes if status and REFUSED not in said]


def trial(kind: str, writers: int, rounds: int) -> list[str]:
    """What is wrong after all rounds, each of them with articles that are new or others than before."""
    wrong: list[str] = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            top, articles = Path(folder), Path(folder) / "articles"
            articles.mkdir()
            for state in range(1 + number % 2):
                if state:
                    with Index.make(top / "index", embedder=HashEmbedder()) as index:
                        index.sync(articles)
                for name, text in states.rewritten(state).items():
                    (articles / name).write_text(text)
                if kind == "naive":
                    break
            wrong += [f"round {number}: {line}" for line in one_round(kind, top, writers)]
            if kind == "semsearch":
                wrong += [f"round {number}: {line}" for line in _lost(top / "index", articles)]
    return wrong


def _lost(path: Path, articles: Path) -> list[str]:
    """What an index has not, or has otherwise than its folder."""
    with Index.open(path, embedder=HashEmbedder()) as index:
        held = {document.path: index.text(document.id) for document in index.documents()}
        there = {file.name: file.read_text() for file in articles.iterdir()}
        wrong = [f"{name} is not as it was written" for name in there if held.get(name) != there[name]]
        return wrong + index.verify()


@click.command()
@click.option("--rounds", default=50)
def main(rounds: int) -> None:
    """Run all of it, print a line each, and leave with 1 if the naive store was not caught or ours was wrong."""
    failed = False
    for kind, writers in (("naive", 2), ("semsearch", 2), ("semsearch", 4)):
        begun = time.monotonic()
        wrong = trial(kind, writers, rounds if kind == "semsearch" else min(rounds, 5))
        click.echo(f"{kind}, {writers} writers at once: {len(wrong)} wrong, {time.monotonic() - begun:.0f} s")
        for line in wrong[:5]:
            click.echo(f"    {line}")
        failed |= bool(wrong) == (kind == "semsearch")
    sys.exit(failed)


if __name__ == "__main__":
    main()
