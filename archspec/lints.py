"""What an analysis says against a network: windows that see padding alone, holes, branches out of step, wasted depth.

Warnings are probable mistakes; notes state a property that many good networks have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.analysis import Analysis
from archspec.analysis.receptive_field import AxisField, ReceptiveField
from archspec.errors import Diagnostic
from archspec.graph import ancestors
from archspec.layers import Phases
from archspec.nodes import Node


def warnings(analysis: Analysis) -> Iterator[Diagnostic]:
    """Probable mistakes, in execution order."""
    for node in analysis.graph:
        if node in analysis.graph.needed:
            yield from _beside_the_map(node)
            yield from _out_of_step(node, analysis)
    for node in analysis.graph.outputs.values():
        yield from _gridding(node, analysis)


def _finding(code: str, message: str, node: Node, hint: str, severity: str = "warning") -> Diagnostic:
    return Diagnostic(code, message, node.span, hint, str(node.shape), node.trace, severity)


def _beside_the_map(node: Node) -> Iterator[Diagnostic]:
    """Weights that only ever meet padding: the map has become too small for them."""
    if not node.facts.weights:
        return
    for source, window in zip(node.inputs, node.facts.windows, strict=True):
        for size, (axis, reads) in zip(source.shape.spatial, window.axes, strict=True):
            if axis is None or not isinstance(reads, Phases):
                continue
            outside = _unmet(reads, size, node.shape.spatial[axis])
            if outside:
                message = f"{node.layer} sees nothing but padding with {outside} of its {_taps(reads)} taps"
                yield _finding("input-too-small", message, node, _remedy(node, source))
                return


def _remedy(node: Node, source: Node) -> str:
    if getattr(node.layer, "causal", False):
        return (
            f"the sequence is {source.shape}, and a causal layer is padded before it by all that its kernel reaches "
            "back: use a longer sequence, or a smaller kernel or dilation"
        )
    return f"the map is {source.shape}: use a smaller kernel, a larger input, or less downsampling before it"


def _taps(reads: Phases) -> int:
    return sum(map(len, reads.taps))


def _unmet(reads: Phases, size: int, units: int) -> int:
    """How many taps meet no position of a map of `size` from any of the units."""
    unmet = 0
    for phase, taps in enumerate(reads.taps):
        turns = -(-(units - phase) // reads.period)
        for tap in taps:
            first = max(0, -(tap // reads.step)) if reads.step else 0
            unmet += not (first < turns and 0 <= first * reads.step + tap < size)
    return unmet


def _out_of_step(node: Node, analysis: Analysis) -> Iterator[Diagnostic]:
    """A merge of branches whose units lie at different distances on the input, and did not in any one branch."""
    if len(node.inputs) < 2:
        return
    fields = analysis.receptive_fields
    for start, field in fields[node].items():
        for axis, joined in enumerate(field.gateless):
            parts = [
                fields[source][start].gateless[axis : axis + 1] for source in node.inputs if start in fields[source]
            ]
            if _drifts(joined) and not any(_drifts(one) for part in parts for one in part):
                jumps = ", ".join(map(str, sorted(joined.jumps)))
                message = f"the branches of {node.layer} step over the input at different distances: {jumps}"
                yield _finding("jumps-differ", message, node, "give them the same strides, or resize one")
                return


def _drifts(field: AxisField) -> bool:
    """Whether units that start together are a whole step or more apart at the other end of the map.

    Less than that is what resizing by odd sizes leaves, as between the levels of a feature pyramid.
    """
    units = max((field.units[axis] for axis, _ in field.parts if axis is not None), default=1)
    jumps = field.jumps
    return len(jumps) > 1 and (max(jumps) - min(jumps)) * (units - 1) >= max(jumps)


def _gridding(node: Node, analysis: Analysis) -> Iterator[Diagnostic]:
    """An output whose units leave holes in what they see, gates and statistics apart."""
    field = analysis.receptive_field(node)
    axis = min(field.gateless, key=lambda one: one.density, default=None) if field else None
    if axis is not None and axis.density < 1:
        holed = axis.sparsest
        message = f"units of the output see {holed.count} of {holed.extent} positions in their field, the others never"
        hint = (
            "dilations without a common factor, or one undilated layer behind them, close the holes of dilation; "
            "a kernel at least as large as its stride leaves none"
        )
        yield _finding("gridding", message, node, hint)


def notes(analysis: Analysis, node: Node) -> Iterator[Diagnostic]:
    """What the receptive field of a node says of depth and input size."""
    leading = sorted(ancestors([node]), key=lambda one: one.index)
    map_node = _last_map(leading, analysis)
    seen = analysis.receptive_field(map_node) if map_node else None
    if map_node is None or seen is None:
        return
    yield from _no_more_context(map_node, seen, leading, analysis)
    yield from _mostly_padding(map_node, seen)


def _last_map(leading: Sequence[Node], analysis: Analysis) -> Node | None:
    """The last node before everything is read at once: where units still differ in what they see."""
    for one in reversed(leading):
        field = analysis.receptive_field(one)
        if field and one.inputs and one.shape.rank and all(axis.jump != 0 for axis in field.gateless):
            return one
    return None


def _no_more_context(
    node: Node, field: ReceptiveField, leading: Sequence[Node], analysis: Analysis
) -> Iterator[Diagnostic]:
    """The depth from which every unit sees the whole input, and the sizes of input for which all depth is of use."""
    sizes = [axis.length for axis in field.gateless]
    if all(axis.size <= length for axis, length in zip(field.gateless, sizes, strict=True)):
        return
    first = next((one for one in leading if one.index <= node.index and _sees_all(one, analysis)), None)
    before = _before_last_window(node, analysis)
    where = f"{first.layer} (line {first.span.line}, node {first.index})" if first else None
    message = f"{node.layer} sees {_by(axis.size for axis in field.gateless)} positions of an input of {_by(sizes)}" + (
        f"; from {where} on every unit sees all of it, and more depth adds no context" if where else ""
    )
    least, most = _by(before), _by(axis.size for axis in field.gateless)
    hint = f"every layer widens what is seen for inputs from {least}; above {most} no unit sees the whole input"
    yield _finding("no-more-context", message, node, hint, "note")


def _by(sizes: Iterator[int] | list[int]) -> str:
    return "x".join(map(str, sizes))


def _sees_all(node: Node, analysis: Analysis) -> bool:
    field = analysis.receptive_field(node)
    return field is not None and bool(node.inputs) and field.without_gates.whole


def _before_last_window(node: Node, analysis: Analysis) -> list[int]:
    """The size of the field that the last layer which widens it reads from, by way of the widest branches."""

    def sizes(one: Node) -> list[int]:
        field = analysis.receptive_field(one)
        return [axis.size for axis in field.gateless] if field else []

    at = node
    while at.inputs:
        widest = max(at.inputs, key=lambda one: sum(sizes(one)))
        if sizes(widest) != sizes(at):
            return sizes(widest)
        at = widest
    return sizes(at)


def _mostly_padding(node: Node, field: ReceptiveField) -> Iterator[Diagnostic]:
    """A middle unit whose field holds more padding than image."""
    centre = tuple(size // 2 for size in node.shape.spatial)
    shares = []
    for axis in field.gateless:
        region = axis.region(*centre)
        inside = region[1] - region[0] + 1 if region else 0
        shares.append((inside, axis.size))
    inside, size = min(shares, key=lambda share: share[0] / max(1, share[1]), default=(1, 1))
    if 2 * inside < size:
        message = (
            f"a unit in the middle of {node.layer} sees {inside} positions of the image and {size - inside} of padding"
        )
        yield _finding("mostly-padding", message, node, "use a larger input or fewer layers with padding", "note")
