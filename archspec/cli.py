"""The command line: one function per command."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from archspec import __version__, bundle
from archspec.errors import ArchspecError
from archspec.source import Scalar, Value, collector_paused, read

if TYPE_CHECKING:
    from archspec import report
    from archspec.spec import Spec

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for them costs more than most commands
FAILED, UNUSABLE = 1, 2
FORMATS = ("text", "markdown", "csv", "json")


class SpecName(click.ParamType[str]):
    """A path, `-` for standard input, or a bundled name; completes the names."""

    name = "spec"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
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


@contextmanager
def errors_shown() -> Iterator[None]:
    """Draw an ArchspecError on standard error and leave: 1 for a mistake in a spec, 2 for one in the request."""
    try:
        yield
    except ArchspecError as error:
        click.echo(str(error), err=True)
        asked = error.span is None or error.span.source.name.startswith("--")
        sys.exit(UNUSABLE if asked else FAILED)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="archspec")
def main() -> None:
    """Neural networks written as in a paper's table, and every number that follows from them."""


variant_option = click.option("--variant", metavar="NAME", help="One of the spec's variants.")


@main.command()
@click.argument("spec", type=SpecName())
@variant_option
@click.option("--set", "variables", type=Variable(), multiple=True, help="Set a variable of the spec.")
@click.option(
    "--input", "inputs", type=InputSize(), multiple=True, help="Another input shape: 64x64x3 or name=64x64x3."
)
@click.option("--batch", type=click.IntRange(min=1), default=1, help="Count for so many examples.")
@click.option("--columns", metavar="A,B,...", help="Such as layer,parameters,macs,line; any other word lists all.")
@click.option("--formulas/--values", default=None, help="Counts with their computation, or bare.")
@click.option("--depth", type=click.IntRange(min=1), help="Fold stages and blocks below this depth.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to write the table.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
def table(
    spec: str,
    variant: str | None,
    variables: tuple[tuple[str, Value], ...],
    inputs: tuple[tuple[str | None, Scalar], ...],
    batch: int,
    columns: str | None,
    formulas: bool | None,
    depth: int | None,
    form: str,
    output: Path | None,
) -> None:
    """Print shapes, parameters and MACs of SPEC, layer by layer.

    SPEC is a file, - for standard input, or a bundled name such as resnet50 (see `archspec list`).
    """
    with errors_shown(), collector_paused():
        from archspec import report

        detail: report.Detail = "auto" if formulas is None else "formulas" if formulas else "values"
        network = open_spec(spec, variant, dict(variables), dict(inputs))
        names = [name.strip() for name in columns.split(",")] if columns else None
        if form == "json":
            write(json.dumps(network.to_dict(batch), indent=2) + "\n", output)
        else:
            found = report.table(network.analyze(), names, depth, report.Style(detail, batch))
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
    return (sys.stdin.buffer.read(), "<stdin>", None) if name == "-" else bundle.read_spec(name)


def show(found: report.Table, form: str, title: str, output: Path | None) -> None:
    """Write a table in one of the formats, to a file or to standard output."""
    from archspec import report

    if form == "text" and output is None:
        report.write_text(found, sys.stdout, title)
        return
    if form == "text":
        buffer = io.StringIO()
        report.write_text(found, buffer, title)
        write(buffer.getvalue(), output)
    else:
        write(report.markdown(found) if form == "markdown" else report.csv_text(found), output)


def write(text: str, output: Path | None) -> None:
    """Write text to standard output, or whole to a file: what was there stays until the new text is complete."""
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        handle, draft = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.chmod(draft, 0o666 & ~_umask())
            os.replace(draft, output)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft)
            raise
    except OSError as error:
        message = f"cannot write {output}: {error.strerror or error}"
        raise ArchspecError("unwritable", message, hint="choose another file with -o") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@main.command()
@click.argument("specs", type=SpecName(), nargs=-1, required=True)
@variant_option
@click.option("--strict", is_flag=True, help="Count warnings as errors.")
def check(specs: tuple[str, ...], variant: str | None, strict: bool) -> None:
    """Validate each SPEC in all its variants, and hold the figures that it expects.

    Exits with 0 if all is well, 1 on errors and failed expectations (with --strict on warnings too), 2 if a spec could
    not be read.
    """
    from archspec.checking import Verdict, check_spec

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
    with errors_shown():
        entries = bundle.entries()
    if form == "json":
        click.echo(json.dumps([entry.to_dict() for entry in entries], indent=2))
        return
    width = max((len(entry.name) for entry in entries), default=0)
    for entry in entries:
        click.echo(f"{entry.name:{width}}  {entry.description}".rstrip())
        if entry.variants:
            click.echo(click.wrap_text(", ".join(entry.variants), 100, " " * (width + 2), " " * (width + 2)))
