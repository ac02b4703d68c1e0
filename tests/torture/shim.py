"""Puts `shim.c` between a process and the files of an index, and reads what it recorded; judges nothing.

It must be loaded before the C library is used, so a harness starts itself again with it: see `under_shim`. What is
tried runs in children that are forked from the harness, which has imported everything and has no thread of its own.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("shim.c")
RECORD, KILL, HALF, FAIL, BUDGET = range(5)
_LOADED = "SEMSEARCH_SHIM"
_PATIENCE = 120


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was made, as `shim.c` names it, or a remark ("#") with its text as the path."""

    op: str
    number: int
    offset: int
    path: str
    other: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a child ended: what it gave, or the signal that killed it, 0 for none."""

    value: Any
    signal: int


def unavailable() -> str:
    """Why the shim cannot be used here, "" where it can."""
    if not sys.platform.startswith("linux"):
        return "needs Linux"
    if shutil.which("cc") is None:
        return "needs a C compiler, to build the shim that counts steps: apt-get install gcc libc6-dev"
    with tempfile.TemporaryDirectory() as folder:
        built = _compile(Path(folder))
    return "" if not built.returncode else f"the shim cannot be built here: {built.stderr.strip()[:300]}"


def under_shim(command: Sequence[str], stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that has the shim, with one thread in every library, so that it can be forked."""
    with tempfile.TemporaryDirectory() as folder:
        _compile(Path(folder)).check_returncode()
        environment = {
            **os.environ,
            "LD_PRELOAD": str(Path(folder) / "shim.so"),
            _LOADED: "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
        }
        return subprocess.run(command, env=environment, text=True, stdout=stdout, check=False)


def main(module: str, run: Callable[[], None]) -> None:
    """What a harness does when it is started: load the shim if need be, and run."""
    if os.environ.get(_LOADED):
        run()
        return
    if why := unavailable():
        sys.exit(why)
    sys.exit(under_shim([sys.executable, "-m", module, *sys.argv[1:]]).returncode)


def watch(folder: Path) -> None:
    """The folder below which steps are counted; of files that are opened before this, none is seen."""
    _library().shim_root(str(folder.resolve()).encode())


def begin(
    action: int = RECORD,
    at: int = 0,
    *,
    end: int = 1 << 60,
    error: int = 0,
    ops: str = "",
    pages: int = 0,
    trace: int = -1,
) -> None:
    """Begin to count; see `shim_begin`. `trace` is a descriptor that the steps are written to, with their data."""
    _library().shim_begin(action, at, end, error, ops.encode(), pages, trace)


def end() -> int:
    """Stop to count; how many steps there were."""
    library = _library()
    library.shim_end()
    return int(library.shim_steps())


def least() -> int:
    """Of the pages that BUDGET was given, how many were left when the fewest were."""
    library = _library()
    library.shim_least.restype = ctypes.c_longlong
    return int(library.shim_least())


def mark(text: str) -> None:
    """Put a remark into the record."""
    _library().shim_mark(text.encode())


def recorded(path: Path) -> Iterator[Step]:
    """The steps and remarks of a record, in order; one that was killed may lack the end of its last."""
    data, place = path.read_bytes(), 0
    while (line_end := data.find(b"\n", place)) >= 0:
        op, number, offset, *sizes = data[place:line_end].split()
        parts, place = [], line_end + 1
        for size in map(int, sizes):
            parts.append(data[place : place + size])
            place += size
        yield Step(op.decode(), int(number), int(offset), parts[0].decode(), parts[1].decode(), parts[2])


def in_child(work: Callable[[], Any], kill_after: float = 0.0) -> Outcome:
    """Do the work in a forked process, killed after so many seconds if not 0; what it returns must be JSON.

    A child that takes longer than two minutes is ended by an alarm, which counts as a signal.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        signal.alarm(_PATIENCE)
        try:
            with os.fdopen(writer, "w") as out:
                json.dump(work(), out)
        except BaseException:  # noqa: BLE001 - nothing of the harness may go on in the child
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writer)
    if kill_after:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader) as given:
        text = given.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("a child failed; its error stands above")
    stopped = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return Outcome(None if stopped else json.loads(text), stopped)


def _compile(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(folder / "shim.so"), str(SOURCE), "-ldl"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None)
    numbers, text = [ctypes.c_int, ctypes.c_long, ctypes.c_long, ctypes.c_int], ctypes.c_char_p
    library.shim_begin.argtypes = [*numbers, text, ctypes.c_longlong, ctypes.c_int]
    library.shim_steps.restype = ctypes.c_long
    return library
