"""What every unit of every layer really reads of the inputs, all units at once: what pictures and pages point into.

`AxisField.inside` walks back from one unit. Here one walk forward finds the same for all, axis by axis, in time that
grows with the units and not with their depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from archspec.analysis.positions import Positions, union
from archspec.analysis.reads import table
from archspec.graph import LayerGraph
from archspec.layers.window import EVERYTHING, AxisWindow, Phases, Reach, Window
from archspec.nodes import Node
from archspec.source import collector_paused

MOST_UNITS = 1 << 16  # along an axis; layers that are longer, and what reads them, are left out


@dataclass(frozen=True, eq=False)
class Line:
    """What the units along one axis of a layer read along one axis of an input; `axis` None: all units alike."""

    axis: int | None
    sets: tuple[Positions, ...]

    def at(self, unit: Sequence[int]) -> Positions:
        """What one unit reads."""
        return self.sets[0 if self.axis is None else unit[self.axis]]


@dataclass(frozen=True, eq=False)
class AxisRegions:
    """What every unit of a layer really reads along one axis of an input, as a union."""

    lines: tuple[Line, ...]

    def at(self, unit: Sequence[int]) -> Positions:
        """What one unit reads; it reads nothing at all where it is empty along any axis."""
        return union(line.at(unit) for line in self.lines)


Regions = Mapping[Node, tuple[AxisRegions, ...]]  # per input that a layer reads, per axis of that input


def regions(graph: LayerGraph, most: int = MOST_UNITS) -> dict[Node, Regions]:
    """For every node, what its units read inside each input and every map on the way.

    Without an entry are nodes of maps longer than `most`, and those at which ways meet of which one misses a map, so
    that what is read along one axis hangs on the place along another: `AxisField.inside` answers for them.
    """
    with collector_paused():
        return _Regions().of(graph, most)


class _Regions:
    """One walk over the graph; equal lines are one object, made once."""

    def __init__(self) -> None:
        self._lines: dict[tuple[int | None, tuple[Positions, ...]], Line] = {}
        self._through: dict[tuple[Line, AxisWindow, int, int], Line] = {}
        self._joined: dict[tuple[Line, Line], Line] = {}
        self._both: dict[tuple[Line, ...], AxisRegions] = {}
        self._missing: set[Node] = set()  # some unit of these reads nothing

    def of(self, graph: LayerGraph, most: int) -> dict[Node, Regions]:
        found: dict[Node, Regions] = {}
        for node in graph:
            if max(node.shape.spatial, default=0) <= most and all(source in found for source in node.inputs):
                known = self._node(node, found)
                if known is not None:
                    found[node] = known
        return found

    def _node(self, node: Node, found: Mapping[Node, Regions]) -> Regions | None:
        if not node.inputs:
            units = (self._made(axis, _each(size)) for axis, size in enumerate(node.shape.spatial))
            return {node: tuple(AxisRegions((line,)) for line in units)}
        steps = list(_steps(node))
        missed = {axis for source, window in steps for axis in _missed(node, window, source)}
        if missed or not self._missing.isdisjoint(node.inputs):
            self._missing.add(node)
            if len(steps) > 1:
                return None
        seen: dict[Node, tuple[AxisRegions, ...]] = {}
        for source, window in steps:
            for start, axes in found[source].items():
                read = self._read(axes, node, window, source)
                seen[start] = tuple(map(self._either, seen[start], read)) if start in seen else read
        return seen if all(_told(missed, axes) for axes in seen.values()) else None

    def _read(self, axes: tuple[AxisRegions, ...], node: Node, window: Window, source: Node) -> tuple[AxisRegions, ...]:
        """One layer further."""
        if window.same and node.shape.spatial == source.shape.spatial:
            return axes
        return tuple(self._gathered(self._line(line, node, window, source) for line in one.lines) for one in axes)

    def _line(self, line: Line, node: Node, window: Window, source: Node) -> Line:
        if line.axis is None:
            return line
        along = window.axes[line.axis]
        if along.axis is None or along.reads is Reach.ALL:
            along = EVERYTHING
        size, units = source.shape.spatial[line.axis], 1 if along.axis is None else node.shape.spatial[along.axis]
        key = (line, along, size, units)
        if key not in self._through:
            self._through[key] = self._made(along.axis, tuple(_composed(line.sets, along, size, units)))
        return self._through[key]

    def _made(self, axis: int | None, sets: tuple[Positions, ...]) -> Line:
        return self._lines.setdefault((axis, sets), Line(axis, sets))

    def _either(self, one: AxisRegions, other: AxisRegions) -> AxisRegions:
        return one if one is other else self._gathered((*one.lines, *other.lines))

    def _gathered(self, lines: Iterable[Line]) -> AxisRegions:
        """The union of lines, those along the same axis as one."""
        by_axis: dict[int | None, Line] = {}
        for line in lines:
            known = by_axis.get(line.axis)
            by_axis[line.axis] = line if known is None else self._join(known, line)
        key = tuple(by_axis.values())
        if key not in self._both:
            self._both[key] = AxisRegions(key)
        return self._both[key]

    def _join(self, one: Line, other: Line) -> Line:
        if one is other:
            return one
        if (one, other) not in self._joined:
            pairs = zip(one.sets, other.sets, strict=True)
            sets = tuple(a if a == b else union((a, b)) for a, b in pairs)
            self._joined[one, other] = self._made(one.axis, sets)
        return self._joined[one, other]


def _each(size: int) -> tuple[Positions, ...]:
    return tuple(Positions(place, 1) for place in range(size))


def _composed(sets: Sequence[Positions], along: AxisWindow, size: int, units: int) -> Iterator[Positions]:
    """What units read that read others by a window, of which there are `size`."""
    if isinstance(along.reads, Phases):
        how = table(along.reads)
        for unit in range(units):
            yield union(sets[place] for place in how.at(unit).within(size).members())
    elif along.reads is Reach.PREFIX:
        before = list(accumulate(sets, lambda one, other: union((one, other))))
        yield from (before[min(unit, size - 1)] for unit in range(units))
    else:
        yield union(sets)


def _steps(node: Node) -> Iterator[tuple[Node, Window]]:
    """The nodes that a node reads and how; what a marked window leaves is read with it as well."""
    for source, window in zip(node.inputs, node.facts.windows, strict=True):
        yield source, window
        if window.unmarked is not None:
            yield source, window.unmarked


def _missed(node: Node, window: Window, source: Node) -> Iterator[int]:
    """The axes along which some unit reads no position of a source."""
    for (axis, how), size in zip(window.axes, source.shape.spatial, strict=True):
        if axis is not None and isinstance(how, Phases) and _skips(how, size, node.shape.spatial[axis]):
            yield axis


def _told(missed: set[int], axes: tuple[AxisRegions, ...]) -> bool:
    """Whether a unit that misses a map along some axis shows it: its set along one axis of the input is empty then."""
    along = {one.lines[0].axis if len(one.lines) == 1 else None for one in axes}
    return not missed or not axes or (None not in along and missed <= along)


@lru_cache(maxsize=4096)
def _skips(how: Phases, size: int, units: int) -> bool:
    rows = table(how)
    return not all(rows.at(unit).within(size).extent for unit in range(units))
