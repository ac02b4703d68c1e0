"""Patterns in the language of .gitignore, asked about one file or folder at a time; reads no file.

The walk asks from the top down and does not enter what is left out, as git does. So a pattern must say whether it means
this very entry, not whether it means something above it: asked the other way, as pathspec does, `*`, `!*/`, `!*.md`
leaves out every folder, and `*`, `!sub/` takes everything below `sub` back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\\(?P<escaped>.)
    | (?P<stars>\*+)
    | (?P<any>\?)
    | \[(?P<negated>[!^]?)(?P<members>\]?+(?:\[:\w+:\]|\\.|[^\]\\])*+)\]
    | (?P<plain>[^\[\\])""",
    re.DOTALL | re.VERBOSE,
)
_MEMBER = re.compile(r"\[:(?P<named>\w+):\]|\\?(?P<first>.)(?:-\\?(?P<last>.))?", re.DOTALL)
_NAMED = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_NOTHING = "(?!)"
_ANY_FOLDERS = "(?:.*/)?"


@dataclass(frozen=True, slots=True)
class Rules:
    """Patterns of which the last one that means an entry decides; they are kept last first."""

    patterns: tuple[tuple[re.Pattern[str], bool], ...] = ()

    @classmethod
    def of(cls, lines: Iterable[str]) -> Rules:
        """The rules in these lines; comments, blank lines and patterns that mean nothing are passed over."""
        found = [one for line in lines if (one := rule(line))]
        return cls(tuple(reversed(found)))

    def verdict(self, path: str) -> bool | None:
        """True for what a pattern means, False for what a `!` pattern takes back, None where no pattern means it.

        `path` is relative to the folder of the rules; a folder's ends in `/`.
        """
        for pattern, meant in self.patterns:
            if pattern.match(path):
                return meant
        return None


def rule(line: str) -> tuple[re.Pattern[str], bool] | None:
    """A line as an expression for whole paths, and False if it begins with `!`; None if it can mean nothing."""
    body = _without_trailing_spaces(line)
    if body.startswith("#"):
        return None
    taken_back = body.startswith("!")
    expression = _path_expression(body[taken_back:])
    return (re.compile(expression, re.DOTALL), not taken_back) if expression else None


def _without_trailing_spaces(line: str) -> str:
    body = line.rstrip(" ")
    backslashes = len(body) - len(body.rstrip("\\"))
    return body + " " if backslashes % 2 and len(body) < len(line) else body


def _path_expression(body: str) -> str:
    """The expression for a pattern without its `!`, "" where it can mean nothing."""
    below, _, only_folders = body.rpartition("/") if body.endswith("/") else (body, "", "no")
    anchored = "/" in below
    segments = below.removeprefix("/").split("/")
    parts = [_segment(segment, last=False) for segment in segments[:-1]]
    parts.append(_segment(segments[-1], last=True) if anchored else _glob(segments[-1]))
    if not all(parts):
        return ""
    return ("" if anchored else _ANY_FOLDERS) + "".join(parts) + ("/?" if only_folders else "/") + r"\Z"


def _segment(segment: str, *, last: bool) -> str:
    """One part of a pattern that has several: `**` stands for any number of folders, at the end for all they hold."""
    if len(segment) > 1 and not segment.strip("*"):
        return ".+" if last else _ANY_FOLDERS
    glob = _glob(segment)
    return glob if last or not glob else glob + "/"


def _glob(segment: str) -> str:
    """The expression for a name, "" where it can mean none.

    What stands between two stars has a fixed length, so the first place where it fits is as good as any other: the
    group is atomic, and a hostile `*a*a*a*a*` costs no more than a harmless one.
    """
    fixed, position = [""], 0
    for token in _TOKEN.finditer(segment):
        if token.start() != position:
            return ""
        position = token.end()
        if token["stars"]:
            fixed.append("")
        else:
            fixed[-1] += _character(token)
    if position != len(segment):
        return ""
    if len(fixed) == 1:
        return fixed[0]
    begin = fixed[0] or "(?=[^/])"  # a star alone means some name
    return begin + "".join(f"(?>[^/]*?{part})" for part in fixed[1:-1]) + "[^/]*" + fixed[-1]


def _character(token: re.Match[str]) -> str:
    if token["any"]:
        return "[^/]"
    if token["members"]:
        return _set(token["members"], negated=bool(token["negated"]))
    return re.escape(token["escaped"] or token["plain"])


def _set(members: str, *, negated: bool) -> str:
    """The expression for what stands in square brackets; a `/` is never among it."""
    found = ""
    for member in _MEMBER.finditer(members):
        first, last = member["first"], member["last"]
        if member["named"]:
            if member["named"] not in _NAMED:
                return _NOTHING
            found += _NAMED[member["named"]]
        elif not last:
            found += re.escape(first)
        elif first <= last:
            found += f"{re.escape(first)}-{re.escape(last)}"
    if negated:
        return f"[^/{found}]"
    return f"(?!/)[{found}]" if found else _NOTHING
