"""The tables behind the receptive-field explorer: what every unit of every layer reads, each distinct list once.

A set of positions is its lowest member and a shape, runs read and left out in turn: [3] three in a row, [1, 1, 1] two
with a hole. A list of sets, one per unit, is written as stretches [units, lowest, step, shape].
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from archspec.analysis import Analysis
from archspec.analysis.field import AxisField
from archspec.analysis.positions import Positions
from archspec.analysis.reads import Reads
from archspec.analysis.regions import MOST_UNITS, AxisRegions, Line
from archspec.nodes import Node

MOST_NUMBERS = 120_000  # in all lists together, about half a megabyte


def explorer_data(analysis: Analysis, most: int = MOST_NUMBERS) -> dict[str, object]:
    """What the units of every layer read, as plain values.

    `axes` are lists [along, list] per axis of an input, the union of which a unit reads: `along` the axis of the layer
    along which units are counted, -1 where all read alike. `layers[node]` is a place in `reads`, which says of every
    input what is read `inside` and without bounds, both as places in `axes`; -1 where the layer is left out: its maps
    are very long, or the lists hold more than `most` numbers already. `inside` is null where it is not known at once.
    """
    lists = _Lists(most)
    layers = [lists.layer(node, analysis) for node in analysis.graph]
    return {
        "inputs": [[name, node.index] for name, node in analysis.graph.inputs.items()],
        "shapes": lists.shapes.entries,
        "lists": lists.lists.entries,
        "axes": lists.axes.entries,
        "reads": lists.reads.entries,
        "layers": layers,
    }


class _Distinct:
    """Values in the order in which they first came, each once and known again by its key."""

    def __init__(self) -> None:
        self._places: dict[object, int] = {}
        self.entries: list[object] = []

    def place(self, key: object) -> int | None:
        return self._places.get(key)

    def add(self, value: object, key: object) -> int:
        """The place of a new value, or that of the same one."""
        if key not in self._places:
            self._places[key] = len(self.entries)
            self.entries.append(value)
        return self._places[key]


class _Full(Exception):
    """There is no room for another list."""


class _Lists:
    """What was met so far; objects met again are known by themselves, equal lists by what they hold."""

    def __init__(self, most: int) -> None:
        self.shapes, self.lists, self.axes, self.reads = _Distinct(), _Distinct(), _Distinct(), _Distinct()
        self._left = most
        self._lines: dict[Line, int] = {}
        self._inside: dict[AxisRegions, int] = {}
        self._unbounded: dict[tuple[Reads, int], int] = {}

    def layer(self, node: Node, analysis: Analysis) -> int:
        """The place of what one layer reads; -1 where it is left out."""
        if self._left < 0 or max(node.shape.spatial, default=0) > MOST_UNITS:
            return -1
        regions, found = analysis.regions(node), []
        try:
            for start, field in analysis.receptive_fields[node].items():
                read = [self._regions(axis) for axis in regions[start]] if start in regions else None
                found.append([start.index, read, [self._field(axis) for axis in field.axes]])
        except _Full:
            return -1
        return self.reads.add(found, repr(found))

    def _regions(self, regions: AxisRegions) -> int:
        if regions not in self._inside:
            lines = [[-1 if line.axis is None else line.axis, self._line(line)] for line in regions.lines]
            self._inside[regions] = self.axes.add(lines, repr(lines))
        return self._inside[regions]

    def _line(self, line: Line) -> int:
        if line not in self._lines:
            self._lines[line] = self._list(line.sets)
        return self._lines[line]

    def _field(self, field: AxisField) -> int:
        lines = [
            [-1 if axis is None else axis, self._reads(reads, 1 if axis is None else field.units[axis])]
            for axis, reads in field.parts
        ]
        return self.axes.add(lines, repr(lines))

    def _reads(self, reads: Reads, units: int) -> int:
        if (reads, units) not in self._unbounded:
            self._unbounded[reads, units] = self._list([reads.at(unit) for unit in range(units)])
        return self._unbounded[reads, units]

    def _list(self, sets: Sequence[Positions]) -> int:
        stretches = _stretches([one.low for one in sets], [self._shape(one) for one in sets])
        return self._kept(self.lists, stretches, tuple(stretches))

    def _shape(self, one: Positions) -> int:
        return self._kept(self.shapes, _runs(one), (one.extent, one.bits))

    def _kept(self, known: _Distinct, numbers: list[int], key: object) -> int:
        """The place of a list of numbers; raises _Full where it is new and there is no room for it."""
        place = known.place(key)
        if place is None:
            self._left -= len(numbers)
            if self._left < 0:
                raise _Full
            place = known.add(numbers, key)
        return place


def _runs(one: Positions) -> list[int]:
    """How many positions are read, left out, read ... in turn."""
    if one.bits is None:
        return [one.extent]
    return [len(list(run)) for _, run in groupby(bin(one.bits)[2:][::-1])]


def _stretches(lows: Sequence[int], shapes: Sequence[int]) -> list[int]:
    """Units in a row with the same shape and the same step, four numbers each."""
    found: list[int] = []
    start = 0
    while start < len(lows):
        end, step = start + 1, 0
        if end < len(lows) and shapes[end] == shapes[start]:
            step = lows[end] - lows[start]
        while end < len(lows) and shapes[end] == shapes[start] and lows[end] - lows[end - 1] == step:
            end += 1
        found += [end - start, lows[start], step, shapes[start]]
        start = end
    return found
