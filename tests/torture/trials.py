"""What every harness asks after a disturbance: is the last state there and whole, and does the next run complete?"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import click

from tests.torture import shim
from tests.torture.stories import QUERIES, STORIES, Naive, State, Story, instrument

CLOSE = 1e-5


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """How a story goes when nobody disturbs it: its record, its states and how many texts it encodes."""

    record: Sequence[shim.Step]
    before: State
    after: State
    encoded: int
    batch: int
    seconds: float

    @property
    def steps(self) -> list[shim.Step]:
        """What was done to files."""
        return [step for step in self.record if step.op != "#"]


@dataclass(slots=True)
class Tally:
    """How often a story was disturbed, and what came of it."""

    harness: str
    story: str
    tries: int = 0
    damaged: int = 0
    points: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def add(self, where: str, problems: Sequence[str]) -> None:
        """Count one try."""
        self.tries += 1
        self.damaged += bool(problems)
        self.problems.extend(f"{where}: {problem}" for problem in problems[:2])


Harness: TypeAlias = Callable[[Story, Undisturbed, Path, Tally], None]


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for the trials of one story, in memory where there is such a place."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="semsearch-torture-", dir=memory) as folder:
        yield Path(folder).resolve()


def prepared(kind: type[Story], work: Path) -> tuple[Story, Undisturbed]:
    """A story at its beginning, and how it goes."""
    story = kind(work)
    shim.in_child(story.begin)
    story.keep()
    story.reset()
    before = shim.in_child(story.look).value
    story.reset()
    begun = time.monotonic()
    record = disturbed(story, work, lambda _: None)[1]
    seconds = time.monotonic() - begun
    after = shim.in_child(story.look).value
    encoded = [int(text.split()[1]) for text in _remarks(record) if text.startswith("encoded")]
    if after["complaints"] or after["litter"] or not after["answers"]:
        raise RuntimeError(f"{story.name}: is not sound undisturbed: {after}")
    return story, Undisturbed(record, before, after, sum(encoded), max(encoded), seconds)


def disturbed(
    story: Story, work: Path, begin: Callable[[int], Any], kill_after: float = 0.0
) -> tuple[shim.Outcome, list[shim.Step]]:
    """Run a story in a child after `begin` was called there with the descriptor of the record."""
    record = work / "record"
    record.write_bytes(b"")  # a child may be killed before it has come to anything

    def run() -> None:
        descriptor = os.open(record, os.O_WRONLY)
        shim.watch(work / "trial")
        shim.begin(trace=descriptor)
        begin(descriptor)
        story.run()
        shim.end()

    return shim.in_child(run, kill_after), list(shim.recorded(record))


def told(record: Sequence[shim.Step], before: str) -> tuple[set[str], int]:
    """The states that may be found after a record ends: the last that was committed, and the one that was about to be.

    And how many texts were encoded.
    """
    last, next_, encoded = before, None, 0
    for remark in _remarks(record):
        if remark.startswith("intends "):
            next_ = remark.removeprefix("intends ")
        elif remark == "committed" and next_ is not None:
            last, next_ = next_, None
        elif remark.startswith("encoded "):
            encoded += int(remark.split()[1])
    return {last, *([next_] if next_ is not None else [])}, encoded


def judged(story: Story, record: Sequence[shim.Step], expected: Undisturbed) -> list[str]:
    """What is wrong after a disturbance that ended with the record; the story is gone on with, in a new process."""
    allowed, encoded = told(record, expected.before["state"])
    outcome = shim.in_child(lambda: [*sound(story, allowed), *gone_on(story, encoded, expected)])
    return [f"signal {outcome.signal} while looking"] if outcome.signal else outcome.value


def sound(story: Story, allowed: set[str]) -> list[str]:
    """What is wrong with the state that is found, of which only some are allowed."""
    try:
        found = story.look(QUERIES[:1])
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        return [f"cannot be opened: {type(error).__name__}: {error}"]
    problems = [f"verify: {complaint}" for complaint in found["complaints"]]
    if found["documents"] and not all(found["answers"]):
        problems.append("it does not answer")
    return problems if found["state"] in allowed else [*problems, "the state is not the last that was committed"]


def gone_on(story: Story, encoded: int, expected: Undisturbed) -> list[str]:
    """What is wrong with the next run, and with what there is after it; so many texts were encoded before."""
    record = story.articles.parent / "record-of-next"
    descriptor = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        shim.begin(trace=descriptor)
        story.run()
        shim.end()
        encoded += told(list(shim.recorded(record)), "")[1]
        return [*_completed(story, expected), *_encoded(encoded, expected)]
    except Exception as error:  # noqa: BLE001 - as above
        return [f"the next run: {type(error).__name__}: {error}"]
    finally:
        os.close(descriptor)


def _completed(story: Story, expected: Undisturbed) -> list[str]:
    found, due = story.look(), expected.after
    problems = [f"verify after the next run: {complaint}" for complaint in found["complaints"]]
    problems += [f"litter: {name}" for name in found["litter"]]
    if found["state"] != due["state"]:
        problems.append("after the next run, documents or passages are others than of an undisturbed one")
    if not _same(found["answers"], json.loads(json.dumps(due["answers"]))):
        problems.append("after the next run, answers are others than of an undisturbed one")
    return problems


def _encoded(encoded: int, expected: Undisturbed) -> list[str]:
    again = encoded - expected.encoded
    return [f"{again} texts were encoded again, a batch has {expected.batch}"] if again > expected.batch else []


def _same(found: Any, due: Any) -> bool:
    if isinstance(found, list | tuple):
        return len(found) == len(due) and all(map(_same, found, due))
    return abs(found - due) <= CLOSE if isinstance(found, float) else bool(found == due)


def _remarks(record: Sequence[shim.Step]) -> list[str]:
    return [step.path for step in record if step.op == "#"]


def named(record: Sequence[shim.Step], root: Path) -> dict[int, str]:
    """A name for each step: the phase that it belongs to, what is done, and to which kind of file."""
    words = {"C": "create", "M": "make", "W": "write", "T": "cut", "S": "sync", "D": "sync", "R": "rename to"}
    words |= {"U": "remove", "X": "remove"}
    phases, names = ["run"], {}
    for step in record:
        if step.op != "#":
            path = Path(step.other or step.path).relative_to(root).as_posix()
            names[step.number] = f"{phases[-1]}: {words[step.op]} {re.sub('[0-9]+', 'N', path)}"
        elif step.path.startswith("> "):
            phases.append(step.path[2:])
        elif step.path == "<":
            phases.pop()
    return names


def spread(things: Sequence[Any], count: int) -> list[Any]:
    """So many of them, evenly; all where count is 0 or too large."""
    if not count or count >= len(things):
        return list(things)
    return [things[i * len(things) // count] for i in range(count)]


def report(tallies: Sequence[Tally]) -> None:
    """Print all of it as JSON, on the last line; fail where semsearch failed.

    The naive store must have failed: a harness that does not catch it proves nothing.
    """
    click.echo(json.dumps([{**asdict(t), "problems": t.problems[:20]} for t in tallies]))
    failed = {t.story for t in tallies if t.damaged}
    if failed != {"naive"}:
        raise SystemExit(f"must fail: naive; failed: {', '.join(sorted(failed)) or 'none'}")


def tell(t: Tally) -> None:
    """Print a tally, and what went wrong."""
    counts = f"{t.tries:6} tries, {t.damaged:5} damaged, {t.points} points, {t.seconds:.0f} s"
    click.echo(f"{t.harness:12} {t.story:8} {counts}")
    for problem in [] if t.story == "naive" else t.problems[:12]:
        click.echo(f"    {problem}")


stories_option = click.option("--story", "stories", multiple=True, help="Only these: naive, build, edit, rebuild.")


def each(stories: Sequence[str], harnesses: Mapping[str, Harness]) -> None:
    """Do all of some harnesses with each of the stories, in a workplace of its own, and report. None means all."""
    instrument()
    tallies = []
    for kind in (Naive, *STORIES):
        if stories and kind.name not in stories:
            continue
        with workplace() as work:
            story, expected = prepared(kind, work)
            for name, harness in harnesses.items():
                tally, begun = Tally(name, story.name), time.monotonic()
                harness(story, expected, work, tally)
                tally.seconds = time.monotonic() - begun
                tell(tally)
                tallies.append(tally)
    report(tallies)
