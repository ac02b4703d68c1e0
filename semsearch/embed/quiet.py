"""Keeps from the terminal what other libraries print while a model is fetched, loaded or exported; hides no error."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

_FAMILIES = ("torch", "transformers", "sentence_transformers", "onnxscript", "onnx_ir", "huggingface_hub")
_LOCK = threading.RLock()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence the libraries' warnings, log lines and progress bars, and leave their settings as they were.

    One thread at a time: what is silenced belongs to the whole process.
    """
    with _LOCK, contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        for name in _loggers():
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL + 1)
        _hide_bars(stack)
        yield


def _loggers() -> list[str]:
    """The families' loggers; those below have levels of their own in torch."""
    below = tuple(f"{family}." for family in _FAMILIES)
    return [*_FAMILIES, *(name for name in list(logging.root.manager.loggerDict) if name.startswith(below))]


def _hide_bars(stack: contextlib.ExitStack) -> None:
    """Hide the progress bars of the libraries that are loaded: transformers knows two places, the hub one."""
    transformers: Any = sys.modules.get("transformers.utils.logging")
    hub: Any = sys.modules.get("huggingface_hub.utils")
    if transformers and transformers.is_progress_bar_enabled():
        stack.callback(transformers.enable_progress_bar)
        transformers.disable_progress_bar()
    elif hub and not hub.are_progress_bars_disabled():
        stack.callback(hub.enable_progress_bars)
        hub.disable_progress_bars()
