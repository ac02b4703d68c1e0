"""The command line: parses, calls `Index`, prints; hits go to standard output, all else to standard error.

Exit status: 0 found or done, 1 nothing found, 2 an error (of `verify` also a damaged index), 130 interrupted.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import click

from semsearch import __version__
from semsearch.errors import SemsearchError
from semsearch.show.text import safe

_COMMANDS = {
    "index": "semsearch.cli.index:index",
    "search": "semsearch.cli.search:search",
    "similar": "semsearch.cli.search:similar",
    "explain": "semsearch.cli.explain:explain",
    "eval": "semsearch.cli.eval:eval_",
    "status": "semsearch.cli.inspect:status",
    "list": "semsearch.cli.inspect:list_",
    "verify": "semsearch.cli.inspect:verify",
    "repair": "semsearch.cli.repair:repair",
    "export": "semsearch.cli.inspect:export",
    "completion": "semsearch.cli.inspect:completion",
}

ERROR, INTERRUPTED = 2, 130

_COMPLETE = "_SEMSEARCH_COMPLETE"
_DEBUG = "--debug"
_DASH = 'Where that belongs to the query, put -- before the query: semsearch search -- "-5 degrees"'


class _Commands(click.Group):
    """Loads a command when it is named; the order of the list is that of the work."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="semsearch")
@click.option(_DEBUG, is_flag=True, help="Show where an error came from.")
def cli(*, debug: bool) -> None:
    """Search a folder of articles by meaning and by words, offline, with exact citations.

    \b
    semsearch index articles/
    semsearch search "security vacuum Western Balkans"
    """  # noqa: D301 - click's mark for lines that are not to be joined


def main() -> None:
    """Run the command line and leave with its exit status."""
    arguments, debug = _without_debug(sys.argv[1:])
    if sys.stdout is None:
        # Closed: what is written fails, and no file of an index gets the number of standard output.
        sys.stdout = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - open until the end
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except click.ClickException as error:
        _complain(error)
        status = ERROR
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nsemsearch: interrupted; what was committed is safe", err=True)
        status = INTERRUPTED
    except BrokenPipeError:
        _give_up_output()
        status = 0
    except Exception as error:  # noqa: BLE001 - whatever it is, it is said in a line
        said = _said(error)
        if debug:
            traceback.print_exception(error)
        else:
            click.echo(safe(f"semsearch: {said}"), err=True)
        status = ERROR
    sys.exit(status)


def _without_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """The arguments without --debug, which may stand anywhere before a `--`, and whether it or the variable is set."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    rest = [argument for argument in arguments[:end] if argument != _DEBUG]
    wanted = os.environ.get("SEMSEARCH_DEBUG", "").lower() not in {"", "0", "false", "no", "off"}
    return [*rest, *arguments[end:]], wanted or len(rest) < end


def _run(arguments: list[str]) -> int:
    """What click's own `main` does, which would take a broken pipe for a failure."""
    if instruction := os.environ.get(_COMPLETE):
        from click.shell_completion import shell_complete  # noqa: PLC0415 - only when a shell asks

        return shell_complete(cli, {}, "semsearch", _COMPLETE, instruction)
    try:
        with _log_shown(), cli.make_context("semsearch", arguments) as context:
            status = cli.invoke(context)
    except click.exceptions.Exit as left:
        status = left.exit_code
    return status if isinstance(status, int) else 0


@contextmanager
def _log_shown() -> Iterator[None]:
    """Show what the library logs on standard error, for as long as the command runs."""
    logger, handler = logging.getLogger("semsearch"), logging.StreamHandler()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _complain(error: click.ClickException) -> None:
    """Show what click has to say of the arguments."""
    said = io.StringIO()
    error.show(file=said)
    click.echo(safe(said.getvalue()), err=True, nl=False)
    if isinstance(error, click.NoSuchOption) and error.ctx is not None and error.ctx.command.name == "search":
        click.echo(_DASH, err=True)


def _said(error: Exception) -> str:
    if isinstance(error, SemsearchError):
        return str(error)
    if isinstance(error, OSError) and _is_of_output(error):
        trouble = error.strerror if sys.stdout.writable() else "it is closed"
        _give_up_output()
        return f"standard output cannot be written: {trouble}"
    kind = type(error).__name__
    return f"unexpected {kind}: {error}; please report it with what --debug shows (semsearch --debug …)"


def _is_of_output(error: OSError) -> bool:
    """Whether it was raised where output is written: by `click.echo`, or where `main` flushes."""
    frame = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1]
    return frame.f_code in {click.echo.__code__, main.__code__}


def _give_up_output() -> None:
    """Let what is still in the buffer go nowhere: it must not raise again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
