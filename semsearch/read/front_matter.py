"""The fields at the head of a Markdown file (`---` YAML or `+++` TOML) -> JSON-able values; gives them no meaning.

Front matter that is broken, too large, nested too deep or not a table of fields is not an error: it is ordinary text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML without libyaml: the same, slower
    from yaml import SafeLoader  # type: ignore[assignment]

LARGEST = 2**16
"""Characters of front matter with both its fences."""

_DEEPEST = 20
_LARGEST_NUMBER = 2**63
_LINE_END = r"[ \t]*(?:\r\n|\r|\n|\Z)"
_OPENING = re.compile(rf"(---|\+\+\+){_LINE_END}")
_ENDLESS_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}""")
_CLOSING = {
    "---": re.compile(rf"(?<=[\r\n])(?:---|\.\.\.){_LINE_END}"),
    "+++": re.compile(rf"(?<=[\r\n])\+\+\+{_LINE_END}"),
}


def split(text: str) -> tuple[dict[str, Any], int]:
    """The fields of the front matter and where the text below it begins; no fields and 0 where there is none."""
    opening = _OPENING.match(text)
    closing = opening and _CLOSING[opening[1]].search(text, opening.end(), LARGEST)
    if not opening or not closing:
        return {}, 0
    load: Callable[[str], object] = _yaml if opening[1] == "---" else _toml
    try:
        fields = jsonable(load(text[opening.end() : closing.start()]))
    except Exception:  # noqa: BLE001 - PyYAML raises whatever an odd tag happens to cause, down to AttributeError
        return {}, 0
    if fields is None:
        return {}, closing.end()
    return (fields, closing.end()) if isinstance(fields, dict) else ({}, 0)


class _Loader(SafeLoader):
    """Safe YAML in which a date is its ISO 8601 string, and stays as it was written if there is no such day."""


def _timestamp(loader: _Loader, node: yaml.ScalarNode) -> str:
    try:
        return str(loader.construct_yaml_timestamp(node).isoformat())
    except (ValueError, OverflowError):
        return str(node.value)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _timestamp)


def _yaml(block: str) -> object:
    """The value of a YAML document; without aliases, by which a few lines can stand for gigabytes.

    Raises:
        ValueError: there is an alias, or it is nested too deep for the parser's recursion.
        yaml.YAMLError: it is not YAML.
    """
    depth = 0
    for event in yaml.parse(block, Loader=SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST or isinstance(event, yaml.AliasEvent):
            raise ValueError("front matter with aliases or too deep")
    return yaml.load(block, Loader=_Loader)  # noqa: S506 - a safe loader


def _toml(block: str) -> object:
    """The fields of a TOML document; without keys of so many parts that tomllib would take seconds over them.

    Raises:
        ValueError: it is not TOML, or has such a key.
    """
    if _ENDLESS_KEY.search(block):
        raise ValueError("front matter with an endless key")
    return tomllib.loads(block)


def jsonable(value: object, depth: int = 0) -> Any:
    """The value as JSON can hold it: dates as ISO 8601, anything that JSON has no form for as its string.

    Raises:
        ValueError: it is nested too deep.
    """
    if depth > _DEEPEST:
        raise ValueError("front matter nested too deep")
    match value:
        case dict():
            return {_clean(str(key)): jsonable(inner, depth + 1) for key, inner in value.items()}
        case list() | tuple():
            return [jsonable(inner, depth + 1) for inner in value]
        case set():
            return [jsonable(inner, depth + 1) for inner in sorted(value, key=str)]
        case _:
            return _scalar(value)


def _scalar(value: object) -> str | float | bool | None:
    match value:
        case None | bool():
            return value
        case int() | float() if -_LARGEST_NUMBER < value < _LARGEST_NUMBER:
            return value
        case date() | datetime() | time():
            return value.isoformat()
        case _:
            return _clean(str(value))


def _clean(text: str) -> str:
    r"""The string without what `"\ud800"` and `"\0"` put into it, which no UTF-8 file and no database would take."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
