"""Has an index say of its sizes what cannot be, with checksums that are right, and sees that it is refused at once.

    python -m tests.torture.sizes [--trials N] [--seed S]

This is what somebody makes who wants a search to take all memory, or to read what lies behind an array.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import click
import xxhash

from semsearch.store.seals import Seals
from tests.torture.child import commands, forked
from tests.torture.damage import QUERIES, SEARCHES, Tally, Whole, judged, made, sound, with_index

_HEADER, _PAGE = 4096, 4096
_NUMBERS = (-(2**63), -(2**31), -1, 2**31 - 1, 2**31, 2**32, 2**40, 2**53, 2**62, 2**63 - 1)
_SAID: tuple[Any, ...] = (*_NUMBERS, 2**64, 10**30, 1e308, 0.5, "9", None, [], {}, True)
_COLUMNS = {
    "segments": ("first", "last", "rows", "vectors_size", "lexical_size", "id"),
    "lists": ("last", "size", "id"),
    "passages": ("start", "end", "document"),
}


def forge(index: Path, rng: random.Random) -> str:
    """Change one size of an index, in any of its files; what was changed."""
    ways: tuple[Callable[[Path, random.Random], str], ...] = (_array, _array, _row, _setting, _page)
    return rng.choice(ways)(index, rng)


def _array(index: Path, rng: random.Random) -> str:
    """The shape or the place of an array, with a checksum that fits."""
    part = rng.choice(("vectors", "lexical", "lists"))
    file = rng.choice(sorted((index / "e1" / part).iterdir()))
    data = bytearray(file.read_bytes())
    header = json.loads(data[:_HEADER])
    name, value = rng.choice(sorted(header)), rng.choice(_SAID)
    entry, what = header[name], rng.choice(("shape", "offset", "dimension", "more"))
    if what == "offset":
        entry["offset"] = value
    elif what == "shape":
        entry["shape"] = value
    elif what == "more":
        entry["shape"] = [*entry["shape"], value]
    else:
        entry["shape"][rng.randrange(len(entry["shape"]))] = value
    data[:_HEADER] = json.dumps(header).encode().ljust(_HEADER)[:_HEADER]
    file.write_bytes(data)
    with _catalog(index) as connection:
        columns = ("checksum", "mtime_ns") if part == "lists" else (f"{part}_checksum", f"{part}_mtime_ns")
        table = "lists" if part == "lists" else "segments"
        values = (xxhash.xxh3_128_hexdigest(data), file.stat().st_mtime_ns, int(file.name))
        connection.execute(f"UPDATE {table} SET {columns[0]} = ?, {columns[1]} = ? WHERE id = ?", values)
        Seals(connection).close()
    return f"{what} of {name} in {part}/{file.name}: {value!r}"


def _row(index: Path, rng: random.Random) -> str:
    """A number in the catalog."""
    table = rng.choice(sorted(_COLUMNS))
    column, value = rng.choice(_COLUMNS[table]), rng.choice(_NUMBERS)
    with _catalog(index) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        (row,) = rng.choice(connection.execute(f"SELECT rowid FROM {table}").fetchall())
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row))
        for (document,) in connection.execute("SELECT id FROM documents").fetchall():
            Seals(connection).put(document)
        Seals(connection).close()
    return f"{table}.{column} of row {row}: {value}"


def _setting(index: Path, rng: random.Random) -> str:
    """The dimension or the limit of the index."""
    name, value = rng.choice(("dimension", "limit", "overlap")), rng.choice(_SAID)
    with _catalog(index) as connection:
        (text,) = connection.execute("SELECT value FROM settings WHERE name = 'config'").fetchone()
        text = json.dumps({**json.loads(text), name: value})
        connection.execute("UPDATE settings SET value = ? WHERE name = 'config'", (text,))
        Seals(connection).close()
    return f"{name}: {value!r}"


def _page(index: Path, rng: random.Random) -> str:
    """A size in SQLite's own file: of its pages, of their cells, or of a row."""
    file = index / "e1" / "index.db"
    data = bytearray(file.read_bytes())
    at = rng.randrange(len(data) // _PAGE) * _PAGE
    start = at + (100 if at == 0 else 0)
    where = rng.choice(("page size", "pages", "cells", "content", "row"))
    if where == "page size":
        data[16:18] = rng.randbytes(2)
    elif where == "pages":
        data[28:32] = rng.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", rng.randbytes(4)))
    elif where == "cells":
        data[start + 3 : start + 5] = b"\xff\xff"
    elif where == "content":
        data[start + 5 : start + 7] = rng.randbytes(2)
    else:
        cell = int.from_bytes(data[start + 8 : start + 10], "big")
        data[at + cell : at + cell + 9] = b"\xff" * 8 + b"\x7f"
    file.write_bytes(data)
    return f"{where} in page {at // _PAGE + 1} of index.db"


class _catalog:  # noqa: N801 - used as a function
    """A connection that commits and closes, and leaves no log."""

    def __init__(self, index: Path) -> None:
        self._connection = sqlite3.connect(index / "e1" / "index.db", isolation_level=None)

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        with closing(self._connection) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def run(trials: int, seed: int, folder: Path) -> tuple[Tally, float]:
    """So many forged indexes; the tally, and the most seconds of processor time that one took."""
    whole, tally, most = made(folder, 60), Tally(), 0.0
    for number in range(trials):
        most = max(most, trial(whole, folder / "copy", random.Random(f"{seed} {number}"), number, tally))
    return tally, most


def trial(whole: Whole, copy: Path, rng: random.Random, number: int, tally: Tally) -> float:
    """One forged index, searched; the seconds of processor time that it took."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(whole.index, copy)
    name = f"trial {number}: {forge(copy, rng)}"
    size = sum(each.stat().st_size for each in copy.rglob("*") if each.is_file())
    most = 0.0
    for search, expected in zip(SEARCHES, whole.answers, strict=True):
        done = forked(partial(commands, *with_index(copy, [search]), typed=QUERIES))
        most = max(most, done.seconds)
        if sound(done, size, name, copy, tally):
            outcome = judged(done.given, [expected])
            tally.counts[f"search: {outcome}"] += 1
            if outcome == "another answer":
                tally.broken.append(f"another answer: {name}")
    return most


@click.command()
@click.option("--trials", default=200, help="How many indexes are forged.")
@click.option("--seed", default=1, help="Other trials.")
def sizes(trials: int, seed: int) -> None:
    """Forge sizes, and print what came of it. Exit status 1 when a promise was broken."""
    with tempfile.TemporaryDirectory() as place:
        tally, most = run(trials, seed, Path(place))
    click.echo(f"{tally.show()}\n{most:6.2f} s of processor time at the most, for five queries")
    sys.exit(bool(tally.broken) or most > 1)


if __name__ == "__main__":
    sizes()
