"""The command that runs studies: study."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec import bundle
from archspec.arguments import Variable
from archspec.cli.opening import FAILED, needing
from archspec.output import show, write_json
from archspec.source import Value

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from studies.study import Outcome, Study

RESULTS = Path("results")


class StudyName(click.ParamType[str]):
    """A bundled study; completes the names."""

    name = "study"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in bundle.studies() if name.startswith(incomplete)]


@click.command(no_args_is_help=True)
@click.argument("names", metavar="NAME...", type=StudyName(), nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Run every study.")
@click.option("--list", "listing", is_flag=True, help="List the studies and their parameters.")
@click.option("--set", "variables", type=Variable(), multiple=True, help="Set a parameter of the study.")
@click.option("--quick", is_flag=True, help="Fewer seeds and draws: all studies in about a minute.")
@click.option("--seed", metavar="N", type=click.IntRange(min=0), default=0, help="Of everything random. [0]")
@click.option("--jobs", metavar="N", type=click.IntRange(min=1), help="Processes that train. [one for each core]")
@click.option("--format", "form", type=click.Choice(("text", "markdown", "json")), default="text", help="Of the table.")
@click.option(
    "-o", "--output", metavar="DIR", type=click.Path(path_type=Path), default=RESULTS, help="Of all files. [results]"
)
def study(
    names: tuple[str, ...],
    everything: bool,
    listing: bool,
    variables: tuple[tuple[str, Value], ...],
    quick: bool,
    seed: int,
    jobs: int | None,
    form: str,
    output: Path,
) -> None:
    """Run experiments, and hold their claims against what they find.

    Prints a table: statement, predicted, measured, tolerance, verdict. DIR/NAME keeps the table, the figures and the
    raw numbers. Exits with 1 if a claim fails.
    """
    if listing:
        _list()
        return
    chosen = tuple(bundle.studies()) if everything else tuple(dict.fromkeys(names))
    if not chosen or (variables and len(chosen) > 1):
        raise click.UsageError("--set is for one study" if chosen else "name a study, or give --all")
    with needing("train"):
        from builders.training.progress import shown
        from studies.document import find
        from studies.running import keep, prepare, run
        from studies.study import Study
    common: dict[str, Any] = {"quick": quick, "seed": seed, "jobs": jobs or _cores(), "say": _note, "progress": shown}
    ready = [Study.of(find(name), dict(variables), folder=output / name, **common) for name in chosen]
    for name in chosen:
        prepare(output / name)
    outcomes = {}
    for one in ready:
        outcomes[one.name] = outcome = run(one)
        keep(outcome, one.text.title, output / one.name)
        _shown(one, outcome, form)
    if form == "json":
        write_json({name: [claim.to_dict() for claim in outcome.claims] for name, outcome in outcomes.items()})
    _note(f"tables, figures and numbers are in {output}")
    sys.exit(0 if all(outcome.holds for outcome in outcomes.values()) else FAILED)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shown(one: Study, outcome: Outcome, form: str) -> None:
    """The claims of a study on standard output."""
    from studies.claims import table

    if form == "markdown":
        click.echo(f"## {one.text.title}\n")
    if form != "json":
        show(table(outcome.claims), form, f"{one.name}: {one.text.title}", None)
        click.echo()


def _list() -> None:
    """Every study with its parameters as the file has them."""
    from archspec.source import Mapping, Scalar, read

    for name, path in bundle.studies().items():
        document = read(path.read_bytes(), str(path))
        assert isinstance(document, Mapping)
        title, parameters = document.get("title"), document.get("parameters")
        click.echo(f"{name:16}{title.text if isinstance(title, Scalar) else ''}")
        for key, value in parameters.items if isinstance(parameters, Mapping) else ():
            click.echo(f"{'':16}{key.text}: {value.span().text}")


def _note(line: str) -> None:
    click.echo(line, err=True)
