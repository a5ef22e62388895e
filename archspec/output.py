"""Where the command line writes: tables in their formats and JSON, to standard output or whole to a file."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from errno import EISDIR
from os import strerror
from pathlib import Path
from tempfile import NamedTemporaryFile
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


def named(name: str, suffix: str) -> Path:
    """A file in the current folder, without what a file's name should not hold."""
    plain = re.sub(r"[^-.\w]+", "-", name).strip("-.")[:100]
    return Path(f"{plain or 'net'}.{suffix}")


def is_picture(output: Path) -> bool:
    """Whether the suffix asks for a chart, and not for a table."""
    return output.suffix.lower() in (".svg", ".png", ".pdf", ".html")


def spare(spec: str, output: Path | None) -> None:
    """Raise ArchspecError where the output would take the place of the spec that it is made from."""
    with suppress(OSError, ValueError):
        if output is not None and spec != "-" and output.samefile(spec):
            message = f"{output} is the spec itself, and the output would take its place"
            raise ArchspecError("unwritable", message, hint="choose another file with -o")


def writable(output: Path | None) -> None:
    """Raise ArchspecError where the output cannot be written, before work that takes long."""
    if output is None or str(output) == "-":
        return
    try:
        if output.is_dir():
            raise OSError(EISDIR, strerror(EISDIR))
        if not output.exists() or output.is_file():
            NamedTemporaryFile(dir=output.resolve().parent, prefix=f".{output.name}.").close()
    except OSError as error:
        raise _unwritable(output, error) from None


def write_json(value: object, output: Path | None = None) -> None:
    """Write a value as indented JSON."""
    import json

    write(json.dumps(value, indent=2) + "\n", output)


def write(content: str | bytes, output: Path | None) -> None:
    """Write text or bytes to standard output, or whole to a file: what was there stays until the new is complete."""
    if output is None or str(output) == "-":
        click.echo(content, nl=False)
        return
    data = content.encode() if isinstance(content, str) else content
    try:
        if output.exists() and not output.is_file():  # a device or a pipe is written to, a folder refuses
            output.write_bytes(data)
        else:
            with replacing(output) as draft:
                draft.write_bytes(data)
    except OSError as error:
        raise _unwritable(output, error) from None


def _unwritable(output: Path, error: OSError) -> ArchspecError:
    message = f"cannot write {output}: {error.strerror or error}"
    return ArchspecError("unwritable", message, hint="choose another file with -o")
