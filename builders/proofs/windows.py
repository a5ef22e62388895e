"""What a single layer reads, position by position: its declared window held against its module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, takewhile

import torch
from torch import Tensor

from archspec.errors import ArchspecError
from archspec.graph import LayerGraph, layer_graph
from archspec.layers import AxisWindow, Input, Layer, Phases, Reach, Shape, Window
from archspec.layers.shape import AXES
from archspec.network import Network
from archspec.nodes import Facts, Node
from archspec.source import Scalar
from archspec.syntax import Place
from builders.proofs.claim import Claim
from builders.proofs.probes import Probe, exact
from builders.proofs.slim import Inputs, thinnest

PROBED = 6  # positions at each end and in the middle; all, where there are no more
COPIES = "; not at borders, whose padding holds copies"
UNSOUND = "not finite without contamination either"
FINITE = "by finite changes: NaN also passes where the factor is 0"


def prove_window(layer: Layer, inputs: Inputs) -> list[Claim]:
    """Every axis of every input: which output units its positions reach, with as few channels as the layer allows."""
    slim, shapes = thinnest(layer, inputs)
    fewer = "" if shapes == inputs else f", channels as in {_listed(shapes)}"
    with exact():
        try:
            return [_claim(layer, inputs, found, fewer) for found in _axes(slim, shapes)]
        except (ArchspecError, RuntimeError) as error:
            return [Claim(f"{layer} on {_listed(inputs)}", "window", "runs", str(error).split("\n")[0])]


def blurs(layer: Layer, inputs: Inputs) -> bool:
    """Whether NaN shows more than the layer reads."""
    with exact():
        return any(found.finite for found in _axes(*thinnest(layer, inputs)))


class Axis:
    """One axis of one input of a layer: what it is declared to reach, and what it reaches."""

    def __init__(self, layer: Layer, inputs: Inputs, slot: int, axis: int) -> None:
        self.inputs, self.slot, self.axis = inputs, slot, axis
        self.window = layer.window(*inputs)[slot]
        self.shapes = _shrunk(layer, inputs, slot, axis)
        self.size = inputs[slot].spatial[axis]
        self.positions = _probed(self.size)
        self.finite = False
        graph = alone(layer, self.shapes)
        (end,) = graph.outputs.values()
        self.units = end.shape.spatial
        self.declared = _declared(end.facts.windows[slot], self.shapes[slot], self.units, axis, self.positions)
        self.moves = type(layer).strides is not Layer.strides
        self.asked = _inside(end.facts.windows[slot], self.shapes[slot], self.units) if copies(layer) else None
        self.reached = self._reached(Probe(graph, end.inputs[slot], axis))

    def _reached(self, probe: Probe) -> Tensor | None:
        """By NaN; where that shows something else than is declared, by finite changes; None where nothing is told."""
        samples = [[(position, position + 1)] for position in self.positions]
        found = probe.reached(samples)
        if self.asked is not None:
            return found.where(self.asked, self.declared)
        if torch.equal(found, self.declared):
            return found
        if not probe.sound:
            return None
        changed = probe.reached(samples, changed=True)
        self.finite = not torch.equal(found, changed)
        return changed

    @property
    def measured(self) -> str | None:
        """What is declared, or the first position and unit that contradict it; None where nothing is told."""
        stated = described(self.window, self.axis)
        if self.reached is None:
            return None
        wrong = (self.reached != self.declared).nonzero().tolist()
        if not wrong or self._bound(self.reached):
            return stated
        position, *unit = wrong[0]
        reads = "also reads" if self.reached[tuple(wrong[0])] else "does not read"
        return f"unit {', '.join(map(str, unit)) or 'alone'} {reads} position {self.positions[position]}"

    def _bound(self, reached: Tensor) -> bool:
        """Whether the declared window is only a bound: a view that lays numbers into other axes mixes none, so that
        which of them a unit holds hangs on the channel."""
        return self.moves and bool(self.declared.all()) and bool(reached.any())


def copies(layer: Layer) -> bool:
    """Whether padding holds copies of positions inside the map: then units at a border read those as well."""
    return getattr(layer, "pad", "zeros") != "zeros"


def _inside(window: Window, shape: Shape, units: tuple[int, ...]) -> Tensor:
    """The units all of whose reads lie inside the map."""
    found = torch.ones(1, *units, dtype=torch.bool)
    for along, size in zip(window.axes, shape.spatial, strict=True):
        count = 1 if along.axis is None else units[along.axis]
        rows = [[all(0 <= position < size for position in _read(along, unit, size)) for unit in range(count)]]
        found &= _laid(torch.tensor(rows), along.axis, len(units))
    return found


def _axes(layer: Layer, inputs: Inputs) -> Iterator[Axis]:
    for slot, window in enumerate(layer.window(*inputs)):
        for axis in range(len(window.axes)):
            yield Axis(layer, inputs, slot, axis)


def _claim(layer: Layer, inputs: Inputs, found: Axis, fewer: str) -> Claim:
    """What is declared along an axis, and the same words or what contradicts it."""
    stated = described(found.window, found.axis)
    name = AXES[inputs[found.slot].rank][found.axis]
    which = f"{name} of input {found.slot + 1}" if len(inputs) > 1 else name
    how = UNSOUND if found.reached is None else FINITE if found.finite else "by NaN"
    how += COPIES if found.asked is not None else ""
    note = f"{len(found.positions)} of {found.size} positions, {how}{fewer}"
    return Claim(f"{layer} on {_listed(inputs)}, {which}", "window", stated, found.measured, note)


def described(window: Window, axis: int) -> str:
    """How an axis is read, in words."""
    _, reads = window.axes[axis]
    also = " and its own place" if window.unmarked else ""
    if not isinstance(reads, Phases):
        return ("everything" if reads is Reach.ALL else "everything up to here") + also
    taps = "; ".join(_taps(taps) for taps in reads.taps[:4]) + ("; ..." if reads.period > 4 else "")
    return f"{taps} + {reads.step} for every {reads.period}{also}"


def _taps(taps: Sequence[int]) -> str:
    """3 taps or fewer one by one, more by their ends."""
    return " ".join(map(str, taps)) if len(taps) < 4 else f"{taps[0]} .. {taps[-1]} ({len(taps)})"


def _listed(inputs: Inputs) -> str:
    return " and ".join(map(str, inputs))


def alone(layer: Layer, inputs: Inputs) -> LayerGraph:
    """The graph of one layer."""
    scalar = Scalar.of(str(layer))
    place = Place(scalar, 0, len(scalar.text))
    starts = tuple(
        Node(index, Facts(Input(shape=shape), ()), (), (), None, place, None, name=f"input{index + 1}")
        for index, shape in enumerate(inputs)
    )
    facts = Facts(layer, inputs)
    read = len(facts.windows)
    end = Node(len(starts), facts, starts[:read], starts[read:], None, place, None)
    named = {f"input{start.index + 1}": start for start in starts}
    return layer_graph(Network((*starts, end), named, {"output": end}, {}, {}))


def _probed(size: int) -> Sequence[int]:
    """Positions at both ends and in the middle."""
    if size <= 3 * PROBED:
        return range(size)
    middle = (size - PROBED) // 2
    return [*range(PROBED), *range(middle, middle + PROBED), *range(size - PROBED, size)]


def _shrunk(layer: Layer, inputs: Inputs, slot: int, axis: int) -> Inputs:
    """The shapes with the other axes as short as leaves the window along this one as it is, read inside the map."""
    window, output = layer.window(*inputs)[slot], layer.output_shape(*inputs)
    longest = max(chain(*(shape.spatial for shape in inputs)))
    for most in takewhile(lambda most: most < longest, (1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 256)):
        shapes = tuple(_cut(shape, axis, most) for shape in inputs)
        try:
            there, found = layer.output_shape(*shapes), layer.window(*shapes)[slot]
        except ArchspecError:
            continue
        inside = all(
            _rows(along, size, there.spatial, None).any()
            for place, (along, size) in enumerate(zip(found.axes, shapes[slot].spatial, strict=True))
            if place != axis
        )
        if inside and _alike(window, found, axis) and _length(there, window, axis) == _length(output, window, axis):
            return shapes
    return inputs


def _cut(shape: Shape, axis: int, most: int) -> Shape:
    """All axes but one cut off."""
    sizes = (size if place == axis else min(size, most) for place, size in enumerate(shape.spatial))
    return Shape(tuple(sizes), shape.channels)


def _alike(one: Window, other: Window, axis: int) -> bool:
    if one.axes[axis] != other.axes[axis] or one.mark != other.mark:
        return False
    if one.unmarked is None or other.unmarked is None:
        return one.unmarked is other.unmarked
    return _alike(one.unmarked, other.unmarked, axis)


def _length(output: Shape, window: Window, axis: int) -> int | None:
    """The number of units along the output axis that a window goes with."""
    along = window.axes[axis].axis
    return None if along is None else output.spatial[along]


def _declared(window: Window, shape: Shape, units: tuple[int, ...], axis: int, positions: Sequence[int]) -> Tensor:
    """Which units a plane of the input at each of some positions reaches: those that read the position and, along
    every other axis, something inside the map."""
    found = torch.ones(len(positions), *units, dtype=torch.bool)
    for place, (along, size) in enumerate(zip(window.axes, shape.spatial, strict=True)):
        wanted = positions if place == axis else None
        found &= _laid(_rows(along, size, units, wanted), along.axis, len(units))
    if window.unmarked is not None:
        found |= _declared(window.unmarked, shape, units, axis, positions)
    return found


def _rows(along: AxisWindow, size: int, units: tuple[int, ...], positions: Sequence[int] | None) -> Tensor:
    """Positions x units: which are read. Without positions: 1 x units, whether any inside the map is."""
    count = 1 if along.axis is None else units[along.axis]
    places = {position: row for row, position in enumerate(positions or ())}
    found = torch.zeros(1 if positions is None else len(places), count, dtype=torch.bool)
    for unit in range(count):
        for position in _read(along, unit, size):
            if positions is None:
                found[0, unit] |= 0 <= position < size
            elif position in places:
                found[places[position], unit] = True
    return found


def _read(along: AxisWindow, unit: int, size: int) -> Sequence[int]:
    if isinstance(along.reads, Phases):
        return along.reads.reads(unit)
    return range(min(size, unit + 1) if along.reads is Reach.PREFIX and along.axis is not None else size)


def _laid(rows: Tensor, axis: int | None, rank: int) -> Tensor:
    """Positions x units along one axis of the output, or none, to broadcast along the others."""
    return rows.reshape(len(rows), *(rows.shape[1] if place == axis else 1 for place in range(rank)))
