"""FC and LINEAR."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from archspec.layers import Shape
from archspec.layers.linear import FullyConnected, Linear
from builders.modules.dispatch import Saved, module, saved

POINTWISE: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


class FlatLinear(nn.Linear):
    """Reads a map of one position as a vector."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, 1...) to (N, K)."""
        return super().forward(input.flatten(1))


class PositionLinear(nn.Linear):
    """The same units at every position of a map: a convolution of one tap, which keeps channels first."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, spatial...) to (N, K, spatial...)."""
        rank = input.ndim - 2
        result: Tensor = POINTWISE[rank](input, self.weight.reshape(*self.weight.shape, *[1] * rank), self.bias)
        return result


@module.register
def _(layer: FullyConnected, shape: Shape) -> nn.Module:
    kind = FlatLinear if shape.rank else nn.Linear
    return kind(shape.sizes[-1], layer.units, layer.bias)


@module.register
def _(layer: Linear, shape: Shape) -> nn.Module:
    kind = PositionLinear if shape.rank else nn.Linear
    return kind(shape.sizes[-1], layer.units, layer.bias)


@saved.register(FullyConnected)
@saved.register(Linear)
def _(layer: FullyConnected | Linear, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return Saved(inputs=(0,))
