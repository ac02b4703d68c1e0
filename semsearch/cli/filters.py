"""The options that commands which search have in common, and the `Filter` that some of them make; searches nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from semsearch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from semsearch.filters import Filter

_Function = TypeVar("_Function", bound="Callable[..., Any]")

_OPTIONS = (
    click.option("--since", metavar="DATE", help="Documents from this day, month or year on: 2025-01-31, 2025."),
    click.option("--until", metavar="DATE", help="Documents up to the end of this day, month or year."),
    click.option("--source", metavar="NAME", multiple=True, help="Documents of a source whose name holds this."),
    click.option("--author", metavar="NAME", multiple=True, help="Documents of an author whose name holds this."),
    click.option(
        "--lang", "language", metavar="TAG", multiple=True, help="Documents in this language: en, sr (also bs, hr)."
    ),
    click.option(
        "--path",
        metavar="PATTERN",
        multiple=True,
        help="Files that this means as in a .gitignore: reports/, *.md; x.pdf#page=3.",
    ),
    click.option(
        "--where",
        metavar="FIELD=VALUE",
        multiple=True,
        help="Documents whose front matter says so; FIELD!=VALUE: does not say so.",
    ),
)


mode_option = click.option(
    "--mode",
    type=click.Choice(["hybrid", "dense", "lexical"]),
    default="hybrid",
    show_default=True,
    envvar="SEMSEARCH_MODE",
    help="By meaning (dense), by words (lexical) or both.",
)
collapse_option = click.option(
    "--collapse/--no-collapse", default=True, show_default=True, help="Fold copies of one story into the best of them."
)
rerank_option = click.option("--rerank", metavar="MODEL", help="A cross-encoder that reads the best passages again.")
relevance_option = click.option(
    "--min-relevance",
    type=click.FloatRange(0, 1),
    help="Leave out hits below it; by default, where all of them are unlikely to answer, that is said.",
)


def filter_options(function: _Function) -> _Function:
    """--since, --until, --source, --author, --lang, --path and --where; all but the first two may be repeated.

    They reach the command as `since`, `until`, `source`, `author`, `language`, `path` and `where`, for `filter_of`.
    """
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def filter_of(**values: Any) -> Filter | None:
    """What the options of `filter_options` say, None where none is given.

    Raises:
        UsageError: one of them says nothing that could match.
    """
    given = {name: value for name, value in values.items() if value is not None and value != ()}
    if not given:
        return None
    if empty := [name for name, value in given.items() if value == ""]:
        raise UsageError(f"--{empty[0]}: is empty; leave it out, or give a date")
    from semsearch.filters import Filter  # noqa: PLC0415 - a search without a filter does without it

    return Filter(**given)
