"""A table as text: plain and as wide as its content for files and pipes, drawn by rich to fit a terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal, TextIO

from archspec.drawing import display_width
from archspec.report.table import Table

GAP = "   "
TOP = "/"  # the path of a row outside all groups, where the row above stands in one


def plain_text(table: Table, title: str) -> str:
    """The table in aligned columns, without colour or wrapping."""
    lines = [table.titles, *_quiet(table), *table.totals]
    widths = [max(map(display_width, column)) for column in zip(*lines, strict=True)]
    drawn = [_line(table, line, widths) for line in lines]
    rule = "-" * max(map(display_width, drawn))
    body, totals = drawn[1 : 1 + len(table.rows)], drawn[1 + len(table.rows) :]
    below = [rule, *totals] if totals else []
    return "\n".join([title, "", drawn[0], rule, *body, *below, "", *table.notes]).rstrip() + "\n"


def _line(table: Table, cells: tuple[str, ...], widths: list[int]) -> str:
    padded = []
    for column, cell, width in zip(table.columns, cells, widths, strict=True):
        space = " " * (width - display_width(cell))
        padded.append(space + cell if column.numeric else cell + space)
    return GAP.join(padded).rstrip()


def _quiet(table: Table) -> Iterator[tuple[str, ...]]:
    """The rows, a path left out where it is that of the row above."""
    at = table.titles.index("path") if "path" in table.titles else None
    previous = ""
    for row in table.rows:
        if at is None:
            yield row
        else:
            yield (*row[:at], "" if row[at] == previous else row[at] or TOP, *row[at + 1 :])
            previous = row[at]


def draw(table: Table, file: TextIO, title: str) -> None:
    """Draw a table to a terminal by rich: long cells folded to its width, words and numbers whole."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(file=file, highlight=False, color_system=None if os.environ.get("NO_COLOR") else "auto")
    rows = list(_quiet(table))
    widths = _fitting(table.titles, [*rows, *table.totals], console.width)
    console.width = max(console.width, _whole(widths))
    drawn = RichTable(box=SIMPLE, show_edge=False, pad_edge=False, show_footer=bool(table.totals))
    for column, width, *footer in zip(table.columns, widths, *table.totals, strict=True):
        side: Literal["left", "right"] = "right" if column.numeric else "left"
        drawn.add_column(column.title, Text("\n".join(footer)), justify=side, width=width, overflow="fold")
    for row in rows:
        cells = zip(table.titles, row, widths, strict=True)
        drawn.add_row(*(Text(_folded(cell, width) if title == "path" else cell) for title, cell, width in cells))
    console.print(Text(title), "", drawn, "", *(Text(note, style="dim") for note in table.notes), sep="\n")


def _fitting(titles: tuple[str, ...], lines: list[tuple[str, ...]], room: int) -> list[int]:
    """The widths of the columns: those of their cells, and where these are too wide the widest column narrowed step by
    step, down to its longest word; the activations last, and only where that makes the line fit."""
    columns = list(zip(*lines, strict=True))
    words = [max(display_width(word) for cell in column for word in _words(cell)) for column in columns]
    whole = [max(map(display_width, column)) for column in columns]
    widths = [max(cells, display_width(title)) for cells, title in zip(whole, titles, strict=True)]
    first = [cells if title == "activations" else word for title, cells, word in zip(titles, whole, words, strict=True)]
    for least in (first, words) if _whole(words) <= room else (first,):
        for _ in range(_whole(widths) - room):
            loose = [i for i, width in enumerate(widths) if width > max(1, least[i])]
            if loose:
                widths[max(loose, key=widths.__getitem__)] -= 1
    return widths


def _whole(widths: list[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _words(cell: str) -> list[str]:
    """What must not be broken: words, and the parts of a path."""
    return cell.replace("/", "/ ").split() or [""]


def _folded(path: str, width: int) -> str:
    """A path in lines of some width, each but the last ended by its slash."""
    lines = [""]
    for part in path.replace("/", "/ ").split():
        if display_width(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)
