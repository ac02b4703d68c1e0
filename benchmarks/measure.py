"""Runs commands as whole processes and takes their times and peak memory; compares nothing by itself."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

# Set on some machines; they slow numpy, or the first import of every process.
_UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE", "SEMSEARCH_INDEX", "SEMSEARCH_MODEL")


@dataclass(frozen=True)
class Measured:
    """Medians, and the lowest and highest, of several runs: seconds and the largest resident memory in MB."""

    name: str
    seconds: float
    low: float
    high: float
    memory: float


def run(command: Sequence[str]) -> tuple[float, float]:
    """Wall seconds and peak resident memory in MB of one run, which must succeed."""
    environment = {name: value for name, value in os.environ.items() if name not in _UNSET}
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    assert process.stderr is not None
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(command)}\n{error.decode()}")
    return seconds, usage.ru_maxrss / 1024


def in_turn(commands: Mapping[str, Sequence[str]], runs: int) -> list[Measured]:
    """Run the commands in turn, A B C A B C …, after one run of each that is not counted."""
    for command in commands.values():
        run(command)
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            results[name].append(run(command))
    return [summary(name, result) for name, result in results.items()]


def summary(name: str, results: Sequence[tuple[float, float]]) -> Measured:
    """The median of several runs."""
    seconds = [s for s, _ in results]
    return Measured(name, median(seconds), min(seconds), max(seconds), median(m for _, m in results))


def table(measured: Sequence[Measured]) -> str:
    """Rows for Markdown, each with its ratio to the first."""
    rows = ["| what | median s | lowest | highest | peak MB | times the first |", "|---|---|---|---|---|---|"]
    rows += [
        f"| {m.name} | {m.seconds:.3f} | {m.low:.3f} | {m.high:.3f} | {m.memory:.0f} | "
        f"{m.seconds / measured[0].seconds:.1f} |"
        for m in measured
    ]
    return "\n".join(rows)


def machine() -> str:
    """What this was measured on."""
    model = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}, {platform.system()}"


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readlines()
    except OSError:
        return []
