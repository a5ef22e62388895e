"""Opening the spec that a command is given; exit codes."""

from __future__ import annotations

import sys
from errno import EBADF
from typing import TYPE_CHECKING

from archspec import bundle
from archspec.errors import ArchspecError
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
