"""Damages every file of an index in every way, and sees that it is refused or mended, and never lies.

    python -m tests.torture.damage [--trials N] [--only NAME] [--large N] [--keep-time] [--seed S] [--naive]

Each trial damages one file of a copy, searches it, verifies it, repairs it and brings it up to date, in children, so
that a signal is seen. What `semsearch search` must never do is answer otherwise than the index that is whole.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import click

from semsearch import Document, Index
from semsearch.store import CARD, Store
from semsearch.testing import HashEmbedder
from tests.torture import naive_index
from tests.torture.child import Child, Ran, commands, forked
from tests.torture.wounds import WOUNDS, wound

QUERIES = "ferry timetable\nharbour 17 office\nnote on the weather\nriver flood\ngas storage\n"
MEMORY = 200 << 20
_SUBJECTS = ("ferry", "harbour", "river", "gas", "railway", "market", "school", "weather")
_OF_SEARCH = ["--format", "jsonl", "-k", "10"]
_MODES = ("hybrid", "dense", "lexical")
SEARCHES = [["search", "-", *_OF_SEARCH, "--mode", mode] for mode in _MODES]
SEARCHES += [["search", "-", *_OF_SEARCH, "--since", "2024-03-01", "--until", "2024-07-01"]]
_NOTES = ("note/1", "note/2")
_NAMELESS = "documents of which not even the name"
_MORE = [["similar", "note/1", *_OF_SEARCH], ["list", "--json"]]


_Without: TypeAlias = dict[frozenset[str], list[str]]


@dataclass(frozen=True)
class Whole:
    """An index that is whole, its articles, and what it answers: all, and without each set of documents but files."""

    index: Path
    articles: Path
    answers: list[str]
    without: _Without
    more: list[str]
    contents: list[str] | None
    files: list[Path]


@dataclass
class Tally:
    """What came of the trials: how often each outcome, and a line on every trial that broke a promise."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    memory: int = 0

    def show(self) -> str:
        """The figures."""
        lines = [f"{number:6,} {what}" for what, number in sorted(self.counts.items())]
        return "\n".join([*lines, f"{self.memory / 1e6:6.0f} MB at the most beside the file's size", *self.broken])


def made(folder: Path, count: int, *, large: bool = False) -> Whole:
    """An index of so many articles, with notes, several segments and lists."""
    articles, path = folder / "articles", folder / "index"
    answers, without, more = _make(articles, path, count, large=large)
    files = [file for file in sorted(path.rglob("*")) if file.is_file() and file.name != "lock"]
    contents = rows_of(path / "e1" / "index.db")
    return Whole(path, articles, answers, without, more, contents, [file.relative_to(path) for file in files])


def _make(articles: Path, path: Path, count: int, *, large: bool) -> tuple[list[str], _Without, list[str]]:
    articles.mkdir()
    for number in range(count):
        (articles / f"{number:04d}.md").write_text(_article(number, 40 if large else 8))
    with Index.create(path, embedder=HashEmbedder()) as index:
        index.sync(articles)
        for number, name in enumerate(_NOTES):
            text = "".join(f"Note {number} on the weather of {i} at the river. " for i in range(9))
            index.add([Document(name, text, f"Note {number}", "2024-05-05", pages=(0, 60, 200))])
        (articles / "0000.md").write_text(_article(count + 1, 8))
        index.sync(articles)
    with closing(Store(path / "e1", exact=50)) as store:
        store._list()
    without = {lost: path.with_name("-".join(["without", *lost]).replace("/", "-")) for lost in (_NOTES, *zip(_NOTES))}
    for lost, alone in without.items():
        shutil.copytree(path, alone)
        with Index.open(alone, embedder=HashEmbedder()) as index:
            index.remove(*lost)
    # What a run and a repair need is imported now, and not in every child.
    commands(*with_index(without[_NOTES], [["repair"], ["index", str(articles)], ["verify", "--deep"]]))
    look = lambda of, lines: said(commands(*with_index(of, lines), typed=QUERIES))  # noqa: E731
    found = (
        look(path, SEARCHES),
        {frozenset(lost): look(of, SEARCHES) for lost, of in without.items()},
        look(path, _MORE),
    )
    settle(path)
    return found


def settle(path: Path) -> None:
    """Take the log of the database into it, as the last one who leaves does."""
    with closing(sqlite3.connect(path / "e1" / "index.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for end in ("-wal", "-shm"):
        (path / "e1" / f"index.db{end}").unlink(missing_ok=True)


def with_index(path: Path, lines: list[list[str]]) -> list[list[str]]:
    """Commands of one index."""
    return [[*line, "-i", str(path)] for line in lines]


def said(runs: list[Ran]) -> list[str]:
    """What was found, in a form that can be compared: all but the numbers of documents, and scores rounded."""
    return [json.dumps([_plain(json.loads(line)) for line in run.out.splitlines()]) for run in runs]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if name not in ("id", "document_id", "stat")}
    return [*map(_plain, value)] if isinstance(value, list) else round(value, 4) if type(value) is float else value


def rows_of(database: Path) -> list[str] | None:
    """All that a database says, None where SQLite cannot read it or finds it damaged."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return None
            run = connection.execute
            tables = run("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY 1").fetchall()
            return [ascii(tables), *(ascii(run(f"SELECT * FROM {name}").fetchall()) for name, _ in tables)]
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def trial(
    whole: Whole, copy: Path, number: int, seed: int, tally: Tally, *, only: str = "", keep_time: bool = False
) -> None:
    """One damaged index, from the damage to what a repair and the next run make of it."""
    rng = random.Random(f"{seed} {number}")
    kind = list(WOUNDS)[number % len(WOUNDS)]
    file = rng.choice([each for each in whole.files if only in (each.name, "")])
    other = rng.choice([each for each in whole.files if each != file])
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(whole.index, copy)
    wound(kind, copy / file, copy / other, rng, keep_time=keep_time)
    harmless = is_harmless(whole, copy)
    name = f"trial {number} (seed {seed}): {kind} {file}{f' and {other}' if kind == 'swap' else ''}"
    size = sum(each.stat().st_size for each in copy.rglob("*") if each.is_file())
    looked = forked(partial(commands, *with_index(copy, [*SEARCHES, *_MORE, ["verify"]]), typed=QUERIES))
    if not sound(looked, size, name, copy, tally):
        return
    *looks, verified = looked.given
    outcome = judged(looks, whole.answers + whole.more)
    tally.counts[f"search: {outcome}"] += 1
    if outcome == "another answer":
        tally.silent.append(name)
    found = verified.status == 2
    tally.counts[f"verify: {'found' if found else 'nothing to find' if harmless else 'MISSED'}"] += 1
    if not found and not harmless:
        tally.broken.append(f"MISSED by verify: {name}")
    mended(whole, copy, name, size, tally, needed=found)


def is_harmless(whole: Whole, copy: Path) -> bool:
    """Whether all that the files say is what they said: unused bytes of a database, white space of the card."""
    for file in whole.files:
        before, now = whole.index / file, copy / file
        if not now.is_file():
            return False
        if before.read_bytes() == now.read_bytes():
            continue
        if file.name == "index.db" and rows_of(now) == whole.contents:
            continue
        with suppress(ValueError):
            if file.name == CARD and json.loads(before.read_bytes()) == json.loads(now.read_bytes()):
                continue
        return False
    return True


def sound(child: Child, size: int, name: str, copy: Path, tally: Tally) -> bool:
    """Whether the commands ended as commands do: no signal, no traceback, messages that help, little memory."""
    tally.memory = max(tally.memory, child.memory - size)
    wrong = ""
    if child.signal or not isinstance(child.given, list):
        wrong = f"signal {child.signal} {child.given}"
    elif child.memory > size + MEMORY:
        wrong = f"{child.memory >> 20} MB for {size >> 20} MB"
    else:
        for run in child.given:
            if "Traceback" in run.err or "please report" in run.err or run.status not in (0, 1, 2):
                wrong = f"status {run.status}: {run.err[-1500:]}"
            elif run.status == 2 and (str(copy) not in run.err + run.out or "`" not in run.err + run.out):
                wrong = f"a message without file or command: {(run.err + run.out)[:500]}"
    if wrong:
        tally.counts["BROKEN"] += 1
        tally.broken.append(f"{name}: {wrong}")
    return not wrong


def judged(searches: list[Ran], expected: list[str]) -> str:
    """What came of searching."""
    answered = [i for i, run in enumerate(searches) if run.status != 2]
    if any(said([searches[i]]) != [expected[i]] for i in answered):
        return "another answer"
    return "the same answers" if len(answered) == len(searches) else "refused"


def mended(whole: Whole, copy: Path, name: str, size: int, tally: Tally, *, needed: bool) -> None:
    """Repair and bring up to date; in the end it must answer as the whole one did."""
    update = ["index", str(whole.articles)]
    lines = [["repair"], ["verify", "--deep"], update, ["verify", "--deep"], *SEARCHES]
    damaged = changed(whole, copy)
    done = forked(partial(commands, *with_index(copy, lines), typed=QUERIES))
    if not sound(done, size, name, copy, tally):
        return
    repaired, _, _, verified, *searches = done.given
    if not repaired.status and (gone := deleted(damaged, copy, repaired)):
        tally.broken.append(f"DELETED: {name}: {gone}: {repaired}")
    if repaired.status == 2:
        lines = [[*update, "--rebuild", "--model", "hash"], ["verify", "--deep"], *SEARCHES]
        done = forked(partial(commands, *with_index(copy, lines), typed=QUERIES))
        if not sound(done, size, name, copy, tally):
            return
        _, verified, *searches = done.given
    expected = whole.answers
    lost = {note for note in _NOTES if repaired.status == 2 or f"{note}: could not be kept" in repaired.out}
    for notes, answers in whole.without.items():
        told = notes == lost or (notes > lost and _NAMELESS in repaired.out)
        if told and judged(searches, answers) == "the same answers":
            expected = answers
    outcome = "made anew" if repaired.status == 2 else "mended" if needed else "nothing to do"
    tally.counts[f"repair: {outcome}{'' if expected is whole.answers else ', but for notes'}"] += 1
    if verified.status or judged(searches, expected) != "the same answers":
        tally.broken.append(f"NOT MENDED: {name}: {repaired} {verified} {judged(searches, expected)}")


def changed(whole: Whole, copy: Path) -> dict[Path, bytes]:
    """The files that are there and are not what they were, with what they hold."""
    there = {file: (copy / file).read_bytes() for file in whole.files if (copy / file).is_file()}
    return {file: data for file, data in there.items() if data and data != (whole.index / file).read_bytes()}


def deleted(damaged: dict[Path, bytes], copy: Path, repaired: Ran) -> list[Path]:
    """What was damaged and is no more; rows of a catalog that are derived may be made anew in their place."""
    kept = {each.read_bytes() for each in copy.rglob("*") if each.is_file()}
    anew = "made anew of what is sound" in repaired.out
    return [file for file, data in damaged.items() if data not in kept and (anew or file.name != "index.db")]


def naive(folder: Path, trials: int, seed: int) -> Counter[str]:
    """The same wounds to a naive index: how often it is refused, crashes, or answers wrongly."""
    path, copy = folder / "naive", folder / "naive copy"
    naive_index.write(path, {f"{number}": _article(number, 8) for number in range(60)})
    files = sorted(path.iterdir())
    work = lambda of: [naive_index.search(of, query) for query in QUERIES.splitlines()]  # noqa: E731
    expected, counts = work(path), Counter[str]()
    for number in range(trials):
        rng = random.Random(f"{seed} {number}")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(path, copy)
        file, other = rng.sample(files, 2)
        wound(list(WOUNDS)[number % len(WOUNDS)], copy / file.name, copy / other.name, rng)
        done = forked(partial(work, copy))
        if done.signal:
            counts["signal"] += 1
        elif isinstance(done.given, str):
            counts["traceback"] += 1
        else:
            counts["the same answers" if done.given == expected else "another answer"] += 1
    return counts


def run(trials: int, seed: int, folder: Path, large: int = 0, *, only: str = "", keep_time: bool = False) -> Tally:
    """So many trials, on an index of small files, or on one of so many long articles."""
    whole, tally = made(folder, large or 60, large=bool(large)), Tally()
    for number in range(trials):
        trial(whole, folder / "copy", number, seed, tally, only=only, keep_time=keep_time)
        if number % 100 == 99:
            click.echo(f"{number + 1} trials: {[*tally.broken, *tally.silent]}"[:2000], err=True)
    return tally


def _article(number: int, sentences: int) -> str:
    """Every fifth is a copy of another; each has a date, a heading and an author."""
    of = number - 4 if number % 5 == 4 else number
    subject = _SUBJECTS[of % len(_SUBJECTS)]
    lines = (f"Sentence {i} of {of} tells of the {subject} and place {i * of}." for i in range(sentences))
    fields = f"---\ntitle: The {subject} of {number}\ndate: 2024-{1 + number % 9:02d}-11\nauthor: A. {subject}\n---\n\n"
    return f"{fields}# On the {subject}\n\n{' '.join(lines)}\n"


@click.command()
@click.option("--trials", default=2000, help="How many indexes are damaged.")
@click.option(
    "--large", default=0, help="Of so many long articles, so that files are too large to be hashed on opening."
)
@click.option(
    "--keep-time", is_flag=True, help="Put back the time of change after the damage, as a failing disk would."
)
@click.option("--only", default="", help="Damage files of this name alone, such as index.db.")
@click.option("--naive", "naively", is_flag=True, help="Damage a naive index.")
@click.option("--seed", default=1, help="Other trials.")
def damage(trials: int, large: int, seed: int, only: str, *, keep_time: bool, naively: bool) -> None:
    """Damage indexes, and print what came of it. Exit status 1 when a promise was broken."""
    with tempfile.TemporaryDirectory() as place:
        if naively:
            click.echo("\n".join(f"{n:6,} {what}" for what, n in sorted(naive(Path(place), trials, seed).items())))
            return
        tally = run(trials, seed, Path(place), large, only=only, keep_time=keep_time)
    click.echo("\n".join([tally.show(), *(f"another answer: {name}" for name in tally.silent)]))
    # What a large file of the same size and time holds is not looked at before each search.
    sys.exit(bool(tally.broken) or (bool(tally.silent) and not keep_time))


if __name__ == "__main__":
    damage()
