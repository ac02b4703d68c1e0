"""Cuts the power at every sync and rename of a run, on paper: what was not synced is lost, in several ways.

    python -m tests.torture.power [--points N] [--shuffles N]

The order of writes, syncs and renames is recorded once. From it follows what a disk may hold when the power goes: of a
file what was synced, and of what was written since then anything; of a folder the names that were there when it was
synced, and of the changes since then the first few. Each such disk is laid out, opened and gone on with.

That a rename is done or not done, and that a sync tells the truth, is taken for granted.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import click

from tests.torture import shim, trials
from tests.torture.stories import Story
from tests.torture.trials import Tally, Undisturbed

Image = Mapping[str, bytes | None]
"""What a disk holds: the content of each file by its path, None for a folder."""

SECTOR = 512


@dataclass(slots=True)
class File:
    """What is durable of a file, and since then writes (offset, data) and new lengths (size, None)."""

    durable: bytes = b""
    since: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        self.durable, self.since = self.with_(self.since), []

    def with_(self, changes: Sequence[tuple[int, bytes | None]]) -> bytes:
        """What the file holds after some of the changes."""
        data = bytearray(self.durable)
        for place, new in changes:
            size = place if new is None else max(len(data), place + len(new))
            data[:] = data[:size].ljust(size, b"\0")
            if new is not None:
                data[place : place + len(new)] = new
        return bytes(data)

    def lengthened(self) -> bytes:
        """Its length is durable, what was written is not: zeros."""
        return self.durable[: len(self.with_(self.since))].ljust(len(self.with_(self.since)), b"\0")


@dataclass(slots=True)
class Folder:
    """The names that are durable in a folder, those that are there now, and the states between the two."""

    durable: dict[str, File | Folder] = field(default_factory=dict)
    since: list[dict[str, File | Folder]] = field(default_factory=list)

    @property
    def now(self) -> dict[str, File | Folder]:
        return self.since[-1] if self.since else self.durable

    def become(self, now: dict[str, File | Folder]) -> None:
        self.since.append(now)

    def sync(self) -> None:
        self.durable, self.since = self.now, []


class Disk:
    """A folder of which it is known what is durable."""

    def __init__(self, root: Path, before: Path) -> None:
        self._root = root
        self._top = _read(before)

    def do(self, step: shim.Step) -> None:
        """Note one step."""
        folder, name = self._find(step.path)
        node = folder.now.get(name) if name else folder
        if step.op in "SD" and node is not None:
            node.sync()
        elif step.op in "WT" and isinstance(node, File):
            node.since.append((step.offset, step.data if step.op == "W" else None))
        elif step.op in "CM":
            folder.become({**folder.now, name: File() if step.op == "C" else Folder()})
        elif step.op in "UX":
            folder.become({key: value for key, value in folder.now.items() if key != name})
        elif step.op == "R":
            into, new = self._find(step.other)
            assert into is folder, "no step moves a file to another folder"
            assert node is not None, f"{step.path} is not known"
            folder.become({**{key: value for key, value in folder.now.items() if key != name}, new: node})

    def images(self, rng: random.Random, shuffles: int) -> Iterator[tuple[str, Image]]:
        """What may be left when the power goes now, each with what happened."""
        ways = {
            "all that was not synced is lost": (lambda f: f.durable, lambda d: d.durable),
            "names are kept": (lambda f: f.durable, lambda d: d.now),
            "names and lengths are kept": (File.lengthened, lambda d: d.now),
            "names are lost": (lambda f: f.with_(f.since), lambda d: d.durable),
        }
        for what, (content, names) in ways.items():
            yield what, dict(_laid_out("", self._top, content, names))
        for _ in range(shuffles):

            def some(file: File) -> bytes:
                return file.with_([_torn(change, rng) for change in file.since if rng.random() < 0.5])

            def first(folder: Folder) -> dict[str, File | Folder]:
                return rng.choice([folder.durable, *folder.since])

            yield "some is kept", dict(_laid_out("", self._top, some, first))

    def _find(self, path: str) -> tuple[Folder, str]:
        parts = Path(path).relative_to(self._root).parts
        folder = self._top
        for part in parts[:-1]:
            inner = folder.now[part]
            assert isinstance(inner, Folder)
            folder = inner
        return folder, parts[-1] if parts else ""


@click.command()
@trials.stories_option
@click.option("--points", default=0, help="How many syncs and renames of each story; 0 for every one.")
@click.option("--shuffles", default=2, help="How often, at each, some of what was not synced is kept at random.")
def power(stories: tuple[str, ...], points: int, shuffles: int) -> None:
    """Cut the power at syncs and renames, and print what came of it."""

    def one(story: Story, expected: Undisturbed, work: Path, tally: Tally) -> None:
        names, rng, seen = trials.named(expected.record, work / "trial"), random.Random(1), set[bytes]()
        every = [i for i, step in enumerate(expected.record) if step.op in "SDR"]
        tally.points = len(every)
        chosen = {*trials.spread(every, points), len(expected.record)}
        disk = Disk(work / "trial", story.before)
        for i, step in enumerate([*expected.record, None]):
            if i in chosen:
                for what, image in disk.images(rng, shuffles):
                    so_far = expected.record[:i]
                    told = sorted(trials.told(so_far, expected.before["state"])[0])
                    key = blake2b(repr((told, sorted(image.items()))).encode()).digest()
                    if key not in seen:
                        seen.add(key)
                        lay_out(image, work / "trial")
                        where = f"before step {step.number}, {names[step.number]}" if step else "at the end"
                        tally.add(f"{where}: {what}", trials.judged(story, so_far, expected))
            if step is not None and step.op != "#":
                disk.do(step)

    trials.each(stories, {"power loss": one})


def lay_out(image: Image, root: Path) -> None:
    """Make the folder hold what the image says."""
    shutil.rmtree(root)
    root.mkdir()
    for path, content in image.items():
        if content is None:
            (root / path).mkdir()
        else:
            (root / path).write_bytes(content)


def _read(folder: Path) -> Folder:
    return Folder({path.name: _read(path) if path.is_dir() else File(path.read_bytes()) for path in folder.iterdir()})


def _torn(change: tuple[int, bytes | None], rng: random.Random) -> tuple[int, bytes | None]:
    """A change of which only the first sectors may be there."""
    place, new = change
    if new is None or len(new) <= SECTOR or rng.random() < 0.5:
        return change
    return place, new[: SECTOR * rng.randrange(1, -(-len(new) // SECTOR))]


def _laid_out(
    path: str, folder: Folder, content: Callable[[File], bytes], names: Callable[[Folder], Mapping[str, File | Folder]]
) -> Iterator[tuple[str, bytes | None]]:
    """The files and folders that are left of a folder, whose path is put before their names."""
    for name, node in names(folder).items():
        if isinstance(node, File):
            yield f"{path}{name}", content(node)
        else:
            yield f"{path}{name}", None
            yield from _laid_out(f"{path}{name}/", node, content, names)


if __name__ == "__main__":
    shim.main("tests.torture.power", power)
