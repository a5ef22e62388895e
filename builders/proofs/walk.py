"""Running a built network value by value, with something to look at each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, fx

from archspec.graph import LayerGraph
from archspec.nodes import Node
from builders.network import Network
from builders.proofs.claim import Claim
from builders.writer import TrainingOnly

Visit = Callable[[Node, Tensor], None]
IDS = 2  # token ids are drawn below this: any vocabulary has that many


class Broken(Exception):
    """A layer failed while a network ran."""

    def __init__(self, node: Node, error: Exception) -> None:
        super().__init__(str(error))
        self.node, self.error = node, error

    def claim(self) -> Claim:
        """The failure, as a claim that does not hold."""
        text = str(self.error).strip().split("\n")[0]
        return Claim(name(self.node), "runs", "yes", f"{type(self.error).__name__}: {text}")


class Walk(fx.Interpreter):
    """Runs a network node by node and shows each layer's output, that of training-only parts in training as well.

    `before` is called ahead of every layer, `after` behind it, each with the node of the layer graph.
    """

    def __init__(self, network: Network, graph: LayerGraph, before: Callable[[Node], None], after: Visit) -> None:
        super().__init__(network, garbage_collect_values=True)
        self.extra_traceback = False
        self._network, self._graph, self._before, self._after = network, graph, before, after
        self._nodes = list(graph)

    def run_node(self, n: fx.Node) -> Any:
        origin = self._network.origins.get(n.name)
        if origin is None:
            return super().run_node(n)
        node = self._nodes[origin.index]
        self._before(node)
        try:
            value = super().run_node(n)
        except Broken:
            raise
        except Exception as error:
            raise Broken(node, error) from error
        self._after(node, value)
        return value

    def attempt(self, inputs: list[Tensor]) -> tuple[Any, list[Claim]]:
        """The outputs; where a layer fails None, and the claim that says so."""
        try:
            return self.run(*inputs), []
        except Broken as broken:
            return None, [broken.claim()]

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        part = self.fetch_attr(target)
        if isinstance(part, TrainingOnly) and part.training:
            return Walk(part.network, self._graph, self._before, self._after).run(*args)
        return super().call_module(target, args, kwargs)


def nothing(node: Node) -> None:
    """For walks that need no look ahead."""


def examples(graph: LayerGraph, batch: int, device: str = "cpu", seed: int = 0) -> list[Tensor]:
    """Random inputs of a network: normally distributed numbers, or ids."""
    generator = torch.Generator().manual_seed(seed)
    return [_example(node, batch, generator).to(device) for node in graph.inputs.values()]


def _example(node: Node, batch: int, generator: torch.Generator) -> Tensor:
    if node.shape.channels is None:
        return torch.randint(0, IDS, (batch, *node.shape.spatial), generator=generator)
    sizes = (batch, node.shape.channels, *node.shape.spatial)
    return torch.randn(sizes, generator=generator, dtype=torch.float32)


def expected(node: Node, batch: int) -> tuple[int, ...]:
    """The shape of a node's output as torch holds it."""
    channels = () if node.shape.channels is None else (node.shape.channels,)
    return (batch, *channels, *node.shape.spatial)


def tensors(result: Any) -> Iterator[tuple[str, Tensor]]:
    """The outputs of a network by name; what training alone gives is missing in evaluation."""
    named = result if isinstance(result, dict) else {"output": result}
    return ((name, value) for name, value in named.items() if isinstance(value, Tensor))


def name(node: Node) -> str:
    """How claims call a node: its number as in tables, and its layer."""
    return f"{node.index} {node.name or node.layer}"
