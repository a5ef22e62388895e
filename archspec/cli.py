"""The command line: one function per command."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from contextlib import suppress
from errno import EBADF, EPIPE
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec import __version__, bundle
from archspec.errors import ArchspecError
from archspec.source import Scalar, Value, collector_paused, read

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from archspec import report
    from archspec.checking import Verdict
    from archspec.spec import Spec

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for them costs more than most commands
FAILED, UNUSABLE = 1, 2
FORMATS = ("text", "markdown", "csv", "json")
WIDTH = 100  # of help and lists


class SpecName(click.ParamType[str]):
    """A path, `-` for standard input, or a bundled name; completes the names."""

    name = "spec"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from click.shell_completion import CompletionItem

        names = sorted({variant or name.rsplit("/", 1)[-1] for name, _, variant in bundle.names()})
        found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


class Variable(click.ParamType[tuple[str, Value]]):
    """name=value, the value read as YAML."""

    name = "name=value"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Value]:
        name, equals, text = str(value).partition("=")
        if not equals or not name.isidentifier():
            self.fail(f"{value!r} is not name=value", param, ctx)
        return name, read(text, f"--set {name}")


class InputSize(click.ParamType[tuple[str | None, Scalar]]):
    """A shape such as 28x28x1, or name=28x28x1 where there are several inputs."""

    name = "shape"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,  # noqa: ARG002
        ctx: click.Context | None,  # noqa: ARG002
    ) -> tuple[str | None, Scalar]:
        name, equals, text = str(value).partition("=")
        return (name, Scalar.of(text, "--input")) if equals else (None, Scalar.of(name, "--input"))


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


variant_option = click.option("--variant", metavar="NAME", help="One of the spec's variants.")
set_option = click.option("--set", "variables", type=Variable(), multiple=True, help="Set a variable of the spec.")
input_option = click.option(
    "--input", "inputs", type=InputSize(), multiple=True, help="Another input shape: 64x64x3, or name=64x64x3."
)
dtype_option = click.option(
    "--dtype", metavar="NAME", default="float32", help="Count memory in this dtype: float16, ..."
)
format_option = click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", help="How to write the table."
)
output_option = click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE.")


@main.command(no_args_is_help=True)
@click.argument("spec", type=SpecName())
@variant_option
@set_option
@input_option
@click.option("--batch", metavar="N", type=click.IntRange(min=1), default=1, help="Count MACs for N examples.")
@click.option(
    "--columns",
    metavar="A,B,...",
    help="Of node, path, layer, inputs, parameters, buffers, activations, macs, flops, receptive_field, without_gates, "
    "jump, padding, density, memory, line.",
)
@dtype_option
@click.option(
    "--formulas/--values", default=None, help="Counts with their computation, or bare; if neither, parameters with it."
)
@click.option(
    "--depth", metavar="N", type=click.IntRange(min=1), help="Show each stage or block nested N deep as one row."
)
@format_option
@output_option
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
    with collector_paused():
        from archspec import report

        detail: report.Detail = "auto" if formulas is None else "formulas" if formulas else "values"
        network = open_spec(spec, variant, dict(variables), dict(inputs))
        if form == "json":
            write(json_text(network.to_dict(batch, dtype)), output)
        else:
            names = [name.strip() for name in columns.split(",")] if columns else None
            found = report.table(network.analyze(), names, depth, report.Style(detail, batch, dtype))
            show(found, form, network.title, output)
        for warning in network.warnings:
            click.echo(str(warning), err=True)


def open_spec(name: str, variant: str | None, variables: dict[str, Value], inputs: dict[str | None, Scalar]) -> Spec:
    """The spec of a path, a bundled name, or `-`; raises ArchspecError."""
    from archspec.document import parse_document
    from archspec.spec import Choices, build

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


def show(found: report.Table, form: str, title: str, output: Path | None) -> None:
    """Write a table in one of the formats, to a file or to standard output."""
    from archspec import report

    if form == "markdown":
        write(report.markdown(found), output)
    elif form == "csv":
        write(report.csv_text(found), output)
    elif output is None and sys.stdout is not None and sys.stdout.isatty():
        report.draw(found, sys.stdout, title)
    else:
        write(report.plain_text(found, title), output)


def json_text(value: object) -> str:
    """A value as indented JSON."""
    import json

    return json.dumps(value, indent=2) + "\n"


def write(text: str, output: Path | None) -> None:
    """Write text to standard output, or whole to a file: what was there stays until the new text is complete."""
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        if output.exists() and not output.is_file():  # a device or a pipe is written to, a folder refuses
            output.write_text(text, encoding="utf-8")
        else:
            replace(output.resolve(), text)
    except OSError as error:
        message = f"cannot write {output}: {error.strerror or error}"
        raise ArchspecError("unwritable", message, hint="choose another file with -o") from None


def replace(path: Path, text: str) -> None:
    """Put text in the place of a file at once, by a draft beside it; the file keeps its permissions."""
    import tempfile

    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(draft, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@main.command(no_args_is_help=True)
@click.argument("spec", type=SpecName())
@variant_option
@set_option
@input_option
@click.option("--layer", metavar="POINT", help="A point of the spec, or a node's number; else the output.")
@click.option("--unit", metavar="I,J", help="Also the region of the input that this unit of the layer reads.")
@click.option("--tail", metavar="N", type=click.IntRange(min=1), help="Show the last N rows alone.")
@format_option
@output_option
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
    with collector_paused():
        from archspec.growth import growth

        network = open_spec(spec, variant, dict(variables), dict(inputs))
        found = growth(network, layer, unit, tail)
        if form == "json":
            write(json_text(found.to_dict()), output)
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
        write(json_text([entry.to_dict() for entry in entries]), None)
        return
    width = max((len(entry.name) for entry in entries), default=0) + 2
    for entry in entries:
        variants = f"variants: {', '.join(entry.variants)}" if entry.variants else ""
        first, *rest = filter(None, (entry.description, variants)) if entry.description or variants else [entry.title]
        for head, text in [(entry.name, first), *(("", text) for text in rest)]:
            click.echo(click.wrap_text(text, WIDTH, f"{head:{width}}", " " * width))
