"""Makes the tables of benchmarks/peers.py out of what was measured; measures nothing and leaves no row out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

Taken = tuple[float, float]
"""Wall seconds and peak resident memory in MB of a process."""


@dataclass
class Figures:
    """What was measured of one row, each run of it.

    `warm` has the median seconds of a query in each process, `embedding` the seconds of `index` that went into the
    encoder, `again` what indexing again took, `size` the MB on disk and `ndcg` nDCG@10 by collection.
    """

    cold: list[Taken] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    index: list[Taken] = field(default_factory=list)
    embedding: list[float] = field(default_factory=list)
    again: list[Taken] = field(default_factory=list)
    size: float = 0.0
    ndcg: dict[str, float] = field(default_factory=dict)


def searching(figures: Mapping[str, Figures]) -> str:
    """A row for each: a query in a new process, one in a process that goes on, and how well it ranks."""
    collections = list(next(iter(figures.values())).ndcg)
    head = ["", "cold query s", "peak MB", "warm p50 ms", *(f"nDCG@10 {name}" for name in collections)]
    rows = [
        [
            name,
            f"{_seconds(of.cold):.2f}",
            f"{_memory(of.cold):.0f}",
            f"{1000 * median(of.warm):.1f}",
            *(f"{of.ndcg[collection]:.3f}" for collection in collections),
        ]
        for name, of in figures.items()
    ]
    return _table(head, rows)


def indexing(figures: Mapping[str, Figures]) -> str:
    """A row for each index: seconds with and without the embedding, again with nothing changed, size and memory."""
    head = ["", "index s", "of it embedding", "the rest", "index again s", "peak MB", "on disk MB"]
    rows = [
        [
            name,
            f"{_seconds(of.index):.1f}",
            f"{median(of.embedding):.1f}",
            f"{median(whole - part for (whole, _), part in zip(of.index, of.embedding, strict=True)):.1f}",
            f"{_seconds(of.again):.1f}",
            f"{_memory(of.index):.0f}",
            f"{of.size:.1f}",
        ]
        for name, of in figures.items()
    ]
    return _table(head, rows)


def _seconds(taken: Sequence[Taken]) -> float:
    return median(seconds for seconds, _ in taken)


def _memory(taken: Sequence[Taken]) -> float:
    return median(memory for _, memory in taken)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
