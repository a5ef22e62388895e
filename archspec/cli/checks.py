"""The command check."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from archspec.arguments import SpecName, variant_option
from archspec.cli.opening import FAILED, UNUSABLE, given
from archspec.errors import ArchspecError

if TYPE_CHECKING:
    from archspec.checking import Verdict


@click.command(no_args_is_help=True)
@click.argument("specs", metavar="SPEC...", type=SpecName(), nargs=-1, required=True)
@variant_option
@click.option("--strict", is_flag=True, help="Count warnings as errors.")
def check(specs: tuple[str, ...], variant: str | None, strict: bool) -> None:
    """Report the errors in specs, and figures that are not as expected.

    Looks at each SPEC in all its variants. Exits with 0 if all is well; with 1 on errors and figures that are off, with
    --strict on warnings too; with 2 if a spec could not be read.
    """
    from archspec.checking import check_spec

    verdicts: list[Verdict] = []
    unusable = False
    for name in specs:
        try:
            text, shown, bundled = given(name)
            found = check_spec(text, shown, variant or bundled)
        except ArchspecError as error:
            click.echo(str(error), err=True)
            unusable = True
            continue
        for verdict in found:
            click.echo(str(verdict))
            verdicts.append(verdict)
    failed = any(verdict.errors or (strict and verdict.warnings) for verdict in verdicts)
    sys.exit(UNUSABLE if unusable else FAILED if failed else 0)
