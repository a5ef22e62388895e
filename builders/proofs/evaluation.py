"""An evaluation pass: shapes, the storages that are alive behind every layer, outputs that repeat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, fx

from archspec.analysis import Analysis
from archspec.graph import LayerGraph
from archspec.nodes import Node
from builders.network import Network
from builders.proofs.claim import Claim
from builders.proofs.walk import Walk, examples, expected, name, nothing, tensors
from builders.writer import TrainingOnly

DTYPE = "float32"


class Tracker(Walk):
    """Runs a network in evaluation and adds up, behind every layer, the storages of values that are still to be read.

    Storages are told apart by identity, so that a view adds nothing. What a layer needs inside itself is not seen. What
    only training reads is let go of as if that part were not there: it takes no part in evaluation.
    """

    def __init__(self, network: Network, graph: LayerGraph) -> None:
        super().__init__(network, graph, nothing, self._note)
        self.alive: dict[Node, int] = {}
        self.shapes: dict[Node, tuple[int, ...]] = {}
        self._values: dict[fx.Node, Tensor] = {}
        self._ending = _last_reads(network)
        self._inputs = iter(graph.inputs.values())
        self._running: fx.Node | None = None

    def run_node(self, n: fx.Node) -> Any:
        self._running = n
        value = super().run_node(n)
        if n.op == "placeholder":
            self._note(next(self._inputs), value)
        for ended in self._ending.get(n, ()):
            self._values.pop(ended, None)
        return value

    def _note(self, node: Node, value: Tensor) -> None:
        assert self._running is not None
        if node not in self._graph.inference:
            return  # an input that nothing reads, or training alone
        self._values[self._running] = value
        self.alive[node], self.shapes[node] = _bytes(self._values), tuple(value.shape)


def _bytes(values: Mapping[fx.Node, Tensor]) -> int:
    """The bytes of distinct storages."""
    storages = [value.untyped_storage() for value in values.values()]
    return sum({storage._cdata: storage.nbytes() for storage in storages}.values())


def _last_reads(network: Network) -> dict[fx.Node, list[fx.Node]]:
    """For every value those that are read for the last time there, or never."""
    order = {node: place for place, node in enumerate(network.graph.nodes)}
    ending: dict[fx.Node, list[fx.Node]] = {}
    for node in network.graph.nodes:
        readers = [user for user in node.users if not _of_training(network, user)]
        ending.setdefault(max(readers, key=lambda user: order[user], default=node), []).append(node)
    return ending


def _of_training(network: Network, user: fx.Node) -> bool:
    return user.op == "call_module" and isinstance(network.get_submodule(str(user.target)), TrainingOnly)


def evaluation(network: Network, analysis: Analysis, batch: int, device: str) -> Iterator[Claim]:
    """An evaluation pass: output shapes, what is alive behind every layer, and the most of it.

    On real numbers a second pass, by the network's own code, must give the same outputs bit by bit.
    """
    inputs, tracker = examples(analysis.graph, batch, device), Tracker(network.eval(), analysis.graph)
    with torch.no_grad():
        result, failed = tracker.attempt(inputs)
    yield from failed
    stated = analysis.memory(DTYPE, batch)
    note = f"{DTYPE}, batch {batch}, on {device}"
    for node, found in tracker.alive.items():
        if device != "meta":
            yield Claim(name(node), "output shape", expected(node, batch), tracker.shapes[node], "on real numbers")
        yield Claim(name(node), "bytes alive", stated.alive[node], found, note)
    if failed:
        return
    yield Claim("network", "peak bytes alive", stated.peak, max(tracker.alive.values()), note)
    if device != "meta":
        yield from _repeats(network, inputs, result)


def _repeats(network: Network, inputs: list[Tensor], result: object) -> Iterator[Claim]:
    """The outputs of another pass over the same inputs."""
    with torch.no_grad():
        again = dict(tensors(network(*inputs)))
    for output, value in tensors(result):
        other = again[output]
        same = torch.equal(value.isnan(), other.isnan()) and torch.equal(value.nan_to_num(), other.nan_to_num())
        yield Claim("network", "evaluation repeats", True, same, f"{output}, bit by bit")
