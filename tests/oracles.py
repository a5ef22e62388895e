"""The brute-force oracle: what a layer gives, holds and costs, found by doing it, as it is defined.

Windows are placed one by one, weights are listed one by one, multiply-accumulates are counted one by one. Nothing here
calls a layer's facts or the arithmetic behind them: of a layer only the fields are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import product
from typing import Any, NamedTuple

from archspec.graph import LayerGraph
from archspec.nodes import Node

Size = tuple[tuple[int, ...], int | None]  # spatial sizes and channels; None for token ids
Rank = tuple[int, ...]
MODES = {"nearest": (1, 2, 3), "linear": (1,), "bilinear": (2,), "bicubic": (2,), "trilinear": (3,)}


class Impossible(Exception):
    """The definition has no meaning for this layer and these inputs."""


class Measured(NamedTuple):
    """The output's shape, trainable elements, buffer elements, multiply-accumulates."""

    shape: Size
    trainable: int = 0
    buffers: int = 0
    macs: int = 0


Rule = Callable[..., Measured]
RULES: dict[str, Rule] = {}


def of(*kinds: str) -> Callable[[Rule], Rule]:
    """Make a function the rule of some kinds."""

    def add(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return add


@cache
def measure(layer: Any, *inputs: Size) -> Measured:
    """What one layer makes of its inputs; raises Impossible."""
    return RULES[layer.kind](layer, *inputs)


def recompute(graph: LayerGraph) -> dict[Node, Measured]:
    """Every node, from the inputs onward: only layers and edges are taken from the graph."""
    found: dict[Node, Measured] = {}
    for node in graph:
        found[node] = measure(node.layer, *(found[source].shape for source in (*node.inputs, *node.size_only)))
    return found


def totals(found: dict[Node, Measured], ends: Iterable[Node]) -> tuple[int, int, int]:
    """Trainable elements, buffers and multiply-accumulates of all that some ends read; shared weights count once."""
    reached, pending = [], list(ends)
    while pending:
        node = pending.pop()
        if node not in reached:
            reached.append(node)
            pending.extend(node.inputs)
    holders = {node.shared or node for node in reached}
    return (
        sum(found[node].trainable for node in holders),
        sum(found[node].buffers for node in holders),
        sum(found[node].macs for node in reached),
    )


# -- tools -------------------------------------------------------------------------------------------------------------


def demand(condition: bool) -> None:
    if not condition:
        raise Impossible


def numbers(size: Size) -> tuple[tuple[int, ...], int]:
    """A size with channels, of any rank."""
    spatial, channels = size
    if channels is None:
        raise Impossible
    return spatial, channels


def image(size: Size, ranks: Rank = (1, 2, 3)) -> tuple[tuple[int, ...], int]:
    """A size with channels and spatial axes."""
    demand(len(size[0]) in ranks)
    return numbers(size)


def positions(spatial: Sequence[int]) -> list[tuple[int, ...]]:
    return list(product(*map(range, spatial)))


def count(things: Iterable[object]) -> int:
    return sum(1 for _ in things)


def along(values: tuple[Any, ...], rank: int) -> tuple[Any, ...]:
    """One value per axis; a single one stands for all."""
    demand(len(values) in (1, rank))
    return values if len(values) == rank else values * rank


def runs(total: int, groups: int) -> list[list[int]]:
    """The numbers below `total` in equal consecutive runs."""
    demand(total % groups == 0)
    return [[one for one in range(total) if one * groups // total == group] for group in range(groups)]


def links(channels: int, filters: int, groups: int) -> list[tuple[int, int]]:
    """The pairs of an output and an input channel that lie in the same group."""
    pairs = zip(runs(filters, groups), runs(channels, groups), strict=True)
    return [pair for outputs, inputs in pairs for pair in product(outputs, inputs)]


class Slide(NamedTuple):
    """A window on one axis: its taps, the step between windows, the distance of taps."""

    taps: int
    stride: int
    dilation: int


def placements(size: int, slide: Slide, before: int, after: int, ceil: bool = False) -> list[list[int]]:
    """The input positions under every window, while it fits into the padded input.

    With `ceil` a window may hang over the end by less than a stride, if it starts inside or before the input.
    """
    found: list[list[int]] = []
    while True:
        start = slide.stride * len(found) - before
        window = [start + slide.dilation * tap for tap in range(slide.taps)]
        overhang = window[-1] - (size + after - 1)
        if overhang > (slide.stride - 1 if ceil else 0) or (ceil and start >= size):
            return found
        found.append(window)


def same(size: int, slide: Slide) -> tuple[int, int]:
    """TensorFlow's: the least padding that gives every s-th position a window, the odd element behind."""
    wanted, padding = count(range(0, size, slide.stride)), 0
    while len(placements(size, slide, 0, padding)) < wanted:
        padding += 1
    return padding // 2, padding - padding // 2


def centred(size: int, slide: Slide) -> tuple[int, int]:
    """Equal padding on both sides that keeps the size at stride 1."""
    dense = slide._replace(stride=1)
    for padding in range(slide.taps * slide.dilation + 1):
        if len(placements(size, dense, padding, padding)) == size:
            return padding, padding
    raise Impossible


def paddings(padding: Any, spatial: tuple[int, ...], slides: list[Slide]) -> list[tuple[int, int]]:
    """Before and after on every axis."""
    if padding == "same":
        return list(map(same, spatial, slides))
    sides = (0,) if padding == "valid" else padding
    return [side if isinstance(side, tuple) else (side, side) for side in along(sides, len(spatial))]


def check_sources(mode: str, size: int, before: int, after: int) -> None:
    """Every padded position must find the one that it copies inside the input."""
    for place in (*range(-before, 0), *range(size, size + after)):
        mirrored = -place if place < 0 else 2 * (size - 1) - place
        wrapped = place + size if place < 0 else place - size
        source = {"reflect": mirrored, "circular": wrapped}.get(mode, 0)
        demand(0 <= source < size)


# -- windows -----------------------------------------------------------------------------------------------------------


def slides_of(layer: Any, rank: int, stride: tuple[int, ...]) -> list[Slide]:
    dilation = getattr(layer, "dilation", (1,))
    return list(map(Slide, *(along(values, rank) for values in (layer.kernel, stride, dilation))))


@of("CONV")
def convolution(layer: Any, size: Size) -> Measured:
    spatial, channels = image(size)
    slides = slides_of(layer, len(spatial), layer.stride)
    if layer.causal:
        demand(len(spatial) == 1 and layer.padding is None)
        sides = [(slides[0].dilation * (slides[0].taps - 1), 0)]  # the last tap lies on the present
    elif layer.padding is None:
        sides = list(map(centred, spatial, slides))
    else:
        sides = paddings(layer.padding, spatial, slides)
    for length, side in zip(spatial, sides, strict=True):
        check_sources(layer.pad, length, *side)
    rows = [placements(length, slide, *side) for length, slide, side in zip(spatial, slides, sides, strict=True)]
    demand(all(rows))
    weights = set(product(links(channels, layer.filters, layer.groups), positions([slide.taps for slide in slides])))
    outputs = list(product(*rows))
    shape = tuple(map(len, rows)), layer.filters
    return Measured(shape, len(weights) + layer.bias * layer.filters, 0, count(product(outputs, weights)))


@of("UPCONV")
def transposed_convolution(layer: Any, size: Size) -> Measured:
    spatial, channels = image(size)
    slides = slides_of(layer, len(spatial), layer.stride)
    borders = (None,) if layer.padding is None else layer.padding
    kept = [scatter(*row, layer.extra) for row in zip(spatial, slides, along(borders, len(spatial)), strict=True)]
    weights = set(product(links(channels, layer.filters, layer.groups), positions([slide.taps for slide in slides])))
    macs = count(product(positions(spatial), weights))
    return Measured((tuple(map(len, kept)), layer.filters), len(weights) + layer.bias * layer.filters, 0, macs)


def scatter(size: int, slide: Slide, padding: int | None, extra: int) -> list[int]:
    """The output positions: those from the first to the last that a tap reaches, `extra` more, without the padding."""
    demand(extra < slide.stride or extra < slide.dilation)
    touched = {place * slide.stride + tap * slide.dilation for place in range(size) for tap in range(slide.taps)}
    row = list(range(max(touched) + 1 + extra))
    if padding is None:
        fitting = [cut for cut in range(len(row)) if len(row) - 2 * cut == slide.stride * size]
        demand(bool(fitting))
        padding = fitting[0]
    kept = [place for place in row if padding <= place < len(row) - padding]
    demand(bool(kept))
    return kept


@of("POOL", "AVGPOOL")
def pooling(layer: Any, size: Size) -> Measured:
    spatial, channels = image(size)
    if layer.to is not None:
        demand(layer == type(layer)(to=layer.to))
        wanted = along(layer.to, len(spatial))
        return Measured((tuple(len(adaptive(*pair)) for pair in zip(spatial, wanted, strict=True)), channels))
    demand(layer.kernel is not None)
    slides = slides_of(layer, len(spatial), layer.kernel if layer.stride is None else layer.stride)
    sides = paddings(layer.padding, spatial, slides)
    demand(all(2 * max(side) <= slide.taps for side, slide in zip(sides, slides, strict=True)))
    axes = zip(spatial, slides, sides, strict=True)
    rows = [placements(length, slide, *side, layer.ceil) for length, slide, side in axes]
    demand(all(rows))
    return Measured((tuple(map(len, rows)), channels))


def adaptive(size: int, windows: int) -> list[range]:
    """Windows from floor(i in / out) to ceil((i + 1) in / out)."""
    found = [range(i * size // windows, -(-(i + 1) * size // windows)) for i in range(windows)]
    demand(all(found))
    return found


@of("GAP", "GMP")
def global_pooling(layer: Any, size: Size) -> Measured:  # noqa: ARG001
    spatial, channels = image(size)
    return Measured((tuple(len([range(length)]) for length in spatial), channels))


# -- units and channels ------------------------------------------------------------------------------------------------


@of("FC", "LINEAR")
def affine(layer: Any, size: Size) -> Measured:
    spatial, channels = numbers(size)
    whole = layer.kind == "FC"
    demand(not whole or len(positions(spatial)) == 1)
    weights = set(product(range(layer.units), range(channels)))
    macs = count(product(positions(spatial), weights))
    return Measured((() if whole else spatial, layer.units), len(weights) + layer.bias * layer.units, 0, macs)


@of("BN", "LN", "IN", "GN", "RMSNORM")
def normalization(layer: Any, size: Size) -> Measured:
    spatial, channels = image(size) if layer.kind == "IN" else numbers(size)
    if layer.kind == "GN":
        runs(channels, layer.groups)
    learnt = ["scale"] if layer.kind == "RMSNORM" else ["scale", "shift"]
    running = ["mean", "variance"] if layer.kind == "BN" else []
    held = count(product(learnt, range(channels))) if layer.affine else 0
    return Measured((spatial, channels), held, count(product(running, range(channels))))


@of("SCALE", "PRELU")
def per_channel(layer: Any, size: Size) -> Measured:  # noqa: ARG001
    return Measured(numbers(size), count(range(numbers(size)[1])))


@of("RELU", "RELU6", "SIGMOID", "TANH", "GELU", "SILU", "HSWISH", "HSIGMOID", "ELU", "SELU", "MISH", "SOFTPLUS")
@of("SOFTMAX", "LEAKY", "DROPOUT", "DROPPATH", "NOISE")
def elementwise(layer: Any, size: Size) -> Measured:  # noqa: ARG001
    return Measured(numbers(size))


@of("LRN", "SHUFFLE")
def among_channels(layer: Any, size: Size) -> Measured:
    spatial, channels = image(size)
    if layer.kind == "SHUFFLE":
        dealt = [run[turn] for turn in range(channels // layer.groups) for run in runs(channels, layer.groups)]
        demand(sorted(dealt) == list(range(channels)))
    return Measured((spatial, channels))


@of("PART")
def part(layer: Any, size: Size) -> Measured:
    spatial, channels = numbers(size)
    parts = dict(enumerate(runs(channels, layer.of)))
    demand(layer.index in parts)
    return Measured((spatial, len(parts[layer.index])))


@of("CMEAN", "CMAX")
def over_channels(layer: Any, size: Size) -> Measured:  # noqa: ARG001
    return Measured((numbers(size)[0], 1))


# -- the same numbers elsewhere ----------------------------------------------------------------------------------------


@of("FLATTEN")
def flatten(layer: Any, size: Size) -> Measured:  # noqa: ARG001
    spatial, channels = numbers(size)
    return Measured(((), len(positions((channels, *spatial)))))


@of("RESHAPE")
def reshape(layer: Any, size: Size) -> Measured:
    spatial, channels = numbers(size)
    demand(len(layer.to) in (1, 2, 3, 4))
    demand(len(positions((channels, *spatial))) == len(positions(layer.to)))
    return Measured((layer.to[:-1], layer.to[-1]))


@of("TRANSPOSE")
def transpose(layer: Any, size: Size) -> Measured:  # noqa: ARG001
    (length,), channels = image(size, (1,))
    moved = {(c, place) for place, c in positions((length, channels))}
    return Measured(((max(c for c, _ in moved) + 1,), max(place for _, place in moved) + 1))


@of("IDENTITY", "NONE")
def unchanged(layer: Any, size: Size) -> Measured:  # noqa: ARG001
    return Measured(size)


@of("INPUT")
def given(layer: Any) -> Measured:
    return Measured(layer.shape)


@of("UPSAMPLE")
def upsample(layer: Any, size: Size) -> Measured:
    spatial, channels = image(size, MODES[layer.mode])
    return Measured((tuple(count(product(range(length), range(layer.factor))) for length in spatial), channels))


@of("RESIZE", "CROP")
def sized(layer: Any, size: Size, like: Size | None = None) -> Measured:
    spatial, channels = image(size)
    demand((layer.like is None) != (layer.to is None))
    wanted = along(layer.to, len(spatial)) if like is None else like[0]
    demand(len(wanted) == len(spatial))
    if layer.kind == "RESIZE":
        image(size, MODES[layer.mode])
        return Measured((wanted, channels))
    starts = along((None,) if layer.at is None else layer.at, len(spatial))
    for there, length, start in zip(spatial, wanted, starts, strict=True):
        demand(length <= there)
        first = (there - length) // 2 if start is None else start
        demand(set(range(first, first + length)) <= set(range(there)))
    return Measured((wanted, channels))


@of("PAD")
def pad(layer: Any, size: Size) -> Measured:
    spatial, channels = image(size)
    sides = paddings(layer.padding, spatial, [])
    for length, side in zip(spatial, sides, strict=True):
        check_sources(layer.pad, length, *side)
    axes = zip(spatial, sides, strict=True)
    return Measured((tuple(len(range(-before, length + after)) for length, (before, after) in axes), channels))


@of("UNSHUFFLE")
def to_depth(layer: Any, size: Size) -> Measured:
    spatial, channels = image(size, (2,))
    blocks: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for row, column, c in positions((*spatial, channels)):
        blocks.setdefault((row // layer.factor, column // layer.factor), []).append((row, column, c))
    full = count(product(range(layer.factor), range(layer.factor), range(channels)))
    demand(all(len(block) == full for block in blocks.values()))
    return Measured(((max(row for row, _ in blocks) + 1, max(column for _, column in blocks) + 1), full))


@of("PIXSHUFFLE")
def to_space(layer: Any, size: Size) -> Measured:
    (height, width), channels = image(size, (2,))
    block = positions((layer.factor, layer.factor))
    left = runs(channels, channels // len(block)) if channels >= len(block) else []
    demand(bool(left) and all(len(run) == len(block) for run in left))
    rows = {row * layer.factor + i for row in range(height) for i, _ in block}
    columns = {column * layer.factor + j for column in range(width) for _, j in block}
    return Measured(((len(rows), len(columns)), len(left)))


# -- merges ------------------------------------------------------------------------------------------------------------


@of("ADD")
def add(layer: Any, *sizes: Size) -> Measured:  # noqa: ARG001
    demand(len(set(map(numbers, sizes))) == 1)
    return Measured(sizes[0])


@of("CONCAT")
def concat(layer: Any, *sizes: Size) -> Measured:  # noqa: ARG001
    demand(len({spatial for spatial, _ in sizes}) == 1)
    return Measured((sizes[0][0], len([c for size in sizes for c in range(numbers(size)[1])])))


@of("MUL")
def multiply(layer: Any, *sizes: Size) -> Measured:  # noqa: ARG001
    flat = [(*spatial, channels) for spatial, channels in map(numbers, sizes)]
    demand(len({len(one) for one in flat}) == 1)
    axes = [set(axis) - {1} or {1} for axis in zip(*flat, strict=True)]
    demand(all(len(axis) == 1 for axis in axes))
    *spatial, channels = (axis.pop() for axis in axes)
    return Measured((tuple(spatial), channels))
