"""Fills the disk, and lets every step fail, and sees whether the error is one for people and nothing is lost.

    python -m tests.torture.disk [--faults N] [--budgets N]

A budget is a number of pages of 4 KB that files may grow by; it is the superuser's to use a file system of that size
instead (`--mount`).
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from semsearch import Index
from semsearch.errors import StorageError
from semsearch.testing import HashEmbedder
from tests.torture import shim, trials
from tests.torture.stories import Naive, Story
from tests.torture.trials import Tally, Undisturbed

FAILING = {errno.ENOSPC: "CMWSR", errno.EIO: "CMWTSDRUX"}
"""Which steps an error can come from."""

ENOUGH = 1 << 30


@click.command()
@trials.stories_option
@click.option("--faults", default=0, help="How many failing steps of each story; 0 for every one, with both errors.")
@click.option("--budgets", default=100, help="How many sizes of disk for each story.")
@click.option("--mount", is_flag=True, help="Budgets on file systems of that size; needs the right to mount.")
def disk(stories: tuple[str, ...], faults: int, budgets: int, *, mount: bool) -> None:
    """Let steps fail and disks fill, and print what came of it."""

    def at_faults(story: Story, expected: Undisturbed, work: Path, tally: Tally) -> None:
        names = trials.named(expected.record, work / "trial")
        places = [(step, error) for step in expected.steps for error, ops in FAILING.items() if step.op in ops]
        tally.points = len(places)
        for step, error in trials.spread(places, faults * story.more):
            # A full disk stays full. An error of the device comes once, or every time from there on.
            end = step.number + 1 if error == errno.EIO and step.number % 2 else ENOUGH
            begin = partial(shim.begin, shim.FAIL, step.number, end=end, error=error, ops=FAILING[error])
            story.reset()
            problems = tried(story, work, begin, expected, variant=step.number // 2)
            tally.add(f"{errno.errorcode[error]} at step {step.number}, {names[step.number]}", problems)

    def at_budgets(story: Story, expected: Undisturbed, work: Path, tally: Tally) -> None:
        tally.points = need = needed(story, work)
        for i in range(budgets):
            pages = i * need // budgets
            story.reset()
            problems = tried(story, work, partial(shim.begin, shim.BUDGET, pages=pages), expected, variant=i, full=True)
            tally.add(f"with room for {pages} pages", problems)

    def at_sizes(story: Story, expected: Undisturbed, work: Path, tally: Tally) -> None:
        need, held = needed(story, work), story.pages()
        tally.points = need
        for i in range(budgets):
            pages = held + 2 + i * need // budgets
            with _mounted(story, pages) as room:
                problems = tried(story, work, shim.begin, expected, variant=i, full=True, room=room)
            tally.add(f"on a disk of {pages} pages", problems)

    budgeted: Mapping[str, trials.Harness] = {"sizes": at_sizes} if mount else {"budgets": at_budgets}
    trials.each(stories, {"faults": at_faults, **budgeted})


def needed(story: Story, work: Path) -> int:
    """How many pages a story adds at the most at a time."""
    story.reset()

    def run() -> int:
        shim.watch(work / "trial")
        shim.begin(shim.BUDGET, pages=ENOUGH)
        story.run()
        shim.end()
        return ENOUGH - shim.least()

    return int(shim.in_child(run).value)


def tried(
    story: Story,
    work: Path,
    begin: Callable[..., Any],
    expected: Undisturbed,
    *,
    variant: int,
    full: bool = False,
    room: Callable[[], Any] = lambda: None,
) -> list[str]:
    """What is wrong with a run under a fault, and with what comes when the fault is gone.

    Args:
        story: what to run, at its beginning.
        work: its workplace.
        begin: begins the fault, given `trace`.
        expected: how it goes undisturbed.
        variant: the next run is in the same process if even, in another if odd; every other two with an open reader.
        full: look at the index before there is room again, too.
        room: makes room.
    """
    record = work / "record"

    def run() -> list[str]:
        descriptor = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        shim.watch(work / "trial")
        with ExitStack() as stack:
            reader = None
            if variant & 2 and story.at_hand():
                reader = stack.enter_context(Index.open(story.index, embedder=HashEmbedder()))
            begin(trace=descriptor)
            said, problems = _attempted(story)
            allowed, encoded = trials.told(list(shim.recorded(record)), expected.before["state"])
            if not said:
                allowed = {expected.after["state"]}
            if full:
                problems += [f"while the disk is full: {problem}" for problem in _sound(story, allowed, reader)]
            shim.end()
            room()
            problems += _sound(story, allowed, reader)
            return problems if variant & 1 else problems + trials.gone_on(story, encoded, expected)

    outcome = shim.in_child(run)
    if outcome.signal:
        return [f"signal {outcome.signal}"]
    if not variant & 1:
        return list(outcome.value)
    return [*outcome.value, *trials.judged(story, list(shim.recorded(record)), expected)]


def _attempted(story: Story) -> tuple[bool, list[str]]:
    """Run it: whether there was an error, and what is wrong with that; one for people says what to do."""
    try:
        story.run()
    except StorageError as error:
        advised = any(word in str(error) for word in ("make room", "is safe", "can be searched"))
        return True, [] if advised else [f"does not say what to do: {error}"]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        usual = story.name == Naive.name and isinstance(error, RuntimeError | sqlite3.Error | OSError)
        return True, [] if usual else [f"{type(error).__name__}: {error}"]
    return False, []


def _sound(story: Story, allowed: set[str], reader: Index | None) -> list[str]:
    problems = trials.sound(story, allowed)
    if reader is None:
        return problems
    try:
        problems += [f"an open index: {complaint}" for complaint in reader.verify()]
        return problems if reader.search("river bridge law") else [*problems, "an open index finds nothing"]
    except Exception as error:  # noqa: BLE001 - as above
        return [*problems, f"an open index: {type(error).__name__}: {error}"]


@contextmanager
def _mounted(story: Story, pages: int) -> Iterator[Callable[[], None]]:
    """The story at its beginning on a file system of so many pages; gives what makes it large."""
    story.reset()
    place = story.index.parent
    _mount("-t", "tmpfs", "-o", f"size={pages * 4096}", "tmpfs", str(place))
    try:
        shutil.copytree(story.before, place, dirs_exist_ok=True)
        yield lambda: _mount("-o", "remount,size=64m", str(place))
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


if __name__ == "__main__":
    shim.main("tests.torture.disk", disk)
