"""The rows of a report: every node, or with a depth the groups at that depth folded into one row each."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import chain, groupby

from archspec.analysis import Analysis
from archspec.layers import Formula
from archspec.nodes import Group, Node

Nodes = tuple[Node, ...]
Run = tuple[Group | None, list[Nodes]]


@dataclass(frozen=True, eq=False)
class Row:
    """One line: a node, or `times` groups in series. Counts are sums over what is folded; only a node has formulas."""

    label: str
    path: str
    nodes: Nodes
    parameters: Formula
    buffers: Formula
    macs: Formula
    folded: bool = False
    times: int = 1

    @property
    def first(self) -> Node:
        return self.nodes[0]

    @property
    def last(self) -> Node:
        return self.nodes[-1]

    @property
    def shared(self) -> Node | None:
        """The node whose weights a single node uses."""
        return None if self.folded else self.last.shared


def rows(analysis: Analysis, depth: int | None = None, chosen: Collection[Node] | None = None) -> list[Row]:
    """One row per node, or per group at `depth` (1: stages and top-level blocks); a call repeated folds into `x 6`.

    `chosen` leaves out all other nodes.
    """
    order = [node for node in analysis.graph if chosen is None or node in chosen]
    if depth is None:
        return [single(node, analysis) for node in order]
    found: list[Row] = []
    for group, calls in _runs(order, depth):
        found += [single(node, analysis) for node in calls[0]] if group is None else [folded(group, calls, analysis)]
    return found


def _runs(order: Iterable[Node], depth: int) -> list[Run]:
    """The nodes by the group that swallows them, repeats of a call gathered in one run; None for rows of their own."""
    found: list[Run] = []
    for group, members in groupby(order, lambda node: _folding(node, depth)):
        nodes = tuple(members)
        if group is not None and group.kind == "row" and len(nodes) == 1:
            group = None
        if group is not None and found and _repeats(group, nodes, *found[-1]):
            found[-1][1].append(nodes)
        else:
            found.append((group, [nodes]))
    return found


def _folding(node: Node, depth: int) -> Group | None:
    """The group that swallows a node; None where it stands above that depth."""
    groups = node.group.ancestry() if node.group else ()
    return groups[depth - 1] if len(groups) >= depth > 0 else None


def single(node: Node, analysis: Analysis) -> Row:
    """The row of one node."""
    count = analysis.counts[node]
    label = str(node.layer)
    if node.name is not None:
        label = "Input" if len(analysis.graph.inputs) == 1 else f"Input {node.name}"
    return Row(label, node.path, (node,), count.trainable, count.buffers, analysis.macs[node])


def _repeats(group: Group, nodes: Nodes, before: Group | None, calls: list[Nodes]) -> bool:
    """Whether a group is the same call as the ones before it, and reads what the last of them gives: `dense x(6)`."""
    if before is None or (_outer(before), before.label) != (_outer(group), group.label):
        return False
    last = calls[-1][-1]
    return any(last in node.inputs for node in nodes)


def _outer(group: Group) -> str:
    """The path that a group stands in."""
    return "/".join(part.name for part in group.ancestry()[:-1])


def folded(group: Group, calls: list[Nodes], analysis: Analysis) -> Row:
    """The row of a group, or of several calls of it in series: their nodes together."""

    def sum_of(formulas: Iterable[Formula]) -> Formula:
        return Formula.product(sum(formula.value for formula in formulas))

    nodes = tuple(chain.from_iterable(calls))
    counts = [analysis.counts[node] for node in nodes]
    return Row(
        group.label,
        _outer(group),
        nodes,
        sum_of(count.trainable for count in counts),
        sum_of(count.buffers for count in counts),
        sum_of(analysis.macs[node] for node in nodes),
        folded=True,
        times=len(calls),
    )
