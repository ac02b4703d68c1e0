"""Says which edition of an index is the current one, and who may write; looks into none.

A rebuild fills a new edition beside the current one; replacing the card makes it the current one at once.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from semsearch.config import IndexConfig
from semsearch.errors import (
    IndexDamagedError,
    IndexExistsError,
    IndexFormatError,
    IndexLockedError,
    IndexNotFoundError,
)
from semsearch.store.database import FORMAT, OLDEST
from semsearch.store.files import MEND, make_folder, remove, storage, sync_folder, write_text
from semsearch.store.store import Store
from semsearch.version import __version__

CARD = "semsearch.json"
_MAKING = "making"
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError)
"""What reading a card may raise: nested too deep and numbers without end are among it."""


def current(path: Path, *, older: bool = False) -> Path:
    """The folder of the current edition of the index at `path`.

    Args:
        path: of the index.
        older: accept an index that an older semsearch made, to make it anew.

    Raises:
        IndexNotFoundError: there is no index.
        IndexFormatError: it was made by a newer semsearch, or by an older one.
        IndexDamagedError: its card cannot be read.
    """
    try:
        card = json.loads((path / CARD).read_text(encoding="utf-8"))
        number, edition = int(card["format"]), str(card["current"])
    except (FileNotFoundError, NotADirectoryError) as error:
        if any(path.glob("e[0-9]*/index.db")) and not (path / _MAKING).exists():
            raise IndexDamagedError(f"{path / CARD}: is missing; {MEND}") from error
        raise IndexNotFoundError(f"{path}: no index here; make one with `semsearch index FOLDER`") from error
    except _UNREADABLE as error:
        raise IndexDamagedError(f"{path / CARD}: cannot be read ({error}); {MEND}") from error
    if number > FORMAT:
        raise IndexFormatError(_too_new(path, number, str(card.get("semsearch", ""))))
    if not edition.startswith("e") or not edition[1:].isdecimal():
        raise IndexDamagedError(f"{path / CARD}: names no edition; {MEND}")
    if number < OLDEST and not older:
        raise IndexFormatError(
            f"{path}: made by an older semsearch; make it anew with `semsearch index FOLDER --rebuild`"
        )
    return path / edition


def _too_new(path: Path, number: int, version: str) -> str:
    """What to say of an index that the semsearch of that version made, "" where the card does not say which."""
    needed = f"semsearch {version} or newer" if version else "a newer semsearch"
    wanted = f"'semsearch>={version}'" if version else "semsearch"
    return (
        f"{path}: this index has format {number}, which {needed} can read; this is {__version__} and reads up "
        f"to {FORMAT}: upgrade it with `pip install -U {wanted}`"
    )


def settings(path: Path) -> IndexConfig | None:
    """The settings as the card has them, for when the index cannot be read; None where the card cannot either."""
    try:
        return IndexConfig.from_json(json.dumps(json.loads((path / CARD).read_text(encoding="utf-8"))["config"]))
    except (*_UNREADABLE, IndexDamagedError):
        return None


def publish(path: Path, edition: Store) -> None:
    """Make an edition the current one, at once."""
    write_text(path / CARD, card_of(edition))


def upgrade_card(path: Path, edition: Store) -> None:
    """Have the card say the present format before the index is given it, so that no older semsearch writes to it."""
    if json.loads((path / CARD).read_bytes())["format"] != FORMAT:
        publish(path, edition)


def is_card(found: Any, edition: Store) -> bool:
    """Whether this is what the card says when an edition is the current one; of its own format or of the present."""
    with edition.tables() as tables:
        own = tables.setting("format")
    return found in [json.loads(card_of(edition)) | {"format": number} for number in (FORMAT, int(own or FORMAT))]


def card_of(edition: Store) -> str:
    """What the card says when an edition is the current one."""
    with edition.tables() as tables:
        version = tables.setting("semsearch")
    card = {"format": FORMAT, "current": edition.folder.name, "config": json.loads(edition.config.to_json())}
    return json.dumps(card | ({"semsearch": version} if version else {})) + "\n"


def discard_editions(path: Path, *kept: Path) -> None:
    """Delete what unfinished or replaced editions have left; where one is kept, also the mark that it is being made."""
    for folder in path.glob("e[0-9]*"):
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)
    if kept:
        remove(path / _MAKING)


def create(path: Path, config: IndexConfig) -> Store:
    """A new index at `path`, which `check_free` found free.

    A file called "making" stands there until the index is whole, so that what a kill leaves is told from what is not
    ours to delete.

    Raises:
        IndexExistsError: there is something there.
        StorageError: the place cannot be written.
    """
    check_free(path)
    with storage(path):
        make_folder(path)
        (path / _MAKING).touch()
        discard_editions(path)
        # Known to the disk before what it stands for is, and the index's own name before anything is committed to it.
        sync_folder(path)
        sync_folder(path.parent)
    store = Store.create(path / "e1", config)
    publish(path, store)
    remove(path / _MAKING)
    return store


def check_free(path: Path) -> None:
    """Make sure that an index can be made at `path`: that nothing is there, or what an unfinished creation has left.

    Raises:
        IndexExistsError: there is something else.
    """
    if (path / CARD).exists():
        raise IndexExistsError(f"{path}: there is an index already; open it, or choose another name")
    if not path.exists():
        return
    found = {entry.name for entry in path.iterdir()} if path.is_dir() else {path.name}
    allowed = {"lock", _MAKING, f"{CARD}.unfinished"} | ({"e1"} if _MAKING in found else set())
    if strange := sorted(found - allowed):
        lost = f"; if {CARD} was lost, `semsearch repair` writes it anew" if strange[0].startswith("e") else ""
        raise IndexExistsError(f"{path}: holds {strange[0]}, which is no index; choose another name{lost}")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the one process that writes to the index at `path`, for as long as the block lasts.

    Raises:
        IndexLockedError: another process is.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - a search does without it

    with storage(path):
        make_folder(path)
        lock = FileLock(path / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            message = f"{path}: another process is writing to this index; wait until it has finished"
            raise IndexLockedError(message) from error
    try:
        yield
    finally:
        lock.release()
