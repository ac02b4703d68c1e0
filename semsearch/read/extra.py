"""Imports the libraries that only some formats need; says which extra brings one that is missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from semsearch.errors import ReadError


def library(name: str, extra: str) -> Any:
    """The module of this name, which the extra of that name installs.

    Raises:
        ReadError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ReadError(f'needs {name.partition(".")[0]}: pip install "semsearch[{extra}]"') from error
