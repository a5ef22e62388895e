"""The variance recursion: the moments of every layer's output over draws of the weights, without a run."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import NamedTuple

from archspec.graph import LayerGraph
from archspec.layers import AxisWindow, Phases, Shape
from archspec.layers.moments import UNKNOWN, Moments
from archspec.nodes import Node
from builders.initialization.following import kernels


class Squares(NamedTuple):
    """The mean squares of a layer's weights, E[w^2] of its kernel and of its biases."""

    kernel: float
    bias: float


def predicted(graph: LayerGraph, inputs: Mapping[Node, Moments], drawn: Mapping[Node, Squares]) -> dict[Node, Moments]:
    """Mean and variance of every layer that training needs; `drawn` has the weights of those with a kernel.

    A layer with a kernel turns E[x^2] into a variance of connections x E[w^2] x E[x^2] + E[b^2] about mean 0 (Glorot &
    Bengio 2010; with E[x^2] of the activation, and not its variance, He et al. 2015). Connections are fan_in, less the
    taps in the padding, where zeros are read, on average: units inside a map have more, so that the prediction falls
    short by a tenth or two behind several layers of a small map. What other layers do they state themselves, for
    independent inputs that are normally distributed; NaN where they do not.
    """
    found = dict(inputs)
    for node in graph:
        if node in graph.needed and node not in found:
            before = [found.get(source, UNKNOWN) for source in node.inputs]
            found[node] = _weighted(node, before, drawn) if kernels(node) else node.layer.moments(*before)
    return found


def _weighted(node: Node, before: list[Moments], drawn: Mapping[Node, Squares]) -> Moments:
    if node not in drawn or len(before) != 1:
        return UNKNOWN
    squares = drawn[node]
    return Moments(0.0, connections(node) * squares.kernel * before[0].square + squares.bias)


def connections(node: Node) -> float:
    """The products that one output unit sums, on average: those with padding do not count.

    >>> from archspec import parse
    >>> conv = list(parse("{name: a, input: 8x8x16, layers: CONV3-16}").layers)[1]
    >>> round(connections(conv))  # 144, but at the borders 96, and in the corners 64
    121
    """
    return node.facts.macs.value / node.shape.elements * _inside(node)


def _inside(node: Node) -> float:
    """The share of taps that lie in the input."""
    axes = zip(node.facts.windows[0].axes, node.input_shapes[0].spatial, strict=True)
    return prod(_share(axis, size, node.shape) for axis, size in axes)


def _share(window: AxisWindow, size: int, output: Shape) -> float:
    if window.axis is None or not isinstance(window.reads, Phases):
        return 1.0
    read = [tap for unit in range(output.spatial[window.axis]) for tap in window.reads.reads(unit)]
    return sum(0 <= tap < size for tap in read) / len(read) if read else 1.0
