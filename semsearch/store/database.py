"""Opens an index's SQLite file, frames its transactions and says what its errors mean; knows no table itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path

from semsearch.errors import IndexDamagedError, IndexLockedError, StorageError
from semsearch.store.catalog import Catalog
from semsearch.store.files import MEND
from semsearch.store.seals import stand_in
from semsearch.version import __version__

FORMAT = 5
"""What an index is made like, `schema.sql` foremost."""

OLDEST = 4
"""From this format on, one is used as it is, and brought to the present format when it is written to."""

WAITING_MS = 30_000
"""How long a writer waits for another's transaction to end."""


class Frozen(sqlite3.Connection):
    """A connection for one reading, not to be kept: it sees no change of the file, or none of there being seals."""


def connect(path: Path, *, write: bool = False) -> sqlite3.Connection:
    """A connection to a catalog that exists, to read or to write.

    Raises:
        IndexDamagedError: the file is missing or is no SQLite database.
    """
    uri = path.resolve().as_uri()
    with translated(path):
        try:
            return _open(f"{uri}?mode={'rw' if write else 'ro'}", write=write)
        except sqlite3.OperationalError:
            # On a disk that is full or read-only SQLite cannot set up a log; with nothing left in one, none is needed.
            log = path.with_name(path.name + "-wal")
            if write or not path.is_file() or (log.exists() and log.stat().st_size):
                raise
            return _open(f"{uri}?mode=ro&immutable=1", write=False, factory=Frozen)


def create(path: Path, settings: Mapping[str, str]) -> None:
    """A new, empty catalog at `path`.

    Raises:
        OSError: it cannot be written.
        StorageError: the same, noticed later.
    """
    path.touch()
    with translated(path):
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.executescript(f"BEGIN; {files('semsearch.store').joinpath('schema.sql').read_text()}")
            connection.execute("INSERT INTO folders (id, root) VALUES (0, '')")
            made = {"format": str(FORMAT), "semsearch": __version__, "documents": "0 0", **settings}
            connection.executemany("INSERT INTO settings VALUES (?, ?)", made.items())
            Catalog(connection).seals.close()
            connection.execute("COMMIT")
        finally:
            connection.close()


def upgrade(tables: Catalog) -> None:
    """Bring what an older semsearch made to the present format, as it is: seal what it did not seal."""
    if (tables.seals.format or tables.setting("format")) != str(FORMAT):
        tables.seals.begin()
        tables.copies.seal()
        tables.set("format", str(FORMAT))
        tables.seals.close()


@contextmanager
def reading(connection: sqlite3.Connection, path: Path) -> Iterator[Catalog]:
    """One generation of the index, for as long as the block lasts."""
    with translated(path):
        connection.execute("BEGIN")
        try:
            yield Catalog(connection)
        finally:
            connection.execute("ROLLBACK")


@contextmanager
def writing(connection: sqlite3.Connection, path: Path) -> Iterator[Catalog]:
    """All that the block does, as one durable step, or none of it."""
    with translated(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield Catalog(connection)
            connection.execute("COMMIT")
        except BaseException:
            # An interruption on the way in can leave this to be finished when the connection is closed already, which
            # rolls back by itself.
            with suppress(sqlite3.ProgrammingError):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours.

    Raises:
        StorageError: the disk is full, read-only or fails.
        IndexLockedError: another process writes for longer than WAITING_MS.
        IndexDamagedError: the database is not sound.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # none where a text is no UTF-8
        if code in {
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_IOERR,
        }:
            raise StorageError(f"{path}: {error}; what was committed is safe") from error
        if code == sqlite3.SQLITE_CANTOPEN and path.is_file():
            # It is the log beside it that cannot be made.
            raise StorageError(
                f"{path}: {error}; what was committed is safe: make room, or the folder writable, and run it again"
            ) from error
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise IndexLockedError(f"{path}: another process is writing to it; try again later") from error
        raise IndexDamagedError(f"{path}: {error}; {MEND}") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        # What SQLite says of a damaged file may quote it.
        raise IndexDamagedError(f"{path}: {error}; {MEND}") from error


def _open(uri: str, *, write: bool, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, factory=factory)
    try:
        connection.execute(f"PRAGMA busy_timeout={WAITING_MS}")
        if write:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
        sealed = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'seals'").fetchone()[0]
        if not (sealed or write or factory is Frozen):
            connection.close()
            return _open(uri, write=write, factory=Frozen)
        if not (sealed or write):
            stand_in(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
