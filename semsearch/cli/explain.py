"""`semsearch explain`: why a document is or is not among the hits of a search; it changes nothing."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING, Any

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
from semsearch.show.text import as_json_text, place, safe, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from semsearch.explain import Explanation

NOT_FOUND = 1
_INDENT = "    "
_WIDTH = 100


@click.command()
@click.argument("query")
@click.argument("document", metavar="PATH")
@click.option("-k", "--hits", "k", type=click.IntRange(1), default=5, show_default=True, help="Hits at most.")
@mode_option
@click.option(
    "-f", "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="How it is shown.",
)  # fmt: skip
@collapse_option
@rerank_option
@relevance_option
@filter_options
@index_option
def explain(
    query: str,
    document: str,
    k: int,
    mode: Any,
    format_: str,
    name: str | None,
    rerank: str | None,
    min_relevance: float | None,
    *,
    collapse: bool,
    **filters: Any,
) -> int:
    """Say why the document PATH is, or is not, among the hits that `semsearch search` shows for QUERY.

    PATH is a file, from here or from a folder of the index, or the name of a document that never was a file;
    PATH#page=3 is a page of it. Give the same options as to the search. Exit status 1 when the document is not among
    the hits.
    """
    query = os.fsencode(query).decode("utf-8", "replace")
    with open_index(name) as index:
        why = index.explain(
            query,
            document,
            k=k,
            mode=mode,
            filter=filter_of(**filters),
            collapse=collapse,
            rerank=rerank,
            min_relevance=min_relevance or 0.0,
        )
    if format_ == "json":
        click.echo(as_json_text({"query": query, "mode": mode, **_fields(why)}, indent=2))
    else:
        for line in _lines(why, os.getcwd()):  # noqa: PTH109 - as the shell names it
            click.echo(safe(line))
    return 0 if why.cause == "found" else NOT_FOUND


def _fields(why: Explanation) -> dict[str, Any]:
    from semsearch.show.data import hit_fields  # noqa: PLC0415 - `semsearch --help` does without it

    return {
        "path": why.path,
        "cause": why.cause,
        "message": why.message,
        "rank": why.rank,
        "ranks": {part: {"passage": rank.passage, "document": rank.document} for part, rank in why.ranks.items()},
        "stale": why.stale,
        "best": hit_fields(why.best) if why.best else None,
        "into": hit_fields(why.into) if why.into else None,
    }


def _lines(why: Explanation, folder: str) -> Iterator[str]:
    yield f"{shown_path(why.path, folder)}: {why.message}"
    for part, rank in why.ranks.items():
        yield f"{_INDENT}{part:8} passage {rank.passage:,}, document {rank.document:,}"
    if why.best is None:
        return
    scores = (f"{part} {'-' if score is None else f'{score:.4f}'}" for part, score in why.best.scores.items())
    relevance = "uncalibrated" if why.best.relevance is None else f"relevance {why.best.relevance:.3f}"
    yield f"{_INDENT}best     {place(why.best, folder)}, {relevance}, score {why.best.score:.4f}, {', '.join(scores)}"
    yield from textwrap.wrap(" ".join(why.best.text.split()), _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)
