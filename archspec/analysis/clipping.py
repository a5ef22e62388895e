"""What units really read: a walk back from them that keeps, axis by axis, to the positions inside every map on the way.

A field composed of tables lies on an unbounded grid, where a position beside an inner map reads on by the rule of its
layer. In the network that position is padding and reads nothing, which matters where a stride leaves out the end of a
map, behind a crop, and where padding is wider than a window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heappop, heappush
from itertools import chain, product
from typing import TYPE_CHECKING

from archspec.analysis.positions import Positions, every, union
from archspec.analysis.reads import Reads, Table, table
from archspec.layers.window import SAME, AxisWindow, Phases, Reach, Window
from archspec.nodes import Node

if TYPE_CHECKING:
    from archspec.analysis.field import AxisField

Box = tuple[Positions, ...]  # positions along every axis of a map; together all their combinations
Steps = tuple[tuple[Node, Window], ...]  # the nodes that a node reads, and how
Lines = frozenset[tuple[Node, int]]  # axes of inputs


class Clipping:
    """Walks over a graph of which `steps` holds the nodes in execution order; `fields` are theirs, unbounded."""

    def __init__(
        self, steps: Mapping[Node, Steps], fields: Mapping[Node, Mapping[Node, tuple[AxisField, ...]]]
    ) -> None:
        self._steps, self._fields = steps, fields
        self._whole: dict[Node, Lines] = {}
        self._unhindered: dict[Node, bool] = {}
        self._order: list[Node] = []
        self._of_map: dict[Node, dict[Node, Box]] = {}
        self._met: dict[tuple[Table, int, int], bool] = {}
        self._agreeing: dict[tuple[Reads, Table, int, int, int], bool] = {}

    def read(self, node: Node, box: Box) -> tuple[dict[Node, Box], bool]:
        """What some units of a node read of every input; and whether any map on the way was missed.

        Missed is a map of which not one position is read along some axis: then nothing behind it is read.
        """
        found, missed = self._walk(node, box, self._of_map)
        if missed:  # ways that meet in a map may read more of it together: none must end early
            return self._walk(node, box, {})
        if box == _map(node):
            self._of_map[node] = found
        return found, False

    def _walk(self, node: Node, box: Box, of_map: Mapping[Node, dict[Node, Box]]) -> tuple[dict[Node, Box], bool]:
        """The walk from some units; it ends at nodes read as a whole of which `of_map` says what is behind them."""
        nodes, boxes, pending = {node.index: node}, {node: box}, [-node.index]
        found: dict[Node, Box] = {}
        missed = False
        while pending:
            at = nodes[-heappop(pending)]
            reads = boxes.pop(at)
            known = of_map.get(at) if reads == _map(at) else None
            if known is not None or not self._steps[at]:
                for start, more in (known or {at: reads}).items():
                    _add(found, start, more)
                continue
            for source, window in self._steps[at]:
                image = _image(reads, window, source.shape.spatial)
                if image is None:
                    missed = True
                    continue
                if source not in boxes:
                    nodes[source.index] = source
                    heappush(pending, -source.index)
                _add(boxes, source, image)
        return found, missed

    def whole(self, node: Node) -> Lines:
        """The axes of inputs of which every unit of a node reads every position. Nodes before it are decided first."""
        for one in self._up_to(node, self._whole):
            self._whole[one] = self._decided(one)
        return self._whole[node]

    def _up_to(self, node: Node, known: Mapping[Node, object]) -> Iterator[Node]:
        """The nodes up to one, in execution order, that are not known yet: those behind all that are."""
        if node in known:
            return
        self._order = self._order or list(self._steps)
        for place in range(len(known), len(self._order)):
            yield self._order[place]
            if self._order[place] is node:
                return

    def _decided(self, node: Node) -> Lines:
        lines = {
            (start, axis)
            for start, fields in self._fields[node].items()
            for axis, field in enumerate(fields)
            if field.may_be_whole
        }
        sure = {
            line
            for source, window in self._steps[node]
            for line in lines & self._whole[source]
            if self._never_misses(node, window, source)
        }
        open_ = lines - sure
        if open_:
            found, _ = self.read(node, _map(node))  # all units together, which says most of it
            open_ = {line for line in open_ if _covered(found, *line)}
        if open_ and any(axis is not None for _, window in self._steps[node] for axis, _ in window.axes):
            if self._is_unhindered(node):
                open_ = {line for line in open_ if self._fields[node][line[0]][line[1]].covers_input}
            else:
                open_ = self._covered_by_all(node, open_)
        return frozenset(sure | open_)

    def _covered_by_all(self, node: Node, lines: set[tuple[Node, int]]) -> set[tuple[Node, int]]:
        """The axes of which every unit, asked on its own, reads all.

        As long as no map is missed the axes are read independently of one another, and units in which every coordinate
        occurs are enough, the corners first.
        """
        sizes = node.shape.spatial
        last = max(sizes) - 1
        some = (tuple(min(place, size - 1) for size in sizes) for place in dict.fromkeys((0, last, *range(last))))
        any_missed = False
        for unit in chain(some, (unit for unit in product(*map(range, sizes)) if any_missed)):
            found, missed = self.read(node, tuple(Positions(place, 1) for place in unit))
            any_missed |= missed
            lines = {line for line in lines if _covered(found, *line)}
            if not lines:
                break
        return lines

    def _is_unhindered(self, node: Node) -> bool:
        """Whether no unit up to a node reads more of the input past an inner map than inside it, nor misses one.

        Then the unbounded field, cut off at the ends of the input, is what is really read.
        """
        for one in self._up_to(node, self._unhindered):
            self._unhindered[one] = all(
                self._unhindered[source]
                and self._never_misses(one, window, source)
                and self._agrees(one, window, source)
                for source, window in self._steps[one]
            )
        return self._unhindered[node]

    def _agrees(self, node: Node, window: Window, source: Node) -> bool:
        """Whether the positions inside a source stand for all that the units of a node read through a window."""
        fields = (field for fields in self._fields[source].values() for field in fields)
        parts = ((field.length, *part) for field in fields for part in field.parts)
        return all(
            self._same_inside(reads, window.axes[axis], source.shape.spatial[axis], node, length)
            for length, axis, reads in parts
            if axis is not None
        )

    def _same_inside(self, reads: Reads, along: AxisWindow, size: int, node: Node, length: int) -> bool:
        axis, how = along
        if axis is None or not isinstance(how, Phases) or (how == SAME and node.shape.spatial[axis] <= size):
            return True
        key = (reads, table(how), size, node.shape.spatial[axis], length)
        if key not in self._agreeing:
            rows = map(key[1].at, range(key[3]))
            self._agreeing[key] = all(
                reads.over(row).within(length) == reads.over(row.within(size)).within(length)
                for row in rows
                if row.within(size) is not row
            )
        return self._agreeing[key]

    def _never_misses(self, node: Node, window: Window, source: Node) -> bool:
        """Whether every unit reads some position of a source."""
        sizes = zip(window.axes, source.shape.spatial, strict=True)
        return all(self._meets(along, size, node) for along, size in sizes)

    def _meets(self, along: AxisWindow, size: int, node: Node) -> bool:
        axis, how = along
        if axis is None or not isinstance(how, Phases):
            return True
        key = (table(how), size, node.shape.spatial[axis])
        if key not in self._met:
            self._met[key] = all(key[0].at(unit).within(size).extent for unit in range(key[2]))
        return self._met[key]


def _map(node: Node) -> Box:
    """All positions of a node's output."""
    return tuple(map(every, node.shape.spatial))


def _add(boxes: dict[Node, Box], node: Node, more: Box) -> None:
    known = boxes.get(node)
    boxes[node] = more if known is None else tuple(map(_either, known, more))


def _either(one: Positions, other: Positions) -> Positions:
    return one if one == other else union((one, other))


def _covered(found: Mapping[Node, Box], start: Node, axis: int) -> bool:
    return start in found and found[start][axis].covers(start.shape.spatial[axis])


def _image(box: Box, window: Window, sizes: tuple[int, ...]) -> Box | None:
    """The positions of a map that the units of a box read; None where it is missed along some axis."""
    found = []
    for (axis, how), size in zip(window.axes, sizes, strict=True):
        reads = every(size) if axis is None else _along(box[axis], how, size)
        if not reads.extent:
            return None
        found.append(reads)
    return tuple(found)


def _along(units: Positions, how: Phases | Reach, size: int) -> Positions:
    if how is SAME:
        return units.within(size)
    if isinstance(how, Phases):
        return table(how).over(units).within(size)
    return every(size) if how is Reach.ALL else every(min(size, units.high + 1))
