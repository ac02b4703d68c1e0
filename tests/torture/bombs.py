"""Indexes each bomb of `tests/bombs.py` beside good files by the command line, and measures what that costs.

    python -m tests.torture.bombs [NAME…]

The figures of a bomb are what it takes beyond a run over the good files alone: seconds by the clock and of the
processor, and the memory of the largest process. The same is measured of `naive_reader.py`, which has no limits: it
must be caught, or nothing here is worth anything.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import click

from tests.bombs import BOMBS, GOOD

ROOT = Path(__file__).parent.parent.parent
SECONDS, MEMORY = 5.0, 512e6
"""What a bomb may cost; the memory is that of the whole process."""

_NAIVE_MEMORY, _NAIVE_SECONDS = 2 * 2**30, 20  # so that this machine stands it


_LAUNCH = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=2)
_, status, usage = os.wait4(process.pid, 0)
used = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
print(json.dumps([os.waitstatus_to_exitcode(status), *used]))
"""
"""A small process in between: the system counts to a program's memory what the process had that started it."""


class Cost(NamedTuple):
    """What a program took, the processes that it started included; `memory` is of the largest, in bytes."""

    status: int
    said: str
    wall: float
    processor: float
    memory: int


def run(*command: str, limited: bool = False) -> Cost:
    """Run Python with these arguments."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (_NAIVE_MEMORY, _NAIVE_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_NAIVE_SECONDS, _NAIVE_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    environment = {**os.environ, "SEMSEARCH_MODEL": "hash", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as said:
        begun = time.monotonic()
        process = subprocess.run(
            [sys.executable, "-c", _LAUNCH, sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment,
            preexec_fn=limit if limited else None,
            check=True,
        )
        wall = time.monotonic() - begun
        said.seek(0)
        text = said.read().decode(errors="replace")
    status, processor, memory = json.loads(process.stdout)
    return Cost(status, text, wall, processor, memory)


def indexed(folder: Path) -> Cost:
    """Index a folder by the command line."""
    return run("-m", "semsearch", "index", str(folder), "-i", str(folder.parent / "x"), "-v")


def reasons(name: str, said: str) -> list[str]:
    """Why a bomb, or what is in it, was passed over, of which some is what must be said."""
    return [reason for path, reason in skipped(said) if path.startswith(name)]


def is_as_it_must_be(name: str, said: str) -> bool:
    """Whether a bomb was passed over for what it is."""
    return any(re.fullmatch(BOMBS[name].reason, reason) for reason in reasons(name, said))


def skipped(said: str) -> list[tuple[str, str]]:
    """Path and reason of whatever a run passed over."""
    return re.findall(r"^skipped (.*?): (.*)$", said, re.MULTILINE)


def wrong(name: str, cost: Cost) -> str:
    """What is wrong with a run over a bomb and the good files; "" for nothing."""
    others = [path for path, _ in skipped(cost.said) if not path.startswith(name)]
    if cost.status:
        return f"exit status {cost.status}: {cost.said[-300:]}"
    if others or not re.search(rf"\b{len(GOOD)} added", cost.said):
        return f"skips {others}, {cost.said[-200:]}"
    if not is_as_it_must_be(name, cost.said):
        return f"its reasons are {reasons(name, cost.said)[:3]}"
    return "takes too much memory" if cost.memory > MEMORY else ""


def measured(name: str, baseline: Cost) -> tuple[str, bool]:
    """A row of the table for a bomb, and whether all is well with it."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "articles"
        folder.mkdir()
        subprocess.run([sys.executable, "-m", "tests.bombs", str(folder), name], check=True, cwd=ROOT)
        size = (folder / name).stat().st_size
        cost = indexed(folder)
        naive = run("-m", "tests.torture.naive_reader", str(folder / name), limited=True)
    trouble = wrong(name, cost)
    wall, processor = cost.wall - baseline.wall, cost.processor - baseline.processor
    slow = processor > SECONDS
    reason = trouble or reasons(name, cost.said)[-1]
    row = (
        f"| {name} | {size / 1e3:,.0f} | {max(wall, 0):.1f} | {max(processor, 0):.1f} | {cost.memory / 1e6:.0f} "
        f"| {reason[:90]}{' **too slow**' if slow else ''} | {caught(naive)} |"
    )
    return row, not trouble and not slow


def caught(naive: Cost) -> str:
    """What a bomb does to a reader without limits, "" for nothing."""
    if naive.status < 0:
        return f"signal {-naive.status} after {naive.processor:.0f} s"
    if "MemoryError" in naive.said or naive.memory > MEMORY:
        return f"{naive.memory / 1e6:,.0f} MB{' and more' if naive.status else ''}"
    if naive.processor > SECONDS:
        return f"{naive.processor:.0f} s"
    return "RecursionError" if "RecursionError" in naive.said else ""


@click.command()
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Measure each, say so, and leave with 1 if one is not as it must be, or the naive reader is not caught."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "articles"
        folder.mkdir()
        subprocess.run([sys.executable, "-m", "tests.bombs", str(folder)], check=True, cwd=ROOT)
        baseline = indexed(folder)
    click.echo(
        f"{len(GOOD)} good files alone: {baseline.wall:.1f} s, {baseline.processor:.1f} s of the processor, "
        f"{baseline.memory / 1e6:.0f} MB\n\n"
        "| bomb | kB | s | s of the processor | MB | skipped, as it | without limits |\n"
        "|---|---:|---:|---:|---:|---|---|"
    )
    rows = []
    for name in names or BOMBS:
        rows.append(measured(name, baseline))
        click.echo(rows[-1][0])
    fell = sum(not row.endswith("|  |") for row, _ in rows)
    bad = sum(not well for _, well in rows)
    click.echo(f"\n{len(rows)} bombs, {bad} not as they must be; {fell} harm the naive reader")
    sys.exit(bool(bad) or not fell)


if __name__ == "__main__":
    main()
