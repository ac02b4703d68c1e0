"""The command line: parses, calls `Index`, prints; hits go to standard output, all else to standard error.

Exit status: 0 found or done, 1 nothing found (or, of `verify`, something wrong), 2 an error, 130 interrupted.
"""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module

import click

from semsearch import __version__
from semsearch.errors import SemsearchError

_COMMANDS = {
    "index": "semsearch.cli.index:index",
    "search": "semsearch.cli.search:search",
    "similar": "semsearch.cli.search:similar",
    "status": "semsearch.cli.inspect:status",
    "list": "semsearch.cli.inspect:list_",
    "verify": "semsearch.cli.inspect:verify",
    "export": "semsearch.cli.inspect:export",
    "completion": "semsearch.cli.inspect:completion",
}

ERROR, INTERRUPTED = 2, 130


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
@click.option("--debug", is_flag=True, envvar="SEMSEARCH_DEBUG", help="Show where an error came from.")
def cli(*, debug: bool) -> None:  # noqa: ARG001 - read by main
    """Search a folder of articles by meaning and by words, offline, with exact citations.

    \b
    semsearch index articles/
    semsearch search "security vacuum Western Balkans"
    """  # noqa: D301 - click's mark for lines that are not to be joined
    logger = logging.getLogger("semsearch")
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler())
        logger.setLevel(logging.INFO)


def main() -> None:
    """Run the command line and leave with its exit status."""
    debug = "--debug" in sys.argv or bool(os.environ.get("SEMSEARCH_DEBUG"))
    try:
        status = cli.main(prog_name="semsearch", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        status = ERROR
    except (click.Abort, KeyboardInterrupt):
        click.echo("semsearch: interrupted; what was committed is safe", err=True)
        status = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; what is still in the buffer must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except (SemsearchError, Exception) as error:
        if debug:
            raise
        click.echo(f"semsearch: {_said(error)}", err=True)
        status = ERROR
    sys.exit(status if isinstance(status, int) else 0)


def _said(error: Exception) -> str:
    if isinstance(error, SemsearchError):
        return str(error)
    kind = type(error).__name__
    return f"unexpected {kind}: {error}; please report it with what --debug shows (semsearch --debug …)"
