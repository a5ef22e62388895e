"""Memory held against a forward pass that is played through with torch's tensors, and against a sum by hand."""

from __future__ import annotations

from math import prod

import pytest
import torch
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from archspec import ArchspecError, Layer, Node, Shape, Spec, Storage, load, parse
from archspec.analysis.memory import memory
from archspec.layers.regularization import Dropout, TrainingOnly
from archspec.layers.reshape import Flatten, Part, Reshape
from archspec.layers.resize import Crop
from tests.receptive_field.comparison import described, network
from tests.receptive_field.networks import NETWORKS
from tests.strategies import trees
from tests.structures import Tree

EXAMPLES = settings.default.max_examples if settings.default else 100
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]


def play(spec: Spec, width: int, batch: int) -> tuple[dict[Node, int], dict[Node, int]]:
    """What every node allocates, and how many bytes there are right after it ran.

    Buffers are freed once nobody is going to read them; views hold on to the buffer that they look into. Which outputs
    are views is torch's word.
    """
    kept = list(spec.layers.outputs.values())
    running = [node for node in spec if node in needed(kept)]
    every = needed([*kept, *spec.layers.training_outputs.values()])
    tensors: dict[Node, torch.Tensor] = {}  # all are kept, so that no address comes twice
    allocated: dict[Node, int] = {}
    alive: dict[Node, int] = {}
    held: dict[int, int] = {}
    for step, node in enumerate(running):
        over = written_over(node, every, [*kept, *spec.layers.training_outputs.values()])
        tensors[node] = tensors[node.inputs[0]] if over else run(node, tensors, batch)
        address = buffer(tensors[node])
        allocated[node] = 0
        if address not in {buffer(tensors[source]) for source in node.inputs}:
            size = 8 if node.shape.channels is None else width
            allocated[node] = held[address] = tensors[node].numel() * size
        alive[node] = sum(held.values())
        to_come = [source for later in running[step + 1 :] for source in later.inputs] + kept
        wanted = {buffer(tensors[source]) for source in to_come if source in tensors}
        held = {owner: size for owner, size in held.items() if owner in wanted}
    return allocated, alive


def buffer(x: torch.Tensor) -> int:
    """The address of the memory in which a tensor lies."""
    return x.untyped_storage().data_ptr()


def run(node: Node, tensors: dict[Node, torch.Tensor], batch: int) -> torch.Tensor:
    """The output of a view as torch makes it; that of any other layer a new tensor."""
    layer = node.layer
    if layer.storage is not Storage.VIEW:
        channels = () if node.shape.channels is None else (node.shape.channels,)
        return torch.empty(batch, *channels, *node.shape.spatial)
    x = tensors[node.inputs[0]]
    if isinstance(layer, TrainingOnly):
        return torch.nn.functional.dropout(x, training=False)
    if isinstance(layer, Part):
        return x.chunk(layer.of, 1)[layer.index]
    if isinstance(layer, Crop):
        offsets = layer.offsets(*node.input_shapes)
        kept = (slice(at, at + size) for at, size in zip(offsets, node.shape.spatial, strict=True))
        return x[:, :, *kept]
    if isinstance(layer, Reshape):
        return x.reshape(batch, layer.to[-1], *layer.to[:-1])
    assert isinstance(layer, Flatten)
    return x.flatten(1)


def written_over(node: Node, every: set[Node], ends: list[Node]) -> bool:
    """Whether a layer that works in place may: alone it reads what a layer gives whose gradient needs no output."""
    if node.layer.storage is not Storage.IN_PLACE or node.inputs[0] in ends:
        return False
    source = node.inputs[0]
    linear = ["CONV", "UPCONV", "FC", "LINEAR", "BN", "LN", "IN", "GN", "RMSNORM", "ADD", "CONCAT", "MUL"]
    return source.layer.kind in linear and [other for other in every if source in other.inputs] == [node]


def needed(ends: list[Node]) -> set[Node]:
    """The ends and all that they read; what only lends its size is not read."""
    return set(ends).union(*(needed(list(end.inputs)) for end in ends)) if ends else set()


def check(spec: Spec, dtype: str = "float32", width: int = 4, batch: int = 1) -> None:
    totals = spec.analyze().totals
    found = memory(spec.layers, totals.parameters + totals.buffers, dtype, batch)
    allocated, alive = play(spec, width, batch)
    nothing = dict.fromkeys(spec, 0)
    assert dict(found.outputs) == nothing | allocated, described(spec)
    assert dict(found.alive) == nothing | alive, described(spec)
    assert (found.peak, found.activations) == (max(alive.values()), sum(allocated.values()))
    assert found.alive[found.peak_node] == found.peak
    assert found.weights == width * (totals.parameters + totals.buffers)


@settings(max_examples=EXAMPLES, suppress_health_check=SLOW)
@given(
    st.one_of(NETWORKS, trees().map(Tree.structured)),
    st.sampled_from([("float32", 4), ("float64", 8), ("bfloat16", 2), ("int8", 1)]),
    st.integers(1, 3),
)
def test_random_networks_are_as_played_through(text: str, dtype: tuple[str, int], batch: int) -> None:
    try:
        spec = parse(text, limit=40)
    except ArchspecError:
        reject()
    check(spec, *dtype, batch)


@pytest.mark.parametrize(
    ("layers", "more"),
    [
        (["CONV3-2 as a, DROPOUT-0.5, FLATTEN, FC-3", "RESHAPE to=1x1x3"], {}),
        (["CONV3-2 as a, RELU, CONV3-2", {"add": ["IDENTITY", "from a, DROPOUT-0.5, DROPOUT-0.5"]}, "CONV3-4"], {}),
        (["CONV3-2 as a, POOL2, CONV3-2, RESIZE like=a"], {}),
        (
            ["CONV3-8, RESHAPE to=16x8, TRANSPOSE, RESHAPE to=2x4x16, FLATTEN, RESHAPE to=8x16, PART-1 of=4, LINEAR-3"],
            {},
        ),
        ({"one": "CONV3-2", "two": "POOL2, CONV3-5", "three": "FLATTEN, FC-5"}, {"outputs": ["one", "three"]}),
        (
            {"one": "CONV3-2", "aux": "CONV3-64", "three": "from one, GAP"},
            {"outputs": "three", "training_outputs": "aux"},
        ),
    ],
)
def test_views_outputs_and_training_heads(layers: object, more: dict[str, object]) -> None:
    check(network("4x4x3", layers, **more))


def divisors(number: int) -> list[int]:
    return [size for size in range(1, number + 1) if number % size == 0]


@st.composite
def views(draw: DrawFn, shape: Shape) -> Layer:
    """A layer of some kind that may be a view of this shape; mostly one that puts the numbers out of order."""
    if shape.rank and draw(st.booleans()):
        to = tuple(draw(st.integers(max(1, size - 2), size)) for size in shape.spatial)
        return Crop(
            to=to, at=tuple(draw(st.integers(0, old - new)) for old, new in zip(shape.spatial, to, strict=True))
        )
    if draw(st.booleans()):
        sizes: list[int] = []
        for _ in range(draw(st.integers(1, 3))):
            sizes.append(draw(st.sampled_from(divisors(shape.elements // prod(sizes)))))
        return Reshape(to=(*sizes, shape.elements // prod(sizes)))
    of = draw(st.sampled_from(divisors(shape.sizes[-1])[:2]))
    return draw(st.sampled_from([Part(index=of // 2, of=of), Dropout(), Flatten()]))


@st.composite
def chains(draw: DrawFn) -> tuple[Shape, list[Layer]]:
    """An input, and views of views of it."""
    size = st.sampled_from((1, 2, 4, 6, 9))
    start = shape = Shape(tuple(draw(st.lists(size, min_size=1, max_size=3))), draw(size))
    layers: list[Layer] = []
    for _ in range(draw(st.integers(3, 8))):
        layers.append(draw(views(shape)))
        shape = layers[-1].output_shape(shape)
    return start, layers


@settings(max_examples=5 * EXAMPLES, suppress_health_check=SLOW)
@given(chains())
def test_views_of_views_share_and_copy_as_in_torch(chain: tuple[Shape, list[Layer]]) -> None:
    start, layers = chain
    spec = network("x".join(map(str, start.sizes)), [str(layer) for layer in layers])
    check(spec, batch=2)
    check(spec, batch=1)


def test_a_view_keeps_its_buffer_alive() -> None:
    """The 4 x 4 x 2 map is read last through its view: it and 9 more numbers are alive beside the 32 of the product."""
    spec = network("4x4x2", ["CONV3-2 as a, PART-0 of=2 as b, from a, CONV3-1", {"mul": ["IDENTITY", "from b"]}])
    found = memory(spec.layers, 0)
    names = {node.layer.kind: size for node, size in found.alive.items()}
    assert names == {"INPUT": 4 * 32, "CONV": 4 * (32 + 16), "PART": 4 * 32, "MUL": 4 * (32 + 16 + 16)}


def test_resnet50_by_hand() -> None:
    spec = load("resnet50")
    found = memory(spec.layers, 25557032 + 53120)
    # 25,557,032 parameters; buffers: mean and variance of the 26,560 channels that are normalised
    assert found.weights == (25557032 + 53120) * 4 == 102440608
    # the stem: the image; convolution and normalisation at 112 x 112 x 64, the activation in place; pooling
    numbers = 224 * 224 * 3 + 2 * 112 * 112 * 64 + 56 * 56 * 64
    before = 56 * 56
    for width, blocks, after in ((64, 3, 56**2), (128, 4, 28**2), (256, 6, 14**2), (512, 3, 7**2)):
        # narrow: CONV1 (at the old size) and CONV3, each with its BN; wide: CONV1 and its BN, the sum
        numbers += 2 * width * before + 2 * width * after + (2 + 1) * 4 * width * after
        numbers += 2 * 4 * width * after  # the convolution and BN of the first block's skip
        numbers += (blocks - 1) * (4 * width * after + 3 * 4 * width * after)
        before = after
    numbers += 2048 + 0 + 1000  # GAP, FLATTEN (a view), FC
    assert found.activations == 4 * numbers
    # The peak is in the first stage, where a block's wide maps hold 56 x 56 x 256 numbers: the skip's BN is written
    # while its input and the main branch's end still stand. The stem never holds more than two maps of as many numbers.
    assert found.peak == 3 * 56 * 56 * 256 * 4 == 9633792
    assert (found.peak_node.path.rsplit("/", 1)[-1], found.peak_node.layer.kind) == ("skip", "BN")


def test_batch_and_dtype_scale() -> None:
    spec = load("resnet50")
    one, eight = memory(spec.layers, 1000), memory(spec.layers, 1000, "float16", 16)
    assert (eight.weights, eight.activations, eight.peak) == (one.weights // 2, 8 * one.activations, 8 * one.peak)


def test_token_ids_are_whole_numbers_of_eight_bytes() -> None:
    spec = parse("{name: n, input: 7 ids, layers: {a: IDENTITY}, outputs: a}")
    assert [memory(spec.layers, 0, dtype).peak for dtype in ("float32", "int8")] == [56, 56]


def test_an_unknown_dtype_is_refused() -> None:
    with pytest.raises(ArchspecError) as caught:
        memory(load("resnet50").layers, 0, "float33")
    found = caught.value.diagnostics[0]
    assert (found.code, found.message) == ("unknown-dtype", "there is no dtype `float33`")
    assert found.hint is not None
    assert "float32" in found.hint
