"""The process in which a reader may hang, swell or crash: reads the files that it is sent, and opens none itself.

It ends with its standard input, and so with whoever started it, however that ends; while it reads, an alarm sees to
that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import BinaryIO

from semsearch.errors import ReadError
from semsearch.read.exchange import NO_MEMORY, READY, answer, line, value
from semsearch.read.files import MAX_BYTES, listed, load

_LONGEST_REASON = 200
_GRACE = 2.0  # seconds of work in which whoever asked ends this process itself, and knows why
_LONGEST = 12  # times the seconds of a file: on a busy machine they may take so long


def main() -> None:
    """Answer requests until there are no more; the argument is how many bytes this process may grow by."""
    requests, answers = os.fdopen(os.dup(0), "rb", 2**16), os.fdopen(os.dup(1), "wb", 2**16)
    _limit_memory(int(sys.argv[1]))
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: os._exit(1))  # a second one must not answer
    answers.write(READY)
    answers.flush()
    _be_quiet()
    _serve(requests, answers)
    os._exit(0)  # without waiting for what a library has running


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while request := requests.readline():
        reader, path, size, seconds = value(request)
        data = requests.read(size)
        if len(data) < size:
            return
        _alarm(seconds)
        answers.write(_answer(reader, path, data))
        answers.flush()
        _alarm(0)


def _answer(reader: str, path: str, data: bytes) -> bytes:
    """Documents, or a reason; what is wrong with a reader is the reason of this file, and ends no run."""
    try:
        sent = answer(listed(load(reader)(path, data)))
    except ReadError as error:
        return line(str(error))
    except MemoryError:
        os._exit(NO_MEMORY)
    except BaseException as error:  # noqa: BLE001 - also what calls itself an exit
        return line(f"made its reader fail ({type(error).__name__}: {error})"[:_LONGEST_REASON])
    return sent if len(sent) <= MAX_BYTES else line(f"has more than {MAX_BYTES // 2**20} MiB of text in it")


def _be_quiet() -> None:
    """Let what libraries write go nowhere, and have nothing for them to read."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)


def _limit_memory(memory: int) -> None:
    """Let the address space grow by so many bytes, and a crash leave no image of it behind; on Linux."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - Windows has none

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - no Path needed here
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))


def _alarm(seconds: float) -> None:
    """End this process, whatever it is doing, when it has worked or slept for longer than this, or never for 0.

    For when nobody is left to do it; not on Windows.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds and seconds + _GRACE)
        signal.setitimer(signal.ITIMER_REAL, _LONGEST * seconds)


if __name__ == "__main__":
    main()
