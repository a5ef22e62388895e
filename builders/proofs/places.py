"""Where a field is measured: the map, the input sizes, and the units in its middle and at its ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm

from archspec.analysis.reads import Table
from archspec.analysis.receptive_field import AxisField, ReceptiveField, receptive_field
from archspec.errors import ArchspecError
from archspec.graph import LayerGraph, ancestors
from archspec.nodes import Node
from builders.proofs.probes import Unit
from builders.proofs.slim import Placed, Slimmer, leading, own_sizes

MOST_POSITIONS = 4096  # of the measured axis
MOST_PHASES = 16  # units in a row whose fields are measured
SHORT = (1, 2, 4, 8, 16, 32)


def last_maps(graph: LayerGraph) -> list[Node]:
    """For every output the last map on the way to it that slides over some input, gates and statistics apart."""
    fields = receptive_field(graph)
    sliding = {node for node in graph if any(map(_slides, fields[node].values()))}
    found = dict.fromkeys(
        max(sliding & ancestors([end]), key=lambda node: node.index, default=None)
        for end in (*graph.outputs.values(), *graph.training_outputs.values())
    )
    return [node for node in found if node is not None and node.inputs]


def _slides(field: ReceptiveField) -> bool:
    axes = field.without_gates.axes
    return bool(axes) and not any(axis.alike for axis in axes)


@dataclass(frozen=True, eq=False)
class Site:
    """A graph in which a map is measured along one axis of an input; `units` follow each other in its middle."""

    placed: Placed
    end: Node
    start: Node
    axis: int
    field: ReceptiveField
    phases: int
    units: tuple[Unit, ...]

    @property
    def ends(self) -> tuple[Unit, ...]:
        """The first and the last unit."""
        sizes = self.end.shape.spatial
        return tuple(0 for _ in sizes), tuple(size - 1 for size in sizes)


def site(slimmer: Slimmer, end: Node, start: Node, axis: int, field: ReceptiveField) -> Site:
    """The smallest input along the other axes, and along this one as long as the field and a few jumps."""
    for length in _lengths(slimmer.graph, end, start, axis, field):
        for short in _shorts(start, axis):
            try:
                found = _site(slimmer, end, start, axis, (length, short))
            except ArchspecError:
                continue
            if found is not None:
                return found
    return _measured(slimmer.placed(end, own_sizes), end, start, axis)


def _site(slimmer: Slimmer, end: Node, start: Node, axis: int, sizes: tuple[int, int]) -> Site | None:
    """The site on these sizes; None unless nodes read as on their own sizes, and the unit in the middle something."""
    length, short = sizes

    def resized(node: Node) -> tuple[int, ...]:
        own = start.shape.spatial[axis]
        return tuple(
            (length if size == own else size) if place == axis else min(size, short)
            for place, size in enumerate(node.shape.spatial)
        )

    found = _measured(slimmer.placed(end, resized), end, start, axis)
    read = (found.field.without_gates.axes or found.field.axes)[axis].region(*found.units[0])
    return found if read is not None and found.placed.alike(axis) else None


def _measured(placed: Placed, end: Node, start: Node, axis: int) -> Site:
    here, there = placed.nodes[end], placed.nodes[start]
    field = receptive_field(placed.graph)[here][there]
    along = (field.without_gates.axes or field.axes)[axis]
    phases = _phases(along)
    return Site(placed, here, there, axis, field, phases, tuple(_middle(along, phases)))


def _phases(field: AxisField) -> int:
    """After how many units a field repeats itself; 1 where that is not known."""
    reads = [reads for axis, reads in field.parts if axis is not None]
    alone = reads[0] if len(reads) == 1 else None
    return alone.period if isinstance(alone, Table) and alone.period <= MOST_PHASES else 1


def _middle(field: AxisField, phases: int) -> Iterator[Unit]:
    """A whole turn of units and the next one, the first of them of phase 0, whose fields lie in the input's middle."""
    middle = [size // 2 for size in field.units]
    axis, jump = next(((axis, reads.jump) for axis, reads in field.parts if axis is not None), (None, 0))
    if axis is None:
        yield tuple(middle)
        return
    place = (field.length / 2 - field.centre(*(0 for _ in middle))) / jump if jump else 0
    last = field.units[axis] - 1
    first = int(min(max(place - phases / 2, 0), max(last - phases, 0))) // phases * phases
    for unit in range(first, min(first + phases, last) + 1):
        yield (*middle[:axis], unit, *middle[axis + 1 :])


def _lengths(graph: LayerGraph, end: Node, start: Node, axis: int, field: ReceptiveField) -> Iterator[int]:
    """Lengths along the measured axis that differ from its own by whole periods of the strides before the map."""
    along = (field.without_gates.axes or field.axes)[axis]
    turns = [jump.numerator for jump in _jumps(graph, end, start, axis)]
    turn, own = lcm(*turns), start.shape.spatial[axis]
    room = max(map(ceil, along.jumps), default=1) * (_phases(along) + 4)
    wanted = min(along.size + room, max(MOST_POSITIONS, own))
    if turn <= MOST_POSITIONS:
        nearest = own + -(-(wanted - own) // turn) * turn
        yield from (length for length in (nearest, nearest + turn) if 0 < length <= MOST_POSITIONS)
    yield own


def _jumps(graph: LayerGraph, end: Node, start: Node, axis: int) -> set[Fraction]:
    """The steps in which the maps before one go over an input."""
    fields = receptive_field(graph)
    return {
        jump
        for node in leading(graph, end)
        if start in fields[node] and (axes := fields[node][start].without_gates.axes)
        for jump in axes[axis].jumps
        if jump
    }


def _shorts(start: Node, axis: int) -> Iterator[int]:
    """Bounds for the other axes: powers of two, what differs from their size by multiples of 16, their size."""
    others = [size for place, size in enumerate(start.shape.spatial) if place != axis]
    longest = max(others, default=1)
    yield from (short for short in SHORT if short < longest)
    yield from range(max(SHORT) + longest % 16, longest, 16)
    yield longest
