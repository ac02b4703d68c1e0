"""`Filter`: says which documents a search may look at, by what is known about them; reads no text and no index.

Conditions of different kinds must all hold; of several values of one kind any may match. Words are compared folded, so
that "Karadzic" finds "Karadžić".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from semsearch.address import apart, file_of
from semsearch.errors import UsageError
from semsearch.language import SERBO_CROATIAN
from semsearch.terms import fold

_BOUND = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
_DAY_FIRST = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")
_TAG = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8})*")
_CONDITION = re.compile(r"(?P<field>[^=]*?)(?P<sign>!?=)(?P<value>.*)", re.DOTALL)
_OPTIONS = {"language": "--lang"}

ONE_LANGUAGE = SERBO_CROATIAN | {"srp", "bos", "hrv", "hbs"}
"""Serbian, Bosnian, Croatian and Montenegrin: whoever looks for one of them reads the others."""


class Described(Protocol):
    """What a filter looks at: the facts of a document, as the catalog lists them."""

    @property
    def root(self) -> str:
        """The folder of articles, "" for a document that never was a file."""

    @property
    def path(self) -> str:
        """The path below it."""

    @property
    def date(self) -> str:
        """ISO 8601 date or date and time, "" for none."""

    @property
    def author(self) -> str:
        """Who wrote it."""

    @property
    def source(self) -> str:
        """Who published it."""

    @property
    def language(self) -> str:
        """A language tag, "" for none."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The fields of the front matter."""


Test: TypeAlias = Callable[[Described], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents a search may look at. An empty filter, which is false, admits all of them.

    Every argument but the dates takes one value, or several of which any may match.

    Args:
        since: a day, month or year, "2025-01-31", "2025-01" or "2025": its first day and all later ones. A document's
            day is the one that it states, in its own time zone; one without a date lies in no span of time.
        until: the same: its last day and all earlier ones.
        source: part of the source's name, in any case, with or without accents.
        author: part of the author's name, likewise.
        language: a language tag: "sr" admits "sr-Latn" too. Serbian, Bosnian and Croatian are one language.
        path: a pattern in the language of .gitignore, below the folder of articles: "reports/", "2025-*.md", "a/**/b".
            One that begins with "/" may also be an absolute path. What a folder holds matches with it. At its
            end, `#page=3` means the passages that are on that page, if only in part.
        where: "field=value" or "field!=value" for a field of the front matter, "a.b" for a field within a field. A list
            matches where one of its values does; a field that is missing is "". Of several conditions those on one
            field are alternatives, and those on different fields, and every "!=", must all hold.

    Raises:
        UsageError: a value says nothing that could match.
    """

    since: str = ""
    until: str = ""
    source: str | Sequence[str] = ()
    author: str | Sequence[str] = ()
    language: str | Sequence[str] = ()
    path: str | Sequence[str] = ()
    where: str | Sequence[str] = ()

    def __post_init__(self) -> None:
        for field in fields(self)[2:]:
            object.__setattr__(self, field.name, _values_of(field.name, getattr(self, field.name)))
        _tests(self)

    def __bool__(self) -> bool:
        return bool(_tests(self))

    def matches(self, document: Described) -> bool:
        """Whether the filter admits a document."""
        return self.test()(document)

    def test(self) -> Test:
        """The same as a function: faster where many documents are asked about."""
        tests = [test for _, test in _tests(self)]
        if len(tests) == 1:
            return tests[0]
        return lambda document: all(test(document) for test in tests)

    def pages(self) -> Callable[[Described], Collection[int] | None] | None:
        """What says of a document that the filter admits on which pages of it to look, None for all; None for no such.

        A path that ends in `#page=3` means that page.
        """
        paged = [(found[0], found[1]) for found in map(apart, self.path) if found[1]]
        if not paged:
            return None
        whole = [_of_paths("path", (value,)) for value in self.path]
        parts = [(_of_paths("path", (value,)), page) for value, page in paged]

        def of(document: Described) -> Collection[int] | None:
            if any(test(document) for test in whole):
                return None
            return {page for test, page in parts if test(document)}

        return of

    def refusals(self, document: Described) -> list[str]:
        """The conditions that a document does not meet, as they are written on the command line."""
        return [condition for condition, test in _tests(self) if not test(document)]


def _values_of(name: str, given: str | Iterable[str]) -> tuple[str, ...]:
    values = (given,) if isinstance(given, str) else tuple(given)
    if any(not isinstance(value, str) or not value.strip() for value in values):
        raise UsageError(f"{_option(name)}: holds an empty value; leave it out, or say what to look for")
    return values


def _option(name: str, values: Sequence[str] = ()) -> str:
    option = _OPTIONS.get(name, f"--{name}")
    return " ".join(f"{option} {value}" for value in values) if values else option


@lru_cache(maxsize=64)
def _tests(given: Filter) -> tuple[tuple[str, Test], ...]:
    """Each condition as it is written on the command line, and its test."""
    found = [(_option(name, [bound]), test) for name, bound, test in _spans(given)]
    makers = {"source": _of_names, "author": _of_names, "language": _of_languages, "path": _of_paths_and_pages}
    for name, maker in makers.items():
        if values := tuple(getattr(given, name)):
            found.append((_option(name, values), maker(name, values)))
    return (*found, *_conditions(tuple(given.where)))


def _spans(given: Filter) -> Iterator[tuple[str, str, Test]]:
    since, until = _bound("since", given.since), _bound("until", given.until)
    # Dates compare as strings, and a bound with as much of the date as it states: "2025-01" holds the whole month.
    if since and until and since[: len(until)] > until[: len(since)]:
        raise UsageError(f"--since {since} is after --until {until}, so nothing lies between; swap them")
    if since:
        yield "since", since, lambda document: since <= _day(document.date)[: len(since)]
    if until:
        yield "until", until, lambda document: "" < _day(document.date)[: len(until)] <= until


def _bound(name: str, stated: str) -> str:
    if stated and not (isinstance(stated, str) and _BOUND.fullmatch(stated) and _is_day(stated)):
        raise UsageError(f"--{name} {stated}: is no date; give a year, a month or a day: 2025, 2025-01 or 2025-01-31")
    return stated


def _is_day(stated: str) -> bool:
    try:
        return bool(date.fromisoformat(stated + "-01-01"[len(stated) - len("2025") :]))
    except ValueError:
        return False


def _day(stated: str) -> str:
    """The day of a document's date as it states it, YYYY-MM-DD; "" where it has none."""
    if _DAY_FIRST.match(stated) or not stated:
        return stated[:10]
    try:
        return datetime.fromisoformat(stated).date().isoformat()  # ISO 8601 without hyphens, or by weeks
    except ValueError:
        return ""


def _of_names(name: str, values: tuple[str, ...]) -> Test:
    wanted = [folded(value) for value in values]
    return lambda document: any(part in folded(getattr(document, name)) for part in wanted)


def _of_languages(_: str, values: tuple[str, ...]) -> Test:
    wanted = {_tag(value) for value in values}
    if odd := [value for value in values if not _TAG.fullmatch(_tag(value))]:
        raise UsageError(f"--lang {odd[0]}: is no language; give a tag such as en, sr or pt-BR")
    if wanted & ONE_LANGUAGE:
        wanted |= ONE_LANGUAGE
    starts = tuple(f"{tag}-" for tag in wanted)
    return lambda document: f"{_tag(document.language)}-".startswith(starts)


def _tag(stated: str) -> str:
    return stated.strip().lower().replace("_", "-")


def _of_paths_and_pages(name: str, values: tuple[str, ...]) -> Test:
    return _of_paths(name, (*values, *(path for path, page in map(apart, values) if page)))


def _of_paths(_: str, values: tuple[str, ...]) -> Test:
    below = [_pattern(value) for value in values]
    absolute = [pattern for value, pattern in zip(values, below, strict=True) if value.startswith("/")]

    def test(document: Described) -> bool:
        whole = f"{document.root}/{document.path}".lstrip("/")
        return _is_meant(document.path, below) or bool(document.root and absolute and _is_meant(whole, absolute))

    return test


def _pattern(value: str) -> re.Pattern[str]:
    from semsearch.read.ignore import rule  # noqa: PLC0415 - a search without --path does without it

    if value.startswith("!"):
        raise UsageError(f"--path {value}: says where not to look; name what to look at, or write \\! for the sign")
    found = rule("\\#" + value[1:] if value.startswith("#") else value.removeprefix("./"))
    if found is None:
        raise UsageError(f"--path {value}: matches no path; write it as in a .gitignore, as reports/ or 2025-*.md")
    return found[0]


def _is_meant(path: str, patterns: Sequence[re.Pattern[str]]) -> bool:
    """Whether a pattern means a path, the file in which that stands, or a folder above it."""
    parts = path.split("/")
    entries = [path, file_of(path), *("/".join(parts[:i]) + "/" for i in range(1, len(parts)))]
    return any(pattern.match(entry) for pattern in patterns for entry in entries)


def _conditions(values: tuple[str, ...]) -> Iterator[tuple[str, Test]]:
    alternatives: dict[str, dict[str, str]] = {}
    for value in values:
        parsed = _CONDITION.fullmatch(value)
        if parsed is None or not parsed["field"].strip():
            raise UsageError(f"--where {value}: is no condition; write field=value or field!=value")
        field, wanted = parsed["field"].strip().casefold(), folded(parsed["value"])
        if parsed["sign"] == "=":
            alternatives.setdefault(field, {})[wanted] = value
        else:
            yield _option("where", [value]), _differs(field, wanted)
    for field, each in alternatives.items():
        yield _option("where", tuple(each.values())), _equals(field, frozenset(each))


def _equals(field: str, wanted: frozenset[str]) -> Test:
    return lambda document: any(text in wanted for text in _texts(document.metadata, field))


def _differs(field: str, unwanted: str) -> Test:
    return lambda document: unwanted not in _texts(document.metadata, field)


def _texts(metadata: Mapping[str, Any], field: str) -> list[str]:
    """The folded texts of a field; one "" where it is missing, null or an empty list."""
    plain = metadata.get(field)  # a name that is written just so comes first, and is found at once
    if isinstance(plain, str):
        return [folded(plain)]
    found = _found(metadata, field) if plain is None else _found(plain, "")
    return [folded(text) for text in found] or [""]


def _found(value: object, field: str) -> Iterator[str]:
    """The texts that a field has below a value: a name may hold dots itself, and a list stands for all it holds."""
    if isinstance(value, list | tuple):
        for inner in value:
            yield from _found(inner, field)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            name = key.casefold()
            if field and field == name:
                yield from _found(inner, "")
            elif field.startswith(name + "."):
                yield from _found(inner, field[len(name) + 1 :])
    elif not field and value is not None:
        yield str(value).lower() if isinstance(value, bool) else str(value)


@lru_cache(maxsize=1 << 14)
def folded(text: str) -> str:
    """A text as it is compared: folded as words are, with one space wherever there is some."""
    plain = " ".join(text.split())
    # Sign by sign, since a word that is folded at once is cut at the length of a term.
    return plain.lower() if plain.isascii() else "".join(map(fold, plain))
