"""Parameters: trainable elements, biases included and shared weights once; buffers apart."""

from __future__ import annotations

from dataclasses import dataclass

from archspec.graph import LayerGraph
from archspec.layers import Formula, total
from archspec.nodes import Facts, Node


@dataclass(frozen=True, slots=True)
class ParameterCount:
    """What one node holds: trainable elements and buffers (running statistics), as they are computed by hand."""

    trainable: Formula
    buffers: Formula


NOTHING = ParameterCount(Formula(), Formula())


def parameters(graph: LayerGraph) -> dict[Node, ParameterCount]:
    """The count of every node; a node that uses another one's weights holds nothing of its own.

    Convolution: K x K x C/g x F + F. Batch normalisation: C + C, and C + C buffers.
    """
    known: dict[Facts, ParameterCount] = {}
    found: dict[Node, ParameterCount] = {}
    for node in graph:
        if node.shared is not None:
            found[node] = NOTHING
            continue
        count = known.get(node.facts)
        if count is None:
            count = known[node.facts] = _count(node.facts)
        found[node] = count
    return found


def _count(facts: Facts) -> ParameterCount:
    weights = facts.weights.values()
    if not weights:
        return NOTHING
    return ParameterCount(
        total([w.count for w in weights if w.trainable]), total([w.count for w in weights if not w.trainable])
    )
