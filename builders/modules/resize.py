"""UPSAMPLE, RESIZE, CROP, PAD, UNSHUFFLE and PIXSHUFFLE."""

from __future__ import annotations

from collections.abc import Sequence
from math import frexp, ldexp

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from archspec.layers import Layer, Shape
from archspec.layers.geometry import spread
from archspec.layers.resize import Crop, Pad, PixelShuffle, Resize, Unshuffle, Upsample
from builders.modules.borders import KEPT, MODES, flat
from builders.modules.dispatch import NOTHING, Built, Call, Saved, module, saved


def misplaced(size: int | torch.SymInt, wanted: int | torch.SymInt) -> bool:
    """Whether torch takes a neighbour for the nearest position floor(i in/out): it multiplies in float32.

    >>> misplaced(2, 82), misplaced(2, 80)
    (True, False)
    """
    if not isinstance(size, int) or not isinstance(wanted, int):
        return False  # a size that is a symbol while torch traces
    scale = _float32(size / wanted)
    if scale * wanted == size:
        return False
    return any(int(_float32(unit * scale)) != unit * size // wanted for unit in range(wanted))


def _float32(value: float) -> float:
    fraction, exponent = frexp(value)
    return ldexp(round(fraction * 2**24), exponent - 24)


class Interpolation(nn.Module):
    """Interpolates to given sizes, or to those of another tensor, of which it takes the shape."""

    def __init__(self, mode: str, sizes: tuple[int, ...] | None) -> None:
        super().__init__()
        self.mode, self.sizes = mode, sizes

    def forward(self, x: Tensor, like: Sequence[int] | None = None) -> Tensor:
        """(N, C, spatial...) to (N, C, sizes...)."""
        sizes = self.sizes if like is None else tuple(like[2:])
        assert sizes is not None
        exact = [axis for axis, pair in enumerate(zip(x.shape[2:], sizes, strict=True), 2) if misplaced(*pair)]
        if self.mode != "nearest" or not exact:
            return F.interpolate(x, sizes, mode=self.mode)
        for axis in exact:
            wanted = sizes[axis - 2]
            x = x.index_select(axis, torch.arange(wanted, device=x.device) * x.shape[axis] // wanted)
        return x if x.shape[2:] == sizes else F.interpolate(x, sizes, mode=self.mode)

    def extra_repr(self) -> str:
        return f"sizes={self.sizes}, mode={self.mode}"


class Repetition(nn.Module):
    """Every position several times in a row."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, spatial...) to (N, C, f times spatial...)."""
        for axis in range(2, x.ndim):
            x = x.repeat_interleave(self.factor, axis)
        return x

    def extra_repr(self) -> str:
        return f"factor={self.factor}"


class CropTo(nn.Module):
    """Cuts a window out, of given sizes or of those of another tensor, of which it takes the shape."""

    def __init__(self, at: tuple[int, ...] | None, sizes: tuple[int, ...] | None) -> None:
        super().__init__()
        self.at, self.sizes = at, sizes

    def forward(self, x: Tensor, like: Sequence[int] | None = None) -> Tensor:
        """(N, C, spatial...) to (N, C, sizes...)."""
        wanted = self.sizes if like is None else like[2:]
        assert wanted is not None
        for axis, size in enumerate(wanted):
            start = (x.shape[axis + 2] - size) // 2 if self.at is None else self.at[axis]
            x = x.narrow(axis + 2, start, size)
        return x

    def extra_repr(self) -> str:
        return f"at={self.at}, sizes={self.sizes}"


class SwinUnshuffle(nn.Module):
    """Space to depth: columns of a block before rows, channels innermost."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, f f C, H/f, W/f)."""
        f, (n, c, h, w) = self.factor, x.shape
        blocks = x.reshape(n, c, h // f, f, w // f, f)
        return (
            blocks.permute(0, 5, 3, 1, 2, 4)
            .clone(memory_format=torch.contiguous_format)
            .view(n, f * f * c, h // f, w // f)
        )


class SwinShuffle(nn.Module):
    """Depth to space: columns of a block before rows, channels innermost."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """(N, f f C, H, W) to (N, C, f H, f W)."""
        f, (n, c, h, w) = self.factor, x.shape
        blocks = x.reshape(n, f, f, c // (f * f), h, w)
        return (
            blocks.permute(0, 3, 4, 2, 5, 1)
            .clone(memory_format=torch.contiguous_format)
            .view(n, c // (f * f), h * f, w * f)
        )


@module.register
def _(layer: Upsample, shape: Shape) -> Built:
    if layer.mode == "nearest" and misplaced(2, 2 * layer.factor):
        return Repetition(layer.factor)
    factors = (float(layer.factor),) * shape.rank
    return Call(F.interpolate, {"scale_factor": factors, "mode": layer.mode})


@module.register
def _(layer: Resize, *inputs: Shape) -> nn.Module:
    return Interpolation(layer.mode, None if layer.to is None else layer.sizes(*inputs))


@module.register
def _(layer: Crop, *inputs: Shape) -> nn.Module:
    at = None if layer.at is None else spread(layer.at, inputs[0], "at")
    return CropTo(at, None if layer.to is None else layer.sizes(*inputs))


@module.register
def _(layer: Pad, shape: Shape) -> Built:
    axes = layer.axes(shape)
    sides = [(axis.before, axis.after) for axis in axes]
    if not any(map(any, sides)):
        return Call(torch.clone)
    if layer.pad == "zeros":
        return Call(F.pad, {"pad": flat(sides)})
    return Call(F.pad, {"pad": flat(sides), "mode": MODES[layer.pad]})


@module.register
def _(layer: Unshuffle, shape: Shape) -> Built:  # noqa: ARG001
    if layer.factor == 1:  # torch hands its input on
        return Call(torch.clone)
    return (
        Call(F.pixel_unshuffle, {"downscale_factor": layer.factor})
        if layer.order == "torch"
        else SwinUnshuffle(layer.factor)
    )


@module.register
def _(layer: PixelShuffle, shape: Shape) -> Built:  # noqa: ARG001
    if layer.factor == 1:
        return Call(torch.clone)
    return (
        Call(F.pixel_shuffle, {"upscale_factor": layer.factor}) if layer.order == "torch" else SwinShuffle(layer.factor)
    )


@saved.register
def _(layer: Resize, *inputs: Shape, needs: tuple[bool, ...]) -> Saved | None:  # noqa: ARG001
    """Exact indices are whole numbers, and not those of one example: they are only measured."""
    pairs = zip(inputs[0].spatial, layer.sizes(*inputs), strict=True)
    return None if layer.mode == "nearest" and any(misplaced(*pair) for pair in pairs) else NOTHING


@saved.register(Upsample)
@saved.register(Crop)
@saved.register(Unshuffle)
@saved.register(PixelShuffle)
def _(layer: Layer, *inputs: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return NOTHING


@saved.register
def _(layer: Pad, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    borders = any(axis.before or axis.after for axis in layer.axes(shape))
    return Saved(inputs=(0,)) if borders and layer.pad in KEPT else NOTHING
