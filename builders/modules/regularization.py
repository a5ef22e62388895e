"""DROPOUT, DROPPATH, NOISE and SCALE."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from archspec.layers import Shape
from archspec.layers.regularization import Dropout, DropPath, Noise, Scale
from builders.modules.dispatch import NOTHING, Saved, module, saved


class StochasticDepth(nn.Module):
    """Zeroes whole examples with probability p, and divides the others by 1 - p; in training alone."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) to the same."""
        if not self.training or self.p == 0:
            return x
        kept = torch.empty((x.shape[0], *[1] * (x.ndim - 1)), dtype=x.dtype, device=x.device).bernoulli_(1 - self.p)
        return x * (kept / (1 - self.p) if self.p < 1 else kept)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class GaussianNoise(nn.Module):
    """Adds noise of a standard deviation; in training alone."""

    def __init__(self, deviation: float) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) to the same."""
        return x + self.deviation * torch.randn_like(x) if self.training else x

    def extra_repr(self) -> str:
        return f"deviation={self.deviation}"


class ChannelScale(nn.Module):
    """A factor per channel."""

    def __init__(self, channels: int, rank: int, init: float) -> None:
        super().__init__()
        self.rank = rank
        self.weight = nn.Parameter(torch.ones(channels) * init)  # what overflows becomes infinite

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, spatial...) to the same."""
        return x * self.weight.reshape(-1, *[1] * self.rank)

    def extra_repr(self) -> str:
        return f"channels={len(self.weight)}"


@module.register
def _(layer: Dropout, shape: Shape) -> nn.Module:  # noqa: ARG001
    return nn.Dropout(layer.p)


@saved.register
def _(layer: Dropout, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    """The mask, as numbers; where all is dropped, a single zero."""
    if layer.p == 1:
        return Saved(fixed=1, fresh=True)
    return Saved(numbers=shape.elements, fresh=True) if layer.p else NOTHING


@module.register
def _(layer: DropPath, shape: Shape) -> nn.Module:  # noqa: ARG001
    return StochasticDepth(layer.p)


@saved.register
def _(layer: DropPath, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return Saved(numbers=1, fresh=True) if layer.p else NOTHING


@module.register
def _(layer: Noise, shape: Shape) -> nn.Module:  # noqa: ARG001
    return GaussianNoise(layer.deviation)


@saved.register
def _(layer: Noise, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return Saved(fresh=True)


@module.register
def _(layer: Scale, shape: Shape) -> nn.Module:
    return ChannelScale(shape.sizes[-1], shape.rank, layer.init)


@saved.register
def _(layer: Scale, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return Saved(inputs=(0,))
