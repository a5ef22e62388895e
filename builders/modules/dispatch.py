"""How a layer becomes torch code: two functions, dispatched on the layer's kind.

`module` gives what computes the layer, `saved` what autograd keeps of it until the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from math import prod
from typing import Any

from torch import nn

from archspec.errors import ArchspecError
from archspec.layers import Layer, Shape


@dataclass(frozen=True)
class Call:
    """A layer that is one call of a torch function on its inputs; `listed` hands the inputs over as one list.

    Only functions of torch itself: the graph module's code names them, and torch can trace them again. `over` makes
    what computes the layer in the memory of its input, for kinds that work in place.
    """

    function: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    listed: bool = False
    over: Callable[[], nn.Module | Call] | None = None


@dataclass(frozen=True)
class Saved:
    """What autograd keeps of one layer in training: inputs by slot, the output, and tensors of its own.

    `numbers` of the network's dtype and `bytes` grow with the batch, `fixed` numbers do not. `fresh` says that in
    training the output lies in memory of its own, where in evaluation it is a view or written over the input.
    Parameters and buffers count as weights and are left out.
    """

    inputs: tuple[int, ...] = ()
    output: bool = False
    numbers: int = 0
    bytes: int = 0
    fixed: int = 0
    fresh: bool = False


Built = nn.Module | Call
NOTHING = Saved()
INDEX = 8  # bytes of torch's int64


@singledispatch
def module(layer: Layer, *inputs: Shape) -> Built:  # noqa: ARG001
    """The torch module or function of a layer on inputs of these shapes.

    It takes tensors (N, C, spatial...) and gives one. It may follow the sizes of the tensors where the layer allows it;
    the parameters are called as in the layer's `weights`. Raises ArchspecError where the kind has no builder.
    """
    message = f"no builder makes a torch module of the layer kind {layer.kind}"
    hint = f"register a function with @archspec.builder({type(layer).__name__}): docs/extending.md"
    raise ArchspecError("no-builder", message, hint=hint)


@singledispatch
def saved(layer: Layer, *inputs: Shape, needs: tuple[bool, ...]) -> Saved | None:  # noqa: ARG001
    """What autograd keeps of a layer in training; None where that is only measured.

    `needs` says which inputs carry a gradient. Where none does, and the layer has no parameters, only `fresh` counts.
    """
    return None


def per_axis(values: Mapping[int, Any], shape: Shape) -> Any:
    """The entry for the rank of a shape: a table of 1-D, 2-D and 3-D functions."""
    return values[shape.rank]


def elements(channels: int | None, sizes: tuple[int, ...]) -> int:
    """Numbers in a tensor of some channels and spatial sizes."""
    return prod(sizes, start=channels or 1)
