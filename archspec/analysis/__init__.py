"""The analyses: each pass takes the graph and gives a mapping keyed by node; together they are one typed result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from functools import cached_property

from archspec.analysis.compute import compute
from archspec.analysis.memory import Memory, memory
from archspec.analysis.parameters import ParameterCount, parameters
from archspec.analysis.receptive_field import ReceptiveField, first, receptive_field
from archspec.analysis.regions import Regions, regions
from archspec.graph import LayerGraph
from archspec.layers import Formula
from archspec.nodes import Node

__all__ = ["Analysis", "Memory", "ParameterCount", "ReceptiveField", "Totals", "analyze"]


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

    @cached_property
    def receptive_fields(self) -> Mapping[Node, Mapping[Node, ReceptiveField]]:
        """For every node, its receptive field on every input that it reads."""
        return receptive_field(self.graph)

    def receptive_field(self, node: Node) -> ReceptiveField | None:
        """The receptive field of a node on the first input that it reads; None where it reads none."""
        return first(self.receptive_fields[node])

    def regions(self, node: Node) -> Regions:
        """What every unit of a node really reads of every input; empty where `AxisField.inside` must answer."""
        return self._regions.get(node, {})

    @cached_property
    def _regions(self) -> Mapping[Node, Regions]:
        return regions(self.graph)

    def memory(self, dtype: str = "float32", batch: int = 1) -> Memory:
        """Bytes of weights and activations, and the peak of a pass; raises ArchspecError for an unknown dtype."""
        return memory(self.graph, self.totals.parameters + self.totals.buffers, dtype, batch)


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
