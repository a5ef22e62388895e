"""The rows of a report: every node, or with a depth the groups at that depth folded into one row each."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from archspec.analysis import Analysis
from archspec.layers import Formula
from archspec.nodes import Group, Node


@dataclass(frozen=True, eq=False)
class Row:
    """One line: a node, or `times` groups in series. Counts are sums over what is folded; only a node has formulas."""

    label: str
    path: str
    nodes: tuple[Node, ...]
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
        return [_single(node, analysis) for node in order]
    found: list[Row] = []
    for group, members in groupby(order, lambda node: _folding(node, depth)):
        nodes = tuple(members)
        if group is None or (group.kind == "row" and len(nodes) == 1):
            found += [_single(node, analysis) for node in nodes]
            continue
        row = _folded(group, nodes, analysis)
        if found and _alike(found[-1], row):
            found[-1] = _joined(found[-1], row)
        else:
            found.append(row)
    return found


def _folding(node: Node, depth: int) -> Group | None:
    """The group that swallows a node; None where it stands above that depth."""
    groups = node.group.ancestry() if node.group else ()
    return groups[depth - 1] if len(groups) >= depth > 0 else None


def _single(node: Node, analysis: Analysis) -> Row:
    count = analysis.counts[node]
    label = str(node.layer)
    if node.name is not None:
        label = "Input" if len(analysis.graph.inputs) == 1 else f"Input {node.name}"
    return Row(label, node.path, (node,), count.trainable, count.buffers, analysis.macs[node])


def _folded(group: Group, nodes: tuple[Node, ...], analysis: Analysis) -> Row:
    def sum_of(formulas: Iterator[Formula]) -> Formula:
        return Formula.product(sum(formula.value for formula in formulas))

    outer = "/".join(part.name for part in group.ancestry()[:-1])
    counts = [analysis.counts[node] for node in nodes]
    return Row(
        group.label,
        outer,
        nodes,
        sum_of(count.trainable for count in counts),
        sum_of(count.buffers for count in counts),
        sum_of(analysis.macs[node] for node in nodes),
        folded=True,
    )


def _alike(one: Row, other: Row) -> bool:
    """Whether a group is the same call as the one before it, and reads what that one gives: `dense x(6)`."""
    if not one.folded or (one.path, one.label) != (other.path, other.label):
        return False
    return any(one.last in node.inputs for node in other.nodes)


def _joined(one: Row, other: Row) -> Row:
    return replace(
        one,
        nodes=one.nodes + other.nodes,
        parameters=Formula.product(one.parameters.value + other.parameters.value),
        buffers=Formula.product(one.buffers.value + other.buffers.value),
        macs=Formula.product(one.macs.value + other.macs.value),
        times=one.times + 1,
    )
