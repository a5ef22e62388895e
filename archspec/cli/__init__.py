"""The command line: one function per command, those of a kind in one file."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from errno import EPIPE
from typing import Any

import click

from archspec import __version__
from archspec.cli.checks import check
from archspec.cli.opening import UNUSABLE, WIDTH, exit_code
from archspec.cli.pages import report
from archspec.cli.pictures import draw
from archspec.cli.proofs import run, verify
from archspec.cli.schema import schema
from archspec.cli.serve import serve
from archspec.cli.study import study
from archspec.cli.tables import list_specs, rf, table
from archspec.cli.train import train
from archspec.cli.weights import init, propagate
from archspec.errors import ArchspecError

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for them costs more than most commands


HELP = {"help_option_names": ["-h", "--help"]}


class Commands(click.Group):
    """Shows what a user can mend on standard error: exit code 1 for a mistake in a spec, 2 for one in the request."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ArchspecError as error:
            click.echo(str(error), err=True)
            sys.exit(exit_code(error))
        except OSError as error:
            if error.errno == EPIPE:
                raise  # click leaves without a word: `| head` has read enough
            click.echo(f"error[unwritable]: cannot write to standard output: {error.strerror}", err=True)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes nowhere
            sys.exit(UNUSABLE)


@click.group(cls=Commands, context_settings={**HELP, "max_content_width": WIDTH})
@click.version_option(__version__, prog_name="archspec")
def main() -> None:
    """Neural networks written as in a paper's table, and every number that follows from them."""
    atexit.register(gc.freeze)  # the collections at exit would take a fifth of the time of a command
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may hold what the terminal's encoding does not


READING = (table, rf, draw, report, serve, check, schema, list_specs)
RUNNING = (verify, run, init, propagate, train, study)
for command in (*READING, *RUNNING):
    command.context_settings.update(HELP)  # a command keeps the help option of whoever asks first, main or not
    main.add_command(command)
