"""ADD, CONCAT and MUL."""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor, nn

from archspec.layers import Shape
from archspec.layers.merge import Add, Concat, Mul
from builders.modules.dispatch import NOTHING, Built, Call, Saved, module, saved


class Sum(nn.Module):
    """The sum of three or more maps."""

    def forward(self, *branches: Tensor) -> Tensor:
        """Equal shapes to the same."""
        return reduce(torch.add, branches)


class Product(nn.Module):
    """The product of three or more maps, sizes of 1 repeated."""

    def forward(self, *branches: Tensor) -> Tensor:
        """Shapes that fit each other to the largest."""
        return reduce(torch.mul, branches)


@module.register
def _(layer: Add, *inputs: Shape) -> Built:  # noqa: ARG001
    return Call(torch.add) if len(inputs) == 2 else Sum()


@module.register
def _(layer: Mul, *inputs: Shape) -> Built:  # noqa: ARG001
    return Call(torch.mul) if len(inputs) == 2 else Product()


@module.register
def _(layer: Concat, *inputs: Shape) -> Built:  # noqa: ARG001
    return Call(torch.cat, {"dim": 1}, listed=True)


@saved.register(Add)
@saved.register(Concat)
def _(layer: Add | Concat, *inputs: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return NOTHING


@saved.register
def _(layer: Mul, *inputs: Shape, needs: tuple[bool, ...]) -> Saved:
    """Each operand of a product, where the other one carries a gradient; and the products between."""
    slots = [slot for slot in range(1, len(inputs)) if any(needs[:slot])]
    between = [slot for slot in range(2, len(inputs)) if needs[slot]]
    numbers = sum(layer.output_shape(*inputs[:slot]).elements for slot in between)
    return Saved((0, *slots) if needs[1] else tuple(slots), numbers=numbers)
