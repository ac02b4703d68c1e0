"""Runs commands of the command line in a forked child, and says how each ended and what memory it took; judges none."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# Threads do not outlive a fork: whoever forks from a process that has imported everything must have none.
os.environ["OMP_NUM_THREADS"] = "1"


@dataclass(frozen=True)
class Ran:
    """One command: its exit status, and what it wrote."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Child:
    """What a child gave back and the signal that ended it, 0 for none.

    `memory` is all that it had at the most, in bytes, Python and libraries among it; `seconds` are of processor time.
    """

    given: Any
    signal: int
    memory: int
    seconds: float


def forked(work: Callable[[], Any], seconds: int = 60) -> Child:
    """Do the work in a child; what it returns comes back through a pipe. After so many seconds SIGALRM ends it."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        _in_child(work, write, seconds)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    _, status, usage = os.wait4(pid, 0)
    given = pickle.loads(data) if data else None
    ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return Child(given, ended, 1024 * usage.ru_maxrss, usage.ru_utime + usage.ru_stime)


def _in_child(work: Callable[[], Any], write: int, seconds: int) -> None:
    signal.alarm(seconds)
    try:
        given = work()
    except BaseException:  # noqa: BLE001 - is what is looked for
        given = traceback.format_exc()
    with os.fdopen(write, "wb") as pipe:
        pickle.dump(given, pipe)
    os._exit(0)


def commands(*lines: Sequence[str], typed: str = "") -> list[Ran]:
    """Each command in turn, as from a shell, with `typed` as the standard input of each."""
    return [_run(line, typed) for line in lines]


def _run(line: Sequence[str], typed: str) -> Ran:
    from semsearch.cli import main

    out, err = io.StringIO(), io.StringIO()
    sys.argv, sys.stdin = ["semsearch", *line], io.StringIO(typed)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else 1
        except BaseException:  # noqa: BLE001 - the same
            status = 70
            err.write(traceback.format_exc())
        else:
            status = 0
    return Ran(status, out.getvalue(), err.getvalue())
