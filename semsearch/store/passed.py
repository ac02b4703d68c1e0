"""Keeps of each file what was passed over of it, so that it need not be read again for that; decides nothing.

It is what a run would find out again, so a row that is not what was stored is as good as none.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

from semsearch.store.seals import seal_of
from semsearch.types import Passed, Skip

_TABLE = (
    "CREATE TABLE IF NOT EXISTS passed (root TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, "
    "mtime_ns INTEGER NOT NULL, reader TEXT NOT NULL, skips TEXT NOT NULL, seal BLOB NOT NULL, "
    "PRIMARY KEY (root, path)) WITHOUT ROWID"
)


class PassedOver:
    """What was passed over of the files of one index, inside one transaction."""

    def __init__(self, run: Callable[..., sqlite3.Cursor]) -> None:
        self._run = run

    def of(self, root: str) -> dict[str, Passed]:
        """By path, the files of a folder of which something was passed over."""
        try:
            rows = self._run("SELECT * FROM passed WHERE root = ?", (root,)).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise
            return {}  # nothing was passed over yet, so that there is no table
        return {
            path: Passed(size, mtime_ns, reader, tuple(Skip(*skip) for skip in json.loads(skips)))
            for _, path, size, mtime_ns, reader, skips, seal in rows
            if seal == seal_of((root, path, size, mtime_ns, reader, skips))
        }

    def put(self, root: str, path: str, passed: Passed) -> None:
        """Note what was passed over of a file, or that nothing was."""
        self._run(_TABLE)
        if not passed.skips:
            self._run("DELETE FROM passed WHERE root = ? AND path = ?", (root, path))
            return
        skips = json.dumps([[skip.path, skip.reason] for skip in passed.skips], ensure_ascii=False)
        row = (root, path, passed.size, passed.mtime_ns, passed.reader, skips)
        self._run("INSERT OR REPLACE INTO passed VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, seal_of(row)))
