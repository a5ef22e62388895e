"""One batch forward and backward through a network, and what every layer makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor
from torch.nn import functional as F

from archspec.graph import LayerGraph
from archspec.layers import Layer
from archspec.nodes import Node
from builders.network import Network
from builders.proofs.walk import Walk, nothing, tensors

SAME = 1e-6  # of the largest magnitude: rounding, by which equal units may differ


@dataclass
class Passing:
    """What passed through a layer: of its numbers the mean, the standard deviation over all of them (`std`) and over
    the examples at one unit (`signal`, the root mean square over units), the share that is saturated or dead; of the
    gradients there the standard deviation. `equal` says that neither tells one unit from another."""

    mean: float
    std: float
    signal: float
    stuck: float | None
    equal: bool
    gradient: float = 0.0

    @classmethod
    def of(cls, layer: Layer, value: Tensor) -> Passing:
        """The numbers of a layer, (N, C, ...)."""
        wide = value.detach().double()
        mean, std = wide.mean().item(), wide.std(correction=0).item()
        return cls(mean, std, _signal(wide), _stuck(layer, wide), _equal(wide))


def measure(
    network: Network, graph: LayerGraph, inputs: Sequence[Tensor], labels: Tensor | None, seed: int
) -> dict[Node, Passing]:
    """Run a batch in training mode, and the gradient of the loss back; the network is left in another state.

    The loss is the mean cross-entropy with `labels` (N,), or with random ones; for outputs of one channel the mean
    squared error to standard normal numbers. Of several outputs it is the sum.
    """
    found: dict[Node, Passing] = {}

    def look(node: Node, value: Tensor) -> None:
        passing = found[node] = Passing.of(node.layer, value)

        def back(gradient: Tensor) -> None:
            wide = gradient.double()
            passing.gradient = wide.std(correction=0).item()
            passing.equal = passing.equal and _equal(wide)

        if value.requires_grad:
            value.register_hook(back)  # type: ignore[no-untyped-call]

    given = [one.detach().clone().requires_grad_() if one.is_floating_point() else one for one in inputs]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        outputs = [output for _, output in tensors(Walk(network, graph, nothing, look).run(*given))]
        losses = [_loss(output, labels if len(outputs) == 1 else None) for output in outputs]
        torch.autograd.backward(losses)
    return found


def signal(value: Tensor) -> float:
    """The standard deviation over examples of a tensor (N, ...), the root mean square over its units."""
    return _signal(value.detach().double())


def _signal(value: Tensor) -> float:
    return sqrt(value.var(0, correction=0).mean().item())


def _stuck(layer: Layer, value: Tensor) -> float | None:
    """The share of numbers that hardly pass a gradient on, as the layer says; None where it says nothing.

    A number is saturated by itself, a unit is dead if all examples are.
    """
    if layer.saturated is None and layer.dead is None:
        return None
    stuck = torch.zeros_like(value, dtype=torch.bool)
    if layer.saturated is not None:
        stuck |= (value <= layer.saturated[0]) | (value >= layer.saturated[1])
    if layer.dead is not None:
        stuck |= (value == layer.dead).all(0)
    return stuck.double().mean().item()


def _equal(value: Tensor) -> bool:
    """Whether all channels, of which there are several, hold the same numbers."""
    if value.ndim < 2 or value.shape[1] < 2:
        return False
    return bool((value - value[:, :1]).abs().max() <= SAME * value.abs().max())


def _loss(output: Tensor, labels: Tensor | None) -> Tensor:
    """The loss of one output (N, K) or (N, K, ...)."""
    classes = output.shape[1]
    if classes == 1:
        return F.mse_loss(output, torch.randn_like(output))
    if labels is None or output.ndim > 2:
        labels = torch.randint(0, classes, (output.shape[0], *output.shape[2:]))
    return F.cross_entropy(output, labels)
