"""CONV and UPCONV."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from archspec.layers import Shape
from archspec.layers.convolution import Conv, UpConv
from archspec.layers.geometry import Axis
from builders.modules.borders import KEPT, Border, symmetric
from builders.modules.dispatch import Saved, elements, module, per_axis, saved

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
FUNCTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


class PreparedConvolution(nn.Module):
    """A convolution of a map with borders of its own, or with its kernel flipped."""

    def __init__(self, plain: nn.Conv1d | nn.Conv2d | nn.Conv3d, border: Border | None, flip: bool) -> None:
        super().__init__()
        self.weight, self.bias = plain.weight, plain.bias
        self.border, self.flip = border, flip
        self.stride, self.dilation, self.groups = plain.stride, plain.dilation, plain.groups
        self.padding = plain.padding

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, spatial...) to (N, F, spatial...)."""
        weight = self.weight.flip(tuple(range(2, self.weight.ndim))) if self.flip else self.weight
        x = x if self.border is None else self.border(x)
        convolve: Any = FUNCTIONS[self.weight.ndim - 2]
        result: Tensor = convolve(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
        return result

    def extra_repr(self) -> str:
        shape = ", ".join(map(str, self.weight.shape))
        return f"weight=({shape}), stride={self.stride}, dilation={self.dilation}, groups={self.groups}"


def by_torch(layer: Conv, axes: tuple[Axis, ...]) -> bool:
    """Whether torch's own layer pads so: as many zeros on both sides, for every size of the map."""
    varies = layer.padding == "same" and any(axis.stride > 1 for axis in axes)
    return layer.pad == "zeros" and symmetric(axes) and not varies


@module.register
def _(layer: Conv, shape: Shape) -> nn.Module:
    axes = layer.axes(shape)
    own = by_torch(layer, axes)
    plain: Any = per_axis(CONVOLUTIONS, shape)(
        shape.channels,
        layer.filters,
        tuple(axis.kernel for axis in axes),
        tuple(axis.stride for axis in axes),
        tuple(axis.before for axis in axes) if own else 0,
        tuple(axis.dilation for axis in axes),
        layer.groups,
        layer.bias,
    )
    if own and not layer.flip:
        found: nn.Module = plain
        return found
    border = None if own else Border(axes, layer.padding == "same", layer.pad)
    return PreparedConvolution(plain, border, layer.flip)


@saved.register
def _(layer: Conv, shape: Shape, needs: tuple[bool, ...]) -> Saved:
    """The input, or the copy of it with borders; reflecting and replicating keep the input besides."""
    axes = layer.axes(shape)
    flipped = elements(layer.filters, layer.weights(shape)["weight"].shape[1:]) if layer.flip else 0
    if by_torch(layer, axes) or not any(axis.before or axis.after for axis in axes):
        return Saved(inputs=(0,), fixed=flipped)
    sizes = tuple(size + axis.before + axis.after for size, axis in zip(shape.spatial, axes, strict=True))
    below = (0,) if needs[0] and layer.pad in KEPT else ()
    return Saved(below, numbers=elements(shape.channels, sizes), fixed=flipped)


@module.register
def _(layer: UpConv, shape: Shape) -> nn.Module:
    axes = layer.axes(shape)
    found: nn.Module = per_axis(TRANSPOSED, shape)(
        shape.channels,
        layer.filters,
        tuple(axis.kernel for axis in axes),
        tuple(axis.stride for axis in axes),
        tuple(axis.before for axis in axes),
        layer.extra,
        layer.groups,
        layer.bias,
        tuple(axis.dilation for axis in axes),
    )
    return found


@saved.register
def _(layer: UpConv, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return Saved(inputs=(0,))
