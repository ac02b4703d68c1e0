"""`semsearch status`, `list`, `verify`, `export` and `completion`: what an index is and holds; they change none."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

from semsearch.cli.where import index_option, open_index
from semsearch.show.text import as_json_text, safe, shown_path

if TYPE_CHECKING:
    from semsearch.searcher import Status

WRONG = 2


@click.command()
@index_option
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def status(name: str | None, *, as_json: bool) -> None:
    """Show what the index is and holds."""
    with open_index(name) as index:
        now = index.status()
    if as_json:
        click.echo(as_json_text(asdict(now), indent=2))
        return
    config = now.config
    rows = {
        "index": shown_path(now.path, str(Path.cwd())),
        "folders": ", ".join(now.folders) or "none",
        "documents": f"{now.documents:,}",
        "passages": f"{now.passages:,}, {now.tokens / max(now.passages, 1):.0f} tokens on average",
        "truncated": f"{now.truncated} passages are longer than {config.limit} tokens",
        "model": f"{config.model} ({config.fingerprint[:12]}), {config.dimension} dimensions, {config.similarity}",
        "runtime": _runtime(now),
        "overlap": f"{config.overlap} sentences",
        "size": f"{now.size / 1e6:.1f} MB in {now.segments} segments",
        "changed": f"{now.synced or 'never'} (generation {now.generation})",
    }
    for label, value in rows.items():
        click.echo(f"{label:10} {safe(value)}")


def _runtime(now: Status) -> str:
    if not now.runtime:
        return "chosen by the model, when it is prepared here"
    return f"{now.runtime} for documents, {now.query_runtime} for queries"


@click.command("list")
@index_option
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line.")
def list_(name: str | None, *, as_json: bool) -> None:
    """List the documents of the index: path, date and title, a line each."""
    with open_index(name) as index:
        documents = index.documents()
    folder = str(Path.cwd())
    for document in documents:
        if as_json:
            click.echo(as_json_text({**asdict(document), "path": document.location}))
        else:
            parts = (shown_path(document.location, folder), document.date, document.title)
            click.echo("\t".join(safe(" ".join(part.split())) for part in parts))


@click.command()
@index_option
@click.option("--deep", is_flag=True, help="Also work out anew what is derived from texts and vectors, and compare.")
def verify(name: str | None, *, deep: bool) -> int:
    """Check that the index is whole: checksums, texts, vectors, copies. Exit status 2 when it is not."""
    with open_index(name) as index:
        complaints = index.verify(deep=deep)
        documents = 0 if complaints else len(index.documents())
    for complaint in complaints:
        click.echo(safe(complaint))
    if complaints:
        click.echo(
            "the index is damaged: `semsearch repair` mends it from what is sound, and what that cannot mend, "
            "`semsearch index FOLDER --rebuild` makes anew",
            err=True,
        )
        return WRONG
    click.echo(f"{documents} documents, all is well", err=True)
    return 0


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@index_option
def export(folder: Path, name: str | None) -> None:
    """Write passages and vectors into a new FOLDER.

    passages.jsonl has a passage a line, vectors.npy a row for each, in the same order.
    """
    with open_index(name) as index:
        number = index.export(folder)
    click.echo(f"{folder}: {number} passages and their vectors", err=True)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    For bash, put into ~/.bashrc:

    \b
    eval "$(semsearch completion bash)"
    """  # noqa: D301 - click's mark for lines that are not to be joined
    from semsearch.cli import cli  # noqa: PLC0415 - it imports this file

    made = get_completion_class(shell)
    if made is not None:
        click.echo(made(cli, {}, "semsearch", "_SEMSEARCH_COMPLETE").source())
