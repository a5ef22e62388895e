"""Activations, each one function of torch; autograd keeps the input of some and the output of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from archspec.layers import Layer, Shape
from archspec.layers import activation as kinds
from builders.modules.dispatch import Call, Saved, module, saved

INPUT, OUTPUT = Saved(inputs=(0,)), Saved(output=True)
FRESH_INPUT = Saved(inputs=(0,), fresh=True)


class Overwriting(nn.Module):
    """Writes over its input, except where a gradient is computed from that: torch would keep a copy of it."""

    function: Callable[..., Tensor]
    options: Mapping[str, Any]

    def __init__(self, function: Callable[..., Tensor], options: Mapping[str, Any]) -> None:
        super().__init__()
        self.__dict__.update(function=function, options=options)  # torch's own way takes as long as all the rest

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) to the same."""
        return self.function(x, **self.options, inplace=not torch.is_grad_enabled())

    def extra_repr(self) -> str:
        return self.function.__name__


def _function(kind: type[Layer], function: Any, keeps: Saved, **options: Any) -> None:
    """Register a kind without fields as a function."""
    over = (lambda: Overwriting(function, options)) if keeps is FRESH_INPUT else None
    call = Call(function, options, over=over)

    def build(layer: Layer, shape: Shape) -> Call:  # noqa: ARG001
        return call

    module.register(kind, build)
    _keeps(kind, keeps)


def _keeps(kind: type[Layer], keeps: Saved) -> None:
    def keep(layer: Layer, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
        return keeps

    saved.register(kind, keep)


_function(kinds.Relu6, F.relu6, FRESH_INPUT)
_function(kinds.Sigmoid, torch.sigmoid, OUTPUT)
_function(kinds.Tanh, torch.tanh, OUTPUT)
_function(kinds.Gelu, F.gelu, INPUT)
_function(kinds.Silu, F.silu, FRESH_INPUT)
_function(kinds.HardSwish, F.hardswish, FRESH_INPUT)
_function(kinds.HardSigmoid, F.hardsigmoid, FRESH_INPUT)
_function(kinds.Elu, F.elu, FRESH_INPUT)
_function(kinds.Selu, F.selu, FRESH_INPUT)
_function(kinds.Mish, F.mish, FRESH_INPUT)
_function(kinds.Softplus, F.softplus, INPUT)
_function(kinds.Softmax, F.softmax, OUTPUT, dim=1)
_keeps(kinds.Relu, OUTPUT)
_keeps(kinds.LeakyRelu, FRESH_INPUT)
_keeps(kinds.PRelu, INPUT)


@module.register
def _(layer: kinds.Relu, shape: Shape) -> Call:  # noqa: ARG001
    """Its gradient is computed from the output, so that it may be written over the input in training too."""
    return Call(F.relu, over=lambda: Call(F.relu, {"inplace": True}))


@module.register
def _(layer: kinds.LeakyRelu, shape: Shape) -> Call:  # noqa: ARG001
    options = {"negative_slope": layer.slope}
    return Call(F.leaky_relu, options, over=lambda: Overwriting(F.leaky_relu, options))


@module.register
def _(layer: kinds.PRelu, shape: Shape) -> nn.Module:  # noqa: ARG001
    return nn.PReLU(shape.sizes[-1])
