"""Kills indexing with SIGKILL, at every step and at random moments, and sees whether anything is lost.

    python -m tests.torture.kill [--points N] [--moments N]

A point lies before a step that changes a file, or within a write of which half is done. What happens in memory between
two of them leaves the same files, but for the memory that SQLite's processes share, which moments at random cover.
"""

from __future__ import annotations

import random
import signal
from functools import partial
from pathlib import Path

import click

from tests.torture import shim, trials
from tests.torture.stories import STORIES, Story
from tests.torture.trials import Tally, Undisturbed


@click.command()
@trials.stories_option
@click.option("--points", default=0, help="How many points of each story; 0 for every one.")
@click.option("--moments", default=200, help="How many random moments, over all stories.")
def kill(stories: tuple[str, ...], points: int, moments: int) -> None:
    """Kill indexing at points and at moments, and print what came of it."""

    def at_points(story: Story, expected: Undisturbed, work: Path, tally: Tally) -> None:
        names = trials.named(expected.record, work / "trial")
        places = [(shim.KILL, step) for step in expected.steps]
        places += [(shim.HALF, step) for step in expected.steps if step.op == "W" and len(step.data) > 1]
        tally.points = len(places)
        places.sort(key=lambda place: (place[1].number, place[0]))
        for action, step in trials.spread(places, points * story.more):
            story.reset()
            outcome, record = trials.disturbed(story, work, partial(_begin, action, step.number))
            if outcome.signal != signal.SIGKILL:
                raise RuntimeError(f"{story.name}: step {step.number} was not reached")
            where = f"{'within' if action == shim.HALF else 'before'} step {step.number}, {names[step.number]}"
            tally.add(where, trials.judged(story, record, expected))

    def at_moments(story: Story, expected: Undisturbed, work: Path, tally: Tally) -> None:
        rng = random.Random(story.name)
        while tally.tries < -(-moments // len(STORIES)) * story.more:
            story.reset()
            moment = rng.uniform(0.001, expected.seconds)
            outcome, record = trials.disturbed(story, work, lambda _: None, kill_after=moment)
            if outcome.signal == signal.SIGKILL:
                tally.add(f"after {moment:.3f} s", trials.judged(story, record, expected))

    trials.each(stories, {"kill, points": at_points, "kill, moments": at_moments})


def _begin(action: int, step: int, trace: int) -> None:
    shim.begin(action, step, trace=trace)


if __name__ == "__main__":
    shim.main("tests.torture.kill", kill)
