"""Points: the names of places in the network, and the nodes that they stand for."""

from __future__ import annotations

from contextlib import suppress

from archspec.errors import ArchspecError, did_you_mean
from archspec.expressions import shown, whole
from archspec.nodes import Node
from archspec.scope import Frame
from archspec.syntax import From, Item, PointRef, Sequence


def numbered(point: PointRef, frame: Frame) -> str:
    """A point's name, its index computed: b(j) -> b3."""
    if point.index is None:
        return point.name
    value = point.index.evaluate(frame)
    number = value if isinstance(value, str) else whole(value)
    if number is None:
        message = f"a point cannot be called {point.name}({shown(value)})"
        raise ArchspecError("name", message, point.place.span, "index it by a whole number")
    return f"{point.name}{number}"


def find(point: PointRef, frame: Frame) -> Node:
    """The node of a point, or of the point that a parameter of that name holds; raises ArchspecError if unknown."""
    if point.every:
        message = f"`{point.place.text}` is all points of a name"
        raise ArchspecError("unknown-point", message, point.place.span, "let it be a whole branch: concat: [from f*]")
    name = numbered(point, frame)
    try:
        held = frame.scope.find(name)
    except KeyError:
        held = None
    if isinstance(held, Node):
        return held
    for known in (name, held):
        with suppress(KeyError):
            if isinstance(known, str):
                return frame.point(known)
    raise unknown_point(point, frame)


def every(branch: Sequence, frame: Frame) -> list[Node | None] | None:
    """All points of a name where `from name*` is the whole branch; None for any other branch."""
    item = branch.elements[0] if len(branch.elements) == 1 else None
    if not isinstance(item, Item) or not isinstance(item.primary, From) or not item.primary.point.every:
        return None
    found = frame.instance.point(item.primary.point.name)
    if not found:
        raise unknown_point(item.primary.point, frame)
    return list(found)


def unknown_point(point: PointRef, frame: Frame) -> ArchspecError:
    """The error for a point that is not defined where it is read."""
    hint = did_you_mean(point.name, frame.points()) or "name one with `as`, or use a stage's name"
    return ArchspecError("unknown-point", f"there is no point `{point.place.text}` here", point.place.span, hint)
