"""Pictures of receptive fields: regions, growth and taps hold the numbers of the analyses and of the layers."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import archspec
from archspec.errors import ArchspecError
from archspec.layers.window import Phases, Reach
from archspec.nodes import Node
from archspec.spec import Spec
from tests.command import call, failure
from tests.visualize.marks import marks, rows, texts
from visualize.receptive_field import draw_growth, draw_receptive_field, draw_region, draw_taps
from visualize.receptive_field.choice import Choice, choose
from visualize.receptive_field.fan import MOST_TAPS, Fan, fan
from visualize.receptive_field.growth import steps
from visualize.receptive_field.region import FIELD, PADDING, READ
from visualize.receptive_field.taps import KINDS, SEEN, UNIT

BRANCHES = """
name: branches
input: 24x4
layers:
  - CONV3-8 s2
  - add: [[CONV3-8 d2, RELU, CONV1-8], CONV5-8]
  - UPCONV4-8 s2 p1
  - CONV3-8 d3
"""
CAUSAL = "{name: causal, input: 40x4, layers: [CONV2-8 causal, CONV2-8 causal d2, CONV2-8 causal d4]}"
GATED = "{name: gated, input: 16x24x4, layers: [CONV3x5-8 s2, {mul: [IDENTITY, [GAP, CONV1-8, SIGMOID]]}, POOL2]}"
TWO = """
name: two
input: {image: 9x9x3, sound: 12x2}
layers: [from sound, CONV3-8]
"""


def spec(text: str) -> Spec:
    return archspec.parse(text)


def chosen(text: str, layer: str | None = None, unit: str | None = None) -> Choice:
    return choose(spec(text), layer, unit, None)


def covered(found: list[dict[str, Any]], what: str) -> set[tuple[int, int]]:
    """The positions (row, column) in the rectangles of one kind."""
    return {
        (row, column)
        for one in found
        if one.get("what") == what
        for row in range(round(one["y"] + 0.5), round(one["y2"] + 0.5))
        for column in range(round(one["x"] + 0.5), round(one["x2"] + 0.5))
    }


def raised(*arguments: Any, **options: Any) -> ArchspecError:
    with pytest.raises(ArchspecError) as error:
        draw_receptive_field(*arguments, **options)
    return error.value


# -- the region --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["0,0", "10,10", "20,3"])
def test_the_cells_are_the_positions_that_the_analysis_names(unit: str) -> None:
    gridded = archspec.load("gridded")
    at = tuple(map(int, unit.split(",")))
    (node,) = gridded.layers.outputs.values()
    field = gridded.analyze().receptive_field(node)
    assert field is not None
    found = rows(draw_region(gridded, unit=unit))
    inside = set(product(*(axis.inside(*at).members() for axis in field.axes)))
    assert covered(found, READ) == inside
    reached = set(product(*(axis.at(*at).members() for axis in field.axes)))
    size = range(21)
    assert covered(found, PADDING) == {
        (row, column) for row, column in reached if row not in size or column not in size
    }
    (box,) = [row for row in found if row.get("what") == FIELD]
    spans = [(axis.at(*at).low - 0.5, axis.at(*at).high + 0.5) for axis in field.axes]
    assert [(box["y"], box["y2"]), (box["x"], box["x2"])] == spans
    centres = [(row["y"], row["x"]) for row in found if set(row) == {"x", "y"}]
    assert centres == [tuple(float(axis.centre(*at)) for axis in field.axes)]


def test_the_holes_of_dilation_show() -> None:
    assert len(covered(rows(draw_region(archspec.load("gridded"))), READ)) == 7 * 7
    assert len(covered(rows(draw_region(archspec.load("hybrid"))), READ)) == 13 * 13


def test_large_fields_are_drawn_as_runs() -> None:
    figure = draw_region(archspec.load("resnet50"))
    found = [row for row in rows(figure) if row.get("what") in (READ, PADDING)]
    assert len(covered(found, READ)) == 224 * 224
    assert len(covered(found, PADDING)) == 427 * 427 - 224 * 224
    assert len(found) == 9
    assert "H: reads 0 to 223; field -117 to 309; input 0 to 223" in texts(figure.svg())


def test_holes_too_fine_are_said_and_not_drawn() -> None:
    figure = draw_region(spec("{name: a, input: 300x300x1, layers: [CONV61-1 d3 p90]}"))
    assert "the holes are too fine to draw" in figure.notes
    assert len([row for row in rows(figure) if row.get("what") == READ]) == 1


def test_a_unit_that_reads_padding_alone_has_no_cell() -> None:
    figure = draw_region(spec("{name: a, input: 8x8x1, layers: [CONV3-1 p9]}"), unit="0,0")
    assert covered(rows(figure), READ) == set()
    assert "H: reads nothing; field -9 to -7; input 0 to 7" in figure.notes


def test_a_unit_that_no_tap_of_a_transposed_convolution_reaches() -> None:
    figure = draw_region(spec("{name: a, input: 12x3, layers: [UPCONV1-2 s3 op=2]}"), unit="1")
    assert figure.notes == ("L: reads nothing; no field; input 0 to 11",)
    assert marks(figure.svg())["symbol"] == 0


def test_sequences_and_volumes() -> None:
    strip = draw_region(spec(CAUSAL), unit="20")
    assert covered(rows(strip), READ) == {(0, position) for position in range(13, 21)}
    assert "L (position)" in texts(strip.svg())
    volume = draw_region(spec("{name: a, input: 4x6x8x1, layers: [CONV3-1]}"), unit="1,2,3")
    titles = [text for text in texts(volume.svg()) if text.endswith("(position)")]
    assert sorted(titles) == [f"{axis} (position)" for axis in "HHTTWW"]
    assert marks(volume.svg())["rect"] == 3 * (9 + 1 + 1 + 1)  # cells, sheet, border and field of each projection


def test_a_chosen_input() -> None:
    assert "L (position)" in texts(draw_region(spec(TWO), source="sound").svg())
    error = raised(spec(TWO), source="image")
    assert (error.code, "image" in error.diagnostics[0].message) == ("no-region", True)
    assert raised(spec(TWO), source="imgae").hint == "did you mean image?"


def test_gates_are_left_out_of_the_region() -> None:
    figure = draw_region(spec(GATED), unit="2,3")
    assert len(covered(rows(figure), READ)) == 5 * 7
    assert "gates and statistics, which read everything, are left out" in figure.notes


def test_an_input_that_is_read_through_a_gate_alone() -> None:
    text = """
    name: conditioned
    input: {image: 8x8x4, condition: 5x5x4}
    layers:
      - from image
      - mul: [CONV3-4, [from condition, CONV3-4, GAP, SIGMOID]]
      - CONV3-4 as end
    """
    figure = draw_receptive_field(spec(text), layer="end", source="condition", axis="H", unit="1,1")
    assert covered(rows(figure), READ) == set(product(range(5), range(5)))


# -- the choice --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "node", "unit"),
    [("dilated", 2, (0, 0)), ("unet", 53, (194, 194)), ("resnet50", 172, (3, 3)), ("vgg16", 32, (3, 3))],
)
def test_the_middle_unit_of_the_deepest_map_that_does_not_see_all(name: str, node: int, unit: tuple[int, ...]) -> None:
    found = choose(archspec.load(name), None, None, None)
    assert (found.node.index, found.unit) == (node, unit)


def test_where_deep_maps_see_all_a_shallower_one_is_chosen_and_the_growth_goes_on() -> None:
    found = choose(archspec.load("resnet152"), None, None, None)
    assert not found.field.whole
    assert found.last.index > found.node.index
    assert steps(found)[-1].sizes == (("H and W", 1451, 1451),)


@pytest.mark.parametrize(
    ("text", "options", "code", "hint"),
    [
        ("CONV3-8, FLATTEN, FC-2", {"layer": 3}, "no-region", "choose a map: --layer 1, CONV3-8"),
        ("CONV3-8", {"layer": "nowhere"}, "unknown-point", None),
        ("CONV3-8", {"unit": "8,8"}, "unit", "write --unit 4,4: one number per axis, from 0"),
        ("CONV3-8", {"unit": (1, 2, 3)}, "unit", "write --unit 4,4: one number per axis, from 0"),
        ("CONV3-8", {"axis": "T"}, "unknown-axis", "its axes are H, W"),
        ("GAP", {}, "no-region", "archspec table shows it layer by layer"),
        ("CONV3-8", {"image": "/nowhere/at/all.png"}, "unreadable", "check its name and permissions"),
    ],
)
def test_what_cannot_be_shown(text: str, options: dict[str, Any], code: str, hint: str | None) -> None:
    error = raised(spec(f"{{name: a, input: 8x8x3, layers: [{text}]}}"), **options)
    assert error.code == code
    assert hint is None or error.hint == hint


def test_a_vector_has_no_positions() -> None:
    error = raised(spec("{name: a, input: 784, layers: FC-10}"))
    assert (error.code, bool(error.hint)) == ("no-region", True)


# -- the growth --------------------------------------------------------------------------------------------------------


def test_the_growth_is_that_of_the_table() -> None:
    found = [(step.node.index, step.sizes[0][2]) for step in steps(chosen(archspec.load("dilated").source.text))]
    assert found == [(0, 1), (1, 3), (2, 7)]
    sizes = [step.sizes[0][2] for step in steps(choose(archspec.load("resnet50"), None, None, None))]
    assert (sizes[0], sizes[-1], sizes) == (1, 427, sorted(set(sizes)))


def test_phases_gates_and_axes_have_their_own_curves() -> None:
    labels = {label: (low, high) for label, low, high in steps(chosen(GATED))[-1].sizes}
    assert labels == {
        "H": (17, 17),
        "W": (27, 27),
        "H, without gates": (5, 5),
        "W, without gates": (7, 7),
    }
    unet = archspec.load("unet")
    assert steps(choose(unet, None, None, None))[-1].sizes == (("H and W", 188, 204),)
    assert marks(draw_growth(unet).svg())["area"] == 1


def test_the_labels_of_a_deep_network_are_its_stages_and_do_not_crowd() -> None:
    svg = draw_growth(archspec.load("resnet152")).svg()
    assert {"input: 224 along H and W", "body/row.3", "receptive field (positions)"} <= set(texts(svg))
    assert len(texts(svg)) < 40


# -- the taps ----------------------------------------------------------------------------------------------------------


def brute(node: Node, units: set[int], found: set[tuple[int, int, int, int]]) -> None:
    """Every tap along the only axis, asked of the layers one by one."""
    for source, window in zip(node.inputs, node.facts.windows, strict=True):
        ((_, how),) = window.axes
        read = set()
        for unit in units:
            places: Iterator[int] | range | tuple[int, ...]
            if isinstance(how, Phases):
                places = how.reads(unit)
            else:
                places = range(source.shape.spatial[0] if how is Reach.ALL else unit + 1)
            found |= {(node.index, unit, source.index, place) for place in places}
            read |= {place for place in places if 0 <= place < source.shape.spatial[0]}
        brute(source, read, found)


def taps(found: Fan) -> set[tuple[int, int, int, int]]:
    return {(tap.node.index, tap.unit, tap.source.index, tap.place) for tap in found.taps}


@pytest.mark.parametrize("unit", ["0", "3", "11", "23"])
def test_the_taps_are_those_of_the_layers(unit: str) -> None:
    choice = chosen(BRANCHES, unit=unit)
    expected: set[tuple[int, int, int, int]] = set()
    brute(choice.node, {int(unit)}, expected)
    plain = {3: 2, 4: 2}  # RELU and CONV1 pass on unit by unit: the merge reads the convolution before them
    named = [str(node.layer) for node in choice.spec]
    assert [named[at] for at in (2, 3, 4)] == ["CONV3-8 d2", "RELU", "CONV1-8"]
    folded = {(node, at, plain.get(source, source), place) for node, at, source, place in expected if node not in plain}
    found = fan(choice, 0)
    assert taps(found) == folded
    assert found.inside == found.count
    inputs = {tap.place for tap in found.taps if tap.source is choice.source and found.within(tap)}
    assert inputs == set(choice.field.axes[0].inside(*choice.unit).members())


def test_nothing_is_read_behind_a_unit_that_reads_padding_alone() -> None:
    found = fan(chosen("{name: a, input: 8x4, layers: [GAP, PAD p2]}", "2", "0"), 0)
    assert [row.read.count for row in found.rows] == [1, 0, 0]
    assert found.count == 0


def test_causal_units_stand_over_the_last_position_that_they_read() -> None:
    found = fan(chosen(CAUSAL, unit="20"), 0)
    assert {found.place(tap.node, tap.unit) - tap.unit for tap in found.taps} == {0}
    assert {(tap.unit, tap.place) for tap in found.taps if tap.node is found.rows[0].node} == {(20, 16), (20, 20)}


def test_behind_causal_layers_units_stand_over_what_they_read() -> None:
    found = fan(chosen("{name: a, input: 40x4, layers: [CONV2-8 causal d4, CONV3-8 s2, UPSAMPLE-2]}"), 0)
    assert [row.node.index for row in found.rows] == [3, 2, 1, 0]
    places = [[found.place(row.node, unit) for unit in range(3)] for row in found.rows]
    assert places == [[-0.5, 0.5, 1.5], [0, 2, 4], [0, 1, 2], [0, 1, 2]]


def test_units_that_read_everything_share_its_length() -> None:
    found = fan(chosen("{name: a, input: 8x4, layers: [CONV3-4, GAP]}", "2"), 0)
    assert found.place(found.rows[0].node, 0) == 3.5


def test_the_input_far_above_the_field_is_named_and_does_not_flatten_the_curve() -> None:
    svg = draw_growth(spec("{name: a, input: 16000x4, layers: [CONV3-4 x3]}")).svg()
    assert "input: 16,000 along L, far above" in texts(svg)
    assert "16,000" not in texts(svg)


def test_units_stand_at_the_centres_of_their_fields() -> None:
    choice = chosen("{name: a, input: 32x4, layers: [CONV5-4 s2, POOL2, CONV3-4 p0]}")
    found = fan(choice, 0)
    for row in found.rows:
        (axis,) = choice.of(row.node).axes
        assert all(found.place(row.node, unit) == axis.centre(unit) for unit in range(row.size))


def test_what_is_too_wide_is_a_window_that_says_so() -> None:
    text = "{name: a, input: 900x4, layers: [CONV9-4, CONV9-4, CONV201-4]}"
    found = fan(chosen(text), 0)
    low, high = found.view
    assert low < 450 < high
    assert len(found.taps) <= MOST_TAPS
    assert found.count == 201 + 201 * 9 + 209 * 9
    figure = draw_taps(spec(text))
    assert figure.notes[-1] == f"in view: positions {low:g} to {high:g}, {found.inside:,} of {found.count:,} taps"
    assert marks(figure.svg())["rule"] == len(found.taps)


def test_the_dot_of_the_unit_is_found_among_hundreds() -> None:
    found = rows(draw_taps(spec("{name: a, input: 400x4, layers: [CONV201-4]}")))
    sizes = {kind: {row["size"] for row in found if row.get("kind") == kind and "size" in row} for kind in KINDS}
    assert sizes[UNIT] == {SEEN}
    assert max(sizes["not read"]) < SEEN


def test_the_taps_of_a_plane_along_the_axis_that_is_named() -> None:
    figure = draw_receptive_field(spec("{name: a, input: 9x12x1, layers: [CONV3x5-4]}"), axis="w", unit="4,6")
    svg = figure.svg()
    assert "W (position of the input)" in texts(svg)
    assert {"CONV3x5-4 [12]", "INPUT [12]"} <= set(texts(svg))
    assert sum("kind" in row and "x2" in row for row in rows(figure)) == 5


# -- the image ---------------------------------------------------------------------------------------------------------


def png(width: int = 3, height: int = 2) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    lines = b"".join(b"\0" + bytes(range(3 * width)) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


JPEG = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x0b\x08\0\x02\0\x03\x01\x01\x11\0\xff\xda\0\x02\xff\xd9"


@pytest.mark.parametrize(("content", "kind"), [(png(), "png"), (JPEG, "jpeg")])
def test_an_image_lies_under_the_region(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "photo"
    path.write_bytes(content)
    figure = draw_region(archspec.load("alexnet"), layer="6", image=path)
    svg = figure.svg()
    assert f'href="data:image/{kind};base64,' in svg
    assert covered(rows(figure), READ) == set()  # the rest is veiled instead
    veiled = covered(rows(figure), "rest")
    assert len(veiled) == 224 * 224 - 67 * 67


@pytest.mark.parametrize(
    "content", [b"GIF89a", b"", png()[:-6], png()[:30] + b"x" + png()[31:], png(0), JPEG[:9], JPEG[:-2]]
)
def test_what_is_no_image(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    error = raised(archspec.load("alexnet"), image=path)
    assert (error.code, error.hint) == ("image", "a PNG or JPEG file")


def test_an_image_needs_an_input_with_height_and_width(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(png())
    assert raised(spec(CAUSAL), image=path).code == "image"


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_suffix_chooses_the_picture(tmp_path: Path) -> None:
    for suffix, start in ((".svg", b"<svg"), (".PNG", b"\x89PNG"), (".txt", b"dilated, up to")):
        path = tmp_path / f"rf{suffix}"
        assert call("rf", "dilated", "-o", str(path)).exit_code == 0
        assert path.read_bytes().startswith(start)


def test_the_options_of_the_picture(tmp_path: Path) -> None:
    photo, path = tmp_path / "photo.png", tmp_path / "rf.svg"
    photo.write_bytes(png())
    options = ("--layer", "near", "--unit", "1,2", "--image", str(photo), "--axis", "H", "--source", "input")
    result = call("rf", "dilated", *options, "-o", str(path))
    assert (result.exit_code, result.output) == (0, "")
    svg = path.read_text(encoding="utf-8")
    assert "Read by unit (1, 2) of node 1, CONV3-1 p0 (5 x 5 x 1)" in texts(svg)
    assert "data:image/png" in svg


@pytest.mark.parametrize("option", ["--image", "--axis", "--source"])
def test_options_of_the_picture_beside_a_table(option: str) -> None:
    code, lines = failure("rf", "dilated", option, "H")
    assert (code, "are for pictures" in lines[-1]) == (2, True)


@pytest.mark.parametrize("options", [("--tail", "2"), ("--format", "json")])
def test_options_of_the_table_beside_a_picture(options: tuple[str, str], tmp_path: Path) -> None:
    code, lines = failure("rf", "dilated", *options, "-o", str(tmp_path / "rf.svg"))
    assert (code, "are for tables" in lines[-1]) == (2, True)


def test_an_error_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rf.svg"
    code, lines = failure("rf", "dilated", "--layer", "neer", "-o", str(path))
    assert (code, lines[-1].strip()) == (2, "help: did you mean near?")
    assert not path.exists()
