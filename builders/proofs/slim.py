"""The same layers and graphs with fewer channels and on other input sizes, so that running them costs little.

What a unit reads does not depend on the number of channels. Which of a layer's numbers count channels is not asked by
kind: a copy is taken if it gives the same positions, the channels asked for, and the same window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import gcd

from pydantic import ValidationError

from archspec.errors import ArchspecError
from archspec.graph import LayerGraph, layer_graph
from archspec.layers import AxisWindow, Input, Layer, Shape
from archspec.network import Network
from archspec.nodes import Facts, Node

Inputs = tuple[Shape, ...]
Sizes = Callable[[Node], tuple[int, ...]]  # the spatial sizes of every input


@dataclass(frozen=True)
class Slimming:
    """What becomes of channel counts: two (None; over one alone a normalization gives a constant), or the share of a
    divisor where it divides them.

    >>> [Slimming(32).count(channels) for channels in (3, 64, 96)], Slimming(None).count(64)
    ([3, 2, 3], 2)
    """

    divisor: int | None

    def count(self, channels: int) -> int:
        if self.divisor is None:
            return min(channels, 2)
        return channels if channels % self.divisor else channels // self.divisor

    def shape(self, shape: Shape) -> Shape:
        """The same positions with fewer channels."""
        return shape if shape.channels is None else Shape(shape.spatial, self.count(shape.channels))

    def layer(self, layer: Layer, inputs: Inputs) -> Layer | None:
        """A layer that reads the slim inputs as this one reads these; None where none is found."""
        wanted, windows = self.shape(layer.output_shape(*inputs)), layer.window(*inputs)
        slim = tuple(map(self.shape, inputs))
        if isinstance(layer, Input):
            return Input(shape=wanted)
        for fields in self._fields(layer):
            try:
                found = type(layer)(**fields)
                if found.output_shape(*slim) == wanted and found.window(*slim) == windows:
                    return found
            except (ArchspecError, ValidationError):
                continue
        return None

    def _fields(self, layer: Layer) -> Iterator[dict[str, object]]:
        """The fields as they are, then with numbers, and last sizes of tuples, divided or 1."""
        fields = dict(layer)
        names = sorted(fields, key=lambda name: isinstance(fields[name], int))  # what stands last changes first
        for values in product(*(self._values(fields[name]) for name in names)):
            yield dict(zip(names, values, strict=True))

    def _values(self, value: object) -> Sequence[object]:
        if isinstance(value, tuple) and value:
            return [(*value[:-1], last) for last in self._values(value[-1])]
        if isinstance(value, bool) or not isinstance(value, int):
            return [value]
        return list(dict.fromkeys((value, self.count(value), 1)))

    def __str__(self) -> str:
        return "two channels" if self.divisor is None else f"channels / {self.divisor}"


def slimmings(shapes: Sequence[Shape]) -> list[Slimming]:
    """All that may fit layers of these shapes, those that leave least to compute first; to divide by 1 always fits."""
    counts = {shape.channels for shape in shapes if shape.channels is not None}
    divisors = {gcd(one, other) for one in counts for other in counts} | {1}
    return [
        Slimming(None),
        *sorted(map(Slimming, divisors), key=lambda one: sum(one.shape(shape).elements for shape in shapes)),
    ]


def thinnest(layer: Layer, inputs: Inputs) -> tuple[Layer, Inputs]:
    """The layer and its input shapes with as few channels as can be; equal ones need one proof."""
    for slimming in slimmings((*inputs, layer.output_shape(*inputs))):
        found = slimming.layer(layer, inputs)
        if found is not None:
            return found, tuple(map(slimming.shape, inputs))
    return layer, inputs


class Unfit(Exception):
    """A graph cannot be slimmed so."""


class Slimmer:
    """Places parts of a graph anew, slim and on other input sizes; equal layers are slimmed once."""

    def __init__(self, graph: LayerGraph, slimming: Slimming) -> None:
        self.graph, self.slimming = graph, slimming
        self._full: dict[tuple[Layer, Inputs], Facts] = {}
        self._slim: dict[tuple[Layer, Inputs], Facts] = {}

    def placed(self, end: Node, sizes: Sizes) -> Placed:
        """What leads to a node; raises ArchspecError where a layer cannot read it, Unfit where none is slim."""
        full: dict[Node, Facts] = {}
        nodes: dict[Node, Node] = {}
        for node in leading(self.graph, end):
            sources = node.inputs + node.size_only
            layer = node.layer
            if isinstance(layer, Input):
                layer = Input(shape=Shape(sizes(node), node.shape.channels))
            full[node], facts = self._facts(layer, tuple(full[source].output for source in sources))
            nodes[node] = replace(
                node,
                facts=facts,
                inputs=tuple(nodes[source] for source in node.inputs),
                size_only=tuple(nodes[source] for source in node.size_only),
                shared=None,  # whose weights they are does not matter
            )
        inputs = {name: nodes[node] for name, node in self.graph.inputs.items() if node in nodes}
        graph = layer_graph(Network(tuple(nodes.values()), inputs, {"end": nodes[end]}, {}, {}))
        return Placed(graph, nodes)

    def _facts(self, layer: Layer, inputs: Inputs) -> tuple[Facts, Facts]:
        """The facts of the layer on these shapes, and those of the slim one."""
        key = (layer, inputs)
        if key not in self._slim:
            self._full[key] = Facts(layer, inputs)
            slim = self.slimming.layer(layer, inputs)
            if slim is None:
                raise Unfit(layer)
            self._slim[key] = Facts(slim, tuple(map(self.slimming.shape, inputs)))
        return self._full[key], self._slim[key]


@dataclass(frozen=True, eq=False)
class Placed:
    """A graph that leads to one output, and its nodes by those they stand for."""

    graph: LayerGraph
    nodes: Mapping[Node, Node]

    def alike(self, axis: int) -> bool:
        """Whether along an axis all nodes read as those that they stand for."""
        return all(_along(node, axis) == _along(one, axis) for node, one in self.nodes.items())


def _along(node: Node, axis: int) -> list[tuple[AxisWindow, ...]]:
    return [window.axes[axis : axis + 1] for window in node.facts.windows]


def leading(graph: LayerGraph, end: Node) -> list[Node]:
    """A node and all that it hangs on, be it by their size alone, in execution order."""
    found, pending = set[Node](), [end]
    while pending:
        node = pending.pop()
        if node not in found:
            found.add(node)
            pending += node.inputs + node.size_only
    return [node for node in graph if node in found]


def own_sizes(node: Node) -> tuple[int, ...]:
    """Inputs of the sizes that they have."""
    return node.shape.spatial


def slimmer(graph: LayerGraph, end: Node) -> Slimmer:
    """The slimmer that leaves fewest channels in what leads to a node."""
    for slimming in slimmings([node.shape for node in leading(graph, end)]):
        found = Slimmer(graph, slimming)
        try:
            found.placed(end, own_sizes)
        except (ArchspecError, Unfit):
            continue
        return found
    return Slimmer(graph, Slimming(1))
