"""Receptive fields: what every unit reads of the network's inputs, composed from the layers' windows in one pass.

Sources: Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019, for chains;
the union over branches and the phases of upsampling follow from the definition.
"""

from __future__ import annotations

from collections.abc import Mapping

from archspec.analysis.clipping import Clipping, Steps
from archspec.analysis.field import AxisField, Figures, Part, Parts, ReceptiveField
from archspec.analysis.positions import every
from archspec.analysis.reads import IDENTITY, Reads, Table, constant, joined, table
from archspec.graph import LayerGraph
from archspec.layers.window import SAME, AxisWindow, Reach, Window
from archspec.nodes import Node
from archspec.source import collector_paused

__all__ = ["AxisField", "ReceptiveField", "first", "receptive_field"]

Axes = tuple[Parts, ...]


def receptive_field(graph: LayerGraph) -> dict[Node, Mapping[Node, ReceptiveField]]:
    """For every node, its field on every input that it reads. Nodes that read alike share one."""
    with collector_paused():
        return _receptive_field(graph)


def _receptive_field(graph: LayerGraph) -> dict[Node, Mapping[Node, ReceptiveField]]:
    makers = _Makers()
    full, bare = _Pass(makers, gates=True), _Pass(makers, gates=False)
    gated = set[Node]()
    found: dict[Node, Mapping[Node, ReceptiveField]] = {}
    for node in graph:
        like = _reads_like(node)
        if like is not None:
            found[node] = found[like]
            full.follow(node, like)
            bare.follow(node, like)
            gated |= {node} if like in gated else set()
            continue
        axes = full.visit(node)
        if any(window.mark for window in node.facts.windows) or not gated.isdisjoint(node.inputs):
            gated.add(node)
            gateless = bare.visit(node)
        else:
            gateless = bare.take(node, full)
        found[node] = {start: ReceptiveField(fields, gateless.get(start, ())) for start, fields in axes.items()}
    return found


def _reads_like(node: Node) -> Node | None:
    """The node whose every unit reads what the unit at its place in this one reads."""
    if len(node.inputs) != 1 or not node.facts.windows[0].same or node.facts.windows[0].mark:
        return None
    return node.inputs[0] if node.inputs[0].shape.spatial == node.shape.spatial else None


class _Makers:
    """Equal compositions, unions and figures are made once, with gates and without."""

    def __init__(self) -> None:
        self._through: dict[tuple[Reads, Table | Reach, int], Reads] = {}
        self._joined: dict[tuple[Reads, Reads], Reads | None] = {}
        self._figures: dict[tuple[Parts, tuple[int, ...]], Figures] = {}

    def part(self, reads: Reads, window: AxisWindow, size: int) -> Part:
        """What is read through a window over a map of `size` units that read these."""
        axis, how = window
        if how == SAME:
            return axis, reads
        step = how if isinstance(how, Reach) else table(how)
        key = (reads, step, size)
        known = self._through.get(key)
        if known is None:
            known = self._through[key] = _composed(reads, step, size)
        return None if how is Reach.ALL else axis, known

    def union(self, one: Parts, other: Parts) -> Parts:
        """The parts of both, those along the same axis as one where they go on at the same step."""
        found = list(one)
        for axis, reads in other:
            for place, (known_axis, known) in enumerate(found):
                both = self._join(known, reads) if known_axis == axis else None
                if both is not None:
                    found[place] = (axis, both)
                    break
            else:
                found.append((axis, reads))
        return tuple(found)

    def _join(self, one: Reads, other: Reads) -> Reads | None:
        key = (one, other)
        if key not in self._joined:
            self._joined[key] = joined(one, other)
        return self._joined[key]

    def figures(self, parts: Parts, units: tuple[int, ...]) -> Figures:
        """The figures of some parts; axes that they do not count along do not matter, nor which axis is which."""
        axes = sorted({axis for axis, _ in parts if axis is not None})
        counted = tuple((None if axis is None else axes.index(axis), reads) for axis, reads in parts)
        key = (counted, tuple(units[axis] for axis in axes))
        known = self._figures.get(key)
        if known is None:
            known = self._figures[key] = Figures(*key)
        return known


class _Pass:
    """One walk over the graph, in execution order."""

    def __init__(self, makers: _Makers, gates: bool) -> None:
        self._makers, self._gates = makers, gates
        self._fields: dict[Node, dict[Node, tuple[AxisField, ...]]] = {}
        self._steps: dict[Node, Steps] = {}
        self._same: dict[Node, Node] = {}  # for every node the first one that reads alike
        self._clipping = Clipping(self._steps, self._fields)

    def follow(self, node: Node, like: Node) -> None:
        """A node that reads like another."""
        self._same[node] = self._same[like]

    def take(self, node: Node, other: _Pass) -> dict[Node, tuple[AxisField, ...]]:
        """The fields that another pass found, where both must find the same."""
        self._same[node] = node
        self._steps[node], self._fields[node] = other._steps[node], other._fields[node]
        return self._fields[node]

    def visit(self, node: Node) -> dict[Node, tuple[AxisField, ...]]:
        """The fields of a node on every input, from those of the nodes that it reads."""
        found: dict[Node, Axes] = {}
        if not node.inputs:
            found[node] = tuple(((axis, IDENTITY),) for axis in range(node.shape.rank))
        steps = tuple(
            (self._same[source], kept)
            for source, window in zip(node.inputs, node.facts.windows, strict=True)
            for kept in self._kept(window)
        )
        for source, window in steps:
            for start, fields in self._fields[source].items():
                rows = (field.parts for field in fields)
                seen = tuple(rows if window.same else (self._read(parts, window, source) for parts in rows))
                known = found.get(start)
                found[start] = seen if known is None else tuple(map(self._makers.union, known, seen))
        self._same[node], self._steps[node] = node, steps
        self._fields[node] = {start: self._axis_fields(node, start, axes) for start, axes in found.items()}
        return self._fields[node]

    def _kept(self, window: Window) -> tuple[Window, ...]:
        """The windows through which an input is read: what a marked one leaves is read with it as well."""
        if window.mark is None:
            return (window,)
        rest = () if window.unmarked is None else (window.unmarked,)
        return (window, *rest) if self._gates else rest

    def _read(self, parts: Parts, window: Window, source: Node) -> Parts:
        """What is read along one input axis, one layer further."""
        found: Parts = ()
        for axis, reads in parts:
            if axis is None:
                part: Part = (None, reads)
            else:
                part = self._makers.part(reads, window.axes[axis], source.shape.spatial[axis])
            found = self._makers.union(found, (part,)) if found else (part,)
        return found

    def _axis_fields(self, node: Node, start: Node, axes: Axes) -> tuple[AxisField, ...]:
        return tuple(
            AxisField(node, start, axis, parts, self._makers.figures(parts, node.shape.spatial), self._clipping)
            for axis, parts in enumerate(axes)
        )


def _composed(reads: Reads, how: Table | Reach, size: int) -> Reads:
    """What a unit reads that reads these by a table, up to its place, or all of them."""
    if how is Reach.ALL:
        return constant(reads.over(every(size)))
    if how is Reach.PREFIX:
        return reads.up_to()
    assert isinstance(how, Table)
    return reads.through(how)


def first(fields: Mapping[Node, ReceptiveField]) -> ReceptiveField | None:
    """The field on the first of the inputs that a node reads."""
    return next(iter(fields.values()), None)
