"""Shapes of activations, and the small formulas in which counts are written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from archspec.errors import ArchspecError

AXES = ("", "L", "HW", "THW")  # names of the spatial axes by their number; C are the channels, N the positions


class ShapeError(ArchspecError):
    """A layer cannot read this shape: what was found, both sizes, and the remedy.

    `field` names the layer's field at fault, so that the error can underline the very option in the spec.
    """

    def __init__(self, code: str, message: str, hint: str | None = None, field: str | None = None) -> None:
        super().__init__(code, message, hint=hint)
        self.field = field


class Shape(NamedTuple):
    """The shape of one example's activation, `spatial... x channels`; `channels` is None for a sequence of token ids.

    >>> print(Shape((28, 28), 10), "|", Shape((), 490), "|", Shape((1024,), None))
    28 x 28 x 10 | 490 | 1024 ids
    """

    spatial: tuple[int, ...]
    channels: int | None

    @property
    def rank(self) -> int:
        """The number of spatial axes: 0 for a vector, 2 for an image."""
        return len(self.spatial)

    @property
    def positions(self) -> int:
        """How many positions there are: H x W of an image, 1 of a vector."""
        return prod(self.spatial)

    @property
    def elements(self) -> int:
        """How many numbers the activation holds."""
        return self.positions * (1 if self.channels is None else self.channels)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes in the spec's order: H, W, C."""
        return self.spatial if self.channels is None else (*self.spatial, self.channels)

    def size(self, axis: str) -> int:
        """The size along `axis`, one of C H W L T N; raises ArchspecError where this rank has no such axis."""
        if axis == "N":
            return self.positions
        if axis == "C" and self.channels is not None:
            return self.channels
        names = AXES[self.rank] if self.rank < len(AXES) else ""
        if axis not in names:
            hint = f"it has {', '.join(self.axes)}"
            raise ArchspecError("unknown-axis", f"a shape of {self} has no {axis}", hint=hint)
        return self.spatial[names.index(axis)]

    @property
    def axes(self) -> tuple[str, ...]:
        """The names that `size` knows."""
        names = AXES[self.rank] if self.rank < len(AXES) else ""
        return (*names, *(() if self.channels is None else ("C",)), "N")

    def __str__(self) -> str:
        return " x ".join(map(str, self.sizes)) + (" ids" if self.channels is None else "")


def token_ids(layer: object, shape: Shape) -> ShapeError:
    """The error for a layer that computes with numbers and is given token ids."""
    return ShapeError("token-ids", f"{layer} computes with numbers, and here are {shape}", "embed the ids first")


@dataclass(frozen=True, slots=True)
class Formula:
    """A count as it is computed by hand, a sum of products of sizes, and its value.

    >>> kernel, bias = Formula.product(3, 3, 1, 10), Formula.product(10)
    >>> print(kernel + bias)
    3 x 3 x 1 x 10 + 10 = 100
    >>> print(Formula())
    0
    """

    terms: tuple[tuple[int, ...], ...] = ()
    value: int = 0

    @classmethod
    def product(cls, *factors: int) -> Formula:
        """One product of sizes."""
        return cls((factors,), prod(factors))

    def __add__(self, other: Formula) -> Formula:
        return Formula(self.terms + other.terms, self.value + other.value)

    @property
    def text(self) -> str:
        """The computation without its value: `3 x 3 x 1 x 10 + 10`."""
        return " + ".join(" x ".join(map(str, factors)) for factors in self.terms) or "0"

    def __str__(self) -> str:
        return self.text if self.text == str(self.value) else f"{self.text} = {self.value}"


def total(formulas: Sequence[Formula]) -> Formula:
    """The sum of several formulas, as one."""
    return Formula(tuple(term for formula in formulas for term in formula.terms), sum(f.value for f in formulas))
