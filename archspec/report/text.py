"""A table for the terminal, drawn by rich: as wide as the terminal, or as its content where it goes into a pipe."""

from __future__ import annotations

from typing import TextIO

from archspec.report.table import NUMERIC, Table


def write_text(table: Table, file: TextIO, title: str) -> None:
    """Write a table to a terminal in colour, or plainly to anything else."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    terminal = file.isatty()
    console = Console(file=file, width=None if terminal else 10_000, highlight=False, legacy_windows=False)
    drawn = RichTable(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, show_footer=True)
    footers = list(zip(*table.totals, strict=True))
    for heading, footer in zip(table.titles, footers, strict=True):
        right = heading in NUMERIC
        drawn.add_column(heading, "\n".join(footer), justify="right" if right else "left", overflow="fold")
    for previous, row in zip([None, *table.rows], table.rows, strict=False):
        drawn.add_row(*(Text(cell) for cell in _quiet(table, previous, row)))
    console.print(drawn)
    for note in table.notes:
        console.print(Text(note, style="dim"), soft_wrap=True)


def _quiet(table: Table, previous: tuple[str, ...] | None, row: tuple[str, ...]) -> tuple[str, ...]:
    """The row, its path left out where it is that of the row above."""
    return tuple(
        "" if title == "path" and previous and previous[i] == cell else cell
        for i, (title, cell) in enumerate(zip(table.titles, row, strict=True))
    )
