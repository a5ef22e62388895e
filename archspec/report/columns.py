"""Which columns there are, and how their cells are written. The only number formatting."""

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
from archspec.report.rows import Row

Detail = Literal["auto", "formulas", "values"]


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
class Sum:
    """A line of totals: its title, what it adds up, and over which nodes."""

    title: str
    totals: Totals
    nodes: Collection[Node]


@dataclass(frozen=True)
class Column:
    """One column: its title, its cells as text and as plain values (None: the text), and its entry in a line of totals.

    A `numeric` one is aligned to the right.
    """

    title: str
    text: Callable[[Row, View], str]
    value: Callable[[Row, View], object] | None = None
    total: Callable[[Sum, View], int] | None = None
    numeric: bool = False

    def plain(self, row: Row, view: View) -> object:
        """The cell as a plain value."""
        return (self.value or self.text)(row, view)


def number(value: int) -> str:
    """A count with its thousands apart: 2,483."""
    return f"{value:,}"


def size(value: int) -> str:
    """A number of bytes, rounded.

    >>> size(102_441_248), size(640)
    ('97.7 MiB', '640 B')
    """
    scaled, unit = float(value), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if scaled < 1024:
            break
        scaled, unit = scaled / 1024, larger
    return f"{value} B" if unit == "B" else f"{scaled:.1f} {unit}"


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


def _memory(part: Row | Sum, view: View) -> int:
    return sum(view.memory.outputs[node] for node in part.nodes)


def _sizes(title: str, text: Callable[[Row, View], str]) -> Column:
    """A column of sizes: 28 x 28 x 10, as a plain value 28x28x10."""
    return Column(title, text, lambda row, view: text(row, view).replace(" x ", "x"))


def _index(title: str, value: Callable[[Row, View], int]) -> Column:
    """A column of numbers that name something."""
    return Column(title, lambda row, view: str(value(row, view)), value, numeric=True)


def _figure(
    title: str,
    value: Callable[[Row, View], int],
    total: Callable[[Sum, View], int],
    text: Callable[[Row, View], str] | None = None,
) -> Column:
    """A column of counts with their sum, the thousands apart unless `text` writes them otherwise."""
    return Column(title, text or (lambda row, view: number(value(row, view))), value, total, numeric=True)


COLUMNS: dict[str, Column] = {
    "node": _index("node", lambda row, _: row.last.index),
    "path": Column("path", lambda row, _: row.path),
    "layer": Column("layer", _label),
    "inputs": Column(
        "inputs", lambda row, _: ", ".join(map(str, _inputs(row))), lambda row, _: " ".join(map(str, _inputs(row)))
    ),
    "parameters": _figure(
        "parameters", lambda row, _: row.parameters.value, lambda line, _: line.totals.parameters, _parameters
    ),
    "buffers": _figure("buffers", lambda row, _: row.buffers.value, lambda line, _: line.totals.buffers),
    "activations": _sizes("activations", lambda row, _: str(row.last.shape)),
    "macs": _figure(
        "MACs",
        lambda row, view: row.macs.value * view.style.batch,
        lambda line, view: line.totals.macs * view.style.batch,
        _macs,
    ),
    "flops": _figure(
        "FLOPs",
        lambda row, view: 2 * row.macs.value * view.style.batch,
        lambda line, view: line.totals.flops * view.style.batch,
    ),
    "receptive_field": _sizes("receptive field", lambda row, view: extent(view.field(row))),
    "without_gates": _sizes("without gates", lambda row, view: extent(gateless(view.field(row)))),
    "jump": Column("jump", lambda row, view: jumps(view.field(row))),
    "padding": Column("padding", lambda row, view: paddings(view.field(row))),
    "density": Column("density", lambda row, view: densities(view.field(row))),
    "memory": _figure("memory", _memory, _memory),
    "line": _index("line", lambda row, _: row.first.span.line),
}
DEFAULT = ("layer", "parameters", "activations", "macs")


def chosen(names: Sequence[str]) -> tuple[Column, ...]:
    """The columns of some names; raises ArchspecError for an unknown one."""
    for name in names:
        if name not in COLUMNS:
            hint = did_you_mean(name, COLUMNS) or f"the columns are {', '.join(COLUMNS)}"
            raise ArchspecError("unknown-column", f"there is no column `{name}`", hint=hint)
    return tuple(COLUMNS[name] for name in names)
