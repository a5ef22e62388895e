"""Commands that print what follows from a spec: table, rf, list."""

from __future__ import annotations

from pathlib import Path

import click

from archspec import bundle
from archspec.arguments import output_options, spec_options
from archspec.cli.opening import WIDTH, open_spec
from archspec.output import is_picture, show, spare, write_json
from archspec.source import Scalar, Value, collector_paused


@click.command(no_args_is_help=True)
@spec_options
@click.option("--batch", metavar="N", type=click.IntRange(min=1), default=1, help="Count MACs for N examples.")
@click.option(
    "--columns",
    metavar="A,B,...",
    help="Of node, path, layer, inputs, parameters, buffers, activations, macs, flops, receptive_field, without_gates, "
    "jump, padding, density, memory, line.",
)
@click.option("--dtype", metavar="NAME", default="float32", help="Count memory in this dtype: float16, ...")
@click.option(
    "--formulas/--values", default=None, help="Counts with their computation, or bare; if neither, parameters with it."
)
@click.option(
    "--depth", metavar="N", type=click.IntRange(min=1), help="Show each stage or block nested N deep as one row."
)
@output_options
def table(
    spec: str,
    variant: str | None,
    variables: tuple[tuple[str, Value], ...],
    inputs: tuple[tuple[str | None, Scalar], ...],
    batch: int,
    columns: str | None,
    dtype: str,
    formulas: bool | None,
    depth: int | None,
    form: str,
    output: Path | None,
) -> None:
    """Print shapes, parameters and MACs of SPEC, layer by layer.

    SPEC is a file, - for standard input, or a bundled name such as resnet50 (see `archspec list`).
    """
    if form == "json" and (columns or depth):
        raise click.UsageError("JSON holds every layer and figure: --columns and --depth are for the other formats")
    if form == "csv" and formulas:
        raise click.UsageError("CSV holds plain values: formulas are in the other formats")
    spare(spec, output)
    with collector_paused():
        from archspec import report

        detail: report.Detail = "auto" if formulas is None else "formulas" if formulas else "values"
        network = open_spec(spec, variant, dict(variables), dict(inputs))
        if form == "json":
            write_json(network.to_dict(batch, dtype), output)
        else:
            names = [name.strip() for name in columns.split(",")] if columns else None
            found = report.table(network.analyze(), names, depth, report.Style(detail, batch, dtype))
            show(found, form, network.title, output)
        for warning in network.warnings:
            click.echo(str(warning), err=True)


@click.command(no_args_is_help=True)
@spec_options
@click.option("--layer", metavar="POINT", help="A point of the spec, or a node's number; else the output.")
@click.option("--unit", metavar="I,J", help="Also the region of the input that this unit of the layer reads.")
@click.option("--tail", metavar="N", type=click.IntRange(min=1), help="Show the last N rows alone.")
@click.option("--image", metavar="PHOTO", type=click.Path(path_type=Path), help="Picture: a PNG or JPEG as the input.")
@click.option("--axis", metavar="H|W", help="Picture: also the taps from layer to layer along this axis.")
@click.option("--source", metavar="NAME", help="Picture: the input on which the field is shown; else the first.")
@output_options
def rf(
    spec: str,
    variant: str | None,
    variables: tuple[tuple[str, Value], ...],
    inputs: tuple[tuple[str | None, Scalar], ...],
    layer: str | None,
    unit: str | None,
    tail: int | None,
    image: Path | None,
    axis: str | None,
    source: str | None,
    form: str,
    output: Path | None,
) -> None:
    """Show how the receptive field grows up to a layer of SPEC.

    Sizes, jumps and paddings are in positions of the input. A field holds the padding that it reaches into.

    With -o net.svg (or .png, .pdf, .html) a picture: the region of one unit, the growth over depth, and the taps of
    sequences. Without --layer it shows the output if that is a map, else the deepest map that sees less than all.
    """
    spare(spec, output)
    if output is not None and is_picture(output):
        if tail or form != "text":
            raise click.UsageError(f"{output} is a picture: --tail and --format are for tables")
        from visualize.receptive_field import draw_receptive_field

        network = open_spec(spec, variant, dict(variables), dict(inputs))
        draw_receptive_field(network, layer, unit, image, axis, source).save(output)
        return
    if image or axis or source:
        raise click.UsageError("--image, --axis and --source are for pictures: -o rf.svg, .png, .pdf or .html")
    with collector_paused():
        from archspec.growth import growth

        network = open_spec(spec, variant, dict(variables), dict(inputs))
        found = growth(network, layer, unit, tail)
        if form == "json":
            write_json(found.to_dict(), output)
        else:
            show(found.table, form, found.title, output)
        for note in found.notes if form == "text" else ():
            click.echo(str(note), err=True)


@click.command("list")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="How to write the list.")
def list_specs(form: str) -> None:
    """List the bundled specs and their variants."""
    entries = bundle.entries()
    if form == "json":
        write_json([entry.to_dict() for entry in entries])
        return
    width = max((len(entry.name) for entry in entries), default=0) + 2
    for entry in entries:
        variants = f"variants: {', '.join(entry.variants)}" if entry.variants else ""
        first, *rest = filter(None, (entry.description, variants)) if entry.description or variants else [entry.title]
        for head, text in [(entry.name, first), *(("", text) for text in rest)]:
            click.echo(click.wrap_text(text, WIDTH, f"{head:{width}}", " " * width))
