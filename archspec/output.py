"""Where the command line writes: tables in their formats and JSON, to standard output or whole to a file."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec.errors import ArchspecError
from archspec.files import replacing

if TYPE_CHECKING:
    from archspec import report


def show(found: report.Table, form: str, title: str, output: Path | None) -> None:
    """Write a table in one of the formats, to a file or to standard output."""
    from archspec import report

    if form == "markdown":
        write(report.markdown(found), output)
    elif form == "csv":
        write(report.csv_text(found), output)
    elif (output is None or str(output) == "-") and sys.stdout is not None and sys.stdout.isatty():
        report.draw(found, sys.stdout, title)
    else:
        write(report.plain_text(found, title), output)


def spare(spec: str, output: Path | None) -> None:
    """Raise ArchspecError where the output would take the place of the spec that it is made from."""
    with suppress(OSError, ValueError):
        if output is not None and spec != "-" and output.samefile(spec):
            message = f"{output} is the spec itself, and the output would take its place"
            raise ArchspecError("unwritable", message, hint="choose another file with -o")


def write_json(value: object, output: Path | None = None) -> None:
    """Write a value as indented JSON."""
    import json

    write(json.dumps(value, indent=2) + "\n", output)


def write(text: str, output: Path | None) -> None:
    """Write text to standard output, or whole to a file: what was there stays until the new text is complete."""
    if output is None or str(output) == "-":
        click.echo(text, nl=False)
        return
    try:
        if output.exists() and not output.is_file():  # a device or a pipe is written to, a folder refuses
            output.write_text(text, encoding="utf-8")
        else:
            with replacing(output) as draft:
                draft.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        message = f"cannot write {output}: {error.strerror or error}"
        raise ArchspecError("unwritable", message, hint="choose another file with -o") from None
