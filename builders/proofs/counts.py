"""Shapes, parameters, buffers and MACs, held against a pass on the device meta and what the module holds."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from archspec.analysis import Analysis
from archspec.nodes import Node
from builders.network import Network
from builders.proofs.claim import Claim
from builders.proofs.walk import Walk, examples, expected, name
from builders.submodules import layer_modules

NETWORK = "network"


def shapes_and_macs(network: Network, analysis: Analysis, batch: int) -> Iterator[Claim]:
    """Every node's output shape and MACs per example, from a forward pass on meta in training mode.

    torch counts two floating-point operations for each MAC, on meta every kernel alike.
    """
    shapes: dict[Node, tuple[int, ...]] = {}
    counted: dict[Node, int] = {}
    counter = FlopCounterMode(display=False)

    def before(node: Node) -> None:
        counted[node] = -counter.get_total_flops()

    def after(node: Node, value: Tensor) -> None:
        counted[node] += counter.get_total_flops()
        shapes[node] = tuple(value.shape)

    with torch.no_grad(), counter:
        walk = Walk(network.train(), analysis.graph, before, after)
        _, failed = walk.attempt(examples(analysis.graph, batch, "meta"))
    yield from failed
    for node in sorted(shapes, key=lambda node: node.index):
        yield Claim(name(node), "output shape", expected(node, batch), shapes[node], "on meta")
        yield Claim(name(node), "MACs", analysis.macs[node].value, _per_example(counted[node], batch))
    for title, chosen, total in (
        ("MACs", analysis.graph.inference, analysis.totals.macs),
        ("MACs of training alone", analysis.graph.needed - analysis.graph.inference, analysis.training_only.macs),
    ):
        if total or title == "MACs":
            measured = sum(counted.get(node, 0) for node in chosen)
            yield Claim(NETWORK, title, total, _per_example(measured, batch))


def _per_example(flops: int, batch: int) -> int | float:
    """MACs of one example; no whole number where the count is off."""
    macs = flops / (2 * batch)
    return int(macs) if macs == int(macs) else macs


def parameters(network: Network, analysis: Analysis) -> Iterator[Claim]:
    """Trainable elements and buffers: of every layer by what its module holds, and of the whole module."""
    nodes = list(analysis.graph)
    for index, held in sorted(layer_modules(network).items()):
        node = nodes[index]
        count = analysis.counts[node.shared or node]
        yield Claim(name(node), "parameters", count.trainable.value, _elements(held.parameters()))
        yield Claim(name(node), "buffers", count.buffers.value, _elements(_statistics(held)))
        yield Claim(name(node), "weights", _stated(node), _held(node, held))
    totals, extra = analysis.totals, analysis.training_only
    measured = _elements(network.parameters()), _elements(_statistics(network))
    yield Claim(NETWORK, "parameters", totals.parameters + extra.parameters, measured[0])
    yield Claim(NETWORK, "buffers", totals.buffers + extra.buffers, measured[1])


def _stated(node: Node) -> str:
    """A layer's weights as it states them: names, shapes as torch stores them, which are trained."""
    weights = node.facts.weights.items()
    return ", ".join(f"{name} {list(weight.shape)}{'' if weight.trainable else ' kept'}" for name, weight in weights)


def _held(node: Node, module: nn.Module) -> str:
    """The same of what a module holds, in the order stated; what is not stated stands behind."""
    found = {name: list(tensor.shape) for name, tensor in module.named_parameters()}
    kept = {name: list(tensor.shape) for name, tensor in module.named_buffers() if tensor.is_floating_point()}
    names = dict.fromkeys([*(name for name in node.facts.weights if name in {**found, **kept}), *found, *kept])
    return ", ".join(f"{name} {found[name]}" if name in found else f"{name} {kept[name]} kept" for name in names)


def _statistics(module: nn.Module) -> Iterator[Tensor]:
    """The buffers that hold numbers: torch's count of batches is none."""
    return (buffer for buffer in module.buffers() if buffer.is_floating_point())


def _elements(tensors: Iterator[Tensor] | Iterator[nn.Parameter]) -> int:
    return sum(tensor.numel() for tensor in tensors)
