"""Where a loss that is no number comes from: the first layer that gives infinities or NaN."""

from __future__ import annotations

import torch
from torch import Tensor

from archspec.nodes import Node
from archspec.spec import Spec
from builders.network import Network
from builders.proofs.walk import Walk, name, nothing
from builders.submodules import layer_modules


class _FoundError(Exception):
    """Ends the walk at a layer."""

    def __init__(self, node: Node, value: Tensor) -> None:
        self.node, self.value = node, value


def first_bad_layer(network: Network, spec: Spec, inputs: Tensor) -> str:
    """Runs the forward pass again, layer by layer, and names the first one whose output is not finite, and why.

    Random layers draw anew. Where every layer's output is finite, it is the loss itself.
    """

    def check(node: Node, value: Tensor) -> None:
        if not value.isfinite().all():
            raise _FoundError(node, value)

    try:
        with torch.no_grad():
            check(next(iter(spec)), inputs)
            Walk(network, spec.layers, nothing, check).run(inputs)
    except _FoundError as found:
        return _described(network, found.node, found.value)
    return "the loss: every layer's output is finite"


def _described(network: Network, node: Node, value: Tensor) -> str:
    """The layer, its line in the spec, what it gives, and whether its weights were so before."""
    what = "NaN" if value.isnan().any() else "infinities"
    held = layer_modules(network).get(node.index)
    bad = [key for key, weight in held.named_parameters() if not weight.isfinite().all()] if held else []
    why = f"its {' and '.join(bad)} not finite" if bad else "its inputs and weights are finite"
    return f"layer {name(node)} (line {node.span.line}) gives {what}; {why if node.inputs else 'the data holds them'}"
