"""`semsearch repair`: mends a damaged index from what is sound in it, and says what is left to do."""

from __future__ import annotations

import click

from semsearch.cli.where import index_option, path_of
from semsearch.show.text import safe

_SHOWN = 20


@click.command()
@index_option
def repair(name: str | None) -> None:
    """Mend a damaged index from what is sound in it, without embedding anything.

    What is derived is made anew; what cannot be used is moved into a folder of the index named damaged-TIME, never
    deleted. Documents whose vectors or texts are lost are embedded again by the next `semsearch index`, and no others.
    """
    from semsearch.index import Index  # noqa: PLC0415 - `semsearch --help` does without it

    path = path_of(name)
    report = Index.repair(path)
    for line in report.done:
        click.echo(safe(line))
    _list("could not be kept", report.lost)
    _list("has to be embedded again", report.again)
    if report.aside:
        click.echo(safe(f"what could not be used is in {report.aside}"), err=True)
    if report.lost or report.again:
        click.echo("run `semsearch index FOLDER` for each folder of articles, which embeds what is lacking", err=True)
    if not report.done:
        click.echo(safe(f"{path}: nothing had to be mended"), err=True)


def _list(what: str, paths: tuple[str, ...]) -> None:
    for path in paths[:_SHOWN]:
        click.echo(safe(f"{path}: {what}"))
    if len(paths) > _SHOWN:
        click.echo(f"and {len(paths) - _SHOWN} more: {what}")
