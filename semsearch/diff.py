"""Compares what a folder holds with what an index knows of it; pure, but for the hashing that it is given.

Size and time of change may only save the hashing: where they differ, the content decides.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TypeAlias

from semsearch.address import file_of
from semsearch.errors import ReadError
from semsearch.types import FileStat, Found, Passed, Skip

Numbers: TypeAlias = Mapping[str, int]
"""By path: the number of a document in the index."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the index holds of a file: its documents, one or several, and what it was when all of them were read."""

    documents: Numbers
    stat: FileStat


Known: TypeAlias = Mapping[str, Held]
"""By path of the file."""

UNSURE = FileStat(-1, -1, "")
"""What a file was of which some documents were not read as others were: no file has such a size."""

NOTHING_PASSED = Passed(-1, -1, "")
"""What is noted of a file of which nothing was passed over, and what never fits one."""


def by_file(documents: Mapping[str, tuple[int, FileStat]]) -> Known:
    """Documents, by their paths, with those together that stand in one file."""
    numbers: defaultdict[str, dict[str, int]] = defaultdict(dict)
    stats: dict[str, FileStat] = {}
    for path, (number, stat) in documents.items():
        file = file_of(path)
        numbers[file][path] = number
        stats[file] = stat if stats.get(file, stat) == stat else UNSURE
    return {file: Held(numbers[file], stat) for file, stat in stats.items()}


@dataclass(frozen=True, slots=True)
class Changes:
    """What a folder has that the index has not, and the other way round: files by their paths below the folder.

    `files` are what the walk found, which began at `began`. `passed` is what was known to be passed over of files, and
    `repassed` what is to be noted of those that are not read: nothing where the file is gone. `unchanged` and `kept`
    count documents; those that are kept stand in files that cannot be read at the moment. `again` are documents that
    never were files and have to be embedded again.
    """

    added: list[str] = field(default_factory=list)
    changed: dict[str, Numbers] = field(default_factory=dict)
    renamed: dict[str, tuple[str, Numbers]] = field(default_factory=dict)
    removed: dict[str, Numbers] = field(default_factory=dict)
    touched: list[tuple[str, FileStat]] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    files: Mapping[str, Found] = field(default_factory=dict)
    began: int = 0
    passed: Mapping[str, Passed] = field(default_factory=dict)
    repassed: list[tuple[str, Passed]] = field(default_factory=list)
    unchanged: int = 0
    kept: int = 0
    again: list[int] = field(default_factory=list)

    def work(self) -> list[tuple[str, Numbers]]:
        """What must be read, in order of the path: a file, and the documents that what is in it now replaces."""
        held: dict[str, Numbers] = {path: {} for path in self.added} | self.changed
        for new, (old, numbers) in self.renamed.items():
            held[new] = {new + path[len(old) :]: number for path, number in numbers.items()}
        return sorted(held.items())


def diff(
    found: Iterable[Found | Skip],
    known: Known,
    stat: Callable[[str], FileStat],
    passed: Mapping[str, Passed] = MappingProxyType({}),
) -> Changes:
    """What must be done so that the index holds what was found.

    Args:
        found: what the walk gave.
        known: what the index holds.
        stat: reads a file's size, time and digest; raises OSError or ReadError where it cannot.
        passed: what was passed over of files, which are not read again for that.
    """
    files, skipped = _apart(found)
    suspects = {path for path, item in files.items() if path in known and not _is_same(item, known[path].stat)}
    unsure = {path for path in suspects if known[path].stat.size < 0}
    stats, unreadable = _stats(sorted(suspects - unsure), stat)
    changed = unsure.union(path for path, now in stats.items() if now.digest != known[path].stat.digest)
    absent = {path: held for path, held in known.items() if path not in files}
    passing = {skip.path for skip in skipped if skip.passing}
    hidden = {path for path in absent if _is_below(path, passing)}
    removed = {path: held for path, held in absent.items() if path not in hidden}
    touched = {path: now for path, now in stats.items() if path not in changed}
    settled: dict[str, Found | FileStat] = {path: item for path, item in files.items() if path not in suspects}
    settled |= {path: known[path].stat for path in touched}
    as_before = {path: item for path, item in passed.items() if path in settled and _is_same(settled[path], item)}
    new = {path: item for path, item in files.items() if path not in known and path not in as_before}
    renamed = _renamed(new, removed, stat)
    old_names = {old for old, _ in renamed.values()}
    to_read = {*new, *changed, *(skip.path for skip in unreadable)}
    return Changes(
        added=[path for path in new if path not in renamed],
        changed={path: known[path].documents for path in sorted(changed)},
        renamed=renamed,
        removed={path: held.documents for path, held in removed.items() if path not in old_names},
        touched=[(path, now) for path, now in touched.items() if now.mtime_ns != known[path].stat.mtime_ns],
        skipped=[*skipped, *unreadable, *(skip for path in sorted(as_before) for skip in as_before[path].skips)],
        files=files,
        passed=passed,
        repassed=[
            (path, replace(item, mtime_ns=touched[path].mtime_ns) if path in as_before else NOTHING_PASSED)
            for path, item in passed.items()
            if (path in as_before and path in touched and touched[path].mtime_ns != item.mtime_ns)
            or not (path in files or _is_below(path, passing))
        ],
        unchanged=sum(len(known[path].documents) for path in files if path in known and path not in to_read),
        kept=sum(len(known[path].documents) for path in (*hidden, *(skip.path for skip in unreadable))),
    )


def reason(error: Exception) -> str:
    """Why a file was passed over, for people."""
    return f"cannot be read: {error.strerror or error}" if isinstance(error, OSError) else str(error)


def _apart(found: Iterable[Found | Skip]) -> tuple[dict[str, Found], list[Skip]]:
    files: dict[str, Found] = {}
    skipped: list[Skip] = []
    for item in found:
        if isinstance(item, Skip):
            skipped.append(item)
        else:
            files[item.path] = item
    return files, skipped


def _is_same(now: Found | FileStat, before: FileStat | Passed) -> bool:
    return (now.size, now.mtime_ns) == (before.size, before.mtime_ns)


def _is_below(path: str, places: Container[str]) -> bool:
    """Whether a path is one of these files, or lies in one of these folders, which end in `/`."""
    parts = path.split("/")
    return path in places or any("/".join(parts[:depth]) + "/" in places for depth in range(1, len(parts)))


def _stats(paths: Iterable[str], stat: Callable[[str], FileStat]) -> tuple[dict[str, FileStat], list[Skip]]:
    """What each file is now, and which cannot be read."""
    stats, unreadable = {}, []
    for path in paths:
        try:
            stats[path] = stat(path)
        except (OSError, ReadError) as error:
            unreadable.append(Skip(path, reason(error), passing=True))
    return stats, unreadable


def _renamed(
    new: Mapping[str, Found], removed: Known, stat: Callable[[str], FileStat]
) -> dict[str, tuple[str, Numbers]]:
    """New files that are removed ones under another name: by new path, the old path and the document's number."""
    old: defaultdict[tuple[str, str], deque[str]] = defaultdict(deque)
    for path, held in sorted(removed.items(), key=itemgetter(0)):
        old[held.stat.digest, PurePosixPath(path).suffix].append(path)
    sizes = {held.stat.size for held in removed.values()}
    stats, _ = _stats([path for path, item in new.items() if item.size in sizes], stat)
    renamed = {}
    for path, now in stats.items():
        if same := old.get((now.digest, PurePosixPath(path).suffix)):
            name = same.popleft()
            renamed[path] = (name, removed[name].documents)
    return renamed
