"""Commands about the weights before training: init, propagate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec.arguments import FORMATS, spec_options
from archspec.cli.opening import needing, open_spec
from archspec.output import is_picture, show, spare, writable, write_json
from archspec.source import Scalar, Value

if TYPE_CHECKING:
    from archspec import report
    from builders.initialize import Drawn
    from builders.propagate import Propagation
    from visualize.curves import Figure, Series


class Override(click.ParamType[tuple[str, str]]):
    """PATTERN=SCHEME."""

    name = "pattern=scheme"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        pattern, equals, scheme = str(value).partition("=")
        if not equals or not pattern or not scheme:
            self.fail(f"{value!r} is not PATTERN=SCHEME, such as 'head.*=normal(0.01)'", param, ctx)
        return pattern, scheme


seed_option = click.option("--seed", metavar="N", type=int, default=0, help="What the draws hang on.")
override_option = click.option(
    "--override", "overrides", type=Override(), multiple=True, help="Another scheme for weights: 'head.*=normal(0.01)'."
)
data_option = click.option("--data", metavar="NAME", help="A batch of this data set: digits, folder:PATH, ...")
batch_option = click.option("--batch", metavar="N", type=click.IntRange(min=2), default=32, help="Examples in it.")
form_option = click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Of the table.")


@click.command(no_args_is_help=True)
@spec_options
@click.option("--scheme", metavar="SCHEME", default="he-normal", help="he-normal, xavier(gain=1), orthogonal, ...")
@override_option
@seed_option
@data_option
@batch_option
@form_option
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Save the network to FILE.")
def init(
    spec: str,
    variant: str | None,
    variables: tuple[tuple[str, Value], ...],
    inputs: tuple[tuple[str | None, Scalar], ...],
    scheme: str,
    overrides: tuple[tuple[str, str], ...],
    seed: int,
    data: str | None,
    batch: int,
    form: str,
    output: Path | None,
) -> None:
    """Draw the weights of SPEC by a scheme, and show how.

    LSUV scales weights by a batch: of --data, or of standard normal numbers. With -o net.safetensors the network is
    saved, as archspec.load_model reads it.
    """
    spare(spec, output)
    writable(output)
    with needing("train" if data else "torch"):
        from builders.build import build
        from builders.files import save
        from builders.initialize import initialize, parse_scheme
        from builders.propagate import batch_of
    schemes = [parse_scheme(text).name for text in (scheme, *(other for _, other in overrides))]
    network = open_spec(spec, variant, dict(variables), dict(inputs))
    model, given, notes = build(network), None, tuple[str, ...]()
    if "lsuv" in schemes:
        given, _, notes = batch_of(network, data, batch, seed)
    found = initialize(model, scheme, seed, dict(overrides), batch=given)
    if output is not None:
        save(model, output)
    if form == "json":
        write_json({"name": network.title, "seed": seed, "weights": [row.to_dict() for row in found]})
    else:
        show(_weights(found, notes), form, f"{network.title}: {parse_scheme(scheme)}, seed {seed}", None)


def _weights(found: tuple[Drawn, ...], notes: tuple[str, ...]) -> report.Table:
    """A row for each weight."""
    from archspec import report

    titles = ["weight", "shape", "drawn as", "before", "fan_in>", "fan_out>", "gain>", "std asked>", "std drawn>"]
    variances = any(row.variance is not None for row in found)
    rows = [
        [
            row.name,
            " x ".join(map(str, row.shape)),
            row.scheme,
            row.activation or "-",
            str(row.fan_in),
            str(row.fan_out),
            _number(row.gain),
            _number(row.asked),
            _number(row.drawn),
            *([_number(row.variance)] if variances else []),
        ]
        for row in found
    ]
    if variances:
        titles.append("output variance>")
        notes = (*notes, "output variance: of the layer's output on the batch, once its weight was scaled")
    told = "before: the activation that the weight leads to; std: about 0, of constants about their value"
    return report.listed(titles, rows, (told, *notes))


@click.command(no_args_is_help=True)
@spec_options
@click.option("--init", "schemes", metavar="A,B,...", default="he-normal", help="Schemes: xavier,he,zeros.")
@override_option
@seed_option
@data_option
@batch_option
@form_option
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="A picture, or the table.")
def propagate(
    spec: str,
    variant: str | None,
    variables: tuple[tuple[str, Value], ...],
    inputs: tuple[tuple[str | None, Scalar], ...],
    schemes: str,
    overrides: tuple[tuple[str, str], ...],
    seed: int,
    data: str | None,
    batch: int,
    form: str,
    output: Path | None,
) -> None:
    """Send a batch through SPEC under each scheme, there and back.

    Nothing is trained. Without --data the batch is drawn from the standard normal distribution. With -o net.svg (or
    .png, .pdf, .html) also a picture: signal and gradient over depth.
    """
    spare(spec, output)
    writable(output)
    names = [name.strip() for name in schemes.split(",") if name.strip()]
    if not names:
        raise click.UsageError("--init names no scheme")
    drawn = output is not None and is_picture(output)
    with needing("train" if data else "torch"):
        from builders.propagate import propagate as send
    network = open_spec(spec, variant, dict(variables), dict(inputs))
    found = send(network, names, data=data, batch=batch, seed=seed, overrides=dict(overrides))
    if drawn and output is not None:
        _figure(found).save(output)
    target = None if drawn else output
    if form == "json":
        write_json(found.to_dict(), target)
    else:
        show(_layers(found), form, found.title, target)


def _layers(found: Propagation) -> report.Table:
    """A row for each layer under each scheme."""
    from archspec import report

    titles = ["scheme", "node>", "layer", "mean>", "std>", "predicted>", "signal>", "stuck>", "gradient>"]
    rows = [
        [
            passage.scheme,
            str(node.index),
            node.name or str(node.layer),
            _number(one.mean),
            _number(one.std),
            _number(passage.predicted[node]),
            _number(one.signal),
            "-" if one.stuck is None else f"{100 * one.stuck:.0f} %",
            _number(one.gradient),
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


def _number(value: float | None) -> str:
    """Three digits, or a dash."""
    return "-" if value is None else f"{value:.3g}"
