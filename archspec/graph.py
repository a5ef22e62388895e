"""The frozen layer graph, and what its structure says: which outputs need which nodes, and what none of them needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import networkx as nx

from archspec.errors import Diagnostic
from archspec.layers import Storage
from archspec.network import Network
from archspec.nodes import Node

Graph: TypeAlias = "nx.DiGraph[Node]"


@dataclass(frozen=True, eq=False)
class LayerGraph:
    """A network as a frozen `networkx.DiGraph` of nodes in execution order.

    An edge's `slots` are the input slots that it feeds, and `size_only` says that none but the size is taken: sizes are
    known before anything runs, so that such an edge makes no node needed and keeps no output alive.
    `inference` are the nodes that the outputs need; the other needed ones are training-only.
    """

    graph: Graph
    inputs: Mapping[str, Node]
    outputs: Mapping[str, Node]
    training_outputs: Mapping[str, Node]
    points: Mapping[str, Node]
    inference: frozenset[Node]
    needed: frozenset[Node]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.graph)

    def __len__(self) -> int:
        return len(self.graph)


def layer_graph(network: Network) -> LayerGraph:
    """Connect the nodes of a network, and freeze the graph."""
    graph: Graph = nx.DiGraph()
    graph.add_nodes_from(network.nodes)
    for node in network.nodes:
        for slot, source in enumerate(node.inputs + node.size_only):
            known = graph.get_edge_data(source, node)
            slots = (*known["slots"], slot) if known else (slot,)
            graph.add_edge(source, node, slots=slots, size_only=slots[0] >= len(node.inputs))
    inference = ancestors(network.outputs.values())
    needed = inference | ancestors(network.training_outputs.values())
    return LayerGraph(
        nx.freeze(graph), network.inputs, network.outputs, network.training_outputs, network.points, inference, needed
    )


def ancestors(nodes: Iterable[Node]) -> frozenset[Node]:
    """Some nodes and everything that they read, of inputs of which the size alone is taken nothing."""
    found, pending = set[Node](), list(nodes)
    while pending:
        node = pending.pop()
        if node not in found:
            found.add(node)
            pending += node.inputs
    return frozenset(found)


def overwriting(graph: LayerGraph) -> frozenset[Node]:
    """The nodes that write over their input: its memory is another layer's own, and nothing else reads it."""
    ends = {*graph.outputs.values(), *graph.training_outputs.values()}
    readers = Counter(source for node in graph if node in graph.needed for source in node.inputs)
    return frozenset(
        node
        for node in graph
        if node.layer.storage is Storage.IN_PLACE
        and node in graph.needed
        and (source := node.inputs[0]).layer.overwritable
        and readers[source] == 1
        and source not in ends
    )


def lints(graph: LayerGraph) -> Iterator[Diagnostic]:
    """Warnings about the structure: nodes that reach no output, each chain of them at its end."""
    for node in graph:
        if node in graph.needed or any(True for _ in graph.graph.successors(node)):
            continue
        what = f"the input {node.name}" if node.name else str(node.layer)
        yield Diagnostic(
            "unreached",
            f"{what} reaches no output",
            node.span,
            "join it to the network, list it under outputs:, or remove it",
            str(node.shape),
            node.trace,
            "warning",
        )
