"""The command that trains networks: train."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec import bundle
from archspec.arguments import InputSize, SpecName, Variable, variant_option
from archspec.choices import Choices
from archspec.cli.opening import FAILED, needing
from archspec.output import named, show
from archspec.source import Mapping as Table
from archspec.source import Scalar, Value, read

if TYPE_CHECKING:
    from builders.training.recipe import Recipe
    from builders.training.study import Study
    from builders.training.trial import Result
    from visualize.curves import Figure

INTERRUPTED = 130  # as the shell says of Ctrl-C
FIGURES = (".svg", ".png", ".html")
OPTIONS = {
    "init": ("A,B,...", "Schemes of initialisation: he, xavier(gain=4), zeros, ... [he]"),
    "overrides": ("P=A,...", "Other schemes for the weights whose names fit a pattern: 'fc*=zeros'."),
    "seeds": ("N|A,B,...", "How many seeds (0, 1, ...), or which. [1]"),
    "data": ("NAME", "digits, torchvision:NAME, folder:PATH, npz:PATH, ... [digits]"),
    "validation": ("SHARE", "Of the data for validation. [0.2]"),
    "test": ("SHARE", "Of the data for the test behind the last step. [0.2]"),
    "split_seed": ("N", "The split is drawn from it, the same for all trials. [0]"),
    "augment": ("HOW", "Change the training part at random: see docs/data.md. [none]"),
    "steps": ("N", "Batches to train on. [600]"),
    "epochs": ("N", "Passes over the training part, instead of --steps."),
    "batch": ("N", "Examples in a batch. [64]"),
    "optimizer": ("NAME", "sgd, adam or adamw. [adam]"),
    "lr": ("RATE", "Learning rate. [0.001; sgd: 0.1]"),
    "momentum": ("M", "Of sgd. [0]"),
    "weight_decay": ("W", "Of all weights. [0]"),
    "betas": ("B1,B2", "Of adam and adamw. [0.9,0.999]"),
    "schedule": ("HOW", "Of the learning rate: none, cosine or step (a tenth at 1/2 and at 3/4). [none]"),
    "evaluate": ("N", "Validate every N steps. [25]"),
    "threads": ("N", "Threads of each trial. [1]"),
    "jobs": ("N", "Trials at the same time; changes none of the numbers. [1]"),
    "engine": ("NAME", "processes of this machine, or dask. [processes]"),
    "scheduler": ("ADDRESS", "Of dask: tcp://host:8786."),
    "orbit": ("HOW", "What the leak audit takes for a copy: see docs/data.md. [shift=2,flip,rotate=10]"),
    "checkpoint": ("SECONDS", "Between the checkpoints of a trial. [10]"),
}


def _settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that a recipe has as well; recipes say what they may hold."""
    for key, (metavar, text) in reversed(OPTIONS.items()):
        command = click.option(f"--{key.replace('_', '-')}", key, metavar=metavar, help=text)(command)
    return command


@click.command(no_args_is_help=True)
@click.argument("specs", metavar="SPEC...|RECIPE", type=SpecName(), nargs=-1, required=True)
@variant_option
@click.option("--set", "variables", type=Variable(), multiple=True, help="Set a variable of the specs.")
@click.option("--input", "inputs", type=InputSize(), multiple=True, help="Another input shape: 64x64x3.")
@_settings
@click.option("--allow-leak", is_flag=True, help="Train although validation or test hold copies of training items.")
@click.option("-o", "--output", metavar="FOLDER", help="For the results. [runs/NAME]")
def train(
    specs: tuple[str, ...],
    variant: str | None,
    variables: tuple[tuple[str, Value], ...],
    inputs: tuple[tuple[str | None, Scalar], ...],
    allow_leak: bool,
    output: str | None,
    **given: str | None,
) -> None:
    """Train each SPEC under every initialisation and seed.

    Instead of SPEC a RECIPE: a YAML file with the same keys as the options, and `specs`. Options come before it.

    Trials that FOLDER holds are not run again: killed or stopped, the same command goes on and ends with the same
    numbers. Exits with 1 for a mistake in a spec or recipe, with 2 if what is asked for cannot be had.
    """
    options = {**given, "output": output, "allow_leak": "yes" if allow_leak else None}
    with needing("train"):
        import joblib  # type: ignore[import-untyped]  # noqa: F401
        import sklearn  # type: ignore[import-untyped]  # noqa: F401

        import visualize.curves  # noqa: F401
        from builders.training.progress import shown
        from builders.training.study import train as run
    recipe = _recipe(specs, Choices(variant, dict(variables), dict(inputs)), options)
    try:
        study = run(recipe, recipe.running.output or f"runs/{_name(specs)}", _note, shown)
    except KeyboardInterrupt:
        _note("interrupted: the same command goes on from the last checkpoints")
        sys.exit(INTERRUPTED)
    if study.results:
        _report(study)
    sys.exit(_ended(study))


def _recipe(specs: tuple[str, ...], choices: Choices, given: Mapping[str, str | None]) -> Recipe:
    """The recipe of a file with the options over it, or of the options alone."""
    from builders.training.cases import Case
    from builders.training.recipe import option, read_recipe

    options: dict[str, Value] = {key: option(key, text) for key, text in given.items() if text is not None}
    document = _document(specs)
    if document is None:
        return read_recipe(None, options, tuple(Case(spec, choices) for spec in specs))
    if choices.variant or choices.variables or choices.inputs:
        raise click.UsageError("a recipe chooses variant, set and input for each of its specs")
    return read_recipe(document, options)


def _document(specs: tuple[str, ...]) -> Value | None:
    """The YAML of a recipe; None where the arguments are specs, which have layers."""
    for name in specs:
        if Path(name).suffix not in (".yaml", ".yml"):
            continue
        text, shown, _ = bundle.read_spec(name)
        document = read(text, shown)
        if not isinstance(document, Table) or document.get("layers") is not None:
            continue
        if len(specs) > 1:
            raise click.UsageError(f"{name} has no layers, and so is a recipe: a recipe stands alone")
        return document
    return None


def _name(specs: tuple[str, ...]) -> str:
    """The name of a folder for results: those of the recipe or the specs."""
    return named("-".join(Path(spec).stem for spec in specs), "run").stem


def _note(line: str) -> None:
    click.echo(line, err=True)


def _report(study: Study) -> None:
    """The tables on standard output, and the figure beside them in the folder."""
    from builders.training.summary import difference_table, summary

    show(summary(study.results), "text", str(study.folder), None)
    if (table := difference_table(study.results)) is not None:
        click.echo()
        show(table, "text", "paired differences", None)
    figure = curves(study.results, f"Training on {study.recipe.settings.data}")
    for suffix in FIGURES:
        figure.save(study.folder / f"curves{suffix}")
    _note(f"{study.folder}: summary, differences and metrics as CSV, curves as SVG, PNG and HTML")


def curves(results: Sequence[Result], title: str) -> Figure:
    """Validation accuracy against the step: a panel for each network, a line for each scheme, its spread over seeds.

    A trial that diverged has gaps from there on.
    """
    from visualize.curves import Axis, Series, lines

    steps = sorted({step for one in results for step in one.curves.evaluated})
    runs: dict[tuple[str, str], list[list[float]]] = {}
    for one in results:
        known = dict(zip(one.curves.evaluated, one.curves.validation_accuracy, strict=True))
        runs.setdefault((one.label, one.scheme), []).append([known.get(step, nan) for step in steps])
    series = [Series(scheme, steps, found, label) for (label, scheme), found in runs.items()]
    return lines(series, Axis("step", None), Axis("validation accuracy", None, low=0, high=1), title=title)


def _ended(study: Study) -> int:
    """The exit code, after a word on trials that failed or are left."""
    for one in study.failed:
        _note(f"{one.label}, {one.scheme}, seed {one.seed}: {one.fault}")
    if study.left:
        _note(f"stopped, trials left: {study.left}; the same command goes on from here")
        return INTERRUPTED
    return FAILED if study.failed else 0
