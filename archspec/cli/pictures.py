"""Commands that draw: draw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec.arguments import spec_options
from archspec.cli.opening import open_spec
from archspec.output import named, spare, write
from archspec.source import Scalar, Value, collector_paused

if TYPE_CHECKING:
    from visualize.diagram import Direction


@click.command(no_args_is_help=True)
@spec_options
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE; - is the screen.")
@click.option("--depth", metavar="N", type=click.IntRange(min=0), help="Fold what is nested N deep; 0 folds nothing.")
@click.option("--direction", type=click.Choice(("TB", "LR")), default="TB", help="Downwards, or to the right.")
@click.option("--format", "form", type=click.Choice(("svg", "png", "pdf", "dot")), help="If not that of FILE: svg.")
@click.option(
    "--show", metavar="A,B,...", help="Of shape, receptive_field, parameters (these if not given), macs, memory."
)
@click.option("--every", is_flag=True, help="Draw every repeat of a block, not one with `x 6`.")
@click.option("--dot", metavar="PROGRAM", help="The dot program to use; also ARCHSPEC_DOT.")
def draw(
    spec: str,
    variant: str | None,
    variables: tuple[tuple[str, Value], ...],
    inputs: tuple[tuple[str | None, Scalar], ...],
    output: Path | None,
    depth: int | None,
    direction: Direction,
    form: str | None,
    show: str | None,
    every: bool,
    dot: str | None,
) -> None:
    """Draw SPEC: layers as boxes, stages and blocks as frames.

    Without --depth it is folded until it can be read. Without -o it is written to the current folder, by its name.
    """
    spare(spec, output)
    with collector_paused():
        from visualize.diagram import diagram
        from visualize.diagram.labels import DEFAULT

        network = open_spec(spec, variant, dict(variables), dict(inputs))
        figures = tuple(name.strip() for name in show.split(",")) if show else DEFAULT
        drawn = diagram(network, depth, direction, figures, every, dot)
        if output is None:
            output = named(network.variant or network.name, form or "svg")
            spare(spec, output)
        if str(output) == "-":
            write(drawn.render(form or "svg"), None)
        else:
            drawn.save(output, form)
            click.echo(f"{output}: {drawn.summary}", err=True)
