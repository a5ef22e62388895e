"""Activations, each one function of torch; autograd keeps the input of some and the output of others."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from archspec.layers import Layer, Shape
from archspec.layers import activation as kinds
from builders.modules.dispatch import Call, Saved, module, saved


def _function(kind: type[Layer], function: Any, keeps: Saved, **options: Any) -> None:
    """Register a kind without fields as a function."""
    call = Call(function, options)

    def build(layer: Layer, shape: Shape) -> Call:  # noqa: ARG001
        return call

    def keep(layer: Layer, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
        return keeps

    module.register(kind, build)
    saved.register(kind, keep)


INPUT, OUTPUT = Saved(inputs=(0,)), Saved(output=True)

_function(kinds.Relu, F.relu, OUTPUT)
_function(kinds.Relu6, F.relu6, INPUT)
_function(kinds.Sigmoid, torch.sigmoid, OUTPUT)
_function(kinds.Tanh, torch.tanh, OUTPUT)
_function(kinds.Gelu, F.gelu, INPUT)
_function(kinds.Silu, F.silu, INPUT)
_function(kinds.HardSwish, F.hardswish, INPUT)
_function(kinds.HardSigmoid, F.hardsigmoid, INPUT)
_function(kinds.Elu, F.elu, INPUT)
_function(kinds.Selu, F.selu, INPUT)
_function(kinds.Mish, F.mish, INPUT)
_function(kinds.Softplus, F.softplus, INPUT)
_function(kinds.Softmax, F.softmax, OUTPUT, dim=1)


@module.register
def _(layer: kinds.LeakyRelu, shape: Shape) -> Call:  # noqa: ARG001
    return Call(F.leaky_relu, {"negative_slope": layer.slope})


@saved.register(kinds.LeakyRelu)
@saved.register(kinds.PRelu)
def _(layer: Layer, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
    return INPUT


@module.register
def _(layer: kinds.PRelu, shape: Shape) -> nn.Module:  # noqa: ARG001
    return nn.PReLU(shape.sizes[-1])
