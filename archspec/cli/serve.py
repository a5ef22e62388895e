"""The command serve."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from threading import Thread

import click

from archspec import bundle
from archspec.arguments import spec_options
from archspec.cli.opening import needing
from archspec.source import Scalar, Value


@click.command(no_args_is_help=True)
@spec_options
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65535), default=0, help="The port to serve on; else one that is free."
)
@click.option("--open/--no-open", "browse", default=True, help="Whether to open the page in the browser.")
def serve(
    spec: str,
    variant: str | None,
    variables: tuple[tuple[str, Value], ...],
    inputs: tuple[tuple[str | None, Scalar], ...],
    port: int,
    browse: bool,
) -> None:
    """Show SPEC as a page that follows every save of it.

    The page is served on this machine alone. Ctrl-C ends it.
    """
    if spec == "-":
        raise click.UsageError("standard input is read once and cannot be followed: name a file")
    _, shown, bundled = bundle.read_spec(spec)
    with needing("web"):
        from visualize.live.server import Server
    from archspec.choices import Choices

    server = Server(Path(shown), Choices(variant or bundled, dict(variables), dict(inputs)), port)
    click.echo(f"{shown} at {server.url} (Ctrl-C ends it)")
    if browse:
        Thread(target=webbrowser.open, args=(server.url,), daemon=True).start()
    server.run()
