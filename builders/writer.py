"""From a layer graph to the code and the submodules of a network, node by node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import networkx as nx
from torch import fx, nn

from archspec.graph import LayerGraph
from archspec.layers import Weights
from archspec.nodes import Node
from builders.modules import Call, module
from builders.names import Names
from builders.network import Network, Origin

TRAINING_ONLY = "training_only"
Modules = dict[Node, nn.Module]


class TrainingOnly(nn.Module):
    """A part of the network that runs in training alone; in evaluation each of its outputs is None."""

    def __init__(self, network: Network, outputs: int) -> None:
        super().__init__()
        self.network, self.outputs = network, outputs

    def forward(self, *values: Any) -> Any:
        """The tensors and sizes that it reads, to its outputs: one, or a list."""
        if self.training:
            return self.network(*values)
        return None if self.outputs == 1 else [None] * self.outputs


class Writer:
    """Writes layers into an fx graph, and their modules into a tree; `modules` are known by the nodes that own them."""

    def __init__(self, modules: Modules, sizes: frozenset[Node]) -> None:
        self.graph, self.root, self.names = fx.Graph(), nn.Module(), Names()
        self.values: dict[Node, fx.Node] = {}
        self.shapes: dict[Node, fx.Node] = {}
        self.origins: dict[str, Origin] = {}
        self._modules, self._sizes = modules, sizes
        self._targets: dict[int, str] = {}

    def argument(self, node: Node, name: str) -> None:
        """An argument of the code that stands for the value of a node."""
        self._note(node, self.graph.placeholder(self.names.own(name)))

    def size_argument(self, node: Node, name: str) -> None:
        """An argument of the code that stands for the size of a node's value."""
        self.shapes[node] = self.graph.placeholder(self.names.own(name))

    def layer(self, node: Node) -> None:
        """One layer, as a call of its module or of a torch function."""
        name = self.names.of(node)
        reads: list[Any] = [self.values[source] for source in node.inputs]
        reads += [self.shapes.get(source, (-1, *_stored(source))) for source in node.size_only]
        built = module(node.layer, *node.input_shapes)
        value_name = name.replace(".", "_")
        if isinstance(built, Call):
            arguments: tuple[Any, ...] = (reads,) if built.listed else tuple(reads)
            call = "call_function", built.function, arguments, dict(built.options)
            value = self.graph.create_node(*call, name=value_name)
        else:
            target = self._target(name, self._owned(node, built))
            value = self.graph.create_node("call_module", target, tuple(reads), name=value_name)
        self.origins[value.name] = Origin(node.index, str(node.layer), node.input_shapes, node.span, node.trace)
        self._note(node, value)

    def part(self, name: str, part: nn.Module, reads: Sequence[fx.Node], outputs: Sequence[Node]) -> list[fx.Node]:
        """A submodule with several inputs and outputs; the values of its outputs."""
        whole = self.graph.call_module(self._target(self.names.own(name), part), tuple(reads))
        if len(outputs) == 1:
            return [whole]
        return [self.graph.call_function(_item, (whole, index)) for index in range(len(outputs))]

    def finish(self, result: Any) -> Network:
        """The network with this result."""
        self.graph.output(result)
        network = Network(self.root, self.graph, class_name="Network")
        network.origins = self.origins
        return network

    def _note(self, node: Node, value: fx.Node) -> None:
        """Keep a value for those that read it; where its size is followed, the size as well, so that nothing else
        keeps the value alive."""
        self.values[node] = value
        if node in self._sizes:
            self.shapes[node] = self.graph.create_node(
                "call_function", getattr, (value, "shape"), name=f"{value.name}_shape"
            )

    def _owned(self, node: Node, built: nn.Module) -> nn.Module:
        """The module of a node: that of an equal layer with the same weights, or its own with weights of the owner."""
        owner = node.shared or node
        first = self._modules.setdefault(owner, built)
        if first is not built and node.layer == owner.layer and len(node.shape.spatial) == len(owner.shape.spatial):
            return first
        if first is not built:
            tie(built, first, node.facts.weights)
        return built

    def _target(self, name: str, part: nn.Module) -> str:
        """The dotted name of a submodule; a module that is used again keeps its first one."""
        known = self._targets.get(id(part))
        if known is not None:
            return known
        self._targets[id(part)] = name
        *path, last = name.split(".")
        place = self.root
        for step in path:
            if step not in place._modules:
                place.add_module(step, nn.Module())
            place = place.get_submodule(step)
        place.add_module(last, part)
        return name


def _item(values: Any, index: int) -> Any:
    return values[index]


def _stored(node: Node) -> tuple[int, ...]:
    """The shape of a node's value as torch holds it, without the batch."""
    channels = () if node.shape.channels is None else (node.shape.channels,)
    return (*channels, *node.shape.spatial)


def tie(one: nn.Module, other: nn.Module, weights: Weights) -> None:
    """Let a module use the parameters and buffers of another."""
    for name, weight in weights.items():
        path, _, last = name.rpartition(".")
        holder = one.get_submodule(path)
        if weight.trainable:
            holder.register_parameter(last, other.get_parameter(name))
        else:
            holder.register_buffer(last, other.get_buffer(name))


def write(graph: LayerGraph) -> Network:
    """The module of a layer graph: what no output needs is left out."""
    nodes = [node for node in graph if node in graph.needed or (not node.inputs and node.name is not None)]
    followed = frozenset(source for node in nodes for source in node.size_only)
    modules: Modules = {}
    writer = Writer(modules, followed)
    for name, node in graph.inputs.items():
        writer.argument(node, name)
    parts = training_parts(graph)
    extra: dict[str, fx.Node] = {}
    for node in nodes:
        if node in graph.inference and node.inputs:
            writer.layer(node)
        for part in [part for part in parts if part.ready == node]:
            extra |= part.write(writer, modules, followed)
    if len(graph.outputs) == 1 and not graph.training_outputs:
        return writer.finish(next(writer.values[node] for node in graph.outputs.values()))
    result = {name: writer.values[node] for name, node in graph.outputs.items()}
    return writer.finish(result | {name: extra[name] for name in graph.training_outputs})


class Part:
    """Nodes that only training needs and that hang together: what they read of the rest, and what they give."""

    def __init__(self, graph: LayerGraph, nodes: Iterable[Node], outputs: Mapping[str, Node]) -> None:
        self.nodes = sorted(nodes, key=lambda node: node.index)
        self.outputs = outputs
        inside = set(self.nodes)
        reads = [source for node in self.nodes for source in node.inputs] or list(outputs.values())
        sizes = [source for node in self.nodes for source in node.size_only if source in graph.inference]
        self.reads = [node for node in dict.fromkeys(reads) if node not in inside]
        self.sizes = [node for node in dict.fromkeys(sizes) if node not in self.reads]

    @property
    def ready(self) -> Node:
        """The node after which everything that they read is there."""
        return max((*self.reads, *self.sizes), key=lambda node: node.index)

    def write(self, writer: Writer, modules: Modules, followed: frozenset[Node]) -> dict[str, fx.Node]:
        """Write them as one submodule; its outputs by name."""
        inner = Writer(modules, followed)
        for node in self.reads:
            inner.argument(node, writer.values[node].name)
        for node in self.sizes:
            inner.size_argument(node, writer.shapes[node].name)
        for node in self.nodes:
            inner.layer(node)
        ends = list(dict.fromkeys(self.outputs.values()))
        results = [inner.values[node] for node in ends]
        network = inner.finish(results[0] if len(results) == 1 else results)
        reads = [*(writer.values[node] for node in self.reads), *(writer.shapes[node] for node in self.sizes)]
        values = writer.part(TRAINING_ONLY, TrainingOnly(network, len(ends)), reads, ends)
        return {name: values[ends.index(node)] for name, node in self.outputs.items()}


def training_parts(graph: LayerGraph) -> list[Part]:
    """The parts of a network that only training needs."""
    alone = graph.needed - graph.inference
    linked: Iterator[set[Node]] = nx.connected_components(graph.graph.subgraph(alone).to_undirected(as_view=True))
    parts = []
    for nodes in linked:
        parts.append(Part(graph, nodes, {name: n for name, n in graph.training_outputs.items() if n in nodes}))
    for name, node in graph.training_outputs.items():
        if node in graph.inference:
            parts.append(Part(graph, (), {name: node}))
    return parts
