"""What every kind computes, from its definition: arrays (N, C, H, W) walked position by position, tap by tap.

Where windows lie is told by tests/oracles.py; of a layer only the fields are read, of torch nothing is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import reduce
from itertools import product
from typing import Any

import numpy as np

from tests.oracles import (
    Slide,
    adaptive,
    along,
    centred,
    paddings,
    placements,
    positions,
    runs,
    scatter,
    slides_of,
)

Array = Any  # of float64; numpy's types know no index of as many axes as a map has
Weights = Mapping[str, Array]
Rule = Callable[..., Array]
RULES: dict[str, Rule] = {}
EVERY = slice(None)


def of(*kinds: str) -> Callable[[Rule], Rule]:
    """Make a function the rule of some kinds: it takes the layer, its weights and its inputs."""

    def add(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return add


def compute(layer: Any, weights: Weights, *inputs: Array) -> Array:
    """The output of a layer in evaluation."""
    return RULES[layer.kind](layer, weights, *inputs)


def zeros(sizes: tuple[int, ...]) -> Array:
    return np.zeros(sizes)


def per_channel(values: Array, x: Array) -> Array:
    """One number per channel, to be used at every position."""
    return values.reshape(-1, *[1] * (x.ndim - 2))


# -- windows -----------------------------------------------------------------------------------------------------------


def source(place: int, size: int, mode: str) -> int | None:
    """The position of the map that stands at a place in or around it; None where a zero stands there."""
    if 0 <= place < size:
        return place
    mirrored = -place if place < 0 else 2 * (size - 1) - place
    nearest = 0 if place < 0 else size - 1
    return {"zeros": None, "reflect": mirrored, "replicate": nearest, "circular": place % size}[mode]


def sources(places: tuple[int, ...], x: Array, mode: str = "zeros") -> tuple[int, ...] | None:
    """The same along every axis."""
    found = [source(place, size, mode) for place, size in zip(places, x.shape[2:], strict=True)]
    inside = tuple(place for place in found if place is not None)
    return inside if len(inside) == len(found) else None


def under(rows: list[list[Any]]) -> Iterator[tuple[tuple[int, ...], list[tuple[int, ...]]]]:
    """Every window of a map: its own index, and the places under it in the order of its taps."""
    for index in positions([len(row) for row in rows]):
        yield index, list(product(*(row[at] for row, at in zip(rows, index, strict=True))))


def convolution_sides(layer: Any, spatial: tuple[int, ...], slides: list[Slide]) -> list[tuple[int, int]]:
    """Padding before and after on every axis."""
    if layer.causal:
        return [(slides[0].dilation * (slides[0].taps - 1), 0)]
    if layer.padding is None:
        return list(map(centred, spatial, slides))
    return paddings(layer.padding, spatial, slides)


@of("CONV")
def convolution(layer: Any, weights: Weights, x: Array) -> Array:
    kernel = weights["weight"]
    slides = slides_of(layer, x.ndim - 2, layer.stride)
    sides = convolution_sides(layer, x.shape[2:], slides)
    rows = [placements(size, slide, *side) for size, slide, side in zip(x.shape[2:], slides, sides, strict=True)]
    taps = positions([slide.taps for slide in slides])
    read = [tuple(s.taps - 1 - t for s, t in zip(slides, tap, strict=True)) for tap in taps] if layer.flip else taps
    y = zeros((len(x), layer.filters, *map(len, rows)))
    for index, places in under(rows):
        for tap, place in zip(read, places, strict=True):
            at = sources(place, x, layer.pad)
            for outputs, inputs in zip(runs(layer.filters, layer.groups), runs(x.shape[1], layer.groups), strict=True):
                if at is not None:
                    y[(EVERY, outputs, *index)] += x[(EVERY, inputs, *at)] @ kernel[(outputs, EVERY, *tap)].T
    return y + per_channel(weights["bias"], y) if layer.bias else y


@of("UPCONV")
def transposed_convolution(layer: Any, weights: Weights, x: Array) -> Array:
    kernel = weights["weight"]
    slides = slides_of(layer, x.ndim - 2, layer.stride)
    borders = along((None,) if layer.padding is None else layer.padding, x.ndim - 2)
    kept = [scatter(*row, layer.extra) for row in zip(x.shape[2:], slides, borders, strict=True)]
    y = zeros((len(x), layer.filters, *map(len, kept)))
    for place, tap in product(positions(x.shape[2:]), positions([slide.taps for slide in slides])):
        reached = [p * slide.stride + t * slide.dilation for p, slide, t in zip(place, slides, tap, strict=True)]
        if any(at not in row for at, row in zip(reached, kept, strict=True)):
            continue
        index = tuple(row.index(at) for at, row in zip(reached, kept, strict=True))
        for outputs, inputs in zip(runs(layer.filters, layer.groups), runs(x.shape[1], layer.groups), strict=True):
            y[(EVERY, outputs, *index)] += x[(EVERY, inputs, *place)] @ kernel[(inputs, EVERY, *tap)]
    return y + per_channel(weights["bias"], y) if layer.bias else y


def pooled(rows: list[list[Any]], x: Array, join: Callable[[list[Array], list[tuple[int, ...]]], Any]) -> Array:
    """Every window joined to one number per channel, from the numbers inside the map and all places under it."""
    y = zeros((*x.shape[:2], *map(len, rows)))
    for index, places in under(rows):
        inside = [at for at in (sources(place, x) for place in places) if at is not None]
        y[(EVERY, EVERY, *index)] = join([x[(EVERY, EVERY, *at)] for at in inside], places)
    return y


def pooling_rows(layer: Any, x: Array) -> tuple[list[list[Any]], list[tuple[int, int]]]:
    """The places under every window of every axis, and the padding."""
    spatial, rank = x.shape[2:], x.ndim - 2
    if layer.to is not None:
        return [adaptive(*pair) for pair in zip(spatial, along(layer.to, rank), strict=True)], [(0, 0)] * rank
    slides = slides_of(layer, rank, layer.kernel if layer.stride is None else layer.stride)
    sides = paddings(layer.padding, spatial, slides)
    axes = zip(spatial, slides, sides, strict=True)
    return [placements(size, slide, *side, layer.ceil) for size, slide, side in axes], sides


@of("POOL")
def maximum(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    return pooled(pooling_rows(layer, x)[0], x, lambda inside, _: reduce(np.maximum, inside, -np.inf))


@of("AVGPOOL")
def mean(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    rows, sides = pooling_rows(layer, x)
    ends = [size + after for size, (_, after) in zip(x.shape[2:], sides, strict=True)]

    def join(inside: list[Array], places: list[tuple[int, ...]]) -> Any:
        padded = [place for place in places if all(at < end for at, end in zip(place, ends, strict=True))]
        return sum(inside) / (len(padded) if layer.countpad else len(inside))

    return pooled(rows, x, join)


@of("GAP", "GMP")
def global_pooling(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    y = zeros((*x.shape[:2], *[1] * (x.ndim - 2)))
    for example, channel in positions(x.shape[:2]):
        numbers = [x[(example, channel, *at)] for at in positions(x.shape[2:])]
        y[example, channel] = sum(numbers) / len(numbers) if layer.kind == "GAP" else max(numbers)
    return y


# -- units and channels ------------------------------------------------------------------------------------------------


@of("FC", "LINEAR")
def affine(layer: Any, weights: Weights, x: Array) -> Array:
    y = zeros((len(x), layer.units, *x.shape[2:]))
    for at in positions(x.shape[2:]):
        for unit in range(layer.units):
            total = sum(weights["weight"][unit, c] * x[(EVERY, c, *at)] for c in range(x.shape[1]))
            y[(EVERY, unit, *at)] = total + (weights["bias"][unit] if layer.bias else 0)
    return y[(EVERY, EVERY, *[0] * (x.ndim - 2))] if layer.kind == "FC" else y


@of("BN")
def batch_norm(layer: Any, weights: Weights, x: Array) -> Array:
    spread = np.sqrt(per_channel(weights["running_var"], x) + layer.eps)
    return learnt(layer, weights, (x - per_channel(weights["running_mean"], x)) / spread)


def learnt(layer: Any, weights: Weights, x: Array) -> Array:
    """Scale and shift per channel."""
    scaled = x * per_channel(weights["weight"], x) if layer.affine else x
    return scaled + per_channel(weights["bias"], x) if layer.affine and "bias" in weights else scaled


@of("LN", "IN", "GN", "RMSNORM")
def normalization(layer: Any, weights: Weights, x: Array) -> Array:
    """Each set of numbers that share their statistics, one after the other."""
    spatial, channels = positions(x.shape[2:]), range(x.shape[1])
    if layer.kind in ("IN", "GN"):
        groups = runs(x.shape[1], x.shape[1] if layer.kind == "IN" else layer.groups)
        sets = [[(c, *at) for c in group for at in spatial] for group in groups]
    else:
        sets = [[(c, *at) for c in channels] for at in spatial]
    y = zeros(x.shape)
    for example, places in product(range(len(x)), sets):
        numbers = np.array([x[(example, *place)] for place in places])
        centre = 0 if layer.kind == "RMSNORM" else sum(numbers) / len(numbers)
        variance = sum((numbers - centre) ** 2) / len(numbers)
        for place, number in zip(places, numbers, strict=True):
            y[(example, *place)] = (number - centre) / math.sqrt(variance + layer.eps)
    return learnt(layer, weights, y)


@of("LRN")
def local_response(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    y = zeros(x.shape)
    for c in range(x.shape[1]):
        near = [n for n in range(c - layer.n // 2, c - layer.n // 2 + layer.n) if 0 <= n < x.shape[1]]
        squares = sum(x[:, n] ** 2 for n in near)
        y[:, c] = x[:, c] / (layer.k + layer.alpha / layer.n * squares) ** layer.beta
    return y


@of("SCALE")
def scale(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    return x * per_channel(weights["weight"], x)


@of("PRELU", "LEAKY")
def leaky(layer: Any, weights: Weights, x: Array) -> Array:
    slope = layer.slope if layer.kind == "LEAKY" else per_channel(weights["weight"], x)
    return np.where(x > 0, x, slope * x)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


FUNCTIONS: dict[str, Callable[[float], float]] = {
    "RELU": lambda x: max(0, x),
    "RELU6": lambda x: min(max(0, x), 6),
    "SIGMOID": sigmoid,
    "TANH": lambda x: (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x)),
    "GELU": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "SILU": lambda x: x * sigmoid(x),
    "HSWISH": lambda x: x * min(max(0, x + 3), 6) / 6,
    "HSIGMOID": lambda x: min(max(0, x + 3), 6) / 6,
    "ELU": lambda x: x if x > 0 else math.exp(x) - 1,
    "SELU": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (math.exp(x) - 1)),
    "MISH": lambda x: x * math.tanh(math.log(1 + math.exp(x))),
    "SOFTPLUS": lambda x: math.log(1 + math.exp(x)),
}


@of(*FUNCTIONS)
def elementwise(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    return np.array([FUNCTIONS[layer.kind](float(number)) for number in x.flat]).reshape(x.shape)


@of("SOFTMAX")
def softmax(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    return np.exp(x) / sum(np.exp(x[:, [c]]) for c in range(x.shape[1]))


@of("DROPOUT", "DROPPATH", "NOISE", "IDENTITY", "NONE")
def unchanged(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    return x


# -- the same numbers elsewhere ----------------------------------------------------------------------------------------


@of("FLATTEN", "RESHAPE")
def refilled(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    order = positions(x.shape[1:])  # channel by channel, row by row
    sizes = (len(order),) if layer.kind == "FLATTEN" else (layer.to[-1], *layer.to[:-1])
    y = zeros((len(x), *sizes))
    for there, here in zip(positions(sizes), order, strict=True):
        y[(EVERY, *there)] = x[(EVERY, *here)]
    return y


@of("TRANSPOSE")
def transpose(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    return np.stack([x[:, :, place] for place in range(x.shape[2])], axis=1)


@of("PART")
def part(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    return x[:, runs(x.shape[1], layer.of)[layer.index]]


@of("SHUFFLE")
def shuffle(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    hands = runs(x.shape[1], layer.groups)
    return x[:, [hand[turn] for turn in range(len(hands[0])) for hand in hands]]


@of("CMEAN", "CMAX")
def over_channels(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    numbers = [x[:, [c]] for c in range(x.shape[1])]
    found: Array = sum(numbers) / len(numbers) if layer.kind == "CMEAN" else reduce(np.maximum, numbers)
    return found


def cubic(distance: float) -> float:
    """Keys' kernel with a = -3/4."""
    d, a = abs(distance), -0.75
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0


def shares(mode: str, unit: int, size: int, wanted: int) -> list[tuple[int, float]]:
    """The positions that a unit is made of along one axis, and by how much; those beyond an end are the end's."""
    if mode == "nearest":
        return [(math.floor(Fraction(unit * size, wanted)), 1)]
    place = (unit + Fraction(1, 2)) * Fraction(size, wanted) - Fraction(1, 2)
    near = range(math.floor(place) - 1, math.floor(place) + 3)
    weight = cubic if mode == "bicubic" else lambda distance: max(0, 1 - abs(distance))
    return [(min(max(at, 0), size - 1), weight(float(place - at))) for at in near]


@of("UPSAMPLE", "RESIZE")
def interpolation(layer: Any, weights: Weights, x: Array, like: Array | None = None) -> Array:  # noqa: ARG001
    spatial = x.shape[2:]
    if layer.kind == "UPSAMPLE":
        sizes = tuple(size * layer.factor for size in spatial)
    else:
        sizes = along(layer.to, len(spatial)) if like is None else like.shape[2:]
    y = zeros((*x.shape[:2], *sizes))
    for index in positions(sizes):
        for chosen in product(*map(shares, [layer.mode] * len(sizes), index, spatial, sizes)):
            at, weight = tuple(place for place, _ in chosen), math.prod(share for _, share in chosen)
            y[(EVERY, EVERY, *index)] += weight * x[(EVERY, EVERY, *at)]
    return y


@of("CROP")
def crop(layer: Any, weights: Weights, x: Array, like: Array | None = None) -> Array:  # noqa: ARG001
    spatial = x.shape[2:]
    sizes = along(layer.to, len(spatial)) if like is None else like.shape[2:]
    middle = [(there - size) // 2 for there, size in zip(spatial, sizes, strict=True)]
    starts = middle if layer.at is None else along(layer.at, len(spatial))
    return x[(EVERY, EVERY, *(slice(start, start + size) for start, size in zip(starts, sizes, strict=True)))]


@of("PAD")
def pad(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    sides = paddings(layer.padding, x.shape[2:], [])
    rows = [range(-before, size + after) for size, (before, after) in zip(x.shape[2:], sides, strict=True)]
    y = zeros((*x.shape[:2], *map(len, rows)))
    for index, place in zip(positions(y.shape[2:]), product(*rows), strict=True):
        at = sources(place, x, layer.pad)
        if at is not None:
            y[(EVERY, EVERY, *index)] = x[(EVERY, EVERY, *at)]
    return y


def deep(layer: Any, c: int, i: int, j: int, channels: int) -> int:
    """The channel in which row i, column j of the blocks of channel c lie."""
    f: int = layer.factor
    return c * f * f + i * f + j if layer.order == "torch" else (j * f + i) * channels + c


@of("UNSHUFFLE")
def to_depth(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    n, channels, height, width = x.shape
    f = layer.factor
    y = zeros((n, channels * f * f, height // f, width // f))
    for c, row, column in positions((channels, height, width)):
        y[:, deep(layer, c, row % f, column % f, channels), row // f, column // f] = x[:, c, row, column]
    return y


@of("PIXSHUFFLE")
def to_space(layer: Any, weights: Weights, x: Array) -> Array:  # noqa: ARG001
    n, channels, height, width = x.shape
    f = layer.factor
    y = zeros((n, channels // (f * f), height * f, width * f))
    for c, row, column in positions(y.shape[1:]):
        y[:, c, row, column] = x[:, deep(layer, c, row % f, column % f, y.shape[1]), row // f, column // f]
    return y


# -- merges ------------------------------------------------------------------------------------------------------------


@of("ADD", "MUL")
def arithmetic(layer: Any, weights: Weights, *inputs: Array) -> Array:  # noqa: ARG001
    sizes = tuple(max(axis) for axis in zip(*(x.shape for x in inputs), strict=True))
    y = zeros(sizes)
    for index in positions(sizes):
        numbers = [x[tuple(min(at, size - 1) for at, size in zip(index, x.shape, strict=True))] for x in inputs]
        y[index] = sum(numbers) if layer.kind == "ADD" else math.prod(numbers)
    return y


@of("CONCAT")
def concat(layer: Any, weights: Weights, *inputs: Array) -> Array:  # noqa: ARG001
    return np.stack([x[:, c] for x in inputs for c in range(x.shape[1])], axis=1)
