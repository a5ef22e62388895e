"""BN, LN, IN, GN, RMSNORM and LRN."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from archspec.layers import Shape
from archspec.layers.normalization import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    RmsNorm,
)
from builders.modules.dispatch import Call, Saved, module, saved

BATCH_NORMS: dict[int, Any] = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
LEAST = 1e-38  # in training torch refuses to add no eps at all


def packed(x: Tensor) -> Tensor:
    """The map in order, channels first, its strides too: those of axes of size 1 would have later layers reorder it."""
    return x.contiguous().view(-1).view(x.shape)


class ChannelLayerNorm(nn.LayerNorm):
    """Over the channels of every position of a map."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, spatial...) to the same."""
        return packed(super().forward(input.movedim(1, -1)).movedim(-1, 1))


class ChannelRMSNorm(nn.RMSNorm):
    """Over the channels of every position of a map."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, spatial...) to the same."""
        return packed(super().forward(x.movedim(1, -1)).movedim(-1, 1))


class PositionNorm(nn.GroupNorm):
    """Over positions and the channels of every group; a single position is allowed, where torch's layer refuses it."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, spatial...) to the same."""
        return torch.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)


@module.register
def _(layer: BatchNorm, shape: Shape) -> nn.Module:
    found: nn.Module = BATCH_NORMS[shape.rank](shape.channels, layer.eps or LEAST, layer.momentum, layer.affine)
    return found


@saved.register
def _(layer: BatchNorm, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return Saved(inputs=(0,), fixed=2 * shape.sizes[-1])


@module.register
def _(layer: LayerNorm, shape: Shape) -> nn.Module:
    return (ChannelLayerNorm if shape.rank else nn.LayerNorm)(shape.sizes[-1], layer.eps, layer.affine)


@saved.register
def _(layer: LayerNorm, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return Saved(inputs=(0,), numbers=2 * shape.positions)


@module.register
def _(layer: RmsNorm, shape: Shape) -> nn.Module:
    return (ChannelRMSNorm if shape.rank else nn.RMSNorm)(shape.sizes[-1], layer.eps, layer.affine)


@saved.register
def _(layer: RmsNorm, shape: Shape, needs: tuple[bool, ...]) -> Saved:
    """The inverse root of every position, and what is to be scaled."""
    scaled = shape.elements if layer.affine else 0
    return Saved(inputs=(0,), numbers=shape.positions + scaled) if needs[0] else Saved(numbers=scaled)


@module.register
def _(layer: InstanceNorm, shape: Shape) -> nn.Module:
    return PositionNorm(shape.sizes[-1], shape.sizes[-1], layer.eps, layer.affine)


@module.register
def _(layer: GroupNorm, shape: Shape) -> nn.Module:
    return PositionNorm(layer.groups, shape.sizes[-1], layer.eps, layer.affine)


@saved.register
def _(layer: InstanceNorm, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return Saved(inputs=(0,), numbers=2 * shape.sizes[-1])


@saved.register
def _(layer: GroupNorm, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return Saved(inputs=(0,), numbers=2 * layer.groups)


@module.register
def _(layer: LocalResponseNorm, shape: Shape) -> Call:  # noqa: ARG001
    options = {"size": layer.n, "alpha": layer.alpha, "beta": layer.beta, "k": layer.k}
    return Call(F.local_response_norm, options)


@saved.register
def _(layer: LocalResponseNorm, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    """The squares with n - 1 channels of zeros beside them, their mean, and the power that divides."""
    return Saved(inputs=(0,), numbers=shape.positions * (layer.n - 1) + 3 * shape.elements)
