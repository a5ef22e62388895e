"""The taps from layer to layer along one axis: everything that a unit reads, walked back from it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from archspec.analysis.field import AxisField
from archspec.analysis.positions import Positions, every, union
from archspec.analysis.reads import table
from archspec.layers.window import SAME, AxisWindow, Phases, Reach, Window
from archspec.nodes import Node
from visualize.receptive_field.choice import Choice

MOST_TAPS = 3000  # lines that are drawn
WIDEST = 256  # input positions that are drawn


Line = tuple[Fraction, Fraction]  # where unit 0 stands, and how far the next one is


@dataclass(frozen=True)
class Tap:
    """A unit of a layer, and a place of the layer below that it reads; places beside the map are padding."""

    node: Node
    unit: int
    source: Node
    place: int


@dataclass(frozen=True)
class Row:
    """A layer of the fan: which of its units are read, and the windows by which they read."""

    node: Node
    axis: int
    read: Positions
    sources: tuple[tuple[Node, AxisWindow], ...]

    @property
    def size(self) -> int:
        return self.node.shape.spatial[self.axis]


@dataclass(frozen=True, eq=False)
class Fan:
    """The rows from the chosen layer down to the input, and what of them is in view."""

    choice: Choice
    axis: int
    rows: tuple[Row, ...]
    view: tuple[float, float]

    @cached_property
    def count(self) -> int:
        """How many taps lead into maps, in view or not."""
        return sum(_count(row.read, how, self._size(source)) for row in self.rows for source, how in row.sources)

    @cached_property
    def taps(self) -> tuple[Tap, ...]:
        """The taps in view, those into padding included."""
        return tuple(self.between(*self.view, most=None))

    @cached_property
    def inside(self) -> int:
        """How many of the taps in view lead into maps."""
        return sum(map(self.within, self.taps))

    def within(self, tap: Tap) -> bool:
        """Whether a tap leads into the map, and not into the padding beside it."""
        return 0 <= tap.place < self._size(tap.source)

    def between(self, low: float, high: float, most: int | None) -> Iterator[Tap]:
        """The taps whose ends both lie between two positions of the input; no more than one past `most`."""
        found = 0
        for row in self.rows:
            units = self.shown(row.node, row.read, low, high)
            for source, how in row.sources:
                for unit in units:
                    for place in self._places(source, how, unit, low, high):
                        yield Tap(row.node, unit, source, place)
                        found += 1
                        if most is not None and found > most:
                            return

    def units(self, row: Row, low: float, high: float) -> range:
        """All units of a layer that stand between two positions of the input."""
        return range(*self._bounds(row.node, low, high))

    def along(self, node: Node) -> int:
        """The axis of a layer along which the fan goes."""
        return self._along[node]

    def shown(self, node: Node, units: Positions, low: float, high: float) -> list[int]:
        """The members of some units of a layer that stand between two positions of the input."""
        start, end = self._bounds(node, low, high)
        return [unit for unit in units.within(end).members() if unit >= start]

    def _bounds(self, node: Node, low: float, high: float) -> tuple[int, int]:
        size = self._size(node)
        return (
            bisect_left(range(size), low, key=lambda unit: self.place(node, unit)),
            bisect_right(range(size), high, key=lambda unit: self.place(node, unit)),
        )

    def _places(self, source: Node, how: AxisWindow, unit: int, low: float, high: float) -> Iterator[int]:
        if isinstance(how.reads, Phases):
            for place in dict.fromkeys(how.reads.reads(unit)):
                if low <= self.place(source, place) <= high:
                    yield place
            return
        start, end = self._bounds(source, low, high)
        yield from range(start, end if how.reads is Reach.ALL else min(end, unit + 1))

    def place(self, node: Node, unit: int) -> float:
        """Where a unit stands over the input: above the middle of what it reads, in causal layers above the last of it.

        Units of a layer stand one step apart, also where their phases differ.
        """
        start, step = self._lines[node]
        return float(start + step * unit)

    @cached_property
    def _lines(self) -> dict[Node, Line]:
        """Where unit 0 of every layer stands, and how far apart its units are."""
        found: dict[Node, Line] = {}
        for row in reversed(self.rows):
            widest = max(row.sources, key=lambda pair: self.field(pair[0]).size, default=None)
            found[row.node] = self._over(row, *widest, found) if widest else (Fraction(0), Fraction(1))
        return found

    def _over(self, row: Row, source: Node, how: AxisWindow, found: Mapping[Node, Line]) -> Line:
        """The line of a layer over that of the one it reads."""
        start, step = found[source]
        if how.reads is Reach.PREFIX:
            return start, step
        size = self._size(source)
        if not isinstance(how.reads, Phases):  # every unit reads everything: units share the length evenly
            wide = step * size / row.size
            return start - step / 2 + wide / 2, wide
        apart = step * how.reads.step / how.reads.period
        offsets = [
            step * (max(taps) if _causal(how.reads) else Fraction(min(taps) + max(taps), 2)) - apart * phase
            for phase, taps in enumerate(how.reads.taps)
            if taps
        ]
        return start + sum(offsets, Fraction(0)) / max(len(offsets), 1), apart

    def field(self, node: Node) -> AxisField:
        """The field of a layer along the axis, without gates."""
        return self.choice.bare(node).axes[self.axis]

    def _size(self, node: Node) -> int:
        return node.shape.spatial[self._along[node]]

    @cached_property
    def _along(self) -> dict[Node, int]:
        return {row.node: row.axis for row in self.rows}


def fan(choice: Choice, axis: int) -> Fan:
    """Everything that the chosen unit reads along an axis of the input, layer by layer, as if it missed no map along
    another axis.

    Layers that read nothing but the unit's own place are left out, and so are gates and statistics. Where there are
    too many taps, or they reach too far, the view is a window around the unit.
    """
    rows = _rows(choice, axis)
    whole = Fan(choice, axis, rows, (float("-inf"), float("inf")))
    field = whole.field(choice.node)
    unit = choice.unit
    reads = field.at(*unit)
    top = _plain(choice, choice.node, min(axis, choice.node.shape.rank - 1))
    centre = whole.place(top, unit[rows[0].axis])
    wide, low, high = reads.extent, float(reads.low), float(reads.high)
    if wide > WIDEST:
        low, high, wide = centre - WIDEST / 2, centre + WIDEST / 2, WIDEST
    low, high = low - 1, high + 1
    while wide > 8 and sum(1 for _ in whole.between(low, high, MOST_TAPS)) > MOST_TAPS:
        wide //= 2
        low, high = centre - wide / 2, centre + wide / 2
    return Fan(choice, axis, rows, (low, high))


def _rows(choice: Choice, axis: int) -> tuple[Row, ...]:
    """The layers from the chosen one back to the input, each with the units that those above read."""
    along = min(axis, choice.node.shape.rank - 1)
    top = _plain(choice, choice.node, along)
    unit = Positions(choice.unit[along], 1)
    pending: dict[Node, tuple[int, Positions]] = {top: (along, unit)}
    found: list[Row] = []
    while pending:
        node = max(pending, key=lambda one: one.index)
        along, read = pending.pop(node)
        sources: list[tuple[Node, AxisWindow]] = []
        for source, inner, how in _steps(choice, node, along, axis):
            plain = _plain(choice, source, inner)
            sources.append((plain, how))
            known = pending.get(plain, (inner, Positions(0, 0)))[1]
            pending[plain] = (inner, union((known, _image(read, how, source.shape.spatial[inner]))))
        found.append(Row(node, along, read, tuple(sources)))
    return tuple(found)


def _steps(choice: Choice, node: Node, along: int, axis: int) -> Iterator[tuple[Node, int, AxisWindow]]:
    """What a node reads along one of its axes: the nodes before it, along which of their axes, and how."""
    for source, window in zip(node.inputs, node.facts.windows, strict=True):
        whole = window.mark is None or not choice.of(node).gateless  # what reads through gates alone reads through them
        kept: Window | None = window if whole else window.unmarked
        if kept is None or not source.shape.rank or not choice.reaches(source):
            continue
        hanging = [place for place, one in enumerate(kept.axes) if one.axis == along]
        wanted = min(axis, len(kept.axes) - 1)
        inner = wanted if wanted in hanging or not hanging else hanging[0]
        how = kept.axes[inner]
        yield source, inner, how if how.axis in (along, None) else AxisWindow(None, Reach.ALL)


def _plain(choice: Choice, node: Node, along: int) -> Node:
    """The layer whose units a node passes on one by one."""
    while len(node.inputs) == 1:
        ((source, inner, how),) = list(_steps(choice, node, along, along)) or [
            (node, along, AxisWindow(None, Reach.ALL))
        ]
        same = how.reads == SAME and how.axis == along == inner and source.shape.rank == node.shape.rank
        if not same or source.shape.spatial[inner] != node.shape.spatial[along]:
            break
        node = source
    return node


def _image(units: Positions, how: AxisWindow, size: int) -> Positions:
    if isinstance(how.reads, Phases):
        return table(how.reads).over(units).within(size)
    return every(size if how.reads is Reach.ALL and units.extent else min(size, units.high + 1))


def _count(units: Positions, how: AxisWindow, size: int) -> int:
    if how.reads is Reach.ALL:
        return units.count * size
    if isinstance(how.reads, Phases):
        return sum(0 <= place < size for unit in units.members() for place in set(how.reads.reads(unit)))
    return sum(min(unit + 1, size) for unit in units.members())


def _causal(how: Phases) -> bool:
    """Whether a unit reads its own place and places before it."""
    return how.period == 1 and len(how.taps[0]) > 1 and max(how.taps[0]) == 0
