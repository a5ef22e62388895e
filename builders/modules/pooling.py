"""POOL, AVGPOOL, GMP and GAP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from archspec.layers import Shape
from archspec.layers.geometry import Axis, spread
from archspec.layers.pooling import AvgPool, GlobalAvgPool, GlobalMaxPool, Pool, Pooling
from builders.modules.borders import Border, padded, symmetric
from builders.modules.dispatch import INDEX, NOTHING, Built, Call, Saved, elements, module, per_axis, saved

MAX: dict[int, Any] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
MEAN: dict[int, Any] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
ADAPTIVE_MAX = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}
ADAPTIVE_MEAN = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}


class BorderedPooling(nn.Module):
    """Pooling of a map with borders of its own: those asked for, and with `ceil` what the last window needs behind."""

    def __init__(self, border: Border, ceil: bool) -> None:
        super().__init__()
        self.border, self.ceil = border, ceil
        self.kernel = tuple(axis.kernel for axis in border.axes)
        self.stride = tuple(axis.stride for axis in border.axes)
        self.dilation = tuple(axis.dilation for axis in border.axes)

    def windows(self, sizes: Sequence[int]) -> list[tuple[int, int]]:
        """The borders that hold every window and no further one."""
        return [
            self._side(size, axis._replace(before=before, after=after))
            for size, axis, (before, after) in zip(sizes, self.border.axes, self.border.sides(sizes), strict=True)
        ]

    def _side(self, size: int, axis: Axis) -> tuple[int, int]:
        end = (axis.output(size, self.ceil) - 1) * axis.stride + axis.extent
        return axis.before, max(0, end - axis.before - size)


class BorderedMaxPool(BorderedPooling):
    """Borders never are the maximum."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, spatial...) to (N, C, windows...)."""
        x = padded(x, self.windows(x.shape[2:]), value=float("-inf"))
        result: Tensor = MAX[x.ndim - 2](x, self.kernel, self.stride, 0, self.dilation)
        return result


class BorderedAvgPool(BorderedPooling):
    """Borders are zeros; a window is divided by what counts of it."""

    def __init__(self, border: Border, ceil: bool, countpad: bool) -> None:
        super().__init__(border, ceil)
        self.countpad = countpad

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, spatial...) to (N, C, windows...)."""
        asked, windows = self.border.sides(x.shape[2:]), self.windows(x.shape[2:])
        pool = MEAN[x.ndim - 2]
        counted = torch.ones((1, 1, *x.shape[2:]), dtype=x.dtype, device=x.device)
        if self.countpad:
            counted = padded(counted, asked, value=1.0)
            rest = [(0, more - after) for (_, after), (_, more) in zip(asked, windows, strict=True)]
        else:
            rest = windows
        total: Tensor = pool(padded(x, windows), self.kernel, self.stride)
        share: Tensor = pool(padded(counted, rest), self.kernel, self.stride)
        return total / share


def regular(layer: Pooling, axes: Sequence[Axis]) -> bool:
    """Whether torch's own function pads so, for every size of the map.

    Where the taps of a window are apart, all of them may lie in the padding. torch then notes a place outside the map,
    and writes to it in the backward pass.
    """
    hollow = any(axis.dilation > 1 and axis.before for axis in axes)
    return symmetric(axes) and layer.padding != "same" and not hollow


def averaged(layer: AvgPool, shape: Shape, axes: Sequence[Axis]) -> bool:
    """Whether torch's own function averages so: in three dimensions it wants a map as large as the kernel."""
    fits = shape.rank < 3 or all(size >= axis.kernel for size, axis in zip(shape.spatial, axes, strict=True))
    return regular(layer, axes) and fits


def bordered(layer: Pooling, shape: Shape) -> Saved:
    """What autograd keeps of the map with borders: the map itself where there are none."""
    axes = layer.axes(shape)
    windows = BorderedPooling(Border(axes, layer.padding == "same"), layer.ceil).windows(shape.spatial)
    sizes = tuple(size + sum(side) for size, side in zip(shape.spatial, windows, strict=True))
    return Saved(inputs=(0,)) if sizes == shape.spatial else Saved(numbers=elements(shape.channels, sizes))


@module.register
def _(layer: Pool, shape: Shape) -> Built:
    if layer.to is not None:
        return Call(per_axis(ADAPTIVE_MAX, shape), {"output_size": spread(layer.to, shape, "to")})
    axes = layer.axes(shape)
    if not regular(layer, axes):
        return BorderedMaxPool(Border(axes, layer.padding == "same"), layer.ceil)
    options = _sliding(axes, layer.ceil)
    if any(axis.dilation > 1 for axis in axes):
        options["dilation"] = tuple(axis.dilation for axis in axes)
    return Call(MAX[shape.rank], options)


@saved.register
def _(layer: Pool, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    """The input, or the copy of it with borders, and the place of every maximum."""
    indices = layer.output_shape(shape).elements * INDEX
    if layer.to is not None or regular(layer, layer.axes(shape)):
        return Saved(inputs=(0,), bytes=indices)
    return replace(bordered(layer, shape), bytes=indices)


@module.register
def _(layer: AvgPool, shape: Shape) -> Built:
    if layer.to is not None:
        return Call(per_axis(ADAPTIVE_MEAN, shape), {"output_size": spread(layer.to, shape, "to")})
    axes = layer.axes(shape)
    if not averaged(layer, shape, axes):
        return BorderedAvgPool(Border(axes, layer.padding == "same"), layer.ceil, layer.countpad)
    return Call(MEAN[shape.rank], {**_sliding(axes, layer.ceil), "count_include_pad": layer.countpad})


@saved.register
def _(layer: AvgPool, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    """The input, or the copy of it with borders and by how much every window was divided."""
    if layer.to is not None:
        single = set(spread(layer.to, shape, "to")) == {1}  # torch computes a mean then
        return NOTHING if single else Saved(inputs=(0,))
    if averaged(layer, shape, layer.axes(shape)):
        return Saved(inputs=(0,))
    return replace(bordered(layer, shape), fixed=layer.output_shape(shape).positions)


def _sliding(axes: Sequence[Axis], ceil: bool) -> dict[str, Any]:
    """The options that both kinds of pooling share."""
    return {
        "kernel_size": tuple(axis.kernel for axis in axes),
        "stride": tuple(axis.stride for axis in axes),
        "padding": tuple(axis.before for axis in axes),
        "ceil_mode": ceil,
    }


@module.register
def _(layer: GlobalAvgPool, shape: Shape) -> Built:  # noqa: ARG001
    return Call(per_axis(ADAPTIVE_MEAN, shape), {"output_size": 1})


@saved.register
def _(layer: GlobalAvgPool, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return NOTHING


@module.register
def _(layer: GlobalMaxPool, shape: Shape) -> Built:  # noqa: ARG001
    return Call(per_axis(ADAPTIVE_MAX, shape), {"output_size": 1})


@saved.register
def _(layer: GlobalMaxPool, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return Saved(inputs=(0,), bytes=elements(shape.channels, ()) * INDEX)
