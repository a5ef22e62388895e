"""What a name means: variables and parameters, sizes at the current point, layer and block names, points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from archspec.errors import ArchspecError
from archspec.expressions import Value
from archspec.layers import find_kind
from archspec.nodes import Group, Node
from archspec.source import Scalar
from archspec.syntax import Place

SIZES = frozenset("CHWLTN")


class Poisoned(Exception):
    """What is asked for hangs on something that already failed."""


@dataclass(slots=True, eq=False)
class Instance:
    """One expansion of a block, or the network: where it starts, its points and share tags. A point is None where its
    shape failed."""

    network: Instance | None = None
    entry: Node | None = None
    points: dict[str, list[Node | None]] = field(default_factory=dict)
    marks: dict[str, Place] = field(default_factory=dict)
    shares: dict[str, list[Node]] = field(default_factory=dict)

    def point(self, name: str) -> list[Node | None] | None:
        """All points of a name, in order; the network's where this instance has none."""
        found = self.points.get(name)
        if found is None and self.network is not None:
            return self.network.points.get(name)
        return found

    def mark(self, name: str, node: Node | None, place: Place) -> None:
        """Define a point; raises ArchspecError unless the same place of the text defined it before (a repeat)."""
        first = self.marks.setdefault(name, place)
        if (first.scalar, first.start) != (place.scalar, place.start):
            message = f"the point {name} is already defined in line {first.span.line}"
            raise ArchspecError("duplicate-point", message, place.span, "give one of them another name")
        self.points.setdefault(name, []).append(node)


class Text(str):
    """Text that may be spliced as a sequence: where it was written, and the scope in which it is read."""

    place: Place
    scope: Scope

    @classmethod
    def at(cls, place: Place, scope: Scope) -> Text:
        value = cls(place.text)
        value.place, value.scope = place, scope
        return value

    @classmethod
    def computed(cls, value: Value, place: Place, scope: Scope) -> Value:
        """What an expression gave: text in it, in lists too, may be spliced; its errors underline the expression."""
        if isinstance(value, list):
            return [cls.computed(item, place, scope) for item in value]
        if not isinstance(value, str) or isinstance(value, Text):
            return value
        span = place.span
        return cls.at(Place(Scalar(value, "", span.source, span.start, span.end), 0, len(value)), scope)


class Scope:
    """Variables, parameters or columns, and the scope around them."""

    __slots__ = ("names", "parent", "values")

    def __init__(self, values: Mapping[str, Value], parent: Scope | None) -> None:
        self.values, self.parent = values, parent

    def find(self, name: str) -> Value:
        """The innermost value; raises KeyError where there is none."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.parent
        raise KeyError(name)

    def outermost(self) -> Scope:
        """The variables of the network."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def known(self) -> Iterator[str]:
        scope: Scope | None = self
        while scope is not None:
            yield from scope.values
            scope = scope.parent


class Frame:
    """A place in the elaboration: a scope, the block instance and the current point. It is what expressions read.

    `node` is None where the shape here failed; `absent` once the branch turned out to be NONE.
    """

    __slots__ = ("absent", "blocks", "depth", "group", "in_branch", "instance", "node", "scope")

    def __init__(
        self, scope: Scope, instance: Instance, node: Node | None, group: Group | None, blocks: Mapping[str, object]
    ) -> None:
        self.scope, self.instance, self.node, self.group, self.blocks = scope, instance, node, group, blocks
        self.in_branch = self.absent = False
        self.depth = 0

    def inner(self, scope: Scope | None = None, instance: Instance | None = None, group: Group | None = None) -> Frame:
        """A frame that goes on from this one's point."""
        frame = Frame(scope or self.scope, instance or self.instance, self.node, group or self.group, self.blocks)
        frame.in_branch, frame.depth = self.in_branch, self.depth
        return frame

    def rejoin(self, inner: Frame) -> None:
        """Go on from where an inner frame ended."""
        self.node, self.absent = inner.node, inner.absent

    def lookup(self, name: str) -> Value:
        """The value of a name in an expression; raises KeyError for an unknown one, Poisoned after a failure."""
        try:
            return self.scope.find(name)
        except KeyError:
            pass
        if name in SIZES:
            if self.node is None:
                raise Poisoned
            with suppress(ArchspecError):
                return self.node.size(name)
            raise KeyError(name)
        if name in self.blocks or find_kind(name):
            return name
        return self.point(name)

    def point(self, name: str) -> Node:
        """The latest point of a name; raises KeyError for an unknown one, Poisoned after a failure."""
        if name == "input" and self.instance.network is not None:
            node = self.instance.entry
        else:
            nodes = self.instance.point(name)
            if not nodes:
                raise KeyError(name)
            node = nodes[-1]
        if node is None:
            raise Poisoned
        return node

    def names(self) -> Iterator[str]:
        """Every name that means something here, for did-you-mean."""
        yield from self.scope.known()
        yield from self.blocks
        yield from self.points()
        yield from self.node.shape.axes if self.node else ()

    def points(self) -> Iterator[str]:
        """The points that can be named here."""
        yield from self.instance.points
        yield from self.instance.network.points if self.instance.network else ()

    def quote(self, place: Place) -> Text:
        """Quoted text, read in the scope in which it is written."""
        return Text.at(place, self.scope)
