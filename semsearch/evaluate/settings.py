"""Turns what a person writes for a way to search into arguments of `Index.search`; it calls nothing.

What can be written is what `Index.search` takes, so that a new argument needs no line here.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from semsearch.errors import UsageError
from semsearch.evaluate.values import Setting
from semsearch.index import Index
from semsearch.search import MODES

DEFAULTS = ("dense", "lexical", "hybrid")

_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_FIXED = {"self", "query", "k", "mode"}
_WRITTEN = {"bool", "int", "float", "str"}


def setting(text: str) -> Setting:
    """A setting from `MODE[,name=value]…`; copies are not folded unless it says so, since each may be judged.

    Raises:
        UsageError: there is no such mode or argument, or the value does not fit.
    """
    mode, *options = text.split(",")
    if mode not in MODES:
        raise UsageError(f"there is no mode {mode!r} for the setting {text!r}; choose one of {', '.join(MODES)}")
    known = _parameters()
    arguments: dict[str, Any] = {"mode": mode}
    if "collapse" in known:
        arguments["collapse"] = False
    for option in options:
        name, equals, value = option.partition("=")
        name = name.strip().replace("-", "_")
        if name not in known or not equals:
            can = f"can be {', '.join(known)}" if known else "there is none as yet"
            raise UsageError(f"{option!r} in the setting {text!r} is no option of a search with its value; it {can}")
        arguments[name] = _value(text, name, value.strip(), known[name])
    return Setting(text, arguments)


def _parameters() -> Mapping[str, str]:
    """What a search takes beside query, k and mode, and can be written: the name and the annotation of each."""
    found = inspect.signature(Index.search).parameters
    annotations = {name: str(parameter.annotation) for name, parameter in found.items() if name not in _FIXED}
    return {name: annotation for name, annotation in annotations.items() if _kinds(annotation) & _WRITTEN}


def _kinds(annotation: str) -> set[str]:
    return set(annotation.replace("|", " ").split())


def _value(text: str, name: str, value: str, annotation: str) -> Any:
    kinds = _kinds(annotation)
    try:
        if "bool" in kinds:
            return _TRUTH[value.lower()]
        if "int" in kinds:
            return int(value)
        return float(value) if "float" in kinds else value
    except (KeyError, ValueError) as error:
        raise UsageError(f"{value!r} is no value for {name} in the setting {text!r}; it takes {annotation}") from error
