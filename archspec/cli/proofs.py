"""Commands that build a network and run it: verify, run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec import bundle
from archspec.arguments import SpecName, spec_options, variant_option
from archspec.cli.opening import FAILED, given, open_spec
from archspec.errors import missing_package
from archspec.output import spare, write, write_json
from archspec.source import Scalar, Value

if TYPE_CHECKING:
    from archspec.spec import Spec
    from builders.verify import Verification

GIB = 1 << 30
Stages = Callable[[str], None]


@click.command(no_args_is_help=True)
@click.argument("specs", metavar="SPEC...", type=SpecName(), nargs=-1)
@variant_option
@click.option("--all", "everything", is_flag=True, help="Verify every bundled spec in every variant.")
@click.option("--meta", is_flag=True, help="Run on torch's device meta alone, which takes no memory.")
@click.option(
    "--memory", metavar="GIB", type=click.FloatRange(min=0), default=3.0, help="What a run on real numbers may take."
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="How to write the result.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE.")
def verify(
    specs: tuple[str, ...],
    variant: str | None,
    everything: bool,
    meta: bool,
    memory: float,
    form: str,
    output: Path | None,
) -> None:
    """Hold every number of SPEC against a run of its torch module.

    Each SPEC is verified in all its variants; what several networks have in common is proved once. Exits with 0 if
    every number holds; with 1 if one does not, or if a spec has errors.
    """
    if not specs and not everything:
        raise click.UsageError("name a SPEC, or give --all")
    for name in specs:
        spare(name, output)
    try:
        from builders.verify import Verifier
    except ModuleNotFoundError as error:
        raise missing_package("archspec verify", error) from None
    verifier, start, found = Verifier(int(memory * GIB), meta), time.perf_counter(), list["Verification"]()
    shown = form == "text" and output is None
    names = [*specs, *(bundle.files() if everything else ())]
    with _progress(names, variant) as networks:
        for spec, stages in networks:
            found.append(verifier.verify(spec, stages))
            if shown:
                click.echo(str(found[-1]))
    total = _total(found, time.perf_counter() - start)
    if form == "json":
        write_json({"total": total, "networks": [one.to_dict() for one in found]}, output)
    else:
        write(total + "\n" if shown else "\n".join([*map(str, found), total]) + "\n", output)
    sys.exit(0 if all(one.holds for one in found) else FAILED)


def _total(found: Sequence[Verification], seconds: float) -> str:
    """One line on all networks."""
    failed = sum(len(one.failures) for one in found)
    networks = "1 network" if len(found) == 1 else f"{len(found)} networks"
    verdict = f"{failed:,} of them FAIL" if failed else "all of them hold"
    return f"{networks}: {sum(one.held for one in found):,} numbers held against a run, {verdict} ({seconds:.0f} s)"


@contextmanager
def _progress(names: Sequence[str], variant: str | None) -> Iterator[Iterator[tuple[Spec, Stages]]]:
    """The networks of some specs one by one, each with what to tell of its stages; a bar where a terminal shows it."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    chosen = [(name, one) for name in names for one in _variants(name, variant)]
    bar = BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*bar, TextColumn("{task.description}"), console=console, disable=not console.is_terminal) as drawn:
        task = drawn.add_task("", total=len(chosen))

        def networks() -> Iterator[tuple[Spec, Stages]]:
            for name, one in chosen:
                spec = open_spec(name, one, {}, {})

                def stages(stage: str, title: str = spec.title) -> None:
                    drawn.update(task, description=f"{title}: {stage}")

                yield spec, stages
                drawn.advance(task)

        yield networks()


def _variants(name: str, variant: str | None) -> list[str | None]:
    """The variant asked for, that of a bundled name, or all that a spec has."""
    from archspec.document import parse_document

    if name == "-":
        return [variant]
    text, shown, bundled = given(name)
    return [variant or bundled] if variant or bundled else list(parse_document(text, shown).variants) or [None]


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
    """Run SPEC on the input that it gives and print each layer's output.

    The input is a tensor of the spec. So may weights be; those that it does not give are drawn.
    """
    spare(spec, output)
    try:
        from builders.run import run as run_spec
    except ModuleNotFoundError as error:
        raise missing_package("archspec run", error) from None
    found = run_spec(open_spec(spec, variant, dict(variables), dict(inputs)), seed=seed)
    if form == "json":
        write_json(found.to_dict(), output)
    else:
        write(str(found), output)
    for note in found.notes:
        click.echo(note, err=True)
