"""Knows what can run an exported graph, and chooses among what is installed; it imports none of it and runs nothing."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeAlias

from semsearch.errors import UsageError

if TYPE_CHECKING:
    # `semsearch status` and `index --runtime` read this file before there is anything to run.
    import numpy as np
    from numpy.typing import NDArray

VARIABLE = "SEMSEARCH_RUNTIME"
"""The environment variable that names the runtime for documents; where it is empty, `best` chooses."""

QUERIES = "onnx"
"""What runs queries and pairs: it opens in a fraction of the time that OpenVINO's import alone takes (140 ms)."""

Inputs: TypeAlias = "Mapping[str, NDArray[np.int64]]"
"""The graph's inputs by their names, each of shape (texts, tokens)."""

Outputs: TypeAlias = "Sequence[NDArray[np.float32]]"
"""The graph's outputs in their order."""


class Runtime(Protocol):
    """A graph that has been opened by what runs it; safe to call from several threads at once."""

    WIDTH: int
    """Texts are filled up to a multiple of so many tokens."""

    TOKENS: int
    """The most tokens, padding included, that are best given to the graph at once."""

    def __init__(self, path: Path, *, many: bool) -> None:
        """Open the graph in the file `path`, for a text now and then or for many.

        Raises:
            Exception: of any class, where the graph cannot be opened; the caller says so in this library's words.
        """

    def run(self, batches: Iterable[Inputs]) -> Iterator[Outputs]:
        """The outputs of each batch, in their order; a batch may be fetched before the outputs of the last are out.

        Raises:
            Exception: of any class, where the graph cannot be run.
        """


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a runtime's class is, which package it needs, and what it needs it with."""

    place: str
    package: str


RUNTIMES: Mapping[str, _Entry] = MappingProxyType(
    {
        "onnx": _Entry("semsearch.embed.run_onnx:OnnxRuntime", "onnxruntime"),
        "openvino": _Entry("semsearch.embed.run_openvino:OpenVino", "openvino"),
        "openvino-bf16": _Entry("semsearch.embed.run_openvino:OpenVinoBf16", "openvino"),
    }
)

_BF16 = {"avx512_bf16", "amx_bf16", "avx_ne_convert"}
"""The flags in /proc/cpuinfo of processors that multiply in bfloat16; OpenVINO imitates it where there is none."""

_CPUINFO = Path("/proc/cpuinfo")


def best() -> str:
    """The name of the fastest runtime that is installed and right for this processor.

    OpenVINO in bfloat16 where the processor has it, else in float32, else ONNX Runtime. Passages of about 190 word
    pieces on 2 cores, in passages per second of processor time on both: 78, 42 and 35.
    """
    if not installed("openvino"):
        return "onnx"
    return "openvino-bf16" if _has_bf16() else "openvino"


def wanted() -> str:
    """The runtime that $SEMSEARCH_RUNTIME names, "" where it names none.

    Raises:
        UsageError: there is no such runtime, or it is not installed.
    """
    name = os.environ.get(VARIABLE, "")
    return checked(name) if name else ""


def checked(name: str) -> str:
    """The name, if there is such a runtime and it is installed.

    Raises:
        UsageError: there is not.
    """
    if name not in RUNTIMES:
        raise UsageError(f"there is no runtime {name!r}; choose one of {', '.join(RUNTIMES)}")
    if not installed(name):
        package = RUNTIMES[name].package
        raise UsageError(f"the runtime {name} is not installed; run `pip install {package}`, or leave it out")
    return name


def installed(name: str) -> bool:
    """Whether the package that the runtime needs is here; it is not imported."""
    package = RUNTIMES[name].package
    if package in sys.modules:
        return sys.modules[package] is not None
    return find_spec(package) is not None


@contextlib.contextmanager
def using(name: str) -> Iterator[None]:
    """Have the models that are loaded meanwhile run documents with the runtime of that name; "" changes nothing.

    For the whole process: it sets $SEMSEARCH_RUNTIME, and puts it back.

    Raises:
        UsageError: there is no such runtime, or it is not installed.
    """
    if not name:
        yield
        return
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = checked(name)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before


def open_graph(name: str, path: Path, *, many: bool) -> Runtime:
    """The graph in the file `path`, opened by the runtime of that name.

    Raises:
        Exception: as `Runtime` says.
    """
    module, _, attribute = RUNTIMES[name].place.partition(":")
    runtime: type[Runtime] = getattr(importlib.import_module(module), attribute)
    return runtime(path, many=many)


def cores() -> int:
    """The processor's cores that this process may use; on Linux two threads of one core count once."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    threads = os.sched_getaffinity(0)
    siblings = (Path(f"/sys/devices/system/cpu/cpu{thread}/topology/thread_siblings_list") for thread in threads)
    try:
        return len({path.read_text(encoding="ascii") for path in siblings})
    except OSError:
        return len(threads)


def _has_bf16() -> bool:
    """Whether the processor multiplies in bfloat16: from its flags where Linux lists them, else as OpenVINO says."""
    try:
        return not _BF16.isdisjoint(_CPUINFO.read_text(encoding="utf-8").split())
    except OSError:
        from semsearch.embed.run_openvino import has_bf16  # noqa: PLC0415 - 140 ms

        return has_bf16()
