"""Commands about the weights before training: init, propagate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.arguments import FORMATS, spec_options
from archspec.cli.opening import needing, open_spec
from archspec.output import is_picture, show, spare, writable, write_json
from archspec.source import Scalar, Value

if TYPE_CHECKING:
    from archspec import report
    from archspec.spec import Spec
    from builders.initialize import Drawn
    from builders.propagate import Propagation
    from visualize.curves import Figure, Series


MOST = 1 << 16  # examples of a batch: more add nothing to a standard deviation


class Override(click.ParamType[tuple[str, str]]):
    """PATTERN=SCHEME."""

    name = "pattern=scheme"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        pattern, equals, scheme = str(value).partition("=")
        if not equals or not pattern or not scheme:
            self.fail(f"{value!r} is not PATTERN=SCHEME, such as 'head.*=normal(0.01)'", param, ctx)
        return pattern, scheme


@dataclass(frozen=True)
class Asked:
    """What both commands are asked: the network, what is drawn, the batch, and the form of the result."""

    network: Spec
    overrides: dict[str, str]
    seed: int
    data: str | None
    batch: int
    form: str
    output: Path | None


def asking(command: Callable[..., None]) -> Callable[..., None]:
    """A command that takes `Asked`, with the options for it; its own options it takes besides."""

    @spec_options
    @click.option(
        "--override", "overrides", type=Override(), multiple=True, help="Another scheme: 'head.*=normal(0.01)'."
    )
    @click.option("--seed", metavar="N", type=int, default=0, help="Random seed of the weights.")
    @click.option("--data", metavar="NAME", help="A batch of this data set: digits, folder:PATH, ...")
    @click.option("--batch", metavar="N", type=click.IntRange(2, MOST), default=32, help="Examples in it.")
    @click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Of the table.")
    @wraps(command)
    def run(
        spec: str,
        variant: str | None,
        variables: tuple[tuple[str, Value], ...],
        inputs: tuple[tuple[str | None, Scalar], ...],
        overrides: tuple[tuple[str, str], ...],
        output: Path | None,
        **rest: Any,
    ) -> None:
        spare(spec, output)
        writable(output)
        own = {name: rest.pop(name) for name in [*rest] if name not in Asked.__dataclass_fields__}
        with needing("train" if rest["data"] else "torch"):
            import builders.propagate  # noqa: F401
        network = open_spec(spec, variant, dict(variables), dict(inputs))
        command(Asked(network, dict(overrides), output=output, **rest), **own)

    return run


@click.command(no_args_is_help=True)
@click.option("--scheme", metavar="SCHEME", default="he-normal", help="he-normal, xavier(gain=1), orthogonal, ...")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Save the network to FILE.")
@asking
def init(asked: Asked, scheme: str) -> None:
    """Draw the weights of SPEC by a scheme, and show how.

    LSUV scales weights by a batch: of --data, or of standard normal numbers. With -o net.safetensors the network is
    saved, as archspec.load_model reads it.
    """
    from builders.build import build
    from builders.files import save
    from builders.initialize import initialize, parse_scheme
    from builders.propagate import batch_of

    schemes = [parse_scheme(text) for text in (scheme, *asked.overrides.values())]
    model, given, notes = build(asked.network), None, tuple[str, ...]()
    if "lsuv" in [one.name for one in schemes]:
        given, _, notes = batch_of(asked.network, asked.data, asked.batch, asked.seed)
    elif asked.data is not None:
        raise click.UsageError("--data gives lsuv its batch; the other schemes need none")
    found = initialize(model, schemes[0], asked.seed, asked.overrides, batch=given)
    if asked.output is not None:
        save(model, asked.output)
        notes = (*notes, f"saved as {asked.output}")
    title = asked.network.title
    if asked.form == "json":
        write_json({"name": title, "seed": asked.seed, "weights": [row.to_dict() for row in found]})
    else:
        show(_weights(found, notes, asked.form == "csv"), asked.form, f"{title}: {schemes[0]}, seed {asked.seed}", None)


def _weights(found: tuple[Drawn, ...], notes: tuple[str, ...], exact: bool) -> report.Table:
    """A row for each weight; numbers with three digits, or `exact`."""
    from archspec import report

    titles = [
        "weight",
        "shape",
        "drawn as",
        "next activation",
        "fan_in>",
        "fan_out>",
        "gain>",
        "std asked>",
        "std drawn>",
    ]
    variances = any(row.variance is not None for row in found)
    rows = [
        [
            row.name,
            " x ".join(map(str, row.shape)),
            row.scheme,
            row.activation or "-",
            str(row.fan_in),
            str(row.fan_out),
            _number(row.gain, exact),
            _number(row.asked, exact),
            _number(row.drawn, exact),
            *([_number(row.variance, exact)] if variances else []),
        ]
        for row in found
    ]
    if variances:
        titles.append("output variance>")
        notes = (*notes, "output variance: of the layer's output on the batch, once its weight was scaled")
    told = "next activation: behind the weight's layer; std: about 0, of constants about their value"
    return report.listed(titles, rows, (told, *notes))


@click.command(no_args_is_help=True)
@click.option("--init", "schemes", metavar="A,B,...", default="he-normal", help="Schemes: xavier,he,zeros.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="A picture, or the table.")
@asking
def propagate(asked: Asked, schemes: str) -> None:
    """Run a batch forward and backward through SPEC under each scheme.

    Nothing is trained. Without --data the batch is drawn from the standard normal distribution. With -o net.svg (or
    .png, .pdf, .html) also a picture: signal and gradient over depth.
    """
    from builders.initialize import parse_scheme
    from builders.propagate import propagate as send

    names = list(dict.fromkeys(str(parse_scheme(name)) for name in schemes.split(",") if name.strip()))
    if not names:
        raise click.UsageError("--init names no scheme")
    drawn = asked.output is not None and is_picture(asked.output)
    found = send(asked.network, names, data=asked.data, batch=asked.batch, seed=asked.seed, overrides=asked.overrides)
    if drawn and asked.output is not None:
        _figure(found).save(asked.output)
    target = None if drawn else asked.output
    if asked.form == "json":
        write_json(found.to_dict(), target)
    else:
        show(_layers(found, asked.form == "csv"), asked.form, found.title, target)


def _layers(found: Propagation, exact: bool) -> report.Table:
    """A row for each layer under each scheme; numbers with three digits, or `exact`."""
    from archspec import report

    titles = ["scheme", "node>", "layer", "mean>", "std>", "predicted>", "signal>", "stuck>", "gradient>"]
    rows = [
        [
            passage.scheme,
            str(node.index),
            node.name or str(node.layer),
            _number(one.mean, exact),
            _number(one.std, exact),
            _number(passage.predicted[node], exact),
            _number(one.signal, exact),
            "-" if one.stuck is None else f"{100 * one.stuck:.0f} %",
            _number(one.gradient, exact),
        ]
        for passage in found.passages
        for node, one in passage.layers.items()
    ]
    legend = (
        "std: over all numbers; predicted: by the variance recursion; signal: std over the examples, at one unit",
        "stuck: saturated numbers, or units that are 0 for all examples; gradient: std of the loss's gradients",
    )
    verdicts = [f"{passage.scheme}: {passage.verdict}" for passage in found.passages]
    return report.listed(titles, rows, (*verdicts, *legend, *found.notes))


def _figure(found: Propagation) -> Figure:
    """Signal and gradient over depth, a line for each scheme that has any."""
    from visualize.curves import Axis, lines

    panels = {"forward: signal": "signal", "backward: gradient": "gradient"}
    series = [one for panel, name in panels.items() for one in _series(found, panel, name)]
    depth, deviation = Axis("depth", "layers"), Axis("standard deviation", None, log=True)
    return lines(series, depth, deviation, title=found.title, band=None, share_y=False)


def _series(found: Propagation, panel: str, name: str) -> list[Series]:
    from visualize.curves import Series

    made = []
    for passage in found.passages:
        values = [float(getattr(one, name)) for one in passage.layers.values()]
        if any(0 < value < float("inf") for value in values):
            made.append(Series(passage.scheme, [float(node.index) for node in passage.layers], values, panel))
    return made


def _number(value: float | None, exact: bool) -> str:
    """Three digits, or all of them; a dash where there is no number."""
    return "-" if value is None else f"{value}" if exact else f"{value:.3g}"
