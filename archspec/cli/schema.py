"""The command schema."""

from __future__ import annotations

from pathlib import Path

import click

from archspec.output import write_json


@click.command()
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE.")
def schema(output: Path | None) -> None:
    """Print the JSON Schema of specs, which editors check them by."""
    from archspec.schema import json_schema

    write_json(json_schema(), output)
