"""From rows to cells: which columns there are, and how their numbers are written. The only number formatting."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from archspec.analysis import Analysis, Memory, ReceptiveField, Totals
from archspec.errors import ArchspecError, did_you_mean
from archspec.layers import Formula
from archspec.nodes import Node
from archspec.report.fields import densities, extent, gateless, jumps, paddings
from archspec.report.rows import Row, rows

Detail = Literal["auto", "formulas", "values"]
UNCOUNTED = "bias, normalisation, activation, pooling and elementwise work count 0"


@dataclass(frozen=True)
class Style:
    """How counts are written: as formulas everywhere, for parameters alone (auto) or nowhere; the batch and dtype."""

    detail: Detail = "auto"
    batch: int = 1
    dtype: str = "float32"


@dataclass(frozen=True)
class View:
    """What the cells of a table are taken from, beside their row."""

    analysis: Analysis
    style: Style

    @cached_property
    def memory(self) -> Memory:
        return self.analysis.memory(self.style.dtype, self.style.batch)

    def field(self, row: Row) -> ReceptiveField | None:
        return self.analysis.receptive_field(row.last)


@dataclass(frozen=True)
class Column:
    """One column: its title, its cells as text and as plain values, and the entry in the line of totals."""

    title: str
    text: Callable[[Row, View], str]
    value: Callable[[Row, View], object]
    total: Callable[[Totals, View], int] | None = None


@dataclass(frozen=True)
class Table:
    """A report ready to be drawn: titles, rows of text and of plain values, totals, and the lines below."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    values: tuple[tuple[object, ...], ...]
    totals: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(column.title for column in self.columns)


def number(value: int) -> str:
    """A count with its thousands apart: 2,483."""
    return f"{value:,}"


def _label(row: Row, _: View) -> str:
    return f"{row.label} x {row.times}" if row.times > 1 else row.label


def _parameters(row: Row, view: View) -> str:
    if row.shared is not None:
        return f"0, shared with node {row.shared.index}"
    return _count(row.parameters, view.style.detail != "values" and not row.folded)


def _count(formula: Formula, written: bool) -> str:
    return str(formula) if written else number(formula.value)


def _macs(row: Row, view: View) -> str:
    style = view.style
    if style.detail == "formulas" and not row.folded and style.batch == 1:
        return str(row.macs)
    return number(row.macs.value * style.batch)


def _inputs(row: Row) -> list[int]:
    if not row.folded:
        return [source.index for source in row.last.inputs]
    inside = set(row.nodes)
    return list(dict.fromkeys(source.index for node in row.nodes for source in node.inputs if source not in inside))


def _memory(row: Row, view: View) -> int:
    return sum(view.memory.outputs[node] for node in row.nodes)


COLUMNS: dict[str, Column] = {
    "node": Column("node", lambda row, _: str(row.last.index), lambda row, _: row.last.index),
    "path": Column("path", lambda row, _: row.path, lambda row, _: row.path),
    "layer": Column("layer", _label, _label),
    "inputs": Column(
        "inputs", lambda row, _: ", ".join(map(str, _inputs(row))), lambda row, _: " ".join(map(str, _inputs(row)))
    ),
    "parameters": Column(
        "parameters", _parameters, lambda row, _: row.parameters.value, lambda totals, _: totals.parameters
    ),
    "buffers": Column(
        "buffers",
        lambda row, _: number(row.buffers.value),
        lambda row, _: row.buffers.value,
        lambda totals, _: totals.buffers,
    ),
    "activations": Column(
        "activations", lambda row, _: str(row.last.shape), lambda row, _: str(row.last.shape).replace(" x ", "x")
    ),
    "macs": Column(
        "MACs",
        _macs,
        lambda row, view: row.macs.value * view.style.batch,
        lambda totals, view: totals.macs * view.style.batch,
    ),
    "flops": Column(
        "FLOPs",
        lambda row, view: number(2 * row.macs.value * view.style.batch),
        lambda row, view: 2 * row.macs.value * view.style.batch,
        lambda totals, view: totals.flops * view.style.batch,
    ),
    "receptive_field": Column(
        "receptive field",
        lambda row, view: extent(view.field(row)),
        lambda row, view: extent(view.field(row)).replace(" x ", "x"),
    ),
    "without_gates": Column(
        "without gates",
        lambda row, view: extent(gateless(view.field(row))),
        lambda row, view: extent(gateless(view.field(row))).replace(" x ", "x"),
    ),
    "jump": Column("jump", lambda row, view: jumps(view.field(row)), lambda row, view: jumps(view.field(row))),
    "padding": Column(
        "padding", lambda row, view: paddings(view.field(row)), lambda row, view: paddings(view.field(row))
    ),
    "density": Column(
        "density", lambda row, view: densities(view.field(row)), lambda row, view: densities(view.field(row))
    ),
    "memory": Column(
        "memory",
        lambda row, view: number(_memory(row, view)),
        _memory,
        lambda totals, view: view.memory.activations if totals is view.analysis.totals else 0,
    ),
    "line": Column("line", lambda row, _: str(row.first.span.line), lambda row, _: row.first.span.line),
}
DEFAULT = ("layer", "parameters", "activations", "macs")
NUMERIC = frozenset({"node", "parameters", "buffers", "MACs", "FLOPs", "memory", "line"})


def chosen(names: Sequence[str]) -> tuple[Column, ...]:
    """The columns of some names; raises ArchspecError for an unknown one."""
    for name in names:
        if name not in COLUMNS:
            hint = did_you_mean(name, COLUMNS) or f"the columns are {', '.join(COLUMNS)}"
            raise ArchspecError("unknown-column", f"there is no column `{name}`", hint=hint)
    return tuple(COLUMNS[name] for name in names)


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
        picked,
        tuple(tuple(column.text(row, view) for column in picked) for row in lines),
        tuple(tuple(column.value(row, view) for column in picked) for row in lines),
        tuple(_totals(picked, view)) if nodes is None else (),
        tuple(_notes(picked, lines, view)),
    )


def _default(lines: list[Row]) -> list[str]:
    """The usual columns; with the nodes' numbers where a row names one, and with paths where there are any."""
    found = {"node": any(row.shared for row in lines), "path": any(row.path for row in lines)}
    return [*(name for name, wanted in found.items() if wanted), *DEFAULT]


def _totals(columns: tuple[Column, ...], view: View) -> list[tuple[str, ...]]:
    """The line of totals, and where training adds heads a second one for what they add."""
    analysis = view.analysis
    if not any(column.total for column in columns):
        return []
    found = [("Total", analysis.totals)]
    if any((analysis.training_only.parameters, analysis.training_only.buffers, analysis.training_only.macs)):
        found.append(("Training only", analysis.training_only))
    named = next((i for i, column in enumerate(columns) if column.total is None), None)
    return [
        tuple(
            number(column.total(totals, view)) if column.total else title if i == named else ""
            for i, column in enumerate(columns)
        )
        for title, totals in found
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
