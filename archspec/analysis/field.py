"""The receptive field of a node on one input: figures of the unbounded field, and what is really read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product

from archspec.analysis.clipping import Clipping
from archspec.analysis.positions import NOWHERE, Positions, union
from archspec.analysis.reads import Reads
from archspec.nodes import Node

Part = tuple[int | None, Reads]  # the output axis along which units are counted (None: all alike), and what they read
Parts = tuple[Part, ...]  # one axis of an input: the union of its parts


class Figures:
    """What the fields of all units along one axis have in common; fields of equal parts share one."""

    def __init__(self, parts: Parts, units: tuple[int, ...]) -> None:
        self._parts, self._units = parts, units

    @cached_property
    def _shapes(self) -> set[Positions]:
        """The fields of all units, except that of some that are equal up to their place there may be only one."""
        if len(self._parts) == 1:
            ((axis, reads),) = self._parts
            return reads.shapes(1 if axis is None else self._units[axis])
        alike = union(reads.at(0) for axis, reads in self._parts if axis is None)
        moving = [(axis, reads) for axis, reads in self._parts if axis is not None]
        fields = (_at(moving, unit) for unit in product(*map(range, self._units)))
        return {alike if alike.includes(one) else union((alike, one)) for one in fields}

    @cached_property
    def size(self) -> int:
        return max(one.extent for one in self._shapes)

    @cached_property
    def size_min(self) -> int:
        return min(one.extent for one in self._shapes)

    @cached_property
    def sparsest(self) -> Positions:
        """The field with the smallest share of members."""
        holed = [one for one in self._shapes if one.bits is not None]
        return min(holed, key=lambda one: Fraction(one.count, one.extent), default=NOWHERE)


def _at(parts: Iterable[Part], unit: tuple[int, ...]) -> Positions:
    return union(reads.at(0 if axis is None else unit[axis]) for axis, reads in parts)


@dataclass(frozen=True, eq=False)
class AxisField:
    """What the units of a node read along one axis of an input.

    On the unbounded grid, padding included: `size` is the largest extent of a unit's field and `size_min` the smallest
    (they differ where phases do), `jump` the input positions from one unit to the next, `padding` how far unit 0
    reaches before position 0, `density` the smallest share of a field that is really read. `jump` is None where
    branches go on at different steps.

    Inside the input and every map on the way: `inside` and `region` of a unit, and `whole`.
    """

    node: Node
    start: Node
    axis: int
    parts: Parts
    figures: Figures
    clipping: Clipping

    @property
    def units(self) -> tuple[int, ...]:
        """The number of units along every axis of the node's output."""
        return self.node.shape.spatial

    @property
    def length(self) -> int:
        """The positions of the input."""
        return self.start.shape.spatial[self.axis]

    def at(self, *unit: int) -> Positions:
        """The positions that a unit reads, padding included."""
        return _at(self.parts, unit)

    def inside(self, *unit: int) -> Positions:
        """The positions of the input that a unit really reads."""
        found, _ = self.clipping.read(self.node, tuple(Positions(place, 1) for place in unit))
        return found[self.start][self.axis] if self.start in found else NOWHERE

    def region(self, *unit: int) -> tuple[int, int] | None:
        """The first and last position of the input that a unit really reads; None where there is none."""
        inside = self.inside(*unit)
        return (inside.low, inside.high) if inside.extent else None

    def centre(self, *unit: int) -> Fraction:
        """The middle of a unit's field, in input positions."""
        reads = self.at(*unit)
        return Fraction(reads.low + reads.high, 2)

    @property
    def size(self) -> int:
        return self.figures.size

    @property
    def size_min(self) -> int:
        return self.figures.size_min

    @property
    def sparsest(self) -> Positions:
        """The field with the most holes, up to its place; empty where none has any."""
        return self.figures.sparsest

    @property
    def density(self) -> Fraction:
        sparsest = self.sparsest
        return Fraction(sparsest.count, sparsest.extent) if sparsest.extent else Fraction(1)

    @property
    def jumps(self) -> frozenset[Fraction]:
        """The steps at which the ways to the input go on, those apart that all units read alike."""
        return frozenset(reads.jump for axis, reads in self.parts if axis is not None)

    @property
    def jump(self) -> Fraction | None:
        jumps = self.jumps or {Fraction(0)}
        return next(iter(jumps)) if len(jumps) == 1 else None

    @property
    def padding(self) -> int:
        return -self.at(*(0 for _ in self.units)).low

    @property
    def may_be_whole(self) -> bool:
        """Whether the fields of the first and the last unit, which hold all that these read, cover the input."""
        corners = {tuple(0 for _ in self.units), tuple(size - 1 for size in self.units)}
        return self.size >= self.length and all(self.at(*unit).covers(self.length) for unit in corners)

    @property
    def covers_input(self) -> bool:
        """Whether the unbounded field of every unit covers the input."""
        counted = {axis for axis, _ in self.parts}
        units = product(*(range(size if axis in counted else 1) for axis, size in enumerate(self.units)))
        return all(self.at(*unit).covers(self.length) for unit in units)

    @property
    def whole(self) -> bool:
        """Whether every unit really reads every position of the input."""
        return (self.start, self.axis) in self.clipping.whole(self.node)

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
        return self if self.axes is self.gateless else ReceptiveField(self.gateless, self.gateless)
