"""Readers while a writer commits and rebuilds: every answer must be the known one of one state. Writers: `writers.py`.

    python -m tests.torture.readers [--readers 8] [--commits 200] [--rebuilds 20] [--searches 40000]

First the naive store, which must be caught; then semsearch, exact and with lists; then threads that share one `Index`.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import click

from semsearch import Index
from semsearch.store import Store
from semsearch.testing import HashEmbedder
from tests.torture import states
from tests.torture.naive_shared import NaiveShared

SPAWN = multiprocessing.get_context("spawn")
REOPENED = 50
"""Every other reader opens the index anew after so many searches."""


@dataclass
class Tally:
    """What came of a run: searches, states that were seen, and what was wrong."""

    searches: int = 0
    seen: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.searches + other.searches, self.seen | other.seen, self.wrong + other.wrong)


class Ours:
    """semsearch behind the calls of the naive store."""

    def __init__(self, path: Path) -> None:
        self.folder = path.parent / "articles"
        self.index = Index.make(path, embedder=HashEmbedder())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.index.close()

    def put(self, texts: Mapping[str, str]) -> None:
        """Write articles or put them in the place of others, and take all of them in by one commit."""
        self.folder.mkdir(exist_ok=True)
        for path, text in texts.items():
            (self.folder / path).write_text(text)
        self.index.sync(self.folder)

    def rebuild(self) -> None:
        """Make the index anew."""
        Index.rebuild(self.index.path, self.folder, embedder=HashEmbedder())

    def ask(self, topic: int) -> states.Answer:
        """The answer to a topic."""
        hits = self.index.search(states.query(topic), k=states.K, collapse=False)
        return states.answer((Path(hit.path).name, hit.text, hit.score) for hit in hits)


KINDS: Mapping[str, Any] = {"naive": NaiveShared, "semsearch": Ours}


@contextmanager
def lists_above(passages: int | None) -> Iterator[None]:
    """Have an index of more passages searched through lists in this process; None for no change."""
    made, opened = Store.create.__func__, Store.__init__
    before = made.__defaults__, opened.__defaults__
    if passages is not None:
        made.__defaults__ = opened.__defaults__ = (passages,)
    yield
    made.__defaults__, opened.__defaults__ = before


def known_answers(kind: str, commits: int) -> list[dict[int, states.Answer]]:
    """The answer to every topic in every state, from a store that nobody else uses."""
    with tempfile.TemporaryDirectory() as folder, KINDS[kind](Path(folder) / "alone") as store:
        known = []
        for state in range(commits + 1):
            store.put(states.rewritten(state))
            known.append({topic: store.ask(topic) for topic in range(states.TOPICS)})
    return known


def look(store: Any, topic: int, known: Sequence[Mapping[int, states.Answer]], tally: Tally) -> None:
    """Search once, and note what came of it."""
    tally.searches += 1
    try:
        answer = store.ask(topic)
        tally.wrong += states.complaints(topic, answer, known)
        tally.seen.add(states.state_of(answer))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the harness looks for
        tally.wrong.append(f"{type(error).__name__}: {error}")


def read(kind: str, path: Path, number: int, lists: int | None, shared: Any) -> None:
    """Search until told to stop; a process of its own."""
    count, stop, known, tallies = shared
    tally, topic = Tally(), number
    with lists_above(lists):
        while not stop.is_set():
            with KINDS[kind](path) as store:
                for _ in range(REOPENED if number % 2 else sys.maxsize):
                    topic += 1
                    look(store, topic, known, tally)
                    with count.get_lock():
                        count.value += 1
                    if stop.is_set():
                        break
    tally.wrong = tally.wrong[:1000]
    tallies.put(tally)


def with_processes(
    kind: str, *, readers: int, commits: int, rebuilds: int, searches: int, lists: int | None = None
) -> Tally:
    """Commit and rebuild while so many processes read; each step waits until its share of the searches is done."""
    known = [] if lists else known_answers(kind, commits)
    count, stop, tallies = SPAWN.Value("q", 0), SPAWN.Event(), SPAWN.Queue()
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, lists_above(lists), KINDS[kind](Path(folder) / "index") as store:
        store.put(states.rewritten(0))
        shared = count, stop, known, tallies
        given = [(kind, Path(folder) / "index", number, lists, shared) for number in range(readers)]
        running = [SPAWN.Process(target=read, args=each) for each in given]
        for process in running:
            process.start()
        steps = _steps(commits, rebuilds)
        for done, state in enumerate([*steps, None]):
            while count.value * len(steps) < done * searches and all(process.is_alive() for process in running):
                time.sleep(0.001)
            if state is not None:
                _step(store, state)
        stop.set()
        for _ in range(readers):
            tally += tallies.get(timeout=60)
        for process in running:
            process.join()
        return _closing(store, commits, tally, lists)


def with_threads(*, threads: int, commits: int, rebuilds: int) -> Tally:
    """So many threads search one `Index` while another syncs it, and at times makes it anew."""
    known, stop, tallies = known_answers("semsearch", commits), threading.Event(), [Tally() for _ in range(threads)]

    def search(store: Ours, number: int) -> None:
        topic = number
        while not stop.is_set():
            topic += 1
            look(store, topic, known, tallies[number])

    with tempfile.TemporaryDirectory() as folder, Ours(Path(folder) / "index") as store:
        store.put(states.rewritten(0))
        running = [threading.Thread(target=search, args=(store, number)) for number in range(threads)]
        for thread in running:
            thread.start()
        for state in _steps(commits, rebuilds):
            _step(store, state)
        stop.set()
        for thread in running:
            thread.join()
        return _closing(store, commits, sum(tallies, Tally()), None)


def _steps(commits: int, rebuilds: int) -> list[int]:
    """The states to come, evenly with a 0 for each rebuild."""
    steps = list(range(1, commits + 1))
    for number in range(rebuilds):
        steps.insert((number + 1) * commits // (rebuilds + 1) + number, 0)
    return steps


def _step(store: Any, state: int) -> None:
    if state:
        store.put(states.rewritten(state))
    else:
        store.rebuild()


def _closing(store: Any, commits: int, tally: Tally, lists: int | None) -> Tally:
    """The tally, and what is wrong with the store at the end."""
    last = states.state_of(store.ask(0))
    wrong = [] if last == commits else [f"the last state is {last}, not {commits}"]
    if isinstance(store, Ours):
        wrong += store.index.verify()
        with store.index._latest().store.snapshot() as snapshot:
            wrong += ["there are no lists"] if lists and snapshot.segments.lists is None else []
    return tally + Tally(wrong=wrong)


@click.command()
@click.option("--readers", default=8)
@click.option("--commits", default=200)
@click.option("--rebuilds", default=20)
@click.option("--searches", default=40_000)
def main(readers: int, commits: int, rebuilds: int, searches: int) -> None:
    """Run all of it, print a line each, and leave with 1 if the naive store was not caught or ours was wrong."""
    counts = {"readers": readers, "commits": commits, "rebuilds": rebuilds, "searches": searches}
    naive = _said("naive store", lambda: with_processes("naive", **{**counts, "searches": searches // 20}))
    ours = [
        _said("exact", lambda: with_processes("semsearch", **counts)),
        _said("with lists", lambda: with_processes("semsearch", **counts, lists=100)),
        _said("threads", lambda: with_threads(threads=readers, commits=commits, rebuilds=rebuilds)),
    ]
    sys.exit(not naive.wrong or any(tally.wrong for tally in ours))


def _said(what: str, run: Any) -> Tally:
    begun = time.monotonic()
    tally: Tally = run()
    took = time.monotonic() - begun
    click.echo(
        f"{what}: {tally.searches} searches, {len(tally.seen)} states seen, {len(tally.wrong)} wrong, {took:.0f} s"
    )
    for line in tally.wrong[:5]:
        click.echo(f"    {line}")
    return tally


if __name__ == "__main__":
    main()
