"""Which activation a weight leads to."""

from __future__ import annotations

from archspec.graph import LayerGraph
from archspec.layers import Family, Role
from archspec.nodes import Node


def following(graph: LayerGraph, node: Node) -> Node | None:
    """The nearest activation behind a layer, through normalisation, pooling, reshapes and merges.

    None where every way ends in an output or meets a layer with a kernel first: then the layer is linear. Of two that
    are as near the one that comes first in the network.
    """
    level, seen = [node], {node}
    while level:
        behind = sorted({after for one in level for after in readers(graph, one)} - seen, key=lambda one: one.index)
        found = next((one for one in behind if one.layer.family is Family.ACTIVATION), None)
        if found is not None:
            return found
        seen.update(behind)
        level = [one for one in behind if not kernels(one)]
    return None


def readers(graph: LayerGraph, node: Node) -> list[Node]:
    """The layers that read the numbers of a node, those that no output needs left out."""
    edges = graph.graph.out_edges(node, data=True)
    return [after for _, after, edge in edges if not edge["size_only"] and after in graph.needed]


def kernels(node: Node) -> list[str]:
    """The names of the weights of a layer that multiply its input."""
    return [name for name, weight in node.facts.weights.items() if weight.role is Role.KERNEL]
