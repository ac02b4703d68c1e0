"""The options that say which files of a folder are read, and how tables among them are; reads none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from semsearch.types import Columns

if TYPE_CHECKING:
    from collections.abc import Callable

_Function = TypeVar("_Function", bound="Callable[..., Any]")

_OPTIONS = (
    click.option("--include", multiple=True, metavar="PATTERN", help="Read only files that match (as in .gitignore)."),
    click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out files that match (as in .gitignore)."),
    click.option("--text-field", metavar="NAME", default="", help="The field of a table that is the text."),
    click.option("--id-field", metavar="NAME", default="", help="The one that names a row.  [default: its number]"),
    click.option("--title-field", metavar="NAME", default="", help="The one that is its title."),
    click.option("--date-field", metavar="NAME", default="", help="The one that is its date."),
)


def which_options(function: _Function) -> _Function:
    """The options; they reach the command as keywords for `which_of`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def which_of(*, include: tuple[str, ...], exclude: tuple[str, ...], **fields: str) -> dict[str, Any]:
    """What they say, as the arguments of `Index.sync`."""
    columns = Columns(**{name.removesuffix("_field"): value for name, value in fields.items()})
    return {"include": include, "exclude": exclude, "columns": columns}
