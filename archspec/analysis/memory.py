"""Memory of a forward pass: weights, activations, and the peak of what is alive at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archspec.errors import ArchspecError, did_you_mean
from archspec.graph import LayerGraph, overwriting
from archspec.layers import Storage
from archspec.layers.strides import Strides, packed
from archspec.nodes import Node

BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2, "float8": 1, "int8": 1}
ID_BYTES = 8  # torch's int64


@dataclass(frozen=True, eq=False)
class Memory:
    """Bytes at one dtype and batch size.

    `weights`: parameters and buffers, shared ones once. `outputs`: what every node's output takes of its own, 0 for
    views that need no copy and for nodes outside inference; `activations` is their sum. `peak`: the largest total of
    outputs alive at once, reached at `peak_node`; an output is alive from its node to the last one that reads it, an
    output of the network to the end. Scratch memory inside a layer is not counted.
    """

    weights: int
    outputs: Mapping[Node, int]
    alive: Mapping[Node, int]
    peak: int
    peak_node: Node

    @property
    def activations(self) -> int:
        return sum(self.outputs.values())


def itemsize(dtype: str) -> int:
    """The bytes of one number; raises ArchspecError for an unknown dtype."""
    if dtype not in BYTES:
        hint = did_you_mean(dtype, BYTES) or f"the dtypes are {', '.join(BYTES)}"
        raise ArchspecError("unknown-dtype", f"there is no dtype `{dtype}`", hint=hint)
    return BYTES[dtype]


def memory(graph: LayerGraph, elements: int, dtype: str = "float32", batch: int = 1) -> Memory:
    """The memory of an inference pass, node by node in execution order; `elements` are those of all weights.

    Nodes that only training needs take no part.
    """
    size = itemsize(dtype)
    owners = _owners(graph)
    last = _last_use(graph, owners)
    ending: dict[int, list[Node]] = {}
    for owner, index in last.items():
        ending.setdefault(index, []).append(owner)
    outputs: dict[Node, int] = {}
    alive: dict[Node, int] = {}
    total = 0
    for node in graph:
        if node not in graph.inference:
            outputs[node] = alive[node] = 0
            continue
        width = ID_BYTES if node.shape.channels is None else size
        outputs[node] = node.shape.elements * width * batch if owners[node] is node else 0
        total += outputs[node]
        alive[node] = total
        total -= sum(outputs[owner] for owner in ending.get(node.index, ()))
    peak_node = max(alive, key=lambda node: alive[node])
    return Memory(elements * size, outputs, alive, alive[peak_node], peak_node)


def _owners(graph: LayerGraph) -> dict[Node, Node]:
    """The node in whose memory every output lies: its own, or that of the input it is a view of or written over.

    What is fresh lies packed, and so does the copy that takes the place of a view which the strides do not allow.
    """
    owners: dict[Node, Node] = {}
    strides: dict[Node, Strides] = {}  # of views alone
    over = overwriting(graph)
    for node in graph:
        owners[node] = owners[node.inputs[0]] if node in over else node
        if node.layer.storage is not Storage.VIEW or not node.inputs:
            continue
        source = node.inputs[0]
        lying = strides[source] if source in strides else packed(source.shape)
        seen = node.layer.strides(lying, *node.input_shapes)
        if seen is not None:
            owners[node], strides[node] = owners[source], seen
    return owners


def _last_use(graph: LayerGraph, owners: Mapping[Node, Node]) -> dict[Node, int]:
    """The index of the last node that uses what a node owns; one behind the end for outputs of the network."""
    last: dict[Node, int] = {}
    for node in graph:
        if node in graph.inference:
            for read in node.inputs:
                last[owners[read]] = node.index
    for node in graph.outputs.values():
        last[owners[node]] = len(graph)
    return last
