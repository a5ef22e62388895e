"""Names with values, and what expressions make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from archspec.errors import ArchspecError
from archspec.expressions import Expression, Value, parse
from archspec.source import Scalar


class Shape:
    """A point whose shape is 7x7x64."""

    def size(self, axis: str) -> int:
        if axis not in "CHW":
            raise ArchspecError("no-axis", f"7x7x64 has no axis {axis}")
        return {"C": 64, "H": 7, "W": 7}[axis]


class Names:
    """An environment of fixed values."""

    def __init__(self, **values: Value) -> None:
        self.values = values

    def lookup(self, name: str) -> Value:
        return self.values[name]

    def names(self) -> Iterable[str]:
        return self.values


HERE = Names(
    F=16,
    C=3,
    H=5,
    w=1.5,
    n=[3, 4, 6, 3],
    k=(1, 7),
    p=(0, (1, 2)),
    t={"s": [1, 2]},
    b=True,
    z=None,
    act="RELU",
    e4=Shape(),
)


def evaluate(text: str, names: Names = HERE) -> Value:
    return parse(Scalar.of(text)).evaluate(names)


def outcome(text: str, names: Names = HERE, read: Callable[[Scalar, int], Expression] = parse) -> Value | ArchspecError:
    try:
        return read(Scalar.of(text), 0).evaluate(names)
    except ArchspecError as error:
        return error


def failure(text: str, names: Names = HERE) -> ArchspecError:
    with pytest.raises(ArchspecError) as caught:
        evaluate(text, names)
    return caught.value
