"""`archspec rf`: the growth of the field up to a layer, and the region that one unit reads."""

from __future__ import annotations

import json

import pytest

import archspec
from archspec.growth import growth
from tests.command import call, failure, printed

PAIR = """
name: pair
input: 9x12x1
layers: CONV3-4 as first, CONV3-4 d2 as second, FLATTEN, FC-2
"""
GATED = """
name: gated
input: 16x16x4
layers: [CONV3-8 s2 as conv, {mul: [IDENTITY, [GAP, CONV1-8, SIGMOID]]}, POOL2]
"""


def table(*options: str, text: str = PAIR) -> list[list[str]]:
    """The cells of the rows; a field of several words is one cell."""
    lines = printed("rf", "-", "--format", "csv", *options, text=text).splitlines()
    return [line.split(",") for line in lines]


def test_the_field_grows_to_seven() -> None:
    assert table("--layer", "second") == [
        ["node", "layer", "activations", "receptive field", "jump", "padding", "density"],
        ["0", "Input", "9x12x1", "1x1", "1", "0", "1"],
        ["1", "CONV3-4", "9x12x4", "3x3", "1", "1", "1"],
        ["2", "CONV3-4 d2", "9x12x4", "7x7", "1", "3", "1"],
    ]


def test_the_output_is_the_layer_by_default_and_tail_keeps_the_end() -> None:
    assert [row[1:4] for row in table("--tail", "2")[1:]] == [
        ["FLATTEN", "432", "whole input"],
        ["FC-2", "2", "whole input"],
    ]


def test_a_layer_may_be_a_number() -> None:
    assert table("--layer", "1") == table("--layer", "first")


@pytest.mark.parametrize(
    ("unit", "lines"),
    [
        # unit (i, j) sees i - 3 to i + 3 and j - 3 to j + 3
        ("0,0", ["H: 0 to 3 (field -3 to 3, centre 0)", "W: 0 to 3 (field -3 to 3, centre 0)"]),
        ("8,5", ["H: 5 to 8 (field 5 to 11, centre 8)", "W: 2 to 8 (field 2 to 8, centre 5)"]),
    ],
)
def test_the_region_of_a_unit(unit: str, lines: list[str]) -> None:
    found = printed("rf", "-", "--layer", "second", "--unit", unit, text=PAIR).splitlines()
    first, second = unit.split(",")
    sentence = f"unit {first}, {second} of node 2, CONV3-4 d2 reads of the 9 x 12 x 1 input:"
    assert [line.strip() for line in found[-3:]] == [sentence, *lines]


def test_the_figure_without_gates_has_a_column_where_it_differs() -> None:
    rows = table(text=GATED)
    assert rows[0][3:5] == ["receptive field", "without gates"]
    # a 3x3 kernel of stride 2, then pairs of units: 3 + 2 = 5
    assert rows[-1][3:5] == ["whole input", "5x5"]


def test_json() -> None:
    found = json.loads(printed("rf", "-", "--layer", "second", "--unit", "8,5", "--format", "json", text=PAIR))
    field = {"size": [7, 7], "size_min": [7, 7], "jump": [1, 1], "padding": [3, 3], "density": [1, 1]}
    assert found["receptive_field"] == {**field, "without_gates": field}
    assert found["unit"] == {
        "unit": [8, 5],
        "field": [[5, 11], [2, 8]],
        "region": [[5, 8], [2, 8]],
        "centre": [8.0, 5.0],
    }
    assert [layer["node"] for layer in found["layers"]] == [0, 1, 2]
    assert found["notes"] == []


def test_a_branch_that_does_not_lead_to_the_layer_is_left_out() -> None:
    text = "{name: a, input: 8x8x1, layers: [CONV3-4 as left, from input, CONV5-4 as right], outputs: [left, right]}"
    assert [row[0] for row in table("--layer", "right", text=text)[1:]] == ["0", "2"]


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        (["--unit", "3"], "error[unit]: node 4, FC-2 is 2 and has no unit `3`", "choose a map with --layer"),
        (
            ["--layer", "first", "--unit", "9,0"],
            "error[unit]: node 1, CONV3-4 is 9 x 12 x 4 and has no unit `9,0`",
            "write --unit 4,6: one number per axis, from 0",
        ),
        (
            ["--layer", "first", "--unit", "1"],
            "error[unit]: node 1, CONV3-4 is 9 x 12 x 4 and has no unit `1`",
            "write --unit 4,6: one number per axis, from 0",
        ),
        (["--layer", "frist"], "error[unknown-point]: pair has no point `frist`", "did you mean first?"),
        (["--layer", "99"], "error[unknown-point]: pair has no point `99`", "its points are input, first, second"),
    ],
)
def test_a_layer_or_unit_that_is_not_there(options: list[str], message: str, hint: str) -> None:
    assert failure("rf", "-", *options, text=PAIR) == (2, [message, f"  help: {hint}"])


def test_notes_say_where_more_depth_is_wasted() -> None:
    """Four 3x3 layers see 9 positions; behind the third, with 7, every unit of the 4 sees all of them."""
    spec = archspec.parse("{name: a, input: 4x4x1, layers: 'CONV3-4 x4'}")
    found = {note.code: note for note in growth(spec).notes}
    assert found["no-more-context"].message == (
        "CONV3-4 sees 9x9 positions of an input of 4x4; from CONV3-4 (line 1, node 3) on every unit sees all of it, "
        "and more depth adds no context"
    )
    hint = "every layer widens what is seen for inputs from 7x7; above 9x9 no unit sees the whole input"
    assert found["no-more-context"].hint == hint
    assert found["mostly-padding"].message == (
        "a unit in the middle of CONV3-4 sees 4 positions of the image and 5 of padding"
    )
    assert {note.severity for note in found.values()} == {"note"}


def test_notes_look_at_nothing_beside_the_layer() -> None:
    """Another branch, that sees far more, stands before the layer in the table."""
    text = """
name: a
input: 8x8x3
layers:
  - CONV3-8 as a
  - (CONV7-8) x12 as deep
  - from a
  - GAP, FLATTEN, FC-3 as b
outputs: [deep, b]
"""
    spec = archspec.parse(text)
    assert growth(spec, "b").notes == ()
    assert {note.code for note in growth(spec, "deep").notes} == {"no-more-context", "mostly-padding"}


def test_the_last_layer_that_widens_is_looked_for_in_the_widest_branch() -> None:
    """It stands in a branch and reads 5x5; the other branch, the first, is 3x3 all along."""
    layers = "[CONV3-8, {add: [IDENTITY, [CONV3-8, RELU, CONV3-8]]}, GAP, FLATTEN, FC-2]"
    (note,) = growth(archspec.parse(f"{{name: a, input: 4x4x3, layers: {layers}}}")).notes
    assert note.hint == "every layer widens what is seen for inputs from 5x5; above 7x7 no unit sees the whole input"


def test_a_region_leaves_out_what_no_unit_on_the_way_reads() -> None:
    """The stride drops the fifth row, which unit 0 would see if the map before it went on."""
    text = "{name: a, input: 5x5x1, layers: 'POOL2, CONV5-1'}"
    found = printed("rf", "-", "--unit", "0,0", text=text).splitlines()
    assert found[-1].strip() == "W: 0 to 3 (field -4 to 5, centre 0.5)"
    assert "whole input" not in "".join(found)


def test_without_an_output_there_is_a_message() -> None:
    text = "{name: a, vars: {x: no}, input: 8x8x1, layers: CONV3-4 as b, outputs: [b if x]}"
    assert "no output is left" in failure("rf", "-", text=text)[1][0]


def test_notes_are_printed_beside_the_table_and_a_large_input_has_none() -> None:
    small = call("rf", "-", "--input", "4x4x1", text="{name: a, input: 64x64x1, layers: 'CONV3-4 x4'}")
    assert "note[no-more-context]" in small.stderr
    assert call("rf", "-", text="{name: a, input: 64x64x1, layers: 'CONV3-4 x4'}").stderr == ""


def test_memory_and_field_columns_of_the_table() -> None:
    lines = printed("table", "cnn", "--columns", "layer,receptive_field,jump,padding,memory", "--dtype", "float16")
    rows = [line.split("   ") for line in lines.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    # 28 x 28 x 10 numbers of 2 bytes; FLATTEN is a view
    assert ["CONV3-10", "3 x 3", "1", "1", "15,680"] in cells
    assert ["POOL2", "4 x 4", "2", "1", "3,920"] in cells
    assert ["FLATTEN", "whole input", "-", "3", "0"] in cells
    assert "weights 4,966; activations 26,074; alive at once at most 19,600, at node 2 (POOL2)" in lines


def test_an_unknown_dtype() -> None:
    message = ["error[unknown-dtype]: there is no dtype `float31`", "  help: did you mean float32?"]
    assert failure("table", "cnn", "--columns", "memory", "--dtype", "float31") == (2, message)
