"""Finds the files below a folder that can be read, and says what it passed over; opens none but ignore files.

Also says of a single path whether a walk would come to it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from semsearch.address import file_of
from semsearch.errors import FolderError, UsageError
from semsearch.read.files import LINK, can_read, no_file, no_reader
from semsearch.read.ignore import Rules, rule
from semsearch.types import Found, Skip

if TYPE_CHECKING:
    from pathlib import Path

IGNORE_FILES = (".gitignore", ".semsearchignore")
"""Files of gitignore rules for their folder and below; the later name has the last word."""

_Rules: TypeAlias = tuple[tuple[int, Rules], ...]
_Entries: TypeAlias = "list[os.DirEntry[str]]"
_Listed: TypeAlias = "tuple[_Folder, Iterator[os.DirEntry[str]]]"

INDEX_CARD = "semsearch.json"
"""The file that makes a folder an index of ours; the same as `store.CARD`, as a test sees to."""

_NOT_UTF8 = "the name is not valid UTF-8"
_LARGEST_IGNORE_FILE = 2**20


def walk(root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Iterator[Found | Skip]:
    """The files below `root` that can be read, and what was passed over with its reason.

    Sorted by name within a folder, depth first. `include` and `exclude` are gitignore patterns relative to `root`;
    with `include`, only files that it means are looked at. Left out without a word: hidden files and folders, lock
    files and backups of editors, indexes of semsearch, and what `exclude` or an ignore file in the tree means.
    Symbolic links are not followed, except for `root` itself.

    Raises:
        UsageError: a pattern can match nothing.
        FolderError: the root is missing, is no folder, or cannot be listed.
    """
    walker = _Walker(_rules(include), _rules(exclude))
    try:
        entries = _listing(os.fspath(root))
    except OSError as error:
        raise FolderError(_root_trouble(root, error)) from error
    return walker.run(entries)


def reach(root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Callable[[str], bool]:
    """What says of a path below `root` whether a change there can matter to a walk with these patterns.

    It does for files that can be read and are not left out, for folders that are entered, and for ignore files in them;
    for what is gone also if it may have been a folder. Each folder is looked at once, so ask again for other changes.

    Raises:
        UsageError: a pattern can match nothing.
    """
    return _Reach(os.fspath(root), _Walker(_rules(include), _rules(exclude)))


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder whose entries are looked at: its path below the root, with `/` at the end, and what holds in it.

    `rules` are those of its ignore files and of those above it, deepest first, each with the length of the path to
    their folder; `included` says that an include pattern means the folder itself.
    """

    path: str
    rules: _Rules
    included: bool

    def ignores(self, path: str) -> bool:
        for above, rules in self.rules:
            verdict = rules.verdict(path[above:])
            if verdict is not None:
                return verdict
        return False


@dataclass(frozen=True, slots=True)
class _Walker:
    """The patterns of one walk, and the walk: with a stack of its own, so that no tree is too deep."""

    include: Rules | None
    exclude: Rules | None

    def run(self, entries: _Entries) -> Iterator[Found | Skip]:
        top = _Folder("", _with_own_rules((), "", entries), included=self.include is None)
        stack = [(top, iter(entries))]
        while stack:
            folder, rest = stack[-1]
            entry = next(rest, None)
            if entry is None:
                stack.pop()
                continue
            met = self._meet(folder, entry)
            if isinstance(met, tuple):
                stack.append(met)
            elif met:
                yield met

    def _meet(self, folder: _Folder, entry: os.DirEntry[str]) -> Found | Skip | _Listed | None:
        """What there is to say of an entry, or its own entries; None if it is left out or has just gone."""
        try:
            if _passes_unsaid(entry):
                return None
            if entry.is_dir(follow_symlinks=False):
                return self.enter(folder, entry.name, entry.path)
            return self._look(folder, entry)
        except FileNotFoundError:
            return None
        except OSError as error:
            return Skip(_shown(folder.path + entry.name), f"cannot be examined: {error.strerror}", passing=True)

    def enter(self, above: _Folder, name: str, place: str) -> _Listed | Skip | None:
        """The folder and its entries; None also for an index."""
        path = f"{above.path}{name}/"
        if self.leaves_out(above, path):
            return None
        if not _is_utf8(name):
            return Skip(_shown(path), _NOT_UTF8)
        try:
            entries = _listing(place)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return Skip(path, f"cannot be listed: {error.strerror}", passing=True)
        if any(entry.name == INDEX_CARD and entry.is_file(follow_symlinks=False) for entry in entries):
            return None
        rules = _with_own_rules(above.rules, path, entries)
        return _Folder(path, rules, self._included(above, path)), iter(entries)

    def _look(self, folder: _Folder, entry: os.DirEntry[str]) -> Found | Skip | None:
        """What there is to say of an entry that is no folder; it is only examined if it may be read."""
        path = folder.path + entry.name
        if not self.takes(folder, path):
            return None
        if obstacle := _obstacle(entry) or _mistakable(path):
            return Skip(_shown(path), obstacle)
        status = entry.stat(follow_symlinks=False)
        regular = stat.S_ISREG(status.st_mode)
        return Found(path, status.st_size, status.st_mtime_ns) if regular else Skip(path, no_file(status.st_mode))

    def takes(self, folder: _Folder, path: str) -> bool:
        """Whether neither rules nor patterns leave out a file."""
        return not self.leaves_out(folder, path) and self._included(folder, path)

    def leaves_out(self, folder: _Folder, path: str) -> bool:
        return folder.ignores(path) or bool(self.exclude and self.exclude.verdict(path))

    def _included(self, folder: _Folder, path: str) -> bool:
        verdict = self.include.verdict(path) if self.include else None
        return folder.included if verdict is None else verdict


class _Reach:
    """Walks towards one path after the other, and remembers the folders on the way, None for one that is left out."""

    def __init__(self, root: str, walker: _Walker) -> None:
        self._root, self._walker = root, walker
        self._folders: dict[str, _Folder | None] = {}

    def __call__(self, path: str) -> bool:
        above, _, name = path.rpartition("/")
        folder = self._folder(above)
        if folder is None or not path:
            return False
        place = f"{self._root}/{path}"
        if os.path.isdir(place) and not os.path.islink(place):  # noqa: PTH112, PTH114 - no Path for each change
            return not name.startswith(".") and self._folder(path) is not None
        if name.startswith(".") or _is_backup(name):
            return name in IGNORE_FILES
        if can_read(name):
            return self._walker.takes(folder, path)
        return not os.path.lexists(place) and not self._walker.leaves_out(folder, path)

    def _folder(self, path: str) -> _Folder | None:
        if path not in self._folders:
            self._folders[path] = self._entered(path)
        return self._folders[path]

    def _entered(self, path: str) -> _Folder | None:
        if not path:
            try:
                return _Folder("", _with_own_rules((), "", _listing(self._root)), included=not self._walker.include)
            except OSError:
                return None
        above, _, name = path.rpartition("/")
        folder = self._folder(above)
        place = f"{self._root}/{path}"
        if folder is None or name.startswith(".") or os.path.islink(place):  # noqa: PTH114 - the same
            return None
        met = self._walker.enter(folder, name, place)
        return met[0] if isinstance(met, tuple) else None


def _rules(patterns: Sequence[str]) -> Rules | None:
    """What the caller asked for, None for nothing."""
    for pattern in patterns:
        if rule(pattern) is None:
            raise UsageError(f"the pattern {pattern!r} can match nothing; write it as a line of .gitignore, like *.md")
    return Rules.of(patterns) if patterns else None


def _listing(folder: str) -> _Entries:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _with_own_rules(above: _Rules, path: str, entries: _Entries) -> _Rules:
    files = [entry for entry in entries if entry.name in IGNORE_FILES and entry.is_file(follow_symlinks=False)]
    own = Rules.of(line for entry in files for line in _lines(entry))
    return ((len(path), own), *above) if own.patterns else above


def _lines(entry: os.DirEntry[str]) -> list[str]:
    """The lines of an ignore file; of one that cannot be read, or is too large to be one, none."""
    try:
        if entry.stat(follow_symlinks=False).st_size > _LARGEST_IGNORE_FILE:
            return []
        with open(entry.path, encoding="utf-8-sig", errors="replace", newline="") as file:  # noqa: PTH123 - no Path here
            return [line.removesuffix("\r") for line in file.read().split("\n")]
    except OSError:
        return []


def _passes_unsaid(entry: os.DirEntry[str]) -> bool:
    """Whether it is hidden, or a lock file or backup of an editor."""
    name = entry.name
    if name.startswith("."):
        return True
    return _is_backup(name) and not entry.is_dir(follow_symlinks=False)


def _is_backup(name: str) -> bool:
    return name.startswith("~$") or name.endswith(("~", ".swp"))


def _obstacle(entry: os.DirEntry[str]) -> str:
    """Why an entry that is no folder is not read, as far as its name and the listing tell; "" if they do not."""
    if not _is_utf8(entry.name):
        return _NOT_UTF8
    if entry.is_symlink():
        return LINK
    return no_reader(entry.name) if entry.is_file(follow_symlinks=False) and not can_read(entry.name) else ""


def _mistakable(path: str) -> str:
    """Why a file is not read whose path is taken for something within another; "" if it is not."""
    file = file_of(path)
    return "" if file == path else f"reads like something within {file}: rename it"


def _is_utf8(name: str) -> bool:
    """Whether a name came from valid UTF-8: Python stands lone surrogates for bytes that did not."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def _root_trouble(root: Path, error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return f"{root}: there is no such folder; check how it is spelled"
        case NotADirectoryError():
            return f"{root}: this is a file, not a folder; give the folder that holds it"
        case _:
            return f"{root}: the folder cannot be listed: {error.strerror}; see that you may read it"
