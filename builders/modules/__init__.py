"""From layers to torch: one registered function per layer kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from archspec.layers import Layer
from builders.modules import (
    activation,
    convolution,
    linear,
    merge,
    normalization,
    pooling,
    regularization,
    reshape,
    resize,
)
from builders.modules.dispatch import Built, Call, Saved, module, saved

__all__ = [
    "Built",
    "Call",
    "Saved",
    "activation",
    "builder",
    "convolution",
    "linear",
    "merge",
    "module",
    "normalization",
    "pooling",
    "regularization",
    "reshape",
    "resize",
    "saved",
]
Function = TypeVar("Function", bound=Callable[..., Any])


def builder(kind: type[Layer], keeps: Callable[..., Saved | None] | None = None) -> Callable[[Function], Function]:
    """Make a function the builder of a layer kind: it takes the layer and its input shapes, and gives what computes it.

    That is a torch module, its parameters called as in the layer's `weights`, or any torch function as a `Call`.
    `keeps(layer, *shapes, needs=...)` says what autograd keeps of it, as a `Saved`; without it that is only measured.

    >>> import torch
    >>> from archspec import Elementwise, Family, Shape
    >>> class Square(Elementwise):  # made known to specs by @archspec.register
    ...     template = "SQUARE"
    ...     family = Family.ACTIVATION
    >>> @builder(Square)
    ... def _(layer, shape):
    ...     return Call(torch.square)
    >>> module(Square(), Shape((28, 28), 3)).function.__name__
    'square'
    """

    def add(function: Function) -> Function:
        module.register(kind, function)
        if keeps is not None:
            saved.register(kind, keeps)
        return function

    return add
