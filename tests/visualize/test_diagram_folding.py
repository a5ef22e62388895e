"""What a diagram shows of a network: boxes as in the report, repeats once, edges that are true."""

from __future__ import annotations

import time

import pytest

from archspec.report.rows import rows
from archspec.spec import Spec, parse
from tests.visualize.drawing import NAMES, ODD, bundled
from visualize.diagram.depths import LONGEST, MOST, default_depth, nesting
from visualize.diagram.folding import Layout, edges, layout, ranks, sharing


def shown(text: str, depth: int | None = None, every: bool = False) -> tuple[Spec, Layout]:
    spec = parse(text)
    return spec, layout(spec.analyze(), depth, every)


def drawn(text: str, depth: int | None = None, every: bool = False) -> list[str]:
    """The labels of the boxes."""
    return [box.label for box in shown(text, depth, every)[1].boxes]


def frames(found: Layout) -> list[str]:
    """The titles of the frames, with how often they repeat."""
    parts = dict.fromkeys(part for box in found.boxes for part in box.parts if part in found.framed)
    return [f"{part.group.label} x {found.times.get(part, 1)}" for part in parts]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("depth", [None, 1, 2])
def test_every_layer_is_in_one_box_and_every_edge_leads_forward(name: str, depth: int | None) -> None:
    spec = bundled(name)
    found = layout(spec.analyze(), depth)
    nodes = [node for box in found.boxes for node in box.nodes]
    assert sorted(nodes, key=lambda node: node.index) == list(spec)
    place = {box: number for number, box in enumerate(found.boxes)}
    ends = [(place[edge.source], place[edge.target]) for edge in edges(found, spec.layers)]
    assert all(source < target for source, target in ends)
    assert len(set(ends)) == len(ends)


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "mobilenet_v2", "unet", "tutorial/inception"])
@pytest.mark.parametrize("depth", [None, 1, 2, 3])
def test_the_boxes_hold_the_rows_of_the_report(name: str, depth: int | None) -> None:
    analysis = bundled(name).analyze()
    boxes = layout(analysis, depth, every=True).boxes
    found = sorted((row for box in boxes for row in box.rows), key=lambda row: row.first.index)
    assert [(row.label, row.times, row.nodes) for row in found] == [
        (row.label, row.times, row.nodes) for row in rows(analysis, depth)
    ]
    assert sum(box.row.parameters.value for box in boxes) == analysis.parameters


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "zoo/slim/inception_v3"])
@pytest.mark.parametrize("depth", [None, 2, 3])
def test_edges_are_those_of_the_layers(name: str, depth: int | None) -> None:
    spec = bundled(name)
    found = layout(spec.analyze(), depth, every=True)
    expected = {
        (found.box_of[source], found.box_of[node])
        for node in spec
        for source in node.inputs + node.size_only
        if found.box_of[source] is not found.box_of[node]
    }
    assert {(edge.source, edge.target) for edge in edges(found, spec.layers)} == expected


def test_what_follows_a_layer_is_attached_to_it() -> None:
    text = "{name: a, input: 8x8x4, layers: [CONV3-4, BN, RELU, POOL2, RELU, BN, RELU, RELU, RELU, RELU, FLATTEN]}"
    assert drawn(text) == [
        "Input",
        "CONV3-4, BN, RELU",
        "POOL2, RELU, BN, RELU, RELU",
        "RELU, RELU",
        "FLATTEN",
    ]


def test_nothing_is_attached_to_what_is_read_twice_or_given_out_or_an_input() -> None:
    assert drawn("{name: a, input: 8x8x4, layers: [RELU, {add: [[RELU, CONV3-4], IDENTITY]}]}") == [
        "Input",
        "RELU",
        "RELU",
        "CONV3-4",
        "ADD",
    ]
    text = "{name: a, input: 8x8x4, layers: [CONV3-4 as a, RELU as b], outputs: [a, b]}"
    assert drawn(text) == ["Input", "CONV3-4", "RELU"]


def test_attached_layers_stay_in_their_block() -> None:
    text = "{name: a, input: 8x8x4, blocks: {b: [CONV3-4, BN]}, layers: [b, RELU]}"
    assert drawn(text) == ["Input", "CONV3-4, BN", "RELU"]


def test_blocks_that_repeat_are_drawn_once() -> None:
    _, found = shown("{name: a, input: 8x8x4, blocks: {b: [CONV3-4, POOL3 s1 p1]}, layers: {body: [b x3, CONV1-2]}}")
    assert frames(found) == ["body x 1", "b x 3"]
    assert [box.label for box in found.boxes] == ["Input", "CONV3-4", "POOL3 s1 p1", "CONV1-2"]
    assert [node.index for node in found.boxes[1].nodes] == [1, 3, 5]
    assert found.boxes[1].row.parameters.value == 148


def test_every_repeat_can_be_drawn() -> None:
    _, found = shown("{name: a, input: 8x8x4, blocks: {b: [CONV3-4, POOL3 s1 p1]}, layers: b x3}", every=True)
    assert frames(found) == ["b x 1"] * 3
    assert len(found.boxes) == 7


def test_repeats_within_repeats() -> None:
    text = "{name: a, input: 8x8x4, blocks: {c: [CONV3-4, POOL3 s1 p1], b: [c x2, CONV1-4]}, layers: b x3}"
    _, found = shown(text)
    assert frames(found) == ["b x 3", "c x 2"]
    assert [len(box.nodes) for box in found.boxes] == [1, 6, 6, 3]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("[b-4, b-4, b-8, b-8]", ["b(4) x 2", "b(8) x 1", "b(8) x 1"]),  # the first of 8 reads 4 channels
        ("[b-4, CONV1-4, b-4]", ["b(4) x 1", "b(4) x 1"]),  # not one after the other
        ("[b-4 as a, b-4, {add: [from a, IDENTITY]}]", ["b(4) x 1", "b(4) x 1"]),  # the first is read further on
        ("[{concat: [b-4, b-4]}]", ["b(4) x 1", "b(4) x 1"]),  # side by side
        ("[b-4 share k, b-4 share k, b-4 share k]", ["b(4) x 1", "b(4) x 2"]),  # the first one holds the weights
    ],
)
def test_only_what_is_the_same_in_series_is_a_repeat(layers: str, expected: list[str]) -> None:
    _, found = shown(f"{{name: a, input: 8x8x4, blocks: {{b(F): [CONV3-F, POOL3 s1 p1]}}, layers: {layers}}}")
    assert frames(found) == expected


def test_an_output_within_a_repeat_keeps_the_repeats_apart() -> None:
    text = "{name: a, input: 8x8x4, blocks: {b: [CONV3-4, POOL3 s1 p1]}, layers: [b as a, b as c], outputs: [a, c]}"
    assert frames(shown(text)[1]) == ["b x 1", "b x 1"]


def test_repeats_may_read_one_thing_from_outside() -> None:
    text = """
    name: a
    input: 8x8x4
    blocks: {b: [{add: [CONV3-4, from far]}, POOL3 s1 p1]}
    layers: [CONV1-4 as far, POOL3 s1 p1, b x3]
    """
    spec, found = shown(text)
    assert frames(found) == ["b x 3"]
    read = [(edge.source.label, edge.target.label) for edge in edges(found, spec.layers)]
    assert ("CONV1-4", "ADD") in read
    assert ("POOL3 s1 p1", "CONV3-4") in read


def test_the_frames_of_resnet() -> None:
    found = layout(bundled("resnet50").analyze())
    assert [title for title in frames(found) if not title.endswith(" x 1")] == [
        "bottleneck(64) x 2",
        "bottleneck(128) x 3",
        "bottleneck(256) x 5",
        "bottleneck(512) x 2",
    ]
    assert len(found.boxes) == 42


def test_what_is_taken_of_a_layer_shows_in_its_edge() -> None:
    spec, found = shown(ODD)
    kinds = {
        (edge.source.label, edge.target.label): (edge.size_only, edge.training) for edge in edges(found, spec.layers)
    }
    assert kinds["UPCONV2-16", "CROP like=big"] == (True, False)
    assert kinds["UPCONV2-16", "CONCAT"] == (False, False)
    assert kinds["CONV3-16 s2, BN, RELU", "GAP"] == (False, True)
    assert [(holder.key, user.key) for holder, user in sharing(found)] == [("box-2", "box-3")]


@pytest.mark.parametrize("name", NAMES)
def test_the_default_depth_is_the_deepest_that_can_be_read(name: str) -> None:
    spec = bundled(name)
    analysis = spec.analyze()
    depth, deepest = default_depth(analysis), nesting(analysis)

    def readable(depth: int | None) -> bool:
        found = layout(analysis, depth)
        longest = 1 + max(ranks(found.boxes, edges(found, spec.layers)).values())
        return len(found.boxes) <= MOST and longest <= LONGEST

    assert depth == 1 or readable(depth) or not deepest
    assert depth is None or not readable(depth + 1 if depth < deepest else None)


def test_deep_nests_and_long_chains_are_folded_quickly() -> None:
    nest = parse("{name: a, input: 8x8x4, blocks: {b(n): [CONV3-4, b-(n-1) if n > 0, CONV1-4]}, layers: b-60}")
    chain = parse("{name: a, input: 8x8x4, layers: CONV3-4 x3000}")
    deep, long = nest.analyze(), chain.analyze()
    start = time.perf_counter()
    assert len(layout(deep).boxes) == 123
    assert len(layout(deep, 30).boxes) == 60
    assert len(layout(long).boxes) == 3001
    assert time.perf_counter() - start < 20
