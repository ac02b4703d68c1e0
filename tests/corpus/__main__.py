"""Prints how well each kind of file of the corpus is read: `python -m tests.corpus`; `-v` names what falls short."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from statistics import mean

import click

from tests.corpus.packages import unfetched
from tests.corpus.truth import Measured, files, measure


def share(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{mean(known):.3f} | {len(known)}" if known else "- | 0"


def row(kind: str, of_kind: list[Measured]) -> str:
    shares = ([getattr(each, name) for each in of_kind] for name in ("recall", "boilerplate", "title", "date"))
    return f"| {kind} | {len(of_kind)} | {' | '.join(map(share, shares))} |"


def main() -> None:
    for name, why in unfetched().items():
        click.echo(f"without {name}: {why}", err=True)
    every = [measure(file) for file in files() if file.package not in unfetched()]
    if "-v" in sys.argv:
        for each in every:
            is_good = (each.recall or 1) >= 0.98 and (each.boilerplate or 0) <= 0.02
            if not is_good or each.title is False or each.date is False or each.lost:
                click.echo(each)
    click.echo("| kind | files | recall | of | boilerplate | of | title | of | date | of |\n" + "|---" * 10 + "|")
    for kind in sorted({each.file.kind for each in every}):
        click.echo(row(kind, [each for each in every if each.file.kind == kind]))
    click.echo(row("all", every))


if __name__ == "__main__":
    main()
