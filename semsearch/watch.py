"""Says when a folder should be looked at again, because something in it was saved; reads no file and knows no index."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import TypeVar

from semsearch.errors import FolderError, IndexLockedError, UsageError

LOG = logging.getLogger("semsearch")

_Report = TypeVar("_Report")

_RETRY = 0.5  # seconds between two attempts to write where another process does
_QUIET = 200  # ms without a change, after which what has changed is looked at
_LONGEST = 1000  # ms of changes without a pause, after which it is looked at all the same
_GLANCE = 500  # ms between two looks at whether the folder is still the same one


def moments(folder: Path, matters: Callable[[], Callable[[str], bool]], stop: Event) -> Iterator[None]:
    """Gives a moment at the beginning, when all that comes is noticed, and then one after each burst of changes.

    A folder that goes away is waited for, and there is a moment when it is back: another folder, perhaps.

    Args:
        folder: absolute, without symbolic links.
        matters: called for each burst; gives what says of a path below the folder whether a change there matters.
        stop: ends it within half a second.

    Raises:
        FolderError: the system refuses to watch it.
        UsageError: watchfiles is not installed.
    """
    while not stop.is_set():
        if place := _place(folder):
            yield from _while_there(folder, place, matters, stop)
        stop.wait(_GLANCE / 1000)


def _while_there(
    folder: Path, place: tuple[int, int], matters: Callable[[], Callable[[str], bool]], stop: Event
) -> Iterator[None]:
    """The moments of a folder until it goes away, or another takes its place."""
    begun = False
    for changed in _changes(folder, stop):
        if _place(folder) != place:
            if not _place(folder):
                LOG.warning("%s: gone; the index keeps what it has, until the folder is back", folder)
            return
        matter = matters()
        if not begun or any(matter(path) for path in changed):
            begun = True
            yield


def _changes(folder: Path, stop: Event) -> Iterator[list[str]]:
    """The paths below the folder that have changed, burst by burst; an empty list where nothing has for a while."""
    try:
        from watchfiles import watch  # noqa: PLC0415 - only who watches needs it
    except ImportError as error:
        raise UsageError('watching needs watchfiles: pip install "semsearch[watch]"') from error
    try:
        for changes in watch(
            folder,
            watch_filter=None,
            debounce=_LONGEST,
            step=_QUIET,
            stop_event=stop,
            rust_timeout=_GLANCE,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        ):
            yield [path.removeprefix(f"{folder}/") for _, path in sorted(changes)]
    except FileNotFoundError:
        return
    except OSError as error:
        raise FolderError(
            f"{folder}: cannot be watched: {error}; raise the system's limit of watches, or set "
            f"WATCHFILES_FORCE_POLLING=1 to look at all files every 0.3 s"
        ) from error


def _place(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from another at the same path; None where there is none."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def patiently(run: Callable[[], _Report], stop: Event) -> _Report | None:
    """What a run did, once no other process writes; None where the folder is no good now, or `stop` came first."""
    while not stop.is_set():
        try:
            return run()
        except IndexLockedError:
            stop.wait(_RETRY)
        except FolderError as error:
            LOG.warning("%s", error)
            return None
    return None
