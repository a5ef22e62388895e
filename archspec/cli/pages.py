"""The command that writes a page: report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.arguments import spec_options
from archspec.cli.opening import needing, open_spec
from archspec.errors import ArchspecError
from archspec.output import named, spare, write
from archspec.source import Scalar, Value, collector_paused

if TYPE_CHECKING:
    from archspec.spec import Spec

HINT = "write it with `archspec verify SPEC --format json -o FILE`"


@click.command(no_args_is_help=True)
@spec_options
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE; - is the screen.")
@click.option("--verification", metavar="FILE", type=click.Path(path_type=Path), help="Show what verify wrote as JSON.")
@click.option("--verify", is_flag=True, help="Hold every number against a run first, and show that.")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def report(
    spec: str,
    variant: str | None,
    variables: tuple[tuple[str, Value], ...],
    inputs: tuple[tuple[str | None, Scalar], ...],
    output: Path | None,
    verification: Path | None,
    verify: bool,
    show: bool,
) -> None:
    """Write what is known of SPEC as one page that opens offline.

    Table, diagram, receptive fields, shares and the spec's text. Without -o it is written to the current folder, by its
    name.
    """
    if verify and verification:
        raise click.UsageError("give --verify or --verification FILE, not both")
    if show and str(output) == "-":
        raise click.UsageError("--open needs a file, and -o - is standard output")
    spare(spec, output)
    with collector_paused():
        from visualize.page import page_data, page_html

        network = open_spec(spec, variant, dict(variables), dict(inputs))
        output = output or named(network.variant or network.name, "html")
        spare(spec, output)
        found = _verified(network) if verify else _read(verification) if verification else None
        page = page_html(page_data(network, found))
    write(page, output)
    if str(output) != "-":
        click.echo(f"{output}: {len(network)} layers, {len(page.encode()) / 1000:.0f} kB", err=True)
    if show:
        click.launch(output.resolve().as_uri())


def _read(path: Path) -> dict[str, Any]:
    """The JSON of a verification; raises ArchspecError where it is none."""
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise ArchspecError("unreadable", f"cannot read {path}: {error.strerror or error}", hint=HINT) from None
    except (ValueError, RecursionError):
        raise ArchspecError("verification", f"{path} is no JSON", hint=HINT) from None
    if not isinstance(found, dict):
        raise ArchspecError("verification", f"{path} holds no verification", hint=HINT)
    return found


def _verified(spec: Spec) -> dict[str, object]:
    with needing("torch"):
        from builders.verify import verify
    return verify(spec).to_dict()
