"""FLATTEN, RESHAPE, TRANSPOSE, IDENTITY, PART, SHUFFLE, CMEAN and CMAX."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from archspec.layers import Layer, Shape
from archspec.layers import reshape as kinds
from builders.modules.dispatch import NOTHING, Call, Saved, module, saved


class Reshape(nn.Module):
    """The same numbers in another shape."""

    def __init__(self, channels: int, spatial: tuple[int, ...]) -> None:
        super().__init__()
        self.sizes = (channels, *spatial)

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) to (N, C, spatial...)."""
        return x.reshape(x.shape[0], *self.sizes)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.sizes))


class Transposed(nn.Module):
    """Channels and positions exchanged, in memory of its own."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, L) to (N, L, C)."""
        return x.transpose(1, 2).clone(memory_format=torch.contiguous_format)


@module.register
def _(layer: kinds.Flatten, shape: Shape) -> Call:  # noqa: ARG001
    return Call(torch.flatten, {"start_dim": 1})


@module.register
def _(layer: kinds.Reshape, shape: Shape) -> nn.Module:  # noqa: ARG001
    *spatial, channels = layer.to
    return Reshape(channels, tuple(spatial))


@module.register
def _(layer: kinds.Transpose, shape: Shape) -> nn.Module:  # noqa: ARG001
    return Transposed()


@module.register(kinds.Identity)
@module.register(kinds.Nothing)
def _(layer: Layer, shape: Shape) -> nn.Module:  # noqa: ARG001
    return nn.Identity()


@module.register
def _(layer: kinds.Part, shape: Shape) -> Call:
    size = shape.sizes[-1] // layer.of
    return Call(torch.narrow, {"dim": 1, "start": layer.index * size, "length": size})


@module.register
def _(layer: kinds.Shuffle, shape: Shape) -> Call:  # noqa: ARG001
    if layer.groups == 1:  # torch hands its input on
        return Call(torch.clone)
    return Call(F.channel_shuffle, {"groups": layer.groups})


@module.register
def _(layer: kinds.ChannelMean, shape: Shape) -> Call:  # noqa: ARG001
    return Call(torch.mean, {"dim": 1, "keepdim": True})


@module.register
def _(layer: kinds.ChannelMax, shape: Shape) -> Call:  # noqa: ARG001
    return Call(torch.amax, {"dim": 1, "keepdim": True})


@saved.register(kinds.View)
@saved.register(kinds.Transpose)
@saved.register(kinds.Shuffle)
@saved.register(kinds.ChannelMean)
def _(layer: Layer, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return NOTHING


@saved.register
def _(layer: kinds.ChannelMax, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return Saved(inputs=(0,), output=True)
