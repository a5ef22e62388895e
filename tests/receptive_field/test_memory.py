"""Memory held against a forward pass that is played through, and against a sum by hand."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from archspec import ArchspecError, Node, Spec, Storage, load, parse
from archspec.analysis.memory import memory
from tests.receptive_field.comparison import described, network
from tests.receptive_field.networks import NETWORKS
from tests.strategies import trees
from tests.structures import Tree

EXAMPLES = settings.default.max_examples if settings.default else 100
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]


def play(spec: Spec, width: int, batch: int) -> tuple[dict[Node, int], dict[Node, int]]:
    """What every node allocates, and how many bytes there are right after it ran.

    Buffers are freed once nobody is going to read them; views hold on to the buffer that they look into.
    """
    kept = list(spec.layers.outputs.values())
    running = [node for node in spec if node in needed(kept)]
    buffer: dict[Node, Node] = {}  # whose memory a node's output lies in
    allocated: dict[Node, int] = {}
    alive: dict[Node, int] = {}
    held: dict[Node, int] = {}
    for step, node in enumerate(running):
        fresh = node.layer.storage is Storage.FRESH
        buffer[node] = node if fresh else buffer[node.inputs[0]]
        allocated[node] = 0
        if fresh:
            count = batch * (node.shape.channels or 1)
            for size in node.shape.spatial:
                count *= size
            allocated[node] = held[node] = count * (8 if node.shape.channels is None else width)
        alive[node] = sum(held.values())
        to_come = [source for later in running[step + 1 :] for source in later.inputs] + kept
        wanted = {buffer[source] for source in to_come if source in buffer}
        held = {owner: size for owner, size in held.items() if owner in wanted}
    return allocated, alive


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
        ({"one": "CONV3-2", "two": "POOL2, CONV3-5", "three": "FLATTEN, FC-5"}, {"outputs": ["one", "three"]}),
        (
            {"one": "CONV3-2", "aux": "CONV3-64", "three": "from one, GAP"},
            {"outputs": "three", "training_outputs": "aux"},
        ),
    ],
)
def test_views_outputs_and_training_heads(layers: object, more: dict[str, object]) -> None:
    check(network("4x4x3", layers, **more))


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
    # the stem: the image; convolution, normalisation and activation at 112 x 112 x 64; pooling
    numbers = 224 * 224 * 3 + 3 * 112 * 112 * 64 + 56 * 56 * 64
    before = 56 * 56
    for width, blocks, after in ((64, 3, 56**2), (128, 4, 28**2), (256, 6, 14**2), (512, 3, 7**2)):
        # narrow: three outputs each of CONV1 (at the old size) and CONV3; wide: CONV1 and its BN, sum, activation
        numbers += 3 * width * before + 3 * width * after + (2 + 2) * 4 * width * after
        numbers += 2 * 4 * width * after  # the convolution and BN of the first block's skip
        numbers += (blocks - 1) * (6 * width * after + 4 * 4 * width * after)
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
