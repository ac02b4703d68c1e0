"""Shows answers to a person: title, place and passage, with the words of the query marked; knows no terminal."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from semsearch.query import parse
from semsearch.show.answer import Answer, Look
from semsearch.terms import query_terms, spans
from semsearch.types import Hit

_BOLD, _DIM, _MARK, _PLACE, _WARN, _OFF = (
    "\x1b[1m",
    "\x1b[2m",
    "\x1b[1;33m",
    "\x1b[36m",
    "\x1b[31m",
    "\x1b[0m",
)
_INDENT = "    "
_COPIES_SHOWN = 3

# What a terminal would obey instead of showing: C0 and C1 controls and the marks that turn the direction of text.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def as_text(answers: Iterable[Answer], look: Look) -> Iterator[str]:
    """Lines for a person to read."""
    for answer in answers:
        if look.many:
            yield _styled(safe(f"# {answer.query}"), _BOLD, look)
            yield ""
        wanted = frozenset(query_terms(parse(answer.query).text))
        for hit in answer.hits:
            yield from _hit(hit, wanted, look)
            yield ""


def place(hit: Hit, folder: str = "") -> str:
    """Where a hit stands, `path:line`, `path#page=3` or `path`; relative to `folder` where it lies below it."""
    within = f":{hit.line}" if hit.line else f"#page={hit.page}" if hit.page else ""
    return shown_path(hit.path, folder) + within


def shown_path(path: str, folder: str) -> str:
    """A path relative to a folder where it lies below it."""
    if folder and Path(path).is_relative_to(folder):
        return str(Path(path).relative_to(folder))
    return path


def safe(text: str) -> str:
    """The text without what a terminal would obey."""
    return _UNSAFE.sub("\ufffd", text)


def as_json_text(value: Any, indent: int | None = None) -> str:
    """JSON that is readable, and in which what a terminal would obey is escaped; it says the same."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False, indent=indent))


def _hit(hit: Hit, wanted: frozenset[str], look: Look) -> Iterator[str]:
    title = safe(" ".join(hit.title.split()) or Path(hit.path).name)
    yield f"{hit.rank:2d}. {_styled(title, _BOLD, look)}  {_styled(_rating(hit), _DIM, look)}"
    details = " · ".join(safe(part) for part in (hit.date[:10], hit.heading) if part)
    where = _styled(safe(place(hit, look.folder)), _PLACE, look)
    yield f"{_INDENT}{where}{f' · {details}' if details else ''}"
    if hit.copies:
        yield _INDENT + _styled(safe(_also(hit, look.folder)), _DIM, look)
    if hit.stale:
        yield _INDENT + _styled("the file has changed since it was indexed", _WARN, look)
    if look.explain:
        yield _INDENT + _styled(_parts(hit), _DIM, look)
    for line in textwrap.wrap(safe(" ".join(hit.text.split())), max(look.width - len(_INDENT), 20)):
        yield _INDENT + (_marked(line, wanted) if look.color else line)


def _rating(hit: Hit) -> str:
    """The relevance where it is known, else the score."""
    return f"{hit.score:.3f}" if hit.relevance is None else f"{hit.relevance:.0%}"


def _also(hit: Hit, folder: str) -> str:
    """Where else the story stands."""
    named = [copy.source or shown_path(copy.path, folder) for copy in hit.copies]
    more = f" and {len(named) - _COPIES_SHOWN} more" if len(named) > _COPIES_SHOWN else ""
    first = f", first on {hit.first_date[:10]}" if hit.first_date and hit.first_date != hit.date else ""
    return f"also in {', '.join(named[:_COPIES_SHOWN])}{more}{first}"


def _parts(hit: Hit) -> str:
    scores = [f"{name} {'-' if score is None else f'{score:.4f}'}" for name, score in hit.scores.items()]
    relevance = "uncalibrated" if hit.relevance is None else f"relevance {hit.relevance:.3f}"
    return ", ".join(
        [
            relevance,
            f"score {hit.score:.4f}",
            *scores,
            f"code points {hit.start}-{hit.end}",
            f"document {hit.document_id}",
            f"SHA-256 {hit.digest[:12]}",
        ]
    )


def _marked(line: str, wanted: frozenset[str]) -> str:
    pieces, at = [], 0
    for start, end in spans(line, wanted):
        pieces += [line[at:start], _MARK, line[start:end], _OFF]
        at = end
    return "".join([*pieces, line[at:]])


def _styled(text: str, style: str, look: Look) -> str:
    return f"{style}{text}{_OFF}" if look.color else text
