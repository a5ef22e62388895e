"""Tensors that a spec gives: weights put into the module, inputs laid out as torch has them."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor

from archspec.declarations import Tensor as Given
from archspec.layers import Shape
from archspec.spec import Spec
from archspec.tensors import SHORT, given
from builders.network import Network
from builders.submodules import layer_modules


def give_weights(network: Network, spec: Spec) -> None:
    """Put the tensors that layers name into their parameters."""
    tensors = spec.document.tensors
    if not tensors:
        return
    modules = layer_modules(network)
    for node in spec.layers:
        for field, tensor in given(node.layer).items() if node.index in modules else ():
            held = modules[node.index].get_parameter(SHORT.get(field, field))
            with torch.no_grad():
                held.copy_(_tensor(tensors[tensor], tuple(held.shape)))


def drawn_weights(spec: Spec) -> list[str]:
    """The layers with weights that the spec does not give, as they are written."""
    found = []
    for node in spec.layers:
        names = {name for name, weight in node.facts.weights.items() if weight.trainable}
        if node in spec.layers.needed and names - {SHORT.get(field, field) for field in given(node.layer)}:
            found.append(str(node.layer))
    return found


def given_inputs(spec: Spec, dtype: torch.dtype) -> dict[str, Tensor]:
    """The inputs that the spec gives by tensors of their names, one example each: (1, C, H, W)."""
    tensors, inputs = spec.document.tensors, spec.layers.inputs
    return {name: _example(tensors[name], node.shape, dtype) for name, node in inputs.items() if name in tensors}


def _tensor(tensor: Given, shape: tuple[int, ...]) -> Tensor:
    assert prod(shape) == len(tensor.values)  # checked when the spec was read
    return torch.tensor(tensor.values, dtype=torch.float64).reshape(shape)


def _example(tensor: Given, shape: Shape, dtype: torch.dtype) -> Tensor:
    """A tensor in the spec's order, channels last, as one example in torch's."""
    if shape.channels is None:
        return _tensor(tensor, shape.sizes).long().unsqueeze(0)
    return _tensor(tensor, shape.sizes).to(dtype).movedim(-1, 0).unsqueeze(0)


def in_order(value: Tensor) -> Tensor:
    """One example's value in the spec's order: H x W x C."""
    return value[0].movedim(0, -1) if value.ndim > 2 else value[0]
