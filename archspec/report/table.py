"""From rows to a table: the cells, the lines of totals, and what a reader must know of the numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from archspec.analysis import Analysis
from archspec.nodes import Node
from archspec.report.columns import DEFAULT, Column, Style, Sum, View, chosen, number
from archspec.report.rows import Row, rows

UNCOUNTED = "bias, normalisation, activation, pooling and elementwise work count 0"


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a column; a `numeric` one is aligned to the right."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """A report ready to be drawn: titles, rows of text and of plain values, totals, and the lines below."""

    columns: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    values: tuple[tuple[object, ...], ...]
    totals: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(column.title for column in self.columns)


def listed(columns: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> Table:
    """A table of plain cells; a column whose title ends in `>` is aligned to the right."""
    headings = tuple(Heading(title.removesuffix(">"), title.endswith(">")) for title in columns)
    cells = tuple(map(tuple, rows))
    return Table(headings, cells, cells, (), tuple(notes))


def table(
    analysis: Analysis,
    columns: Sequence[str] | None = None,
    depth: int | None = None,
    style: Style | None = None,
    nodes: Collection[Node] | None = None,
) -> Table:
    """The report of an analysis, or of some of its nodes alone; raises ArchspecError for an unknown column."""
    view = View(analysis, style or Style())
    lines = rows(analysis, depth, nodes)
    picked = chosen(_default(lines) if columns is None else columns)
    return Table(
        tuple(Heading(column.title, column.numeric) for column in picked),
        tuple(tuple(column.text(row, view) for column in picked) for row in lines),
        tuple(tuple(column.plain(row, view) for column in picked) for row in lines),
        tuple(_totals(picked, view)) if nodes is None else (),
        tuple(_notes(picked, lines, view)),
    )


def _default(lines: list[Row]) -> list[str]:
    """The usual columns; with the nodes' numbers where a row names one, and with paths where there are any."""
    found = {"node": any(row.shared for row in lines), "path": any(row.path for row in lines)}
    return [*(name for name, wanted in found.items() if wanted), *DEFAULT]


def _totals(columns: tuple[Column, ...], view: View) -> list[tuple[str, ...]]:
    """The line of totals, and where training adds heads a second one for what they add."""
    if not any(column.total for column in columns):
        return []
    graph, extra = view.analysis.graph, view.analysis.training_only
    lines = [Sum("Total", view.analysis.totals, graph.inference)]
    if any((extra.parameters, extra.buffers, extra.macs)):
        lines.append(Sum("Training only", extra, graph.needed - graph.inference))
    named = next((i for i, column in enumerate(columns) if column.total is None), None)
    return [
        tuple(
            number(column.total(line, view)) if column.total else line.title if i == named else ""
            for i, column in enumerate(columns)
        )
        for line in lines
    ]


def _notes(columns: tuple[Column, ...], lines: list[Row], view: View) -> list[str]:
    """What a reader must know of the numbers: what a folded row holds, what a MAC is, what memory is alive at once."""
    titles, style, found = {column.title for column in columns}, view.style, list[str]()
    if "layer" in titles and any(row.times > 1 for row in lines):
        found.append("x n: n calls in series, counted together")
    if titles & {"MACs", "FLOPs"}:
        per = "per example" if style.batch == 1 else f"for a batch of {style.batch}"
        found.append(f"MACs: multiply-accumulates {per}; {UNCOUNTED}")
    if "FLOPs" in titles:
        found.append("FLOPs: 2 x MACs")
    if "memory" in titles:
        found += _memory_notes(view)
    return found


def _memory_notes(view: View) -> list[str]:
    memory, style = view.memory, view.style
    node = memory.peak_node
    return [
        f"memory: bytes of each output in {style.dtype}, batch {style.batch}; views take none",
        f"weights {number(memory.weights)}; activations {number(memory.activations)}; "
        f"alive at once at most {number(memory.peak)}, at node {node.index} ({node.name or node.layer})",
    ]
