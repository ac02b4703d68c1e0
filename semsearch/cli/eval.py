"""`semsearch eval`: measures a search on judged queries; parses, calls `evaluate`, prints."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from semsearch.cli.where import path_of
from semsearch.errors import UsageError
from semsearch.show.text import safe

if TYPE_CHECKING:
    from semsearch.evaluate import Evaluation


@click.command("eval")
@click.argument("collection", metavar="DIR|FILE", type=click.Path(path_type=Path))
@click.option(
    "-i",
    "--index",
    "name",
    metavar="NAME|PATH",
    envvar="SEMSEARCH_INDEX",
    help="For a FILE: the index to search, as in `search`. For a DIR: where its index is or will be, "
    "otherwise the user's cache.",
)
@click.option("--model", envvar="SEMSEARCH_MODEL", metavar="ID|PATH", help="Model of a new index for a DIR.")
@click.option("--split", metavar="NAME", help="Judgements of a DIR: qrels/NAME.tsv.  [default: test, or the only one]")
@click.option(
    "--setting",
    "settings",
    metavar="MODE[,NAME=VALUE]…",
    multiple=True,
    help="What to measure: a mode, and arguments of `Index.search`; can be repeated.  "
    "[default: dense, lexical, hybrid]",
)
@click.option(
    "--against",
    metavar="SETTING|JSON",
    help="Compare each setting with this one, or with a file that --format json gave for the same queries.",
)
@click.option(
    "-f",
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A table, or JSON with the values of every query.",
)
@click.option(
    "--rebuild", is_flag=True, help="Make the index of a DIR in the user's cache anew, after a change of semsearch."
)
@click.pass_context
def eval_(
    context: click.Context,
    collection: Path,
    name: str | None,
    model: str | None,
    split: str | None,
    settings: tuple[str, ...],
    against: str | None,
    format_: str,
    *,
    rebuild: bool,
) -> None:
    """Measure how well a search finds what judged queries should find.

    DIR is a collection in BEIR layout: corpus.jsonl, queries.jsonl, qrels/*.tsv. It is indexed once. FILE holds your
    own queries for an index you have, one a line, either of

    \b
    {"query": "gas storage", "relevant": ["energy.md", "nato.txt:0-120"]}
    gas storage<TAB>energy.md<TAB>nato.txt:0-120

    where START-END are code points as in the JSON of a hit, and {"energy.md": 2, "nato.txt": 1} gives grades.

    nDCG@10 (linear gain), MRR@10, recall@10 and recall@100, each with its 95 % bootstrap interval. A document ranks by
    its best passage: 300 passages are asked for, and more until they come from 100 documents. Copies of an article are
    not folded, since each may be judged; a setting with collapse=true folds them. --against adds the difference in
    nDCG@10, its interval and the p of a paired randomisation test.
    """  # noqa: D301 - click's mark for lines that are not to be joined
    # What a search says of one query would be said hundreds of times.
    logging.getLogger("semsearch").setLevel(logging.WARNING)
    from semsearch.evaluate import DEFAULTS, as_json, as_table, evaluate  # noqa: PLC0415 - `--help` does without numpy

    if not collection.exists():
        raise UsageError(f"{collection}: there is no such folder or file")
    inherited = context.get_parameter_source("name") is ParameterSource.ENVIRONMENT
    index, own = None, not collection.is_dir()
    if own or (name and not inherited):
        index = path_of(name)  # $SEMSEARCH_INDEX is the index of a person's articles, and no place for a collection
    if own and context.get_parameter_source("model") is ParameterSource.ENVIRONMENT:
        model = None
    found = evaluate(
        collection,
        settings=settings or DEFAULTS,
        against=_other(against),
        index=index,
        model=model,
        split=split,
        rebuild=rebuild,
    )
    for note in found.notes:
        click.echo(safe(f"warning: {note}"), err=True)
    for line in [as_json(found)] if format_ == "json" else as_table(found):
        click.echo(safe(line))


def _other(against: str | None) -> str | Evaluation | None:
    """What to compare with: a setting by its mode, anything else is a file."""
    from semsearch.evaluate import from_json  # noqa: PLC0415 - as above
    from semsearch.search import MODES  # noqa: PLC0415 - the same

    if against is None or against.partition(",")[0] in MODES:
        return against
    try:
        return from_json(Path(against).read_text(encoding="utf-8"), against)
    except OSError as error:
        raise UsageError(f"{against}: is neither a setting nor a file that can be read: {error.strerror}") from error
