"""Receptive fields by brute force: every unit of every node asks the units that it reads, down to the inputs.

Of a node only the layer's fields, the shapes and the edges are read. The grid is unbounded: a unit beside the map,
which a later layer reads as padding, reads on by the same rule. A unit is a tuple of coordinates; None stands for no
place along an axis, as in a hole that a transposed convolution leaves: a hole along one axis is none along the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import product
from math import ceil, floor, prod
from typing import Any, NamedTuple

from archspec.nodes import Node

Unit = tuple[int | None, ...]
Box = Sequence[Sequence[int]]  # the positions read along every input axis; together all their combinations
Axes = tuple[frozenset[int], ...]
NO_PLACE: Sequence[None] = (None,)
Field = dict[Node, Axes]  # what is read of every input, axis by axis


class Reading(NamedTuple):
    """One unit of a layer that reads one of its inputs: spatial sizes of that input and of the output."""

    layer: Any
    source: tuple[int, ...]
    output: tuple[int, ...]
    unit: Unit
    gates: bool

    def along(self, row: Callable[[int, int], Iterable[int]]) -> Box:
        """What the coordinate along every axis reads; nothing where there is none."""
        return [[] if at is None else list(row(axis, at)) for axis, at in enumerate(self.unit)]

    def own(self) -> Box:
        return self.along(lambda _, at: [at])

    def all(self) -> Box:
        return [range(size) for size in self.source]

    def field(self, name: str, axis: int, default: Any = 1) -> Any:
        """The value of a field that holds one number for every axis, or one for all."""
        values = getattr(self.layer, name, None)
        if values is None:
            return default
        return values[axis] if len(values) > 1 else values[0]


Rule = Callable[[Reading], list[Box]]
RULES: dict[str, Rule] = {"INPUT": lambda reading: []}  # noqa: ARG005


def of(*kinds: str) -> Callable[[Rule], Rule]:
    """Make a function the rule of some kinds."""

    def add(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return add


# -- what a unit reads -------------------------------------------------------------------------------------------------


@of("RELU", "RELU6", "SIGMOID", "TANH", "GELU", "SILU", "HSWISH", "HSIGMOID", "ELU", "SELU", "MISH", "SOFTPLUS")
@of("SOFTMAX", "LEAKY", "PRELU", "BN", "LN", "RMSNORM", "LRN", "DROPOUT", "DROPPATH", "NOISE", "SCALE", "LINEAR")
@of("PART", "SHUFFLE", "CMEAN", "CMAX", "IDENTITY", "NONE", "ADD", "CONCAT")
def pointwise(reading: Reading) -> list[Box]:
    return [reading.own()]


@of("FC", "FLATTEN", "RESHAPE", "TRANSPOSE", "GAP", "GMP")
def everything(reading: Reading) -> list[Box]:
    return [reading.all()]


@of("GN", "IN")
def statistics(reading: Reading) -> list[Box]:
    return [reading.own(), reading.all()] if reading.gates else [reading.own()]


@of("MUL")
def product_of_operands(reading: Reading) -> list[Box]:
    """A size of 1 is repeated; an operand of a single position beside a larger map is a gate, read by all units."""
    source, output = reading.source, reading.output
    if set(source) == {1} and set(output) != {1}:
        return [reading.all()] if reading.gates else []
    return [[own if source[axis] == output[axis] else [0] for axis, own in enumerate(reading.own())]]


def padding_before(reading: Reading, axis: int, kernel: int, stride: int) -> int:
    """The positions that are added before the first."""
    extent: int = reading.field("dilation", axis) * (kernel - 1) + 1
    if getattr(reading.layer, "causal", False):
        return extent - 1
    padding = reading.layer.padding
    if padding is None:
        return extent // 2
    if padding == "same":  # the last window ends with the padding, half of which lies before, rounded down
        return max(0, (reading.output[axis] - 1) * stride + extent - reading.source[axis]) // 2
    return 0 if padding == "valid" else first_side(reading, axis)


def first_side(reading: Reading, axis: int) -> int:
    """The padding before the first position, given as one number or as two."""
    side: int | tuple[int, int] = reading.field("padding", axis)
    return side[0] if isinstance(side, tuple) else side


@of("CONV", "POOL", "AVGPOOL")
def sliding(reading: Reading) -> list[Box]:
    if getattr(reading.layer, "to", None) is not None:
        return adaptive(reading)

    def row(axis: int, at: int) -> list[int]:
        kernel = reading.field("kernel", axis)
        stride = reading.field("stride", axis, kernel)
        start = at * stride - padding_before(reading, axis, kernel, stride)
        return [start + reading.field("dilation", axis) * tap for tap in range(kernel)]

    return [reading.along(row)]


def adaptive(reading: Reading) -> list[Box]:
    """From floor(i in/out) to before ceil((i + 1) in/out)."""

    def row(axis: int, at: int) -> range:
        ratio = Fraction(reading.source[axis], reading.output[axis])
        return range(floor(at * ratio), ceil((at + 1) * ratio))

    return [reading.along(row)]


@of("UPCONV")
def transposed(reading: Reading) -> list[Box]:
    """All inputs i that scatter a tap to this unit: o = i s - p + d t."""

    def row(axis: int, at: int) -> list[int]:
        kernel, stride, dilation = (reading.field(name, axis) for name in ("kernel", "stride", "dilation"))
        full = (reading.source[axis] - 1) * stride + dilation * (kernel - 1) + 1 + reading.layer.extra
        cut = (full - reading.output[axis]) // 2
        reach = dilation * kernel + cut
        near = range((at - reach) // stride - 1, (at + reach) // stride + 2)
        return [i for i in near if any(i * stride - cut + dilation * tap == at for tap in range(kernel))]

    return [reading.along(row)]


@of("UPSAMPLE", "RESIZE")
def interpolation(reading: Reading) -> list[Box]:
    def row(axis: int, at: int) -> list[int]:
        ratio = Fraction(reading.source[axis], reading.output[axis])
        if reading.layer.mode == "nearest":
            return [floor(at * ratio)]
        place = (at + Fraction(1, 2)) * ratio - Fraction(1, 2)
        weight = cubic if reading.layer.mode == "bicubic" else hat
        return [i for i in range(floor(place) - 3, floor(place) + 5) if weight(abs(place - i)) != 0]

    return [reading.along(row)]


def hat(distance: Fraction) -> Fraction:
    """The weight of linear interpolation."""
    return max(Fraction(0), 1 - distance)


def cubic(x: Fraction, a: Fraction = Fraction(-3, 4)) -> Fraction:
    """The weight of cubic convolution (Keys 1981), with torch's a."""
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else Fraction(0)


@of("CROP")
def crop(reading: Reading) -> list[Box]:
    def row(axis: int, at: int) -> list[int]:
        middle = (reading.source[axis] - reading.output[axis]) // 2
        return [at + reading.field("at", axis, middle)]

    return [reading.along(row)]


@of("PAD")
def pad(reading: Reading) -> list[Box]:
    def row(axis: int, at: int) -> list[int]:
        return [at - first_side(reading, axis)]

    return [reading.along(row)]


@of("UNSHUFFLE")
def space_to_depth(reading: Reading) -> list[Box]:
    factor = reading.layer.factor
    return [reading.along(lambda _, at: range(at * factor, (at + 1) * factor))]


@of("PIXSHUFFLE")
def depth_to_space(reading: Reading) -> list[Box]:
    return [reading.along(lambda _, at: [floor(Fraction(at, reading.layer.factor))])]


# -- what a unit reads of the inputs -----------------------------------------------------------------------------------


class OutOfPatience(Exception):
    """More units would have to be asked than the oracle was given patience for."""


class Oracle:
    """The fields of all nodes of a graph, asked unit by unit; without `gates`, gates and statistics are left out."""

    def __init__(self, gates: bool = True, patience: int = 10**9) -> None:
        self.gates, self.patience = gates, patience
        self._known: dict[tuple[Node, Unit], Field] = {}
        self._steps: dict[Node, dict[Node, list[set[Fraction]]]] = {}

    def boxes(self, node: Node, slot: int, unit: Unit) -> list[Box]:
        """What a unit reads of one of its node's inputs."""
        source = node.inputs[slot].shape.spatial
        return RULES[node.layer.kind](Reading(node.layer, source, node.shape.spatial, unit, self.gates))

    def at(self, node: Node, unit: Unit) -> Field:
        """What a unit reads of the inputs."""
        known = self._known.get((node, unit))
        if known is not None:
            return known
        found: dict[Node, list[set[int]]] = {}
        if not node.inputs:
            found[node] = [set() if at is None else {at} for at in unit]
        for slot, source in enumerate(node.inputs):
            for box in self.boxes(node, slot, unit):
                self.patience -= prod(map(len, box))
                if self.patience < 0:
                    raise OutOfPatience
                for place in product(*(row or NO_PLACE for row in box)):
                    for start, axes in self.at(source, place).items():
                        for mine, more in zip(found.setdefault(start, [set() for _ in axes]), axes, strict=True):
                            mine |= more
        field = {start: tuple(map(frozenset, axes)) for start, axes in found.items()}
        self._known[node, unit] = field
        return field

    def inside(self, node: Node, unit: tuple[int, ...]) -> Field:
        """What a unit reads of the inputs inside every map on the way.

        Along every axis a position of a map counts if it lies in the map and one that counts reads it; a map of which
        no position counts along some axis is not read.
        """
        counting: dict[Node, Axes] = {node: tuple(frozenset([at]) for at in unit)}
        found: Field = {}
        while counting:
            last = max(counting, key=lambda one: one.index)
            axes = counting.pop(last)
            if not last.inputs:
                found[last] = axes
            for slot, source in enumerate(last.inputs):
                for rows in self._rows(last, slot, axes):
                    kept = [row & set(range(size)) for row, size in zip(rows, source.shape.spatial, strict=True)]
                    if all(kept):
                        before = counting.get(source, (frozenset(),) * len(kept))
                        counting[source] = tuple(map(frozenset.union, before, kept))
        return found

    def _rows(self, node: Node, slot: int, axes: Axes) -> list[list[frozenset[int]]]:
        """For every box, what units with these coordinates read along every axis of an input."""
        found: dict[tuple[int, int], set[int]] = {}
        rank = len(node.inputs[slot].shape.spatial)
        numbers = range(len(self.boxes(node, slot, (0,) * len(axes))))
        for number, axis in product(numbers, range(rank)):
            found[number, axis] = set()
            for at in axes[axis] if axis < len(axes) else [0]:
                found[number, axis] |= set(self.boxes(node, slot, (at,) * len(axes))[number][axis])
        return [[frozenset(found[number, axis]) for axis in range(rank)] for number in numbers]

    def over(self, node: Node) -> dict[tuple[int, ...], Field]:
        """What every unit of the map reads."""
        return {unit: self.at(node, unit) for unit in product(*map(range, node.shape.spatial))}

    def steps(self, node: Node) -> dict[Node, list[set[Fraction]]]:
        """Along every axis of every input: how far it goes from one unit to the next, once for every way to it.

        Ways on which all units read the same do not count.
        """
        if node in self._steps:
            return self._steps[node]
        found: dict[Node, list[set[Fraction]]] = (
            {} if node.inputs else {node: [{Fraction(1)} for _ in node.shape.spatial]}
        )
        for slot, source in enumerate(node.inputs):
            for ratios in self._ratios(node, slot):
                for start, axes in self.steps(source).items():
                    mine = found.setdefault(start, [set() for _ in axes])
                    for axis, steps in enumerate(axes):
                        mine[axis] |= {step * ratios[axis] for step in steps if ratios[axis]}
        self._steps[node] = found
        return found

    def _ratios(self, node: Node, slot: int) -> list[list[Fraction]]:
        """How far reading goes on in one input from one unit to the next, along every axis of each box."""
        source, output = node.inputs[slot].shape.spatial, node.shape.spatial
        turn = prod(output) * prod(getattr(node.layer, "stride", None) or (1,)) * getattr(node.layer, "factor", 1)
        first: dict[tuple[int, int], Fraction] = {}
        numbers = range(len(self.boxes(node, slot, (0,) * len(output))))
        for start in range(turn):  # the first unit that is no hole, and the one that lies a whole turn further
            here, there = (self.boxes(node, slot, (at,) * len(output)) for at in (start, start + turn))
            for number, axis in product(numbers, range(len(source))):
                if here[number][axis] and (number, axis) not in first:
                    first[number, axis] = Fraction(max(there[number][axis]) - max(here[number][axis]), turn)
            if len(first) == len(numbers) * len(source):
                break
        return [[first.get((number, axis), Fraction(0)) for axis in range(len(source))] for number in numbers]


class Figures(NamedTuple):
    """What is said of the fields of all units along one axis."""

    size: int
    size_min: int
    padding: int
    density: Fraction
    whole: bool
    jump: Fraction | None


def figures(
    rows: Sequence[frozenset[int]], inside: Sequence[frozenset[int]], length: int, steps: set[Fraction]
) -> Figures:
    """The figures of what every unit reads, and reads inside, along one axis of an input of that length."""
    extents = [max(row) - min(row) + 1 if row else 0 for row in rows]
    return Figures(
        max(extents),
        min(extents),
        -min(rows[0], default=0),
        min(
            (Fraction(len(row), extent) for row, extent in zip(rows, extents, strict=True) if row), default=Fraction(1)
        ),
        all(row.issuperset(range(length)) for row in inside),
        None if len(steps) > 1 else next(iter(steps), Fraction(0)),
    )
