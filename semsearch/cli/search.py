"""`semsearch search` and `semsearch similar`."""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import click

from semsearch.cli.filters import (
    collapse_option,
    filter_of,
    filter_options,
    mode_option,
    relevance_option,
    rerank_option,
)
from semsearch.cli.where import index_option, open_index
from semsearch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from semsearch.searcher import Searcher
    from semsearch.show import Answer
    from semsearch.types import Hit

NOTHING_FOUND = 1
_BARE = ("csv", "paths")
_NOTHING = "nothing in this index seems to answer that; nearest:"
_Function = TypeVar("_Function", bound="Callable[..., Any]")

# What follows the path in `similar FILE:START-END` and `similar FILE:LINE`.
_PLACE = re.compile(r"(?P<path>.+?)(?::(?:(?P<start>\d+)-(?P<end>\d+)|(?P<line>\d+)))?", re.DOTALL)


def _hit_options(function: _Function) -> _Function:
    options = [
        click.option("-k", "--hits", "k", type=click.IntRange(1), default=5, show_default=True, help="Hits at most."),
        click.option(
            "-f",
            "--format",
            "format_",
            type=click.Choice(["text", "json", "jsonl", "csv", "paths"]),
            default="text",
            show_default=True,
            envvar="SEMSEARCH_FORMAT",
            help="How hits are shown.",
        ),
        click.option("--explain", is_flag=True, help="Show the parts of each score and the exact span."),
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            show_default=True,
            help="Mark the words of the query; auto: on a terminal and without NO_COLOR.",
        ),
        collapse_option,
        filter_options,
        index_option,
    ]
    for option in reversed(options):
        function = option(function)
    return function


@click.command()
@click.argument("query", nargs=-1, required=True)
@mode_option
@rerank_option
@relevance_option
@click.option(
    "--recall",
    type=click.FloatRange(0, 1, min_open=True),
    help="Above 100,000 passages: how many of the nearest are to be found, in the mean; 1 compares all. Default 0.98.",
)
@_hit_options
def search(
    query: tuple[str, ...],
    mode: str,
    rerank: str | None,
    min_relevance: float | None,
    k: int,
    format_: str,
    color: str,
    name: str | None,
    *,
    recall: float | None,
    explain: bool,
    collapse: bool,
    **filters: Any,
) -> int:
    """Show the passages that best answer QUERY.

    QUERY may hold "quoted phrases", which each hit has, and -words, which none has; `-` reads queries from standard
    input, one a line. Exit status 1 when nothing was found, or nothing that seems to answer.
    """
    queries: Iterable[str] = _from_input() if query == ("-",) else [_printable(" ".join(query))]
    from semsearch.show import Answer  # noqa: PLC0415 - `semsearch --help` does without it

    with open_index(name) as index:
        known = _warned(queries, index.config.model, mode)
        wish: dict[str, Any] = {"k": k, "mode": mode, "filter": filter_of(**filters), "collapse": collapse}
        wish |= {"rerank": rerank, "min_relevance": min_relevance or 0.0}
        wish |= {} if recall is None else {"recall": recall}
        answers = (Answer(text, mode, index.search(text, **wish)) for text in known)
        calibration = index.calibration() if min_relevance is None and mode == "hybrid" else None
        least = calibration.least if calibration else 0.0
        return _show(answers, format_, color, explain=explain, many=query == ("-",), least=least)


@click.command()
@click.argument("place", metavar="FILE[:START-END|:LINE|#page=N]")
@_hit_options
def similar(
    place: str, k: int, format_: str, color: str, name: str | None, *, explain: bool, collapse: bool, **filters: Any
) -> int:
    """Show the passages most like a file or a part of it.

    START and END are code points as in the JSON of a hit, LINE is a line as in `path:line`. The file need not be in the
    index. Exit status 1 when nothing was found.
    """
    from semsearch.show import Answer  # noqa: PLC0415 - `semsearch --help` does without it

    with open_index(name) as index:
        answer = Answer(place, "dense", _like(index, place, k=k, filter=filter_of(**filters), collapse=collapse))
    return _show([answer], format_, color, explain=explain, many=False)


def _from_input() -> Iterator[str]:
    """The queries of standard input, read as they are asked for; that there is one is sure at once."""
    queries = _lines()
    first = next(queries, None)
    if first is None:
        raise UsageError("standard input holds no query; give one a line")
    return chain([first], queries)


def _lines() -> Iterator[str]:
    try:
        for line in sys.stdin or ():
            if line.strip():
                yield _printable(line.strip())
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not {error.encoding}; convert it, or set the locale") from error


def _printable(query: str) -> str:
    """A query without what stands for bytes that are no characters, which nothing could print again."""
    return query.encode(errors="replace").decode()


def _warned(queries: Iterable[str], model: str, mode: str) -> Iterator[str]:
    """The queries; says so, once, when one is in a script that the model does not know."""
    from semsearch.config import ENGLISH_ONLY  # noqa: PLC0415 - `semsearch --help` does without it
    from semsearch.language import is_latin  # noqa: PLC0415 - the same

    silent = model not in ENGLISH_ONLY or mode == "lexical"
    for query in queries:
        if not silent and not is_latin(query):
            silent = True
            click.echo(f"the model {model} knows English only: such a query finds by words, not by meaning", err=True)
        yield query


def _like(index: Searcher, place: str, **wish: Any) -> list[Hit]:
    """What is like a place; a document whose very name ends like one comes first."""
    path, span, line = parsed_place(place)
    if path != place:
        with suppress(UsageError):
            return index.similar(place, **wish)
    return index.similar(path, span=span, line=line, **wish)


def parsed_place(place: str) -> tuple[str, tuple[int, int] | None, int | None]:
    """Path, span and line of `FILE`, `FILE:START-END` or `FILE:LINE`; a file of that very name comes first."""
    match = _PLACE.fullmatch(place)
    if match is None or os.path.lexists(place):
        return place, None, None
    span = (int(match["start"]), int(match["end"])) if match["start"] else None
    return match["path"], span, int(match["line"]) if match["line"] else None


def answers_nothing(answer: Answer, least: float) -> bool:
    """Whether none of the hits is likely enough to answer, where that is known; one with all the words may be."""
    from semsearch.query import parse  # noqa: PLC0415 - `semsearch --help` does without it
    from semsearch.terms import query_terms, terms  # noqa: PLC0415 - the same

    asked = set(query_terms(parse(answer.query).text))
    return bool(answer.hits) and all(
        hit.relevance is not None
        and hit.relevance < least
        and not (asked and asked <= set(terms(f"{hit.title}\n{hit.heading}\n{hit.text}")))
        for hit in answer.hits
    )


def _show(answers: Iterable[Answer], format_: str, color: str, *, explain: bool, many: bool, least: float = 0.0) -> int:
    from semsearch.show import FORMATS, Look  # noqa: PLC0415 - `semsearch --help` does without it
    from semsearch.show.text import safe  # noqa: PLC0415 - the same

    terminal = sys.stdout.isatty()
    look = Look(
        width=min(shutil.get_terminal_size().columns, 100) if terminal else 100,
        color=color == "always" or (color == "auto" and terminal and not os.environ.get("NO_COLOR")),
        explain=explain,
        many=many,
        folder=os.getcwd(),  # noqa: PTH109 - as the shell names it
    )
    status = NOTHING_FOUND

    def noted() -> Iterator[Answer]:
        nonlocal status
        for answer in answers:
            if answers_nothing(answer, least):
                click.echo(f"{safe(answer.query)}: {_NOTHING}" if many else _NOTHING, err=True)
            elif answer.hits:
                status = 0
            yield answer

    # Programs get CSV and paths as they are. Text is safe anyway, but for colours that are ours, and so is JSON.
    shown = safe if terminal and format_ in _BARE else str
    for line in FORMATS[format_](noted(), look):
        click.echo(shown(line), color=True)
    return status
