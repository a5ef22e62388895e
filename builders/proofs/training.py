"""A training step: what autograd keeps for the backward pass, and whether every parameter gets a gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from archspec.analysis import Analysis
from archspec.graph import LayerGraph, overwriting
from archspec.layers import Storage
from archspec.nodes import Node
from builders.modules.dispatch import NOTHING, Saved, saved
from builders.network import Network
from builders.proofs.claim import Claim
from builders.proofs.walk import Walk, examples, name, tensors

ITEM = 4  # bytes of a float32
Kept = dict[object, int]  # bytes by what tells storages apart: the node that owns one, or the node that made it


def declared(graph: LayerGraph, batch: int) -> dict[Node, Kept | None]:
    """The storages that each layer's declaration says are kept, in float32; None where nothing is declared."""
    over = overwriting(graph)
    owners: dict[Node, Node] = {}  # in whose memory an output lies in training
    needs: dict[Node, bool] = {}
    found: dict[Node, Kept | None] = {}
    for node in graph:
        if node not in graph.needed:
            continue
        carried = tuple(needs[source] for source in node.inputs)
        needs[node] = any(carried) or any(weight.trainable for weight in node.facts.weights.values())
        keeps = saved(node.layer, *node.input_shapes, needs=carried)
        fresh = node.layer.storage is Storage.FRESH or not node.inputs or (keeps is not None and keeps.fresh)
        fresh = fresh or (node.layer.storage is Storage.IN_PLACE and node not in over)
        owners[node] = node if fresh else owners[node.inputs[0]]
        keeps = keeps if needs[node] else NOTHING
        found[node] = None if keeps is None else _storages(node, keeps, owners, batch)
    return found


def _storages(node: Node, keeps: Saved, owners: Mapping[Node, Node], batch: int) -> Kept:
    kept = [owners[node.inputs[slot]] for slot in keeps.inputs] + ([owners[node]] if keeps.output else [])
    storages: Kept = {owner: owner.shape.elements * ITEM * batch for owner in kept}
    extra = (keeps.numbers * batch + keeps.fixed) * ITEM + keeps.bytes * batch
    return storages | ({(node, "its own"): extra} if extra else {})


@dataclass
class Keeper:
    """Notes what autograd keeps while each layer runs; parameters and buffers are left out."""

    left_out: frozenset[int]
    node: Node | None = None
    kept: dict[Node, dict[int, int]] = field(default_factory=dict)
    held: list[Tensor] = field(default_factory=list)  # so that no address is used twice

    def pack(self, tensor: Tensor) -> Tensor:
        """Called by torch for every tensor that it saves."""
        storage = tensor.untyped_storage()
        if self.node is not None and storage.nbytes() and storage.data_ptr() not in self.left_out:
            self.kept.setdefault(self.node, {})[storage.data_ptr()] = storage.nbytes()
            self.held.append(tensor.detach())
        return tensor

    def before(self, node: Node) -> None:
        self.node = node

    def after(self, node: Node, value: Tensor) -> None:
        self.kept.setdefault(node, {})
        self.node = None
        self.held.append(value.detach())


def step(network: Network, analysis: Analysis, batch: int) -> Iterator[Claim]:
    """One forward and backward pass in training mode, on the CPU."""
    weights = [*network.parameters(), *network.buffers()]
    keeper = Keeper(frozenset(tensor.untyped_storage().data_ptr() for tensor in weights))
    network.train().zero_grad(set_to_none=True)
    inputs = examples(analysis.graph, batch)
    keeper.held += inputs
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keeper.pack, lambda tensor: tensor):
        result, failed = Walk(network, analysis.graph, keeper.before, keeper.after).attempt(inputs)
    yield from failed
    yield from _kept(keeper, declared(analysis.graph, batch), f"float32, batch {batch}, on cpu")
    keeper.held.clear()
    if failed:
        return
    yield from _gradients(network, result)


def _gradients(network: Network, result: object) -> Iterator[Claim]:
    """Whether the backward pass reaches every parameter; one that it does not reach is named."""
    with torch.enable_grad():
        outputs = [(value * torch.randn_like(value)).sum() for _, value in tensors(result) if value.requires_grad]
        if outputs:
            torch.stack(outputs).sum().backward()  # type: ignore[no-untyped-call]
    weights = dict(network.named_parameters())
    lacking = [called for called, weight in weights.items() if weight.grad is None]
    for called in lacking:
        yield Claim(called, "parameters with a gradient", 1, 0)
    yield Claim("network", "parameters with a gradient", len(weights), len(weights) - len(lacking))
    network.zero_grad(set_to_none=True)


def _kept(keeper: Keeper, stated: Mapping[Node, Kept | None], note: str) -> Iterator[Claim]:
    every: dict[int, int] = {}
    total: Kept | None = {}
    for node, measured in keeper.kept.items():
        keeps = stated[node]
        predicted = None if keeps is None else sum(keeps.values())
        yield Claim(name(node), "bytes for backward", predicted, sum(measured.values()), note)
        every |= measured
        total = None if keeps is None or total is None else total | keeps
    predicted = None if total is None else sum(total.values())
    yield Claim("network", "bytes for backward", predicted, sum(every.values()), note)
