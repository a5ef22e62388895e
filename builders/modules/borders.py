"""Padding that torch's own layers do not know: two sides apart, TensorFlow's `same`, other values than zeros."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from archspec.layers.geometry import Axis, PaddingMode, same_padding

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}
KEPT = ("reflect", "replicate")  # modes in which autograd keeps the map without its borders
Sides = Sequence[tuple[int, int]]


def flat(sides: Sides) -> list[int]:
    """Padding as torch takes it: last axis first, before and after."""
    return [size for side in reversed(sides) for size in side]


def symmetric(axes: Sequence[Axis]) -> bool:
    """Whether torch's layers can pad so by themselves."""
    return all(axis.before == axis.after for axis in axes)


class Border(nn.Module):
    """Pads a map; with `same` by as much as its size asks for, which may differ from call to call."""

    def __init__(self, axes: Sequence[Axis], same: bool, pad: PaddingMode = "zeros", value: float = 0.0) -> None:
        super().__init__()
        self.axes, self.same, self.mode, self.value = tuple(axes), same, MODES[pad], value

    def sides(self, sizes: Sequence[int]) -> Sides:
        """Before and after on every axis, for a map of these sizes."""
        if self.same:
            return [same_padding(size, axis) for size, axis in zip(sizes, self.axes, strict=True)]
        return [(axis.before, axis.after) for axis in self.axes]

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, spatial...) to (N, C, spatial... + before + after)."""
        return padded(x, self.sides(x.shape[2:]), self.mode, self.value)

    def extra_repr(self) -> str:
        return f"same={self.same}, mode={self.mode}"


def padded(x: Tensor, sides: Sides, mode: str = "constant", value: float = 0.0) -> Tensor:
    """The map with borders; itself where there are none."""
    sizes = flat(sides)
    if not any(sizes):
        return x
    if mode == "constant":
        return F.pad(x, sizes, value=value)
    return F.pad(x, sizes, mode=mode)
