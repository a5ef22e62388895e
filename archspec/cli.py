"""The command line: one function per command."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from errno import EBADF, EPIPE
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec import __version__, bundle
from archspec.arguments import SpecName, output_options, spec_options, variant_option
from archspec.errors import ArchspecError
from archspec.output import show, spare, write_json
from archspec.source import Scalar, Value, collector_paused

if TYPE_CHECKING:
    from archspec.checking import Verdict
    from archspec.spec import Spec

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for them costs more than most commands
FAILED, UNUSABLE = 1, 2
WIDTH = 100  # of help and lists


class Commands(click.Group):
    """Shows what a user can mend on standard error: exit code 1 for a mistake in a spec, 2 for one in the request."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ArchspecError as error:
            click.echo(str(error), err=True)
            asked = error.span is None or error.span.source.name.startswith("--")
            sys.exit(UNUSABLE if asked else FAILED)
        except OSError as error:
            if error.errno == EPIPE:
                raise  # click leaves without a word: `| head` has read enough
            click.echo(f"error[unwritable]: cannot write to standard output: {error.strerror}", err=True)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes nowhere
            sys.exit(UNUSABLE)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH})
@click.version_option(__version__, prog_name="archspec")
def main() -> None:
    """Neural networks written as in a paper's table, and every number that follows from them."""
    atexit.register(gc.freeze)  # the collections at exit would take a fifth of the time of a command
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may hold what the terminal's encoding does not


@main.command(no_args_is_help=True)
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


def open_spec(name: str, variant: str | None, variables: dict[str, Value], inputs: dict[str | None, Scalar]) -> Spec:
    """The spec of a path, a bundled name, or `-`; raises ArchspecError."""
    from archspec.choices import Choices
    from archspec.document import parse_document
    from archspec.spec import build

    text, shown, bundled = given(name)
    return build(parse_document(text, shown), Choices(variant or bundled, variables, inputs))


def given(name: str) -> tuple[bytes, str, str | None]:
    """The text of a path, a bundled name, or `-`; the name that errors show; the variant that the name stands for."""
    if name != "-":
        return bundle.read_spec(name)
    try:
        if sys.stdin is None:
            raise OSError(EBADF, "it is closed")
        return sys.stdin.buffer.read(), "<stdin>", None
    except OSError as error:
        message, hint = f"cannot read standard input: {error.strerror}", "give a file or a bundled name instead of -"
        raise ArchspecError("unreadable", message, hint=hint) from None


@main.command(no_args_is_help=True)
@spec_options
@click.option("--layer", metavar="POINT", help="A point of the spec, or a node's number; else the output.")
@click.option("--unit", metavar="I,J", help="Also the region of the input that this unit of the layer reads.")
@click.option("--tail", metavar="N", type=click.IntRange(min=1), help="Show the last N rows alone.")
@output_options
def rf(
    spec: str,
    variant: str | None,
    variables: tuple[tuple[str, Value], ...],
    inputs: tuple[tuple[str | None, Scalar], ...],
    layer: str | None,
    unit: str | None,
    tail: int | None,
    form: str,
    output: Path | None,
) -> None:
    """Show how the receptive field grows with depth, up to a layer of SPEC.

    Sizes, jumps and paddings are in positions of the input. A field holds the padding that it reaches into.
    """
    spare(spec, output)
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


@main.command(no_args_is_help=True)
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


@main.command("list")
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
