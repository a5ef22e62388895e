"""The analyses: each pass takes the graph and gives a mapping keyed by node; together they are one typed result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass

from archspec.analysis.compute import compute
from archspec.analysis.parameters import ParameterCount, parameters
from archspec.graph import LayerGraph
from archspec.layers import Formula
from archspec.nodes import Node


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a network, per example: trainable parameters, buffers, multiply-accumulates."""

    parameters: int
    buffers: int
    macs: int

    @property
    def flops(self) -> int:
        """Floating-point operations: two for every multiply-accumulate."""
        return 2 * self.macs


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything that the passes found. The totals count what the outputs need; `training_only` what training adds."""

    graph: LayerGraph
    counts: Mapping[Node, ParameterCount]
    macs: Mapping[Node, Formula]
    totals: Totals
    training_only: Totals

    @property
    def parameters(self) -> int:
        """Trainable parameters."""
        return self.totals.parameters

    @property
    def buffers(self) -> int:
        """Elements of buffers: running statistics."""
        return self.totals.buffers


def analyze(graph: LayerGraph) -> Analysis:
    """Run all passes."""
    counts, macs = parameters(graph), compute(graph)
    inference = _totals(graph.inference, counts, macs)
    needed = _totals(graph.needed, counts, macs)
    extra = Totals(*(more - less for more, less in zip(astuple(needed), astuple(inference), strict=True)))
    return Analysis(graph, counts, macs, inference, extra)


def _totals(nodes: Iterable[Node], counts: Mapping[Node, ParameterCount], macs: Mapping[Node, Formula]) -> Totals:
    """The sums over some nodes, where weights that several of them use count once."""
    chosen = list(nodes)
    holders = {node.shared or node for node in chosen}
    return Totals(
        sum(counts[node].trainable.value for node in holders),
        sum(counts[node].buffers.value for node in holders),
        sum(macs[node].value for node in chosen),
    )
