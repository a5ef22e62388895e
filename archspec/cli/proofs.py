"""Commands that build a network and run it: verify, run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec import bundle
from archspec.arguments import SpecName, spec_options, variant_option
from archspec.cli.opening import FAILED, exit_code, given, needing, open_spec
from archspec.errors import ArchspecError
from archspec.output import spare, writable, write, write_json
from archspec.source import Scalar, Value

if TYPE_CHECKING:
    from archspec.document import Document
    from builders.verify import Verification, Verifier

    Chosen = tuple[Document, str | None]  # a spec, and one of its variants

GIB = 1 << 30


def _bytes(context: click.Context, option: click.Parameter, gib: float) -> int:
    """A limit in bytes; infinity is one that nothing reaches."""
    if isnan(gib):
        raise click.BadParameter("nan is no limit.", context, option)
    return int(min(gib * GIB, sys.maxsize))


@click.command(no_args_is_help=True)
@click.argument("specs", metavar="SPEC...", type=SpecName(), nargs=-1)
@variant_option
@click.option("--all", "everything", is_flag=True, help="Verify every bundled spec in every variant.")
@click.option("--meta", is_flag=True, help="No pass of the whole network on real numbers: torch's device meta instead.")
@click.option(
    "--memory",
    metavar="GIB",
    type=click.FloatRange(min=0),
    default=3.0,
    callback=_bytes,
    help="What a run on real numbers may take; inf for no limit.",
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="How to write the result.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE.")
def verify(
    specs: tuple[str, ...],
    variant: str | None,
    everything: bool,
    meta: bool,
    memory: int,
    form: str,
    output: Path | None,
) -> None:
    """Hold every number of SPEC against a run of its torch module.

    Each SPEC is verified in all its variants; what several networks have in common is proved once. Exits with 0 if
    every number holds; with 1 if one does not, or if a spec has errors; with 2 if a spec could not be read.
    """
    _refuse(specs, everything, output)
    with needing("torch"):
        from builders.verify import Verifier
    start, errors = time.perf_counter(), list[ArchspecError]()
    names, shown = [*specs, *(bundle.files() if everything else ())], form == "text" and output is None
    found = _verified(Verifier(memory, meta), _chosen(names, variant, errors), errors, shown)
    total = _total(found, time.perf_counter() - start, len(errors))
    if form == "json":
        refused = [diagnostic.to_dict() for error in errors for diagnostic in error.diagnostics]
        write_json({"total": total, "networks": [one.to_dict() for one in found], "errors": refused}, output)
    elif found:
        write(total + "\n" if shown else "\n".join([*map(str, found), total]) + "\n", output)
    sys.exit(max(FAILED if any(one.failures for one in found) else 0, *map(exit_code, errors), 0))


def _refuse(specs: Sequence[str], everything: bool, output: Path | None) -> None:
    """What is asked for and cannot be had, said before the proofs, which take long."""
    if not specs and not everything:
        raise click.UsageError("name a SPEC, or give --all")
    if specs.count("-") > 1:
        raise click.UsageError("standard input is read once: name - once")
    for name in specs:
        spare(name, output)
    writable(output)


def _chosen(names: Iterable[str], variant: str | None, errors: list[ArchspecError]) -> list[Chosen]:
    """The networks to verify: the variant asked for, that of a bundled name, or all that a spec has."""
    from archspec.document import parse_document

    found: list[Chosen] = []
    for name in names:
        with _reported(errors):
            text, shown, bundled = given(name)
            document, one = parse_document(text, shown), variant or bundled
            several = document.variants if one is None else ()
            found += [(document, each) for each in several or (one,)]
    return found


def _verified(
    verifier: Verifier, chosen: Sequence[Chosen], errors: list[ArchspecError], shown: bool
) -> list[Verification]:
    """What the runs made of each network, shown as soon as it is known."""
    from archspec.choices import Choices
    from archspec.spec import build

    found: list[Verification] = []
    with _progress(len(chosen)) as (tell, advance):
        for document, variant in chosen:
            with _reported(errors):
                spec = build(document, Choices(variant))
                found.append(verifier.verify(spec, partial(tell, spec.title)))
                if shown:
                    click.echo(str(found[-1]))
            advance()
    return found


@contextmanager
def _reported(errors: list[ArchspecError]) -> Iterator[None]:
    """Shows an error, keeps it and goes on behind the block."""
    try:
        yield
    except ArchspecError as error:
        click.echo(str(error), err=True)
        errors.append(error)


def _total(found: Sequence[Verification], seconds: float, errors: int) -> str:
    """One line on all networks."""
    failed = sum(len(one.failures) for one in found)
    networks = "1 network" if len(found) == 1 else f"{len(found)} networks"
    verdict = f"{failed:,} of them FAIL" if failed else "all of them hold"
    held = f"{networks}: {sum(one.held for one in found):,} numbers held against a run, {verdict} ({seconds:.0f} s)"
    return f"{held}; {errors} more could not be run" if errors else held


@contextmanager
def _progress(networks: int) -> Iterator[tuple[Callable[[str, str], None], Callable[[], None]]]:
    """What to tell of each network's stages, and when it is done; a bar where a terminal shows it."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bar = BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*bar, TextColumn("{task.description}"), console=console, disable=not console.is_terminal) as drawn:
        task = drawn.add_task("", total=networks)

        def tell(title: str, stage: str) -> None:
            drawn.update(task, description=f"{title}: {stage}")

        yield tell, partial(drawn.advance, task)


@click.command(no_args_is_help=True)
@spec_options
@click.option("--seed", metavar="N", type=int, default=0, help="For the weights that the spec does not give.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="How to write the numbers.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE.")
def run(
    spec: str,
    variant: str | None,
    variables: tuple[tuple[str, Value], ...],
    inputs: tuple[tuple[str | None, Scalar], ...],
    seed: int,
    form: str,
    output: Path | None,
) -> None:
    """Run SPEC on the input that it gives, and print every output.

    The input is a tensor of the spec. So may weights be; those that it does not give are drawn.
    """
    spare(spec, output)
    with needing("torch"):
        from builders.run import run as run_spec
    found = run_spec(open_spec(spec, variant, dict(variables), dict(inputs)), seed=seed)
    if form == "json":
        write_json(found.to_dict(), output)
    else:
        write(str(found), output)
    for note in found.notes:
        click.echo(note, err=True)
