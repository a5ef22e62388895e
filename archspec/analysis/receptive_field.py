"""Receptive fields: what every unit reads of the network's inputs, composed from the layers' windows in one pass.

Sources: Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019, for chains;
the union over branches and the phases of upsampling follow from the definition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product

from archspec.analysis.reads import IDENTITY, Positions, Reads, constant, joined, union
from archspec.graph import LayerGraph
from archspec.layers.window import SAME, AxisWindow, Phases, Reach, Window
from archspec.nodes import Node

Part = tuple[int | None, Reads]  # the output axis along which units are counted (None: all alike), and what they read
Parts = tuple[Part, ...]  # one axis of an input: the union of its parts
Axes = tuple[Parts, ...]


@dataclass(frozen=True, eq=False)
class AxisField:
    """What the units of a node read along one axis of an input, padding included.

    `size` is the largest extent of a unit's field and `size_min` the smallest (they differ where phases do), `jump` the
    input positions from one unit to the next, `padding` how far unit 0 reaches before position 0, `density` the
    smallest share of a field that is really read. `jump` is None where branches go on at different steps.
    """

    parts: Parts
    units: tuple[int, ...]
    length: int

    def at(self, *unit: int) -> Positions:
        """The positions that a unit reads, padding included."""
        return union(reads.at(0 if axis is None else unit[axis]) for axis, reads in self.parts)

    def region(self, *unit: int) -> tuple[int, int] | None:
        """The first and last position of a unit's field that lie in the input; None where none does."""
        inside = self.at(*unit).within(self.length)
        return (inside.low, inside.high) if inside.bits else None

    def centre(self, *unit: int) -> Fraction:
        """The middle of a unit's field, in input positions."""
        reads = self.at(*unit)
        return Fraction(reads.low + reads.high, 2)

    def _fields(self, all_units: bool) -> set[Positions]:
        """The fields of all units; or, where that shows all there are up to their place, of one period of them."""
        counts = [1] * len(self.units)
        for axis, reads in self.parts:
            if axis is not None:
                alone = len(self.parts) == 1 and not all_units
                counts[axis] = reads.distinct(self.units[axis]) if alone else self.units[axis]
        return {self.at(*unit) for unit in product(*map(range, counts))}

    @cached_property
    def _shapes(self) -> set[Positions]:
        return self._fields(all_units=False)

    @property
    def size(self) -> int:
        return max(one.size for one in self._shapes)

    @property
    def size_min(self) -> int:
        return min(one.size for one in self._shapes)

    @property
    def density(self) -> Fraction:
        return min((Fraction(one.number, one.size) for one in self._shapes if one.size), default=Fraction(1))

    @property
    def jump(self) -> Fraction | None:
        jumps = {reads.jump for axis, reads in self.parts if axis is not None} or {Fraction(0)}
        return jumps.pop() if len(jumps) == 1 else None

    @property
    def padding(self) -> int:
        return -self.at(*(0 for _ in self.units)).low

    @cached_property
    def whole(self) -> bool:
        """Whether every unit reads every position of the input."""
        if self.size < self.length:
            return False
        everything = Positions(0, (1 << self.length) - 1)
        return all(one.within(self.length) == everything for one in self._fields(all_units=True))

    @property
    def alike(self) -> bool:
        """Whether something is read alike by all units, as behind global pooling: then sizes say little."""
        return any(axis is None for axis, _ in self.parts)


@dataclass(frozen=True, eq=False)
class ReceptiveField:
    """What the units of a node read of one input, axis by axis; `without_gates` leaves out gates and statistics."""

    axes: tuple[AxisField, ...]
    gateless: tuple[AxisField, ...]

    @property
    def whole(self) -> bool:
        """Whether every unit reads the whole input."""
        return all(axis.whole for axis in self.axes)

    @property
    def without_gates(self) -> ReceptiveField:
        """The field that ignores global gates and statistics."""
        return ReceptiveField(self.gateless, self.gateless)


def receptive_field(graph: LayerGraph) -> dict[Node, dict[Node, ReceptiveField]]:
    """For every node, its field on every input that it reads."""
    full = _Pass(gates=True)
    bare = _Pass(gates=False) if any(_marked(node) for node in graph) else full
    found: dict[Node, dict[Node, ReceptiveField]] = {}
    for node in graph:
        axes = full.visit(node)
        gateless = axes if bare is full else bare.visit(node)
        found[node] = {
            source: ReceptiveField(_fields(node, source, parts), _fields(node, source, gateless.get(source)))
            for source, parts in axes.items()
        }
    return found


def _marked(node: Node) -> bool:
    return any(window.mark for window in node.facts.windows)


def _fields(node: Node, source: Node, axes: Axes | None) -> tuple[AxisField, ...]:
    """One for every axis of the source; none where it is not read."""
    pairs = () if axes is None else zip(axes, source.shape.spatial, strict=True)
    return tuple(AxisField(parts, node.shape.spatial, size) for parts, size in pairs)


class _Pass:
    """One walk over the graph; equal compositions are made once."""

    def __init__(self, gates: bool) -> None:
        self.gates = gates
        self.axes: dict[Node, dict[Node, Axes]] = {}
        self._through: dict[tuple[Reads, Phases | Reach, int], Reads] = {}
        self._joined: dict[tuple[Reads, Reads], Reads | None] = {}

    def visit(self, node: Node) -> dict[Node, Axes]:
        """The fields of a node on every input, from those of the nodes that it reads."""
        found: dict[Node, Axes] = {}
        if not node.inputs:
            found[node] = tuple(((axis, IDENTITY),) for axis in range(node.shape.rank))
        for source, window in zip(node.inputs, node.facts.windows, strict=True):
            for kept, (start, axes) in product(self._kept(window), self.axes[source].items()):
                seen = axes if kept.same else tuple(self._read(parts, kept, source, node) for parts in axes)
                known = found.get(start)
                found[start] = seen if known is None else tuple(map(self._union, known, seen))
        self.axes[node] = found
        return found

    def _kept(self, window: Window) -> tuple[Window, ...]:
        """The windows through which an input is read: what a marked one leaves is read with it as well."""
        if window.mark is None:
            return (window,)
        rest = () if window.unmarked is None else (window.unmarked,)
        return (window, *rest) if self.gates else rest

    def _read(self, parts: Parts, window: Window, source: Node, node: Node) -> Parts:
        """What is read along one input axis, one layer further."""
        found: Parts = ()
        for axis, reads in parts:
            if axis is None:
                part: Part = (None, reads)
            else:
                size = source.shape.spatial[axis]
                part = self._part(reads, window.axes[axis], size, node)
            found = self._union(found, (part,))
        return found

    def _part(self, reads: Reads, window: AxisWindow, size: int, node: Node) -> Part:
        axis, how = window
        if how == SAME:
            return axis, reads
        units = node.shape.spatial[axis] if axis is not None else 1
        key = (reads, how, size if axis is None else units)
        known = self._through.get(key)
        if known is None:
            known = self._through[key] = _composed(reads, how, size, units)
        return axis, known

    def _union(self, one: Parts, other: Parts) -> Parts:
        """The parts of both, those along the same axis as one table where they go on at the same step."""
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


def _composed(reads: Reads, how: Phases | Reach, size: int, units: int) -> Reads:
    """What a unit reads that reads these by a phase table, up to its place, or all of them."""
    if how is Reach.ALL:
        return constant(reads.over(size))
    if how is Reach.PREFIX:
        return reads.up_to()
    assert isinstance(how, Phases)
    return reads.through(how, units)


def first(fields: Mapping[Node, ReceptiveField]) -> ReceptiveField | None:
    """The field on the first of the inputs that a node reads."""
    return next(iter(fields.values()), None)
