"""What commands have in common: opening the spec that they are given, exit codes, libraries that may be missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EBADF
from typing import TYPE_CHECKING

import click

from archspec import bundle
from archspec.errors import ArchspecError, missing_package
from archspec.source import Scalar, Value

if TYPE_CHECKING:
    from archspec.spec import Spec

FAILED, UNUSABLE = 1, 2
WIDTH = 100  # of help and lists


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


def exit_code(error: ArchspecError) -> int:
    """1 for a mistake in a spec, 2 for one in the request, which stands in no file."""
    asked = error.span is None or error.span.source.name.startswith("--")
    return UNUSABLE if asked else FAILED


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Imports of a back end: a library that is not installed is an error that names the extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        command = click.get_current_context().info_name
        raise missing_package(f"archspec {command}", error, extra) from None
