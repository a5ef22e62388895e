"""What the layer graph is made of: nodes, the facts they share, and the groups they stand in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from archspec.errors import Span, Trace
from archspec.layers import Formula, Layer, Shape, Weights, Window
from archspec.syntax import Place


class Facts:
    """What a layer says of given input shapes. All nodes with the same layer and shapes share one, so each fact is
    computed once."""

    def __init__(self, layer: Layer, inputs: tuple[Shape, ...]) -> None:
        self.layer, self.inputs = layer, inputs
        self.output = layer.output_shape(*inputs)

    @cached_property
    def weights(self) -> Weights:
        return self.layer.weights(*self.inputs)

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        return self.layer.window(*self.inputs)

    @cached_property
    def macs(self) -> Formula:
        return self.layer.macs(*self.inputs)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A stage, a row of `each` or a call of a block, by which nodes fold; `name` is its own among its siblings."""

    kind: str
    name: str
    described: Callable[[], str]
    place: Place
    parent: Group | None

    @property
    def label(self) -> str:
        """The stage's name, the call with its arguments, or the row with its columns."""
        return self.described()

    def ancestry(self) -> tuple[Group, ...]:
        """From the outermost group to this one."""
        found: list[Group] = []
        group: Group | None = self
        while group is not None:
            found.append(group)
            group = group.parent
        return tuple(reversed(found))


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One layer of the network, or one input: its facts, the nodes it reads in slot order, and where it was written.

    `size_only` are inputs of which it takes the size alone (`like=`); they come behind the others.
    `shared` is the node whose weights it uses.
    """

    index: int
    facts: Facts
    inputs: tuple[Node, ...]
    size_only: tuple[Node, ...]
    group: Group | None
    place: Place
    trace: Trace | None
    shared: Node | None = None
    name: str | None = None

    @property
    def layer(self) -> Layer:
        return self.facts.layer

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return self.facts.inputs

    @property
    def shape(self) -> Shape:
        """The shape of its output."""
        return self.facts.output

    @property
    def span(self) -> Span:
        return self.place.span

    @property
    def path(self) -> str:
        """The groups it stands in: `body/bottleneck.2`."""
        return "/".join(group.name for group in self.group.ancestry()) if self.group else ""

    def size(self, axis: str) -> int:
        """The size of its output along one of C H W L T N."""
        return self.shape.size(axis)

    def __repr__(self) -> str:
        return f"<{self.index}: {self.name or self.layer} {self.shape}>"


@dataclass(slots=True)
class Recorder:
    """The weighted nodes of one use of a share tag: the first use is noted, later ones take theirs from it."""

    owners: list[Node]
    first: bool
    place: Place
    position: int = field(default=0)

    def owner(self) -> Node | None:
        """The node whose weights the next weighted node uses; None in the first use, and past its end."""
        if self.first or self.position >= len(self.owners):
            return None
        self.position += 1
        return self.owners[self.position - 1]
