"""`semsearch index`: brings an index up to date with a folder, and says what it did."""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from semsearch.cli.where import CARD, index_option, path_for, path_of
from semsearch.cli.which import which_of, which_options
from semsearch.errors import UsageError
from semsearch.show.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from io import BufferedReader

    from semsearch.diff import Changes
    from semsearch.index import Index
    from semsearch.sync import Progress, SyncReport
    from semsearch.types import Columns, Skip

_LINE_EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal."""

_FOREIGN, _FOREIGN_SHARE = 3, 0.1
"""How many articles, and which part of them, must be foreign to the model before it is worth a word."""

_UNREAD = "no reader for "


@click.command()
@click.argument("source", metavar="FOLDER|-")
@index_option
@click.option("--name", "called", metavar="NAME", help="Of standard input: mail.mbox is a mailbox.  [default: stdin]")
@click.option(
    "--model",
    envvar="SEMSEARCH_MODEL",
    metavar="ID|PATH",
    help="sentence-transformers model of a new index: a hub id or a local folder.  [default: all-MiniLM-L6-v2]",
)
@click.option("--overlap", type=click.IntRange(0), help="Sentences that passages share.  [default: 0]")
@click.option("--passage-tokens", type=click.IntRange(1), help="Most tokens of a passage.  [default: 126]")
@click.option("--runtime", metavar="NAME", help="onnx, openvino or openvino-bf16.  [default: the fastest here]")
@which_options
@click.option("--dry-run", is_flag=True, help="List what would change, and change nothing.")
@click.option("--rebuild", is_flag=True, help="Make the index anew beside the old one, and swap it in when whole.")
@click.option("--allow-empty", is_flag=True, help="Accept that the folder holds no article any more.")
@click.option("--watch", is_flag=True, help="Then go on: take in each change as it is saved, until Ctrl-C.")
@click.option("-v", "--verbose", is_flag=True, help="List also the files of kinds that are not read.")
def index(
    source: str,
    name: str | None,
    called: str | None,
    model: str | None,
    overlap: int | None,
    passage_tokens: int | None,
    runtime: str | None,
    *,
    dry_run: bool,
    rebuild: bool,
    allow_empty: bool,
    watch: bool,
    verbose: bool,
    **said: Any,
) -> None:
    """Make an index of the articles in FOLDER, or bring it up to date.

    Can be stopped at any moment and run again: it goes on from there. What did not change costs nothing. Hidden files,
    symbolic links and what .gitignore or .semsearchignore exclude are left out. `-` adds what comes on standard input,
    plain text unless NAME says otherwise, and replaces what had that name.
    """
    if dry_run and watch:
        raise click.UsageError("--dry-run looks once and changes nothing; leave out --watch")
    from semsearch.embed import runtimes  # noqa: PLC0415 - `semsearch --help` does without it

    click.get_current_context().with_resource(runtimes.using(runtime or ""))
    made: dict[str, Any] = {"overlap": overlap, "passage_tokens": passage_tokens}
    which = which_of(**said)
    if source == "-":
        if dry_run or rebuild or watch or which["include"] or which["exclude"]:
            raise click.UsageError("--dry-run, --rebuild, --watch, --include and --exclude are for folders")
        _index_input(called, name, model, made, which["columns"])
        return
    if called is not None:
        raise click.UsageError("--name is for standard input: semsearch index - --name NAME")
    accepted = {**which, "allow_empty": allow_empty}
    _index_folder(
        Path(source), name, model, made, accepted, dry_run=dry_run, rebuild=rebuild, watch=watch, verbose=verbose
    )


def _index_input(
    called: str | None, name: str | None, model: str | None, made: dict[str, Any], columns: Columns
) -> None:
    """Add what comes on standard input; an index that is named and not there is made."""
    from semsearch.index import Index  # noqa: PLC0415 - `semsearch --help` does without it

    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("standard input is a terminal; pipe an article into it, or name a folder")
    stream = cast("BufferedReader", sys.stdin.buffer)
    if not stream.peek(1):
        raise UsageError("standard input is empty, so there is nothing to add")
    path = path_of(name)
    with Index.make(path, model, **made) as opened:
        _summary(path, opened.add_file(stream, "stdin" if called is None else called, columns=columns), verbose=True)


def _index_folder(
    folder: Path,
    name: str | None,
    model: str | None,
    made: dict[str, Any],
    accepted: dict[str, Any],
    *,
    dry_run: bool,
    rebuild: bool,
    watch: bool,
    verbose: bool,
) -> None:
    from semsearch.index import Index  # noqa: PLC0415 - `semsearch --help` does without it
    from semsearch.sync import changes_for_new  # noqa: PLC0415 - the same

    path = path_for(folder, name)
    exists = (path / CARD).exists()
    if not exists or (dry_run and rebuild):
        # Looks at the folder before there is an index: a wrong name leaves nothing behind.
        changes = changes_for_new(folder, accepted["include"], accepted["exclude"])
    elif dry_run:
        with Index.make(path, model, **made) as opened:
            changes = opened.changes(folder, **accepted)
    if dry_run:
        _list(changes, verbose=verbose)
        if exists and rebuild:
            click.echo(safe(f"{path}: would be made anew"), err=True)
        return
    if rebuild and exists:
        with _progress() as progress:
            report = Index.rebuild(path, folder, model or "", **made, **accepted, progress=progress)
        _summary(path, report, verbose=verbose)
        if not watch:
            return
    with Index.make(path, model, **made) as opened:
        if not (rebuild and exists):
            with _progress() as progress:
                report = opened.sync(folder, **accepted, progress=progress)
            _summary(path, report, verbose=verbose)
        if watch:
            _watch(opened, folder, report, verbose=verbose)


def _watch(index: Index, folder: Path, first: SyncReport, *, verbose: bool) -> None:
    """A line for each run that changed something, and for each file that is passed over and was not before."""
    said = {(skip.path, skip.reason) for skip in first.skipped}
    click.echo(safe(f"watching {folder}; Ctrl-C ends it"), err=True)
    for report in index.watch(folder):
        new = [skip for skip in report.skipped if (skip.path, skip.reason) not in said]
        said = {(skip.path, skip.reason) for skip in report.skipped}
        _skips((skip for skip in new if verbose or not skip.reason.startswith(_UNREAD)), verbose=verbose)
        if report.added or report.changed or report.renamed or report.removed:
            click.echo(f"{time.strftime('%H:%M:%S')} {_counts(report)}", err=True)


def _list(changes: Changes, *, verbose: bool) -> None:
    """What a run would do, a line each: + new, ~ changed, > renamed, - removed."""
    for sign, paths in (("+", changes.added), ("~", changes.changed), ("-", changes.removed)):
        for path in paths:
            click.echo(f"{sign} {safe(path)}")
    for path, (old, _) in changes.renamed.items():
        click.echo(f"> {safe(old)} -> {safe(path)}")
    _skips(changes.skipped, verbose=verbose)
    counts = (
        f"{len(changes.added)} to add, {len(changes.changed)} changed, {len(changes.renamed)} renamed, "
        f"{len(changes.removed)} to remove, {changes.unchanged} unchanged, {len(changes.skipped)} skipped"
    )
    click.echo(f"dry run, nothing was changed: {counts}", err=True)


def _summary(path: Path, report: SyncReport, *, verbose: bool) -> None:
    _skips(report.skipped, verbose=verbose)
    place = safe(str(path))
    if report.added or report.changed or report.renamed or report.removed:
        click.echo(f"{place}: {_counts(report)}, {report.unchanged} unchanged, {len(report.skipped)} skipped", err=True)
    else:
        click.echo(
            f"{place}: up to date, {report.unchanged} documents unchanged, {len(report.skipped)} skipped",
            err=True,
        )
    if report.kept:
        click.echo(f"{report.kept} documents stay as they were, because their files cannot be read now", err=True)
    if len(report.foreign) >= _FOREIGN and report.foreign_share >= _FOREIGN_SHARE:
        _say_foreign(report)
    if report.encoded:
        rate = f"in {report.seconds:.1f} s ({report.encoded / report.seconds:.0f} passages/s)"
        click.echo(f"{report.passages} passages stored, {report.encoded} of them embedded {rate}", err=True)
    else:
        click.echo(f"{report.passages} passages stored, nothing had to be embedded", err=True)


def _counts(report: SyncReport) -> str:
    return f"{report.added} added, {report.changed} changed, {report.renamed} renamed, {report.removed} removed"


def _say_foreign(report: SyncReport) -> None:
    """That a good part of the articles is in languages that the model does not know, in which, and what to do."""
    from semsearch.config import MULTILINGUAL, languages_of  # noqa: PLC0415 - `semsearch --help` does without it
    from semsearch.language import name_of  # noqa: PLC0415 - the same

    found = sorted(Counter(report.foreign).items(), key=lambda item: (-item[1], item[0]))
    # A model that is known to know none of them, which may be the index's own, is no help.
    known = {model: languages_of(model) for model in MULTILINGUAL}
    models = [model for model, tags in known.items() if tags is None or not tags.isdisjoint(report.foreign)]
    languages = ", ".join(f"{number} {name_of(tag) or 'other'}" for tag, number in found)
    click.echo(
        safe(
            f"{len(report.foreign)} articles in languages that the model does not know ({languages}): found by their "
            f"words; to find them by meaning, --rebuild with --model {' or '.join(models)}"
        ),
        err=True,
    )


def _skips(skips: Iterable[Skip], *, verbose: bool) -> None:
    """A line for each file that was passed over; kinds that are not read are counted unless `verbose`."""
    kinds: Counter[str] = Counter()
    for skip in skips:
        if skip.reason.startswith(_UNREAD) and not verbose:
            kinds[skip.reason] += 1
        else:
            click.echo(safe(f"skipped {skip.path}: {skip.reason}"), err=True)
    for reason, number in sorted(kinds.items()):
        files = "file" if number == 1 else "files"
        click.echo(safe(f"skipped {number} {files}: {reason} (-v lists them)"), err=True)


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """What shows how far a run has come: a bar on a terminal, else a line now and then, both on standard error."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task, begun = bar.add_task("looking for changes", total=None), time.monotonic()

        def show(progress: Progress) -> None:
            bar.update(task, total=progress.of_size, completed=progress.size, description=_said(progress, begun))

        yield show


def _lines() -> Callable[[Progress], None]:
    begun = last = time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _LINE_EVERY:
            last = now
            left = (now - begun) / max(progress.size, 1) * (progress.of_size - progress.size)
            click.echo(f"{_said(progress, begun)}, {left:.0f} s left", err=True)

    return show


def _said(progress: Progress, begun: float) -> str:
    rate = progress.passages / max(time.monotonic() - begun, 1e-9)
    return f"{progress.files} of {progress.of_files} files, {progress.passages} passages, {rate:.0f} passages/s"
