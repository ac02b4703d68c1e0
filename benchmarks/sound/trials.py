"""Kills a writer and damages files, many times over, and says what the store does then: `trials.py STORE KIND TRIES`.

Runs with the interpreter that the store is installed in, and prints a count of outcomes as JSON. Each trial is a copy
of one small store, and whatever touches it is a process of its own, so that nothing that breaks takes the rest along.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from stores import BATCH, STORES, Store

BEFORE = 100
"""Batches that a store has before a trial begins."""

WRITTEN = 12
"""Batches that a writer would add if it were not killed."""

IMPORTED = {"semsearch": "semsearch.index", "txtai": "txtai", "naive": "faiss"}
"""What is imported once and not by each child: it starts no thread by that, which would not outlive a fork."""

REFUSED = "refused"
"""The store raised an error."""

PATIENCE = 60.0
"""Seconds after which a process counts as one that hangs."""


def in_child(work: Callable[[], str]) -> str:
    """What a function returns in a process of its own; how the process ended if it did not."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _quiet()
        try:
            said = work()
        except BaseException:  # noqa: BLE001 - whatever the store raises is an answer
            said = REFUSED
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    said = _read(reader, PATIENCE)
    os.close(reader)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if said:
        return said
    return "hangs" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else "killed by a signal"


def _read(descriptor: int, seconds: float) -> str:
    ready, _, _ = select.select([descriptor], [], [], seconds)
    return os.read(descriptor, 65536).decode() if ready else ""


def _quiet() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def batch(number: int) -> range:
    """The numbers of the passages of a batch."""
    return range(number * BATCH, (number + 1) * BATCH)


def made(store: type[Store], folder: Path) -> None:
    """A store of `BEFORE` batches."""

    def work() -> str:
        opened = store(folder)
        for number in range(BEFORE):
            opened.add(batch(number))
        return "made"

    said = in_child(work)
    if said != "made":
        raise SystemExit(said)


def killed(store: type[Store], folder: Path, seconds: float) -> int:
    """How many batches a writer said it had added, before it was killed after so many seconds from its opening."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _quiet()
        try:
            opened = store(folder)
            os.write(writer, b"\xff")
            for number in range(BEFORE, BEFORE + WRITTEN):
                opened.add(batch(number))
                os.write(writer, bytes([number]))
            signal.pause()
        finally:
            os._exit(1)  # or it would go on as the parent does
    os.close(writer)
    os.read(reader, 1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    said = b"".join(iter(lambda: os.read(reader, 4096), b""))
    os.close(reader)
    return BEFORE + len(said)


def duration(store: type[Store], folder: Path) -> float:
    """Seconds that a writer takes for all its batches."""

    def work() -> str:
        opened = store(folder)
        begun = time.perf_counter()
        for number in range(BEFORE, BEFORE + WRITTEN):
            opened.add(batch(number))
        return str(time.perf_counter() - begun)

    return float(in_child(work))


def after_kill(store: type[Store], folder: Path, batches: int) -> str:
    """What is wrong with a store that promised to have so many batches, "sound" for nothing."""
    opened = store(folder)
    count = opened.count()
    if count < batches * BATCH:
        return "lost what it had promised"
    last = (batches - 2) * BATCH
    for number in [*range(0, last, 37), *range(last, batches * BATCH)]:
        found = opened.nearest(number, 1)
        if not found or found[0][0] != number:
            return "does not find what it has"
    if count % BATCH:
        return "has a part of a batch"
    new = batch(10 * BEFORE)
    opened.add(new)
    return "sound" if opened.nearest(new[0], 1)[0][0] == new[0] else "cannot go on"


def answers(store: type[Store], folder: Path) -> str:
    """What a store answers to a number of questions, as JSON."""
    opened = store(folder)
    return json.dumps([opened.count(), *(opened.nearest(number, 5) for number in range(0, BEFORE * BATCH, 67))])


def damaged(folder: Path, rng: random.Random) -> None:
    """Change one file of a folder: a bit, a page of zeros, an end that is missing, or one that is too long."""
    file = rng.choice(sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size))
    data = bytearray(file.read_bytes())
    at = rng.randrange(len(data))
    match rng.randrange(4):
        case 0:
            data[at] ^= 1 << rng.randrange(8)
        case 1:
            start = at // 4096 * 4096
            data[start : start + 4096] = bytes(len(data[start : start + 4096]))
        case 2:
            del data[at:]
        case _:
            data += rng.randbytes(100)
    file.write_bytes(data)


def kills(store: type[Store], base: Path, tries: int, rng: random.Random) -> Counter[str]:
    """Outcomes of as many writers that were killed."""
    outcomes = Counter[str]()
    with tempfile.TemporaryDirectory() as temporary:
        whole = duration(store, Path(shutil.copytree(base, Path(temporary) / "timed")))
        for number in range(tries):
            folder = Path(shutil.copytree(base, Path(temporary) / str(number)))
            batches = killed(store, folder, rng.uniform(0, whole))
            outcomes[in_child(lambda f=folder, b=batches: after_kill(store, f, b))] += 1
            shutil.rmtree(folder)
    return outcomes


def damages(store: type[Store], base: Path, tries: int, rng: random.Random) -> Counter[str]:
    """Outcomes of as many damaged files."""
    outcomes = Counter[str]()
    with tempfile.TemporaryDirectory() as temporary:
        right = in_child(lambda: answers(store, Path(shutil.copytree(base, Path(temporary) / "right"))))
        for number in range(tries):
            folder = Path(shutil.copytree(base, Path(temporary) / str(number)))
            damaged(folder, rng)
            said = in_child(lambda f=folder: answers(store, f))
            outcomes["right all the same" if said == right else "wrong, unsaid" if said[:1] == "[" else said] += 1
            shutil.rmtree(folder)
    return outcomes


def main() -> None:
    name, kind, tries = sys.argv[1:4]
    store = STORES[name]
    if name in IMPORTED:
        importlib.import_module(IMPORTED[name])
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary) / "base"
        made(store, base)
        trials = kills if kind == "kill" else damages
        print(json.dumps(trials(store, base, int(tries), random.Random(1))))


if __name__ == "__main__":
    main()
