"""From a network to what a diagram of it shows: boxes, the frames around them, and the edges between them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from archspec.analysis import Analysis
from archspec.graph import LayerGraph
from archspec.layers import Family, Formula
from archspec.nodes import Node
from archspec.report.rows import Row, rows
from visualize.diagram.repeats import Part, Parts, representatives
from visualize.style import Style, style

MOST_ATTACHED = 4  # layers behind the first one of a unit


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """A layer with what is attached to it (CONV, BN, RELU), or a folded group or a run of `times` of them.

    `rows` are those of the report. `row` sums them up. `nodes`, in execution order, also holds their likes in every
    repeat of the frames around the box, those in the last one last. `parts` are the frames, outermost first.
    """

    key: str
    rows: tuple[Row, ...]
    row: Row
    nodes: tuple[Node, ...]
    parts: tuple[Part, ...]

    @property
    def label(self) -> str:
        """Its layers, or the call that is folded, as the report names them."""
        return ", ".join(row.label for row in self.rows) + (f" x {self.times}" if self.times > 1 else "")

    @property
    def times(self) -> int:
        """How many calls in series are folded into it."""
        return self.row.times

    @property
    def folded(self) -> bool:
        return self.rows[0].folded

    @property
    def family(self) -> Family:
        """That of its first layer; of a folded group the one that does most of its arithmetic."""
        if not self.folded:
            return self.rows[0].first.layer.family
        work = Counter[Family]()
        for node in self.row.nodes:
            work[node.layer.family] += node.facts.macs.value
        return max(work, key=work.__getitem__)

    @property
    def style(self) -> Style:
        return style(self.family)


@dataclass(frozen=True, slots=True)
class Layout:
    """What is drawn: the boxes in execution order, the box of every node, how often each frame repeats."""

    boxes: tuple[Box, ...]
    box_of: Mapping[Node, Box]
    drawn: frozenset[Node]
    times: Mapping[Part, int]
    framed: frozenset[Part]


def layout(analysis: Analysis, depth: int | None = None, every: bool = False) -> Layout:
    """Fold a network: the rows of a report at `depth`, and groups that repeat drawn once unless `every` one is."""
    graph, parts = analysis.graph, Parts(analysis.graph)
    standing = list(range(len(graph))) if every else representatives(parts, depth)
    drawn = frozenset(node for node in graph if standing[node.index] == node.index)
    nodes, likes = list(graph), defaultdict[Node, list[Node]](list)
    for node in nodes:
        likes[nodes[standing[node.index]]].append(node)
    visible = [row for row in rows(analysis, depth) if row.first in drawn]
    boxes = tuple(
        _box(number, unit, likes, _frames(parts, unit[0], depth)) for number, unit in enumerate(_units(visible, graph))
    )
    times = Counter(part.leader for part in parts.closed if part.leader) if not every else Counter[Part]()
    repeats = {part: 1 + more for part, more in times.items()}
    inside = Counter(chain.from_iterable(box.parts for box in boxes))
    framed = frozenset(part for part, count in inside.items() if count > 1 or part in repeats)
    return Layout(boxes, {node: box for box in boxes for node in box.nodes}, drawn, repeats, framed)


def _box(number: int, unit: list[Row], likes: Mapping[Node, list[Node]], parts: tuple[Part, ...]) -> Box:
    row = unit[0] if len(unit) == 1 else _sum(unit)
    nodes = sorted(chain.from_iterable(likes[node] for node in row.nodes), key=lambda node: node.index)
    return Box(f"box-{number}", tuple(unit), row, tuple(nodes), parts)


def _sum(unit: list[Row]) -> Row:
    def sum_of(formulas: Iterable[Formula]) -> Formula:
        return Formula.product(sum(formula.value for formula in formulas))

    return Row(
        unit[0].label,
        unit[0].path,
        tuple(chain.from_iterable(row.nodes for row in unit)),
        sum_of(row.parameters for row in unit),
        sum_of(row.buffers for row in unit),
        sum_of(row.macs for row in unit),
        folded=True,
    )


def _frames(parts: Parts, row: Row, depth: int | None) -> tuple[Part, ...]:
    """The groups around a row that are not folded at that depth."""
    innermost = parts.around[row.first.index]
    around = innermost.chain() if innermost else ()
    return tuple(reversed([part for part in around if depth is None or part.level < depth]))


def _units(visible: list[Row], graph: LayerGraph) -> list[list[Row]]:
    """The rows, those of attached layers joined to the one before them."""
    ends = {*graph.outputs.values(), *graph.training_outputs.values()}
    units: list[list[Row]] = []
    ending: dict[Node, list[Row]] = {}  # units by the layer that may still be followed by an attached one
    for row in visible:
        unit = None if row.folded else _joined(row.first, ending, graph)
        if unit is None:
            unit = []
            units.append(unit)
        unit.append(row)
        if not row.folded and row.last not in ends and row.first.inputs and len(unit) <= MOST_ATTACHED:
            ending[row.last] = unit
    return units


def _joined(node: Node, ending: Mapping[Node, list[Row]], graph: LayerGraph) -> list[Row] | None:
    """The unit that a layer is attached to: what nothing else reads, of the same group and the same use."""
    if not style(node.layer.family).attached or len(node.inputs) + len(node.size_only) != 1:
        return None
    source = node.inputs[0]
    alike = source.group is node.group and (source in graph.inference) == (node in graph.inference)
    return ending.get(source) if alike and graph.graph.out_degree(source) == 1 else None


@dataclass(frozen=True, slots=True)
class Edge:
    """What one box reads of another; `size_only` where it is the size and nothing else."""

    source: Box
    target: Box
    size_only: bool
    training: bool


def edges(shown: Layout, graph: LayerGraph) -> tuple[Edge, ...]:
    """The edges between boxes, each once, in the order of their targets; none leads backwards."""
    found: dict[tuple[Box, Box], Edge] = {}
    for source, target, size_only in _reads(graph):
        ends = shown.box_of[source], shown.box_of[target]
        if target not in shown.drawn or ends[0] is ends[1]:
            continue
        known = found.get(ends)
        training = target not in graph.inference
        if known is not None:
            size_only, training = known.size_only and size_only, known.training and training
        found[ends] = Edge(*ends, size_only, training)
    return tuple(found.values())


def sharing(shown: Layout) -> tuple[tuple[Box, Box], ...]:
    """The pairs of boxes that use the same weights, the one that holds them first."""
    pairs = {
        (shown.box_of[node.shared], box): None
        for box in shown.boxes
        for node in box.nodes
        if node.shared is not None and shown.box_of[node.shared] is not box
    }
    return tuple(pairs)


def _reads(graph: LayerGraph) -> Iterator[tuple[Node, Node, bool]]:
    for node in graph:
        yield from ((source, node, False) for source in node.inputs)
        yield from ((source, node, True) for source in node.size_only)


def ranks(boxes: Iterable[Box], between: Iterable[Edge]) -> dict[Box, int]:
    """How many boxes lead to each one, along the longest way."""
    found = dict.fromkeys(boxes, 0)
    readers = defaultdict[Box, list[Box]](list)
    for edge in between:
        readers[edge.source].append(edge.target)
    for box in found:
        for target in readers[box]:
            found[target] = max(found[target], found[box] + 1)
    return found


def spine(boxes: Iterable[Box], between: Iterable[Edge], ends: Iterable[Box]) -> frozenset[tuple[Box, Box]]:
    """The longest way to one of the ends: the main chain, which is drawn straight."""
    reads = [edge for edge in between if not edge.size_only]
    rank = ranks(boxes, reads)
    deepest: dict[Box, Box] = {}
    for edge in reads:
        known = deepest.get(edge.target)
        if known is None or rank[edge.source] > rank[known]:
            deepest[edge.target] = edge.source
    at, found = max(ends, key=rank.__getitem__), set[tuple[Box, Box]]()
    while at in deepest:
        found.add((deepest[at], at))
        at = deepest[at]
    return frozenset(found)
