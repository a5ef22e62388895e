"""Which unit of which layer a receptive-field figure shows, and on which input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from archspec.analysis import ReceptiveField
from archspec.analysis.positions import Positions
from archspec.errors import ArchspecError, did_you_mean
from archspec.graph import ancestors
from archspec.growth import called, unit_of
from archspec.layers.shape import AXES
from archspec.nodes import Node
from archspec.spec import Spec

Unit = str | Sequence[int]


@dataclass(frozen=True)
class AxisRegion:
    """What a unit sees along one axis of the input: its unbounded field, what it really reads, and the centre."""

    name: str
    length: int
    field: Positions
    read: Positions
    centre: Fraction


@dataclass(frozen=True, eq=False)
class Choice:
    """A unit of a layer, and the input on which its field is shown."""

    spec: Spec
    node: Node
    source: Node
    unit: tuple[int, ...]
    last: Node  # where the chart of growth ends

    @property
    def field(self) -> ReceptiveField:
        return self.of(self.node)

    def of(self, node: Node) -> ReceptiveField:
        """The field of a node on the input."""
        return self.spec.analyze().receptive_fields[node][self.source]

    def bare(self, node: Node) -> ReceptiveField:
        """The field without gates and statistics, of a node that has any other."""
        return _bare(self.of(node))

    def reaches(self, node: Node) -> bool:
        """Whether a node reads the input."""
        return self.source in self.spec.analyze().receptive_fields[node]

    @property
    def gated(self) -> bool:
        """Whether the region without gates and statistics is shown: with them the unit reads everything."""
        return _alike(self.field) and not _alike(self.bare(self.node))

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the input's axes."""
        return tuple(AXES[self.source.shape.rank])

    @property
    def title(self) -> str:
        """The unit in words."""
        return f"unit ({', '.join(map(str, self.unit))}) of {called(self.node)} ({self.node.shape})"

    def regions(self) -> tuple[AxisRegion, ...]:
        """What the unit sees, axis by axis."""
        field = self.bare(self.node) if self.gated else self.field
        return tuple(
            AxisRegion(name, axis.length, axis.at(*self.unit), axis.inside(*self.unit), axis.centre(*self.unit))
            for name, axis in zip(self.axes, field.axes, strict=True)
        )


def choose(spec: Spec, layer: str | int | None, unit: Unit | None, source: str | None) -> Choice:
    """The unit that is asked for; else the middle one of the deepest layer whose units differ in what they see.

    Raises ArchspecError for an unknown layer, unit or input, and for a layer without a region to show.
    """
    start = _source(spec, source)
    if layer is None:
        node, last = _deepest(spec, start)
    else:
        node = last = spec.node(layer)
        if start is None:
            start = next(iter(spec.analyze().receptive_fields[node]), None)
        if start is None or not spec.analyze().receptive_fields[node].get(start) or not node.shape.rank:
            raise _nothing(spec, node, start)
    start = start or next(iter(spec.analyze().receptive_fields[node]))
    if not start.shape.rank:
        hint = "archspec table shows it layer by layer"
        raise ArchspecError(
            "no-region", f"the input is a vector of {start.shape}: it has no positions to show", hint=hint
        )
    if unit is None:
        return Choice(spec, node, start, tuple(size // 2 for size in node.shape.spatial), last)
    text = unit if isinstance(unit, str) else ",".join(map(str, unit))
    return Choice(spec, node, start, unit_of(node, text), last)


def _source(spec: Spec, name: str | None) -> Node | None:
    inputs = spec.layers.inputs
    if name is None:
        return None
    if name not in inputs:
        hint = did_you_mean(name, inputs) or f"its inputs are {', '.join(inputs)}"
        raise ArchspecError("unknown-input", f"{spec.title} has no input `{name}`", hint=hint)
    return inputs[name]


def _maps(spec: Spec, source: Node | None) -> Iterator[tuple[Node, ReceptiveField]]:
    """The layers with units to point at, from the first output back, and their fields without gates."""
    output = next(iter(spec.layers.outputs.values()))
    for node in sorted(ancestors([output]), key=lambda node: -node.index):
        fields = spec.analyze().receptive_fields[node]
        field = fields.get(source) if source else next(iter(fields.values()), None)
        if node.inputs and field and node.shape.rank and not _alike(_bare(field)):
            yield node, _bare(field)


def _deepest(spec: Spec, source: Node | None) -> tuple[Node, Node]:
    """The output if it is a map; else the deepest map whose units see less than the whole input. And the deepest."""
    maps = list(_maps(spec, source))
    if not maps:
        name = f"the input {source.name}" if source else "its input"
        message = f"{spec.title} has no layer of which units see different parts of {name}"
        raise ArchspecError("no-region", message, hint="archspec table shows it layer by layer")
    deepest, _ = maps[0]
    if deepest in spec.layers.outputs.values():
        return deepest, deepest
    return next((node for node, field in maps if not field.whole), deepest), deepest


def _nothing(spec: Spec, node: Node, source: Node | None) -> ArchspecError:
    """The error for a layer without a region: a vector, or one that does not read the input."""
    deepest = next((node for node, _ in _maps(spec, source)), None)
    hint = f"choose a map: --layer {deepest.name or deepest.index}, {deepest.layer}" if deepest else None
    if source is None or node.shape.rank:
        what = f"the input {source.name}" if source else "any input"
        return ArchspecError("no-region", f"{called(node)} does not read {what}", hint=hint)
    message = f"{called(node)} is a vector of {node.shape}: it has no unit at a place, so no region of its own"
    return ArchspecError("no-region", message, hint=hint)


def _alike(field: ReceptiveField) -> bool:
    return any(axis.alike for axis in field.axes)


def _bare(field: ReceptiveField) -> ReceptiveField:
    return field.without_gates if field.gateless else field
