"""What the commands are given: the types of their arguments, and the options that several of them share."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from archspec import bundle
from archspec.source import Scalar, Value, read

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])
FORMATS = ("text", "markdown", "csv", "json")


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


variant_option = click.option("--variant", metavar="NAME", help="One of the spec's variants.")


def spec_options(command: Command) -> Command:
    """The spec of a command, its variant, and what of it is set otherwise: `spec`, `variant`, `variables`, `inputs`."""
    return _all(
        command,
        click.argument("spec", type=SpecName()),
        variant_option,
        click.option("--set", "variables", type=Variable(), multiple=True, help="Set a variable of the spec."),
        click.option(
            "--input", "inputs", type=InputSize(), multiple=True, help="Another input shape: 64x64x3, or name=64x64x3."
        ),
    )


def output_options(command: Command) -> Command:
    """How a table is written, and where: `form`, `output`."""
    return _all(
        command,
        click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to write the table."),
        click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE."),
    )


def _all(command: Command, *decorators: Callable[[Command], Command]) -> Command:
    """A command with several parameters, in the order in which its help names them."""
    return reduce(lambda decorated, decorator: decorator(decorated), reversed(decorators), command)
