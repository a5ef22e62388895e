"""A table as text: plain and as wide as its content for files and pipes, drawn by rich to fit a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from archspec.errors import display_width
from archspec.report.table import NUMERIC, Table

GAP = "   "


def write_text(table: Table, file: TextIO, title: str) -> None:
    """Write a table to a terminal in colour, or plainly to anything else."""
    if file.isatty():
        _draw(table, file, title)
    else:
        file.write(plain_text(table, title))


def plain_text(table: Table, title: str) -> str:
    """The table in aligned columns, without colour or wrapping."""
    lines = [table.titles, *_quiet(table), *table.totals]
    widths = [max(map(display_width, column)) for column in zip(*lines, strict=True)]
    drawn = [_line(table, line, widths) for line in lines]
    rule = "─" * max(map(display_width, drawn))
    body, totals = drawn[1 : 1 + len(table.rows)], drawn[1 + len(table.rows) :]
    return "\n".join([title, "", drawn[0], rule, *body, rule, *totals, "", *table.notes]) + "\n"


def _line(table: Table, cells: tuple[str, ...], widths: list[int]) -> str:
    padded = []
    for title, cell, width in zip(table.titles, cells, widths, strict=True):
        space = " " * (width - display_width(cell))
        padded.append(space + cell if title in NUMERIC else cell + space)
    return GAP.join(padded).rstrip()


def _quiet(table: Table) -> Iterator[tuple[str, ...]]:
    """The rows, a path left out where it is that of the row above."""
    at = table.titles.index("path") if "path" in table.titles else None
    previous = ""
    for row in table.rows:
        if at is None:
            yield row
        else:
            yield (*row[:at], "" if row[at] == previous else row[at], *row[at + 1 :])
            previous = row[at]


def _draw(table: Table, file: TextIO, title: str) -> None:
    """To a terminal, by rich: as wide as it is, long cells folded."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(file=file, highlight=False)
    drawn = RichTable(title=Text(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False, show_footer=True)
    for heading, *footer in zip(table.titles, *table.totals, strict=True):
        right = heading in NUMERIC
        drawn.add_column(heading, Text("\n".join(footer)), justify="right" if right else "left", overflow="fold")
    for row in _quiet(table):
        drawn.add_row(*map(Text, row))
    console.print(drawn)
    for note in table.notes:
        console.print(Text(note, style="dim"))
