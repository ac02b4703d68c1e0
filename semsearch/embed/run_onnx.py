"""Runs a graph with ONNX Runtime in float32; it opens in 13 ms, so queries and pairs of rerankers are its business."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import onnxruntime

from semsearch.embed.runtimes import Inputs, Outputs, cores


class OnnxRuntime:
    """A session; it takes one batch after the other, each with all cores."""

    WIDTH = 1
    TOKENS = 1024
    """They and their products fit the caches.

    Passages of about 190 word pieces on 2 cores: 512 gave 37.3/s, 1024 37.7/s, 2048 35.6/s, 4096 32.7/s, 8192 29.6/s.
    """

    def __init__(self, path: Path, *, many: bool) -> None:
        """As `Runtime` says. For many, the weights are laid out anew: that takes 40 ms and makes it 4 % faster."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # fatal: what goes wrong is raised
        options.intra_op_num_threads = cores()
        # Threads that wait without spinning are as fast, and faster on a busy machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not many:
            options.add_session_config_entry("session.disable_prepacking", "1")
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(self, batches: Iterable[Inputs]) -> Iterator[Outputs]:
        """As `Runtime` says."""
        for inputs in batches:
            yield self._session.run(None, dict(inputs))
