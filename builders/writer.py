"""From a layer graph to the code and the submodules of a network, node by node."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
from torch import fx, nn

from archspec.errors import ArchspecError
from archspec.graph import LayerGraph, overwriting
from archspec.layers import Shape, Weights
from archspec.nodes import Facts, Node
from builders.modules import Built, Call, module
from builders.names import Names, argument
from builders.network import Network, Origin

TRAINING_ONLY = "training_only"


@dataclass(frozen=True)
class Plan:
    """What all parts of a network are written by: the nodes whose size is followed, those that write over their input,
    and by the owner of weights who used them first, with its module."""

    followed: frozenset[Node]
    over: frozenset[Node]
    modules: dict[Node, tuple[Node, nn.Module]] = field(default_factory=dict)


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
    """Writes layers into the graph of a network, and their modules into its tree."""

    def __init__(self, plan: Plan) -> None:
        self.graph = fx.Graph()
        self.network = Network(nn.Module(), self.graph, class_name="Network")
        self.values: dict[Node, fx.Node] = {}
        self.shapes: dict[Node, fx.Node] = {}
        self._names, self._arguments = Names(), Names()
        self._origins: dict[str, Origin] = {}
        self._inputs: dict[str, Shape] = {}
        self._plan = plan
        self._targets: dict[nn.Module, str] = {}
        self._written: dict[Facts, str] = {}

    def argument(self, node: Node, name: str) -> None:
        """An argument of the code that stands for the value of a node."""
        own = self._arguments.own(argument(name))
        self._inputs[own] = node.shape
        self._note(node, self.graph.placeholder(own))

    def size_argument(self, node: Node, name: str) -> None:
        """An argument of the code that stands for the size of a node's value."""
        self.shapes[node] = self.graph.placeholder(self._arguments.own(name))

    def layer(self, node: Node) -> None:
        """One layer, as a call of its module or of a torch function."""
        name = self._names.of(node)
        reads: list[Any] = [self.values[source] for source in node.inputs]
        reads += [self.shapes.get(source, (-1, *_stored(source))) for source in node.size_only]
        built = self._built(node)
        if node in self._plan.over and isinstance(built, Call) and built.over is not None:
            built = built.over()
        value_name = name.replace(".", "_")
        if isinstance(built, Call):
            arguments: tuple[Any, ...] = (reads,) if built.listed else tuple(reads)
            call = "call_function", built.function, arguments, dict(built.options)
            value = self.graph.create_node(*call, name=value_name)
        else:
            target = self._target(name, built)
            value = self.graph.create_node("call_module", target, tuple(reads), name=value_name)
        layer = self._written.get(node.facts) or self._written.setdefault(node.facts, str(node.layer))
        self._origins[value.name] = Origin(node.index, layer, node.input_shapes, node.span, node.trace)
        self._note(node, value)

    def part(self, name: str, part: nn.Module, reads: Sequence[fx.Node], outputs: Sequence[str]) -> list[fx.Node]:
        """A submodule with several inputs and outputs; the values of its outputs, under these names."""
        whole = self.graph.call_module(self._target(self._names.own(name), part), tuple(reads))
        if len(outputs) == 1:
            return [whole]
        pick = "call_function", operator.getitem
        return [self.graph.create_node(*pick, (whole, place), name=name) for place, name in enumerate(outputs)]

    def finish(self, result: Any) -> Network:
        """The network with this result."""
        self.graph.output(result)
        self.network.recompile()
        self.network.origins, self.network.arguments = self._origins, self._inputs
        return self.network

    def _note(self, node: Node, value: fx.Node) -> None:
        """Keep a value for those that read it; where its size is followed, the size as well, so that nothing else
        keeps the value alive."""
        self.values[node] = value
        if node in self._plan.followed:
            self.shapes[node] = self.graph.create_node(
                "call_function", getattr, (value, "shape"), name=f"{value.name}_shape"
            )

    def _built(self, node: Node) -> Built:
        """What computes a node: where it shares weights with an equal layer, that one's module."""
        owner = node.shared or node
        known = self._plan.modules.get(owner)
        if known and node.layer == known[0].layer and _ranks(node) == _ranks(known[0]):
            return known[1]
        try:
            built = module(node.layer, *node.input_shapes)
            _check(built, node)
        except ArchspecError as error:
            raise error.at(node.span, trace=node.trace) from None
        if known and isinstance(built, nn.Module):
            tie(built, known[1], node.facts.weights)
        elif isinstance(built, nn.Module):
            self._plan.modules[owner] = node, built
        return built

    def _target(self, name: str, part: nn.Module) -> str:
        """The dotted name of a submodule; a module that is used again keeps its first one."""
        known = self._targets.setdefault(part, name)
        if known is not name:
            return known
        *path, last = name.split(".")
        place: nn.Module = self.network
        for step in path:
            inner = place._modules.get(step)
            if inner is None:
                inner = nn.Module()
                place.add_module(step, inner)
            place = inner
        place.add_module(last, part)
        return name


def _stored(node: Node) -> tuple[int, ...]:
    """The shape of a node's value as torch holds it, without the batch."""
    channels = () if node.shape.channels is None else (node.shape.channels,)
    return (*channels, *node.shape.spatial)


def _ranks(node: Node) -> list[int]:
    """The numbers of axes of its inputs, on which its module depends."""
    return [shape.rank for shape in node.input_shapes]


def _check(built: object, node: Node) -> None:
    """Raise ArchspecError unless a builder gave a module or a call, with the weights that the layer states."""
    kind, stated = node.layer.kind, node.facts.weights
    if not isinstance(built, (nn.Module, Call)):
        message = f"the builder of {kind} gives {type(built).__name__}"
        raise ArchspecError("builder-result", message, hint="return a torch module, or an archspec.Call")
    if isinstance(built, nn.Module) and all(name in built._parameters or name in built._buffers for name in stated):
        return  # as nearly every module; what follows looks into its parts as well
    held = {**dict(built.named_parameters()), **dict(built.named_buffers())} if isinstance(built, nn.Module) else {}
    lacking = [name for name in stated if name not in held]
    if lacking:
        message = f"what the builder of {kind} gives holds no {' and no '.join(lacking)}"
        hint = f"call its parameters and buffers as the layer's `weights` do: {', '.join(stated)}"
        raise ArchspecError("builder-weights", message, hint=hint)


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
    plan = Plan(followed, overwriting(graph))
    writer = Writer(plan)
    for name, node in graph.inputs.items():
        writer.argument(node, name)
    parts = training_parts(graph)
    extra: dict[str, fx.Node] = {}
    for node in nodes:
        if node in graph.inference and node.inputs:
            writer.layer(node)
        for part in [part for part in parts if part.ready == node]:
            extra |= part.write(writer, plan)
    if len(graph.outputs) == 1 and not extra:
        return writer.finish(next(writer.values[node] for node in graph.outputs.values()))
    result = {name: writer.values[node] for name, node in graph.outputs.items()}
    return writer.finish(result | {name: extra[name] for name in graph.training_outputs if name in extra})


class Part:
    """Nodes that only training needs and that hang together: what they read of the rest, and what they give."""

    def __init__(self, graph: LayerGraph, nodes: Iterable[Node], outputs: Mapping[str, Node]) -> None:
        self.nodes = sorted(nodes, key=lambda node: node.index)
        self.outputs = outputs
        inside = set(self.nodes)
        reads = [source for node in self.nodes for source in node.inputs] or list(outputs.values())
        sizes = [source for node in self.nodes for source in node.size_only if _computed(source, graph)]
        self.reads = [node for node in dict.fromkeys(reads) if node not in inside]
        self.sizes = [node for node in dict.fromkeys(sizes) if node not in self.reads]

    @property
    def ready(self) -> Node:
        """The node after which everything that they read is there."""
        return max((*self.reads, *self.sizes), key=lambda node: node.index)

    def write(self, writer: Writer, plan: Plan) -> dict[str, fx.Node]:
        """Write them as one submodule; its outputs by name."""
        inner = Writer(plan)
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
        names = [next(name for name, node in self.outputs.items() if node is end) for end in ends]
        values = writer.part(TRAINING_ONLY, TrainingOnly(network, len(ends)), reads, names)
        return {name: values[ends.index(node)] for name, node in self.outputs.items()}


def training_parts(graph: LayerGraph) -> list[Part]:
    """The parts of a network that only training needs; what is an output anyway is there in both modes."""
    outputs = {name: node for name, node in graph.training_outputs.items() if name not in graph.outputs}
    alone = graph.graph.subgraph(node for node in graph.needed - graph.inference if node.inputs)
    linked: Iterator[set[Node]] = nx.connected_components(alone.to_undirected(as_view=True))
    parts = [Part(graph, nodes, {name: node for name, node in outputs.items() if node in nodes}) for nodes in linked]
    parts.sort(key=lambda part: part.nodes[0].index)  # sets have no order, and names follow it
    return parts + [Part(graph, (), {name: node}) for name, node in outputs.items() if _computed(node, graph)]


def _computed(node: Node, graph: LayerGraph) -> bool:
    """Whether a value is there in evaluation."""
    return node in graph.inference or not node.inputs
