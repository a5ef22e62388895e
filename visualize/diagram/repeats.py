"""Which groups are the same subnetwork over and over: equal layers, shapes and wiring, chained one after the other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from archspec.graph import LayerGraph
from archspec.nodes import Group, Node


@dataclass(eq=False, slots=True)
class Part:
    """A group as it stands in the execution order: nodes `start` to `stop` (exclusive).

    `sources` are the nodes outside it that it reads, in the order of first use; parts of equal `signature` compute the
    same from them. `reach` is the last node that reads one of its nodes. `leader` is the first of a run of repeats.
    """

    group: Group
    parent: Part | None
    level: int
    start: int
    stop: int = 0
    children: list[Node | Part] = field(default_factory=list)
    sources: dict[Node, int] = field(default_factory=dict)
    signature: int = 0
    reach: int = 0
    leader: Part | None = None

    def chain(self) -> Iterator[Part]:
        """From this part to the outermost."""
        part: Part | None = self
        while part is not None:
            yield part
            part = part.parent


class Parts:
    """The groups of a graph as a tree, `closed` from the innermost out, and the innermost part of every node."""

    def __init__(self, graph: LayerGraph) -> None:
        self.closed: list[Part] = []
        self.around: list[Part | None] = []
        self._graph = graph
        self._ends = {*graph.outputs.values(), *graph.training_outputs.values()}
        self._roots: list[Node | Part] = []
        self._signatures: dict[object, int] = {}
        innermost: Part | None = None
        for node in graph:
            if node.group is not (innermost.group if innermost else None):
                innermost = self._enter(node, innermost)
            self._siblings(innermost).append(node)
            self.around.append(innermost)
        self._leave(innermost, (), len(graph))

    def _siblings(self, parent: Part | None) -> list[Node | Part]:
        return parent.children if parent else self._roots

    def _enter(self, node: Node, innermost: Part | None) -> Part | None:
        """Close the parts that a node does not stand in, and open those that it does."""
        groups = node.group.ancestry() if node.group else ()
        innermost = self._leave(innermost, groups, node.index)
        for group in groups[innermost.level if innermost else 0 :]:
            part = Part(group, innermost, innermost.level + 1 if innermost else 1, node.index)
            self._siblings(innermost).append(part)
            innermost = part
        return innermost

    def _leave(self, part: Part | None, groups: tuple[Group, ...], stop: int) -> Part | None:
        while part is not None and (part.level > len(groups) or groups[part.level - 1] is not part.group):
            part.stop = stop
            self._close(part)
            part = part.parent
        return part

    def _close(self, part: Part) -> None:
        items = tuple(self._item(child, part) for child in part.children)
        key = (part.group.kind, part.group.label, items)
        part.signature = self._signatures.setdefault(key, len(self._signatures))
        part.reach = max(child.reach if isinstance(child, Part) else self._reach(child) for child in part.children)
        siblings = self._siblings(part.parent)
        before = siblings[-2] if len(siblings) > 1 else None
        if isinstance(before, Part) and _repeats(part, before):
            part.leader = before.leader or before
        self.closed.append(part)

    def _item(self, child: Node | Part, part: Part) -> object:
        """What a child is, and where in the part or outside it its inputs come from."""
        if isinstance(child, Part):
            return child.signature, tuple(_place(source, part) for source in child.sources)
        return (
            id(child.facts),
            tuple(_place(source, part) for source in child.inputs),
            tuple(_place(source, part) for source in child.size_only),
            child in self._graph.inference,
            child in self._graph.needed,
            child.shared and child.shared.index,
        )

    def _reach(self, node: Node) -> int:
        if node in self._ends:
            return sys.maxsize
        return max((reader.index for reader in self._graph.graph.successors(node)), default=node.index)


def _place(source: Node, part: Part) -> int:
    """The position of a node in a part, or of one outside it among its sources, counted from -1 down."""
    if source.index >= part.start:
        return source.index - part.start
    return ~part.sources.setdefault(source, len(part.sources))


def _repeats(part: Part, before: Part) -> bool:
    """Whether a part does the same as the one before it with what that gives, which nothing further on reads."""
    if part.signature != before.signature or before.reach >= part.stop:
        return False
    links = [
        (source.index - before.start, earlier.index - (2 * before.start - part.start))
        for source, earlier in zip(part.sources, before.sources, strict=True)
        if source is not earlier
    ]
    inside = all(0 <= place < before.stop - before.start for place, _ in links)
    return bool(links) and inside and (before.leader is None or all(place == earlier for place, earlier in links))


def representatives(parts: Parts, depth: int | None) -> list[int]:
    """For every node, the one that is drawn for it: itself, or its like in the first of a run of repeats.

    Groups nested `depth` deep or deeper are folded anyway.
    """
    found = list(range(len(parts.around)))
    for part in parts.closed:
        if part.leader is not None and (depth is None or part.level < depth):
            shift = part.start - part.leader.start
            for index in range(part.start, part.stop):
                found[index] = found[index - shift]
    return found
