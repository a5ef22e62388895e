"""Multiply-accumulates per example; bias, normalisation, activation, pooling and elementwise work count 0."""

from __future__ import annotations

from archspec.graph import LayerGraph
from archspec.layers import Formula
from archspec.nodes import Node


def compute(graph: LayerGraph) -> dict[Node, Formula]:
    """The multiply-accumulates of every node: taps x C/g x F x output positions for a convolution."""
    return {node: node.facts.macs for node in graph}
