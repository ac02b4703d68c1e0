"""Finds the index that a command means; opens none but to see which folders it covers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from semsearch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from semsearch.searcher import Searcher

INDEXES = Path("indexes")
CARD = "semsearch.json"
"""The same as `store.CARD`, as a test sees to; written again because `semsearch --help` does without the store."""

_Function = TypeVar("_Function", bound="Callable[..., Any]")


def index_option(function: _Function) -> _Function:
    """The option `-i/--index`, with $SEMSEARCH_INDEX behind it."""
    return click.option(
        "-i",
        "--index",
        "name",
        metavar="NAME|PATH",
        envvar="SEMSEARCH_INDEX",
        help="The index: a name below ./indexes or a path. Without it, the only one below ./indexes.",
        shell_complete=lambda _ctx, _param, start: [p.name for p in _all() if p.name.startswith(start)],
    )(function)


def open_index(name: str | None) -> Searcher:
    """The index that is meant, opened to read; what only writing needs is not imported."""
    from semsearch.searcher import Searcher  # noqa: PLC0415 - `semsearch --help` does without it

    return Searcher.open(path_of(name))


def path_of(name: str | None) -> Path:
    """The path of the index that is meant.

    Raises:
        UsageError: none was named and there is not exactly one below ./indexes.
    """
    if name:
        return _named(name)
    found = _all()
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError("no index below ./indexes; make one with `semsearch index FOLDER`, or name one with -i")
    raise UsageError(f"several indexes below ./indexes; choose one with -i: {', '.join(path.name for path in found)}")


def path_for(folder: Path, name: str | None) -> Path:
    """The path of the index for a folder of articles: the named one, the one that covers it, or a new one.

    Raises:
        UsageError: the name that the folder would give is taken by an index of another folder.
    """
    if name:
        return _named(name)
    covering = [path for path in _all() if str(folder.resolve()) in _folders(path)]
    if covering:
        return covering[0]
    path = INDEXES / (folder.resolve().name or "root")
    if (path / CARD).exists() and (others := _folders(path)):
        raise UsageError(f"{path}: is the index of {others[0]}; name another one with -i")
    return path


def _named(name: str) -> Path:
    is_path = os.sep in name or (os.altsep or os.sep) in name or (Path(name) / CARD).exists()
    return Path(name) if is_path else INDEXES / name


def _all() -> list[Path]:
    return sorted(card.parent for card in INDEXES.glob(f"*/{CARD}"))


def _folders(path: Path) -> tuple[str, ...]:
    from semsearch.errors import StoreError  # noqa: PLC0415 - `semsearch --help` does without it
    from semsearch.searcher import Searcher  # noqa: PLC0415 - the same

    try:
        with Searcher.open(path) as index:
            return index.folders()
    except StoreError:
        return ()
