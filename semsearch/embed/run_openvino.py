"""Runs a graph with OpenVINO, several batches at a time; it is told to send nobody word of that.

`import openvino` tells its makers, through Google Analytics, that it was imported, and keeps a client's number in the
home folder. That is the package openvino_telemetry, which it does without where it is missing.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from semsearch.embed.runtimes import Inputs, Outputs, cores

_TELEMETRY = "openvino_telemetry"
_LOCK = threading.Lock()


class OpenVino:
    """A compiled graph; each core has a stream of its own, and there is one batch more than streams, to be ready."""

    WIDTH = 16
    """A text that is always filled up to the same width has the same bits in any batch, in bfloat16 too.

    Filled up to the longest of its batch, its score with a query went up and down by 0.0008.
    """

    TOKENS = 1024
    """Passages of about 190 word pieces in bfloat16, 256 of them: 768 gave 70/s, 1024 74/s, 1536 74/s, 2048 68/s."""

    PRECISION = "f32"

    def __init__(self, path: Path, *, many: bool) -> None:
        """As `Runtime` says."""
        streams = cores() if many else 1
        properties = {
            "INFERENCE_PRECISION_HINT": self.PRECISION,
            "PERFORMANCE_HINT": "THROUGHPUT" if many else "LATENCY",
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": cores(),
        }
        self._compiled = _openvino().Core().compile_model(path, "CPU", properties)
        self._requests = streams + many
        self._idle: list[Any] = []

    def run(self, batches: Iterable[Inputs]) -> Iterator[Outputs]:
        """As `Runtime` says. A request runs one batch at a time, and is kept for the next: to make one takes 40 ms."""
        busy = deque[Any]()
        for inputs in batches:
            if len(busy) == self._requests:
                yield self._finished(busy.popleft())
            try:
                request = self._idle.pop()
            except IndexError:
                request = self._compiled.create_infer_request()
            request.start_async(inputs)
            busy.append(request)
        while busy:
            yield self._finished(busy.popleft())

    def _finished(self, request: Any) -> Outputs:
        outputs = _outputs(request)
        self._idle.append(request)
        return outputs


class OpenVinoBf16(OpenVino):
    """The same in bfloat16, where each product is of 8 bits' precision and sums are kept in float32."""

    PRECISION = "bf16"


def has_bf16() -> bool:
    """Whether OpenVINO says that the processor multiplies in bfloat16."""
    return "BF16" in _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _outputs(request: Any) -> Outputs:
    """What a request gave, once it has; copied, since the next batch is written into the same place."""
    request.wait()
    return [np.array(tensor.data) for tensor in request.output_tensors]


def _openvino() -> Any:
    """The package, imported without the one that would tell of it."""
    with _LOCK:
        before = sys.modules.pop(_TELEMETRY, None)
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment] # Python's own mark for "not to be found"
        try:
            import openvino  # noqa: PLC0415 - 140 ms
        finally:
            del sys.modules[_TELEMETRY]
            if before:
                sys.modules[_TELEMETRY] = before
        return openvino
