"""Compares what a folder holds with what an index knows of it; pure, but for the hashing that it is given.

Size and time of change may only save the hashing: where they differ, the content decides.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeAlias

from semsearch.errors import ReadError
from semsearch.types import FileStat, Found, Skip

Known: TypeAlias = Mapping[str, tuple[int, FileStat]]
"""By path: the number of the document that is in the index, and what its file was."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a folder has that the index has not, and the other way round; paths are below the folder.

    `sizes` are bytes by path of what is to be read. `kept` counts documents whose files cannot be read at the moment:
    they stay in the index as they are. `again` are documents that never were files and have to be embedded again.
    """

    added: list[str] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    renamed: dict[str, tuple[str, int]] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    touched: list[tuple[int, FileStat]] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    unchanged: int = 0
    kept: int = 0
    again: list[int] = field(default_factory=list)

    def work(self) -> list[tuple[str, int | None]]:
        """What must be read, in order of the path: (path, number of the document that it replaces)."""
        numbers: dict[str, int | None] = dict.fromkeys(self.added)
        numbers.update(self.changed)
        numbers.update({path: number for path, (_, number) in self.renamed.items()})
        return sorted(numbers.items())


def diff(found: Iterable[Found | Skip], known: Known, stat: Callable[[str], FileStat]) -> Changes:
    """What must be done so that the index holds what was found.

    Args:
        found: what the walk gave.
        known: what the index holds.
        stat: reads a file's size, time and digest; raises OSError or ReadError where it cannot.
    """
    files, skipped = _apart(found)
    suspects = {path for path, item in files.items() if path in known and not _is_same(item, known[path][1])}
    stats, unreadable = _stats(sorted(suspects), stat)
    changed = {path for path, now in stats.items() if now.digest != known[path][1].digest}
    absent = {path: entry for path, entry in known.items() if path not in files}
    passing = {skip.path for skip in skipped if skip.passing}
    hidden = {path for path in absent if _is_below(path, passing)}
    removed = {path: entry for path, entry in absent.items() if path not in hidden}
    new = {path: item for path, item in files.items() if path not in known}
    renamed = _renamed(new, removed, stat)
    old_names = {old for old, _ in renamed.values()}
    return Changes(
        added=[path for path in new if path not in renamed],
        changed={path: known[path][0] for path in sorted(changed)},
        renamed=renamed,
        removed={path: number for path, (number, _) in removed.items() if path not in old_names},
        touched=[
            (known[path][0], now)
            for path, now in stats.items()
            if path not in changed and now.mtime_ns != known[path][1].mtime_ns
        ],
        skipped=[*skipped, *unreadable],
        sizes={path: item.size for path, item in files.items()},
        unchanged=len(files) - len(new) - len(changed) - len(unreadable),
        kept=len(hidden) + len(unreadable),
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


def _is_same(now: Found, before: FileStat) -> bool:
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


def _renamed(new: Mapping[str, Found], removed: Known, stat: Callable[[str], FileStat]) -> dict[str, tuple[str, int]]:
    """New files that are removed ones under another name: by new path, the old path and the document's number."""
    old: defaultdict[tuple[str, str], deque[str]] = defaultdict(deque)
    for path, (_, before) in sorted(removed.items()):
        old[before.digest, PurePosixPath(path).suffix].append(path)
    sizes = {before.size for _, before in removed.values()}
    stats, _ = _stats([path for path, item in new.items() if item.size in sizes], stat)
    renamed = {}
    for path, now in stats.items():
        if same := old.get((now.digest, PurePosixPath(path).suffix)):
            name = same.popleft()
            renamed[path] = (name, removed[name][0])
    return renamed
