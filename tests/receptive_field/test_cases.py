"""Networks by name: each held against brute force, and against figures worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archspec import Spec, parse
from archspec.analysis import reads
from archspec.analysis.positions import Positions
from archspec.analysis.receptive_field import AxisField, ReceptiveField, first, receptive_field
from tests.receptive_field.comparison import compare, network

CONV_PAIR = "CONV3-2 p0, RELU"
UNET = [
    f"{CONV_PAIR} as one",
    f"POOL2, {CONV_PAIR} as two",
    f"POOL2, {CONV_PAIR}, UPCONV2-2 as up",
    {"concat": ["from two, CROP like=up", "IDENTITY"]},
    f"{CONV_PAIR}, UPCONV2-2 as top",
    {"concat": ["from one, CROP like=top", "IDENTITY"]},
    CONV_PAIR,
]
FCN = [
    "CONV3-2 p9, POOL2 as third, CONV3-2, POOL2 as fourth, CONV3-2, POOL2, CONV3-2 p0, CONV1-2",
    "UPCONV4-2 s2 p0 as twice",
    {"add": ["IDENTITY", "from fourth, CONV1-2, CROP like=twice at=1"]},
    "UPCONV4-2 s2 p0 as fourfold",
    {"add": ["IDENTITY", "from third, CONV1-2, CROP like=fourfold at=2"]},
    "UPCONV4-2 s2 p0, CROP like=image at=3",
]
GATED = ["CONV3-4", {"mul": ["IDENTITY", "GAP, CONV1-2, RELU, CONV1-4, SIGMOID"]}, "CONV3-4 s2"]
CASES: list[tuple[str, object]] = [
    ("28x1", UNET),
    ("24x26x1", UNET),
    ("16x1", FCN),
    ("12x10x1", FCN),
    ("5x4x1", "CONV3-2, CONV3-8, PIXSHUFFLE-2, CONV3-1"),
    ("4x3x1", "CONV3-9, PIXSHUFFLE-3, CONV3-4 s2, UNSHUFFLE-2 if H % 2 == 0 and W % 2 == 0, CONV3-1"),
    ("20x2", [f"CONV2-2 causal d{2**j}, RELU" for j in range(4)]),
    ("16x2", [{"add": [f"CONV3-2 causal d{2**j}, RELU", "IDENTITY"]} for j in range(4)]),
    ("6x5x4", GATED),
    ("6x5x4", ["CONV3-4", {"mul": ["IDENTITY", "AVGPOOL to=1x5, CONV1x3-4"]}, "CONV3-2"]),
    ("7x5x2", "CONV3-2, AVGPOOL to=3x4, CONV3-2, POOL to=2"),
    ("11x2", "POOL to=4, CONV3-2, AVGPOOL to=7, CONV3-1 s2"),
    ("7x6x2", "CONV3-2 p0:2x1:0, CONV2-2 s2 p0:1, PAD p2:1x0:1, POOL3 s2 p=same"),
    ("8x2", "POOL3 s2 ceil=yes, POOL2 ceil=yes, POOL3 s2 p1 ceil=yes"),
    ("3x4x4x2", "CONV3-2 s1x2x2, CONV3x1x1-2 d1x2x2, POOL1x2x2, CONV1-1"),
    ("9x2", "RESIZE to=7, CONV2-2 p0, RESIZE to=5, CONV2-2 p=same, RESIZE to=11 mode=linear, CONV3-2"),
    ("6x6x2", "CONV3-2, GN-1, CONV3-2 s2, IN, CONV3-2"),
    ("6x2", "CONV3-2, GAP, UPSAMPLE-6, CONV3-2"),
    ("12x2", [{"add": ["POOL2, UPSAMPLE-2", "POOL3, UPSAMPLE-3"]}, "CONV3-2"]),
    ("5x5x1", "POOL2, CONV5-1, CONV3-1 x3, GAP"),  # the last row and column are read by nothing
    ("5x4x1", "POOL2, CONV5-1, UPSAMPLE-3, CONV7-1, FLATTEN, FC-3"),
    ("16x1", "CROP to=8 at=4, CONV3-1, CONV5-1"),
    ("4x4x1", "GAP, CONV3-1 p4"),  # only one unit and its neighbours meet the one position
    ("6x5x1", "PAD p0:1, CONV3-1, POOL2, PAD p2, CONV1-1"),
    ("4x3x1", "PAD p4, RELU, CONV3-1, CONV3-1"),
    ("5x4x1", ["UPCONV1-1 s2 p0, CONV3-1 s2", {"add": ["CONV1x3-1", "CONV3x1-1"]}, "CONV9-1"]),
    ("7x6x4", ["POOL2", {"mul": ["IDENTITY", "GAP, CONV1-4"]}, "CONV5-4, CONV5-4"]),
    (
        "3x1x4x1",  # a way that ends in padding along one axis meets another that does not
        [
            "PAD p0:1, POOL2 s1 p=same, CONV1-2 as here",
            {"concat": ["IDENTITY", "POOL2, CONV1-2 s2, GMP, RESIZE like=here"]},
        ],
    ),
    ("1x6x2", [{"mul": ["IDENTITY", "CROP to=1"]}, "CONV3-2, CONV3-2"]),  # one axis of the gate is as long as the map's
    ("9x1", "CONV3-1 d2 p4, CONV3-1 d3 p6, CONV9-1, CONV9-1"),
]


@pytest.mark.parametrize(("shape", "layers"), CASES)
def test_every_unit_is_what_brute_force_finds(shape: str, layers: object) -> None:
    compare(network(shape, layers))


@pytest.mark.parametrize(("shape", "layers"), CASES)
def test_units_found_singly_are_those_of_tables(shape: str, layers: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no room for tables of several phases every such layer is asked unit by unit."""
    monkeypatch.setattr(reads, "LONGEST_PERIOD", 1)
    compare(network(shape, layers))


def field_of(spec: Spec) -> ReceptiveField:
    *_, last = spec
    field = first(receptive_field(spec.layers)[last])
    assert field is not None
    return field


def axis_of(shape: str, layers: object) -> AxisField:
    """The field of the last node along the first axis."""
    return field_of(network(shape, layers)).axes[0]


def figures(field: AxisField) -> tuple[object, ...]:
    return field.size, field.size_min, field.jump, field.padding, field.density


@pytest.mark.parametrize(
    ("layers", "size", "smallest", "jump", "padding", "density"),
    [
        ("CONV3-1, CONV3-1 d2", 7, 7, 1, 3, 1),
        ("CONV3-1 d2, CONV3-1 d2", 9, 9, 1, 4, Fraction(5, 9)),
        ("CONV3-1 s2, CONV3-1 s2, POOL2", 11, 11, 8, 3, 1),  # 1 + 2 + 4 + 4; 1 + 2 before
        ([f"CONV2-1 causal d{2**j}" for j in range(4)], 16, 16, 1, 15, 1),
        ("POOL4, UPSAMPLE-4, CONV3-1", 8, 4, 1, 4, 1),  # only the first and last of four touch two windows
        ("CONV3-1 p0:2", 3, 3, 1, 0, 1),
        ("CONV3-1 p2:0", 3, 3, 1, 2, 1),
        ("UPCONV4-1, UPCONV4-1", 3, 2, Fraction(1, 4), 1, 1),  # two inputs each, three for units 4q + 1, 4q + 2
        ("UPCONV1-1 s2 p0", 1, 0, Fraction(1, 2), 0, 1),
        ("AVGPOOL to=5", 4, 4, Fraction(16, 5), 0, 1),  # 0-3 3-6 6-9 9-12 12-15
        ("CROP to=8 at=3", 1, 1, 1, -3, 1),
    ],
)
def test_figures_by_hand(
    layers: object, size: int, smallest: int, jump: Fraction | int, padding: int, density: Fraction | int
) -> None:
    assert figures(axis_of("16x1", layers)) == (size, smallest, jump, padding, density)


def test_gates_and_statistics_are_left_out_of_the_second_figure() -> None:
    field = field_of(network("21x21x4", GATED))
    assert field.whole
    assert figures(field.without_gates.axes[0]) == (5, 5, 2, 2, 1)
    assert not field.without_gates.whole
    statistics = field_of(network("21x21x4", "CONV3-4, GN-2, CONV3-4"))
    assert [axis.whole for axis in statistics.axes] == [True, True]
    assert [axis.size for axis in statistics.without_gates.axes] == [5, 5]


def test_an_input_that_only_a_gate_reads() -> None:
    spec = parse("{name: n, input: {a: 6x4, b: 5x4}, layers: [{mul: [IDENTITY, 'from b, GAP']}, CONV3-4]}")
    compare(spec)
    *_, last = spec
    field = receptive_field(spec.layers)[last][spec.layers.inputs["b"]]
    assert (field.whole, field.without_gates.axes) == (True, ())


def test_a_unit_reads_its_own_place_beside_statistics() -> None:
    """The padding that the second convolution reads lies beside the map, and so outside the statistics."""
    field = axis_of("8x4", "CONV3-4, GN-2, CONV3-4")
    assert (field.at(0).low, field.at(0).high, field.at(7).low, field.at(7).high) == (-2, 8, -1, 9)
    assert field.jump == 1


@pytest.mark.parametrize(
    ("shape", "layers", "regions", "whole"),
    [
        ("5x5x1", "POOL2, CONV5-1", [(0, 3), (0, 3)], False),  # the stride leaves position 4 out
        ("4x4x1", "POOL2, CONV5-1", [(0, 3), (0, 3)], True),
        ("8x1", "CROP to=3 at=4, CONV3-1", [(4, 5), (4, 6), (5, 6)], False),  # what is cropped away is padding
        ("2x1", "CONV1-1 p2, CONV3-1 p0", [(0, 0), (0, 1), (0, 1), (1, 1)], False),
        ("3x1", "GAP, CONV3-1 p3", [None, (0, 2), (0, 2), (0, 2), None], False),  # the outer units read padding alone
        ("3x1", "CONV5-1, CONV3-1 p0", [(0, 2)], True),
    ],
)
def test_what_is_really_read(shape: str, layers: str, regions: list[tuple[int, int] | None], whole: bool) -> None:
    field = axis_of(shape, layers)
    assert [field.region(*[unit] * len(field.units)) for unit in range(field.units[0])] == regions
    assert field.whole == whole


def test_a_unit_of_which_one_coordinate_lies_in_padding_reads_nothing() -> None:
    field = field_of(network("3x3x1", "CONV1-1, CONV1-1 p1"))
    assert [axis.region(0, 2) for axis in field.axes] == [None, None]
    assert [axis.region(1, 2) for axis in field.axes] == [(0, 0), (1, 1)]


def test_a_long_chain_behind_a_long_period_is_no_deep_recursion() -> None:
    """401 layers: every unit of the last reads 803 positions, or 802 where interpolation meets one exactly."""
    field = axis_of("5003x1", "RESIZE to=4999 mode=linear, (CONV3-1) x400")
    assert (field.size, field.size_min, field.jump) == (803, 802, Fraction(5003, 4999))
    # unit 2499 lies at 2501, the middle of both maps
    assert (field.at(2499).low, field.at(2499).high) == (2501 - 401, 2501 + 401)


def test_resizes_without_common_factors_nest_deeply() -> None:
    layers = [part for _ in range(300) for part in ("RESIZE to=19 mode=linear, CONV3-1", "RESIZE to=23, CONV3-1")]
    field = axis_of("29x1", layers)
    assert field.whole
    assert field.at(11).within(29) == Positions(0, 29)


def test_pointwise_layers_share_a_field_and_gates_alone_make_a_second_figure() -> None:
    spec = network("8x8x4", ["CONV3-4, BN, RELU", {"mul": ["IDENTITY", "GAP, SIGMOID"]}, "RELU"])
    fields = receptive_field(spec.layers)
    _, conv, norm, relu, *_, product, last = spec
    image = spec.layers.inputs["image"]
    assert fields[conv] is fields[norm] is fields[relu]
    assert fields[conv][image].axes is fields[conv][image].gateless
    assert fields[product] is fields[last]
    assert fields[last][image].axes is not fields[last][image].gateless


def test_sets_without_holes_are_of_constant_size() -> None:
    field = axis_of("8x1", "(CONV3-1) x2000")
    assert field.at(0) == Positions(-2000, 4001, None)


def test_a_region_is_what_lies_in_the_input() -> None:
    field = axis_of("8x1", "CONV2-1 d6 p3")
    assert field.at(0).members() == [-3, 3]
    assert [field.region(unit) for unit in range(8)] == [(3, 3), (4, 4), (5, 5), (0, 6), (1, 7), (2, 2), (3, 3), (4, 4)]


def test_reading_past_a_long_period() -> None:
    """Sizes without a common factor make a table too long to keep; far units and the jump stay exact."""
    sizes = (13, 11, 17, 19, 23)
    layers = [part for size in sizes for part in (f"RESIZE to={size}", "CONV2-1 p0")]
    spec = network("14x1", [*layers, "CONV3-1 d60 p60", "CONV3-1"])
    compare(spec)
    expected = Fraction(14 * 12 * 10 * 16 * 18, 13 * 11 * 17 * 19 * 23)
    assert field_of(spec).axes[0].jump == expected
