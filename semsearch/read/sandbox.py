"""Has files read in a process apart, so that a bomb, a hang or a crash costs one file; knows no format and no folder.

Time is limited everywhere; memory on Linux alone: macOS does not heed the limit, Windows has none. A reader that hangs
when its parent is killed is ended by an alarm, but for Windows. Files and the network are within reach of a reader: it
is the file that may be hostile. What a file may take must not depend on what else the machine has to do, or a busy
evening would drop articles; so on Linux the time for which others held the processor does not count.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from semsearch.errors import ReadError
from semsearch.read import exchange
from semsearch.read.attached import Attached
from semsearch.types import Document

if TYPE_CHECKING:
    from subprocess import Popen

SECONDS = 4.0
"""How long a file of less than a mebibyte may take to be read; a fourth more for each that it has: a book is no bomb.

With what it takes to start another process, one that hangs costs less than five seconds."""

MEMORY = 448 * 2**20
"""Bytes by which the process may grow above what it has when it starts; all in all it stays below 512 MB."""

_ENDINGS: dict[tuple[str, float, int, bytes], str] = {}
"""Why files ended their readers in the life of this program: who watches a folder does not wait for each again."""

_START = 60.0  # seconds in which an interpreter starts on any machine
_GLANCE = 0.05
_COMMAND = ("-P", "-m", "semsearch.read.worker")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}  # threads reserve memory


class Worker:
    """A process that reads one file after another for its owner, who closes it.

    It is started by the first file, and again after one that ended it. `read` is called by one thread at a time;
    `close` by any: a reading under way ends, and no other begins.
    """

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._seconds, self._memory = seconds, memory
        self._process: _Process | None = None
        self._closed = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, reader: str, path: str, data: bytes) -> list[Document | Attached]:
        """What the reader, "module:attribute", makes of a file's bytes.

        What has ended a process is not tried again. An end that a file before this one may have brought about is not
        held against this one: it is read again, by a new process, in what is left of its time.

        Raises:
            ReadError: the reader refused it, or took too long, wanted too much memory, or crashed.
            OSError: no process can be started.
        """
        key = reader, self._seconds, self._memory, sha256(data).digest()
        if key in _ENDINGS:
            raise ReadError(_ENDINGS[key])
        allowed = left = self._seconds * (1 + len(data) // 2**20 / 4)
        while True:
            process = self._running()
            is_new = not process.answers
            answer = process.ask(exchange.line([reader, path, len(data), left]), data, left)
            if isinstance(answer, str):
                raise ReadError(answer)
            if answer is not None:
                return answer
            left -= process.used()
            status = self._discard()
            if self._closed:
                raise ReadError("interrupted")
            if process.late or is_new:
                _ENDINGS[key] = f"took longer than {allowed:g} s to read" if process.late else self._why(status)
                raise ReadError(_ENDINGS[key])

    def close(self) -> None:
        """End the process; whoever is waiting for it is told that there is no answer."""
        self._closed = True
        self._discard()

    def _running(self) -> _Process:
        with self._lock:
            if self._closed:
                raise ReadError("interrupted")
            if self._process is None:
                self._process = _Process(self._memory)
            return self._process

    def _discard(self) -> int:
        """End the process if there is one; the status with which it ended, or had ended, negative for a signal."""
        with self._lock:
            process, self._process = self._process, None
            return process.end() if process else 0

    def _why(self, status: int) -> str:
        if status == exchange.NO_MEMORY:
            return f"needs more than {self._memory >> 20} MB to read"
        return f"made its reader crash ({f'signal {-status}' if status < 0 else f'exit status {status}'})"


class _Process:
    """One life of the process: started at once, and not to be used again when it has given no answer.

    A thread looks at the clock: a pipe cannot be waited for with a limit everywhere.
    """

    def __init__(self, memory: int) -> None:
        import subprocess  # noqa: PLC0415 - a run that reads no such file does without it

        self.answers = 0
        self.late = False
        self._may_use, self._begun, self._queued = _START, time.monotonic(), 0.0
        self._lock = threading.Lock()
        places = [path or str(Path.cwd()) for path in sys.path]  # what this interpreter can import, it can too
        self._process: Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            [sys.executable, *_COMMAND, str(memory)],
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(places)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=2**16,
            start_new_session=True,  # keys pressed at the terminal are for the parent, and a group can be killed
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._to, self._said = self._process.stdin, self._process.stderr
        self._from = cast("BinaryIO", self._process.stdout)
        self._ended = threading.Event()
        threading.Thread(target=self._watch, name="semsearch-reader", daemon=True).start()
        self._wait_until_ready()

    def ask(self, request: bytes, data: bytes, seconds: float) -> list[Document | Attached] | str | None:
        """The answer to a request, None for none: then the process is of no more use."""
        self._begun, self._queued = time.monotonic(), self._queued_ever()
        self._may_use = seconds
        try:
            self._to.write(request)
            self._to.write(data)
            self._to.flush()
            answer = exchange.received(self._from)
        except (OSError, ValueError):
            return None
        finally:
            self._may_use = math.inf
        self.answers += 1
        return answer

    def used(self) -> float:
        """Seconds since it was last asked, without those for which others held the processor."""
        return time.monotonic() - self._begun - (self._queued_ever() - self._queued)

    def end(self) -> int:
        """Kill it, if it has not ended already; its status."""
        self._ended.set()
        self._kill()
        with self._lock:
            status = self._process.wait()
        for pipe in (self._to, self._from, self._said):
            with contextlib.suppress(OSError):
                pipe.close()
        return status

    def _wait_until_ready(self) -> None:
        ready = self._from.readline() == exchange.READY
        self._may_use = math.inf
        if not ready:
            said = self._said.read().decode(errors="replace").strip().rpartition("\n")[2]
            self.end()
            raise OSError(f"the process that reads such files does not start: {said or sys.executable}")

    def _watch(self) -> None:
        while not self._ended.wait(_GLANCE):
            if self.used() > self._may_use:
                self.late = True
                self._kill()
                return

    def _queued_ever(self) -> float:
        """Seconds of its life for which it could have run and others did; 0 where nobody counts them."""
        try:
            return int(Path(f"/proc/{self._process.pid}/schedstat").read_bytes().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0

    def _kill(self) -> None:
        """Kill the process and what it may have started; its number is its own until it has been waited for."""
        with self._lock:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL) if hasattr(os, "killpg") else self._process.kill()
