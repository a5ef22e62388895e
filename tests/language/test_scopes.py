"""Scopes: what blocks see, in which scope text is read, where points live, and names with two meanings."""

from __future__ import annotations

import pytest

from tests.language.spellings import agree, facts, layers, refused, warned


def test_blocks_see_their_parameters_and_the_variables_never_the_callers_columns() -> None:
    agree("CONV1-9", "vars: {v: 4}\nblocks:\n  u(F): CONV1-(F + v)\nlayers: {each: {w: [5]}, layers: u(w)}")
    assert refused("blocks: {u: CONV1-w}\nlayers: {each: {w: [5]}, layers: u}") == ("unknown-name", "w")
    assert refused("blocks: {u: [RELU x(i)]}\nlayers: {each: {w: [5]}, layers: u}") == ("unknown-name", "i")
    assert refused("blocks: {u(F): [v], v: CONV1-F}\nlayers: u(3)") == ("unknown-name", "F")


def test_defaults_of_parameters_are_evaluated_at_the_call_point_from_left_to_right() -> None:
    blocks = "vars: {v: 1}\nblocks:\n  u(F, D=F//2, E=D+C+v): CONV1-F, CONV1-D, CONV1-E\nlayers: "
    agree("CONV1-8, CONV1-4, CONV1-9, CONV1-6, CONV1-1, CONV1-11", blocks + "['u-8, u(6, D=1)']")
    agree("CONV1-8, CONV1-4, CONV1-2", blocks + "['u(8, E=2)']", blocks + "u-8 E=2")
    assert refused("blocks:\n  u(D=F, F=2): CONV1-D\nlayers: u") == ("unknown-name", "F")


@pytest.mark.parametrize(
    ("text", "flat"),
    [
        ("act", "LEAKY-0.3"),
        ("{each: {a: [0.7]}, layers: act}", "LEAKY-0.3"),
        ("['u(act)']", "LEAKY-0.3, LEAKY-0.1"),
        ("u act=act", "LEAKY-0.3, LEAKY-0.1"),
        ("u act='LEAKY-a'", "LEAKY-0.3, LEAKY-0.1"),
        ("{each: {a: [0.7]}, layers: u act='LEAKY-a'}", "LEAKY-0.7, LEAKY-0.1"),
        ("{each: {a: [0.7]}, layers: \"u('LEAKY-a', a=0.5)\"}", "LEAKY-0.7, LEAKY-0.5"),
        ("u", "LEAKY-0.9, LEAKY-0.1"),
        ("u a=0.4", "LEAKY-0.9, LEAKY-0.4"),
        ("{each: {t: [LEAKY-a], a: [0.6]}, layers: [t, u act=t]}", "LEAKY-0.3, LEAKY-0.3, LEAKY-0.1"),
        ("outer act='LEAKY-a'", "LEAKY-0.3, LEAKY-0.1"),
        ("[\"u('LEAKY-a' if a < 1 else 'RELU')\"]", "LEAKY-0.3, LEAKY-0.1"),
        ("[\"u(['RELU', 'BN, LEAKY-a'][1])\"]", "BN, LEAKY-0.3, LEAKY-0.1"),
    ],
)
def test_text_is_read_in_the_scope_in_which_it_is_written(text: str, flat: str) -> None:
    head = """
    vars: {a: 0.3, act: LEAKY-a}
    blocks:
      u(act='LEAKY-0.9', a=0.1): act, LEAKY-a
      outer(act, a=0.8): [u act=act]
    """
    assert layers(f"{head}\n    layers: {text}") == flat


def test_a_name_unknown_where_the_text_is_written_is_an_error() -> None:
    assert refused("vars: {act: LEAKY-a}\nlayers: {each: {a: [0.7]}, layers: act}") == ("unknown-name", "a")
    assert refused("blocks:\n  u(act, a): act\nlayers: \"u('LEAKY-a', 0.1)\"") == ("unknown-name", "a")


@pytest.mark.parametrize(
    "spellings",
    [
        ["CONV3-6 s2 nobias", "c3-6 s2 nobias", "c(3)-6 nobias s2", "conv3-6 s2 nobias"],
        ["CONV1x3-6", "c1x3-6", "c(1)x3-6"],
        ["BN eps=0.1 noaffine", "norm eps=0.1 noaffine"],
        ["RELU6", "act", "(act)", "act x1", "act if yes"],
        ["LEAKY-0.2", "leaky-0.2", "slope", "leaky-0.2 as p", "computed"],
        ["BN, RELU", "both", "(both)", "both as p"],
        ["CONV3-5, TANH", "b-5", "b(5)", "b(F=5)", "chosen-5", "chosen(5)", "b-5 k=3"],
        ["CONV1-5, TANH", "b1-5", "b(5, k=1)", "chosen1-5"],
    ],
    ids=lambda spellings: spellings[1],
)
def test_variables_may_hold_sequences_and_the_names_of_layers_and_blocks(spellings: list[str]) -> None:
    head = """
vars:
  {c: CONV, conv: CONV, norm: BN, act: RELU6, leaky: LEAKY, slope: LEAKY-0.2, both: 'BN, RELU', b: unit, n: 50,
   chosen: =unit if n > 18 else other, computed: "='LEAKY-0.2' if n > 18 else 'RELU'"}
blocks:
  unit(F, k=3): CONV(k)-F, TANH
  other(F): CONV1-F
layers: """
    agree(*(f'{head}["{one}"]' for one in spellings))


def test_blocks_and_layers_are_arguments_too() -> None:
    head = "blocks:\n  unit(F, k=3): CONV(k)-F\n  net(b, act=RELU): b-6, act, b1-4\nlayers: "
    agree(
        "CONV3-6, RELU, CONV1-4", head + "net(unit)", head + "net-unit", head + "\"net('unit')\"", head + "net b=unit"
    )
    agree(
        "CONV3-6, GELU, CONV1-4", head + "['net(unit, GELU)']", head + "net(unit, act=GELU)", head + "net-unit act=GELU"
    )


def test_a_sequence_takes_no_kernel_amount_or_options() -> None:
    assert refused("vars: {v: 'BN, RELU'}\nlayers: v-3") == ("splice", "v-3")
    assert refused("vars: {v: LEAKY-0.2}\nlayers: v eps=1") == ("splice", "v eps=1")


def test_yaml_lists_and_columns_hold_them_too() -> None:
    head = "blocks:\n  small(F): CONV1-F\n  big(F): CONV5-F\nvars: {kinds: [big, small]}\nlayers: "
    agree(
        "CONV5-6, CONV1-6",
        head + "{each: {b: [big, small]}, layers: b-6}",
        head + "{each: {b: kinds}, layers: b(6)}",
        head + "{each: {b: '[big, small]'}, layers: b(6)}",
        head + "{each: {n: [1, 0]}, layers: [big-6 if n else small-6]}",
        head + "{each: {n: [0, 1], b: '[kinds[0], kinds[1]]'}, layers: b-6}",
    )


# -- points ------------------------------------------------------------------------------------------------------------


def test_points_live_in_the_expansion_of_the_block_that_writes_them() -> None:
    agree(
        "layers: [CONV3-4 as a, {add: [IDENTITY, from a]}, CONV3-4 as b, {add: [IDENTITY, from b]}]",
        "blocks: {u: [CONV3-4 as p, {add: [IDENTITY, from p]}]}\nlayers: [u, u]",
        "blocks: {u: {p: CONV3-4, q: {add: [IDENTITY, from p]}}}\nlayers: u x2",
    )
    assert refused("blocks: {u: [RELU as p]}\nlayers: [u, from p]") == ("unknown-point", "p")
    assert refused("blocks: {u: [RELU as p, v], v: from p}\nlayers: u") == ("unknown-point", "p")


def test_points_are_visible_to_everything_later_branches_included() -> None:
    agree(
        "layers: [CONV3-4 as a, {concat: [RELU, TANH]}, {concat: [IDENTITY, from a]}]",
        "layers: [CONV3-4 as z, {concat: [RELU, [from z, TANH]]}, {concat: [IDENTITY, from z]}]",
    )
    found = facts("layers: [{concat: [[CONV3-4 as p, RELU], [from p, TANH]]}]")
    assert found["inputs"] == [[], [0], [1], [1], [2, 3]]
    assert refused("layers: [{concat: [[from p], [RELU as p]]}]") == ("unknown-point", "p")


def test_blocks_may_read_points_of_the_network_and_their_own_come_first() -> None:
    flat = "layers: [CONV3-4 as a, RELU, {add: [IDENTITY, from a]}]"
    agree(flat, "blocks: {u: {add: [IDENTITY, from a]}}\nlayers: [CONV3-4 as a, RELU, u]")
    agree(flat, "blocks: {u: {add: [IDENTITY, from body]}}\nlayers: {body: CONV3-4, act: RELU, end: u}")
    own = "blocks: {u: [RELU as a, TANH, {add: [IDENTITY, from a]}]}\nlayers: [CONV3-4 as a, u]"
    agree("layers: [CONV3-4, RELU as r, TANH, {add: [IDENTITY, from r]}]", own)


def test_a_parameter_may_hold_a_point() -> None:
    agree(
        "layers: [CONV3-4 as a, TANH, {add: [IDENTITY, from a]}, CONV1-4]",
        *(
            f"blocks:\n  u(p): [{{add: [IDENTITY, from p]}}, CONV1-4]\nlayers: [CONV3-4 as a, TANH, {call}]"
            for call in ("u(a)", "u-a", "u p=a", "u(p=a)", "\"u('a')\"")
        ),
    )
    agree("CONV3-9 as a, POOL2, CONV1-9", "blocks:\n  u(p): CONV1-(p.C)\nlayers: CONV3-9 as a, POOL2, u(a)")
    sized = facts("blocks:\n  u(p): RESIZE like=p\nlayers: CONV3-9 as a, POOL2, u(a)")
    assert sized["shapes"] == ["8 x 8 x 4", "8 x 8 x 9", "4 x 4 x 9", "8 x 8 x 9"]


def test_a_point_comes_before_a_variable_of_its_name_behind_from() -> None:
    text = "vars: {body: RELU}\nlayers: [{body: CONV3-4}, body, {add: [IDENTITY, from body]}]"
    agree("layers: [CONV3-4 as a, RELU, {add: [IDENTITY, from a]}]", text)


def test_a_point_is_defined_once_except_in_rows_and_repeats() -> None:
    assert refused("RELU as p, TANH as p") == ("duplicate-point", "p")
    assert refused("layers: {p: RELU, q: TANH as p}")[0] == "duplicate-point"
    assert refused("layers: [{add: [RELU as p, TANH as p]}]") == ("duplicate-point", "p")
    agree("RELU, RELU as p, TANH, from p", "(RELU as p) x2, TANH, from p")
    latest = "layers: [{each: {F: [5, 6]}, layers: CONV1-F as p}, TANH, from p, CONV1-7]"
    agree("CONV1-5, CONV1-6 as p, TANH, from p, CONV1-7", latest)
    agree("CONV1-5, CONV1-6, CONV1-7", "layers: [{each: {F: [5, 6]}, layers: {p: CONV1-F}}, from p, CONV1-7]")


def test_all_points_of_a_name_are_branches() -> None:
    agree(
        "layers: [CONV1-5 as a, CONV1-6 as b, TANH, {concat: [from a, from b, IDENTITY]}]",
        "layers: [{each: {F: [5, 6]}, layers: CONV1-F as p}, TANH, {concat: [from p*, IDENTITY]}]",
        "layers: [{each: {F: [5, 6]}, layers: {p: CONV1-F}}, TANH, {concat: ['from p*', IDENTITY]}]",
    )
    agree(
        "layers: [CONV1-5 as a, RELU, CONV1-5 as b, RELU, {concat: [from a, from b]}]",
        "layers: ['(CONV1-5 as p, RELU) x2', {concat: [from p*]}]",
        "blocks: {u: ['(CONV1-5 as p, RELU) x2', {concat: [from p*]}]}\nlayers: u",
    )
    assert refused("layers: [RELU as p, from p*]") == ("unknown-point", "p*")
    assert refused("layers: [RELU as p, {add: [[from p*, RELU], RELU]}]") == ("unknown-point", "p*")


def test_names_of_points_may_be_computed() -> None:
    agree(
        "layers: [CONV1-5 as b1, CONV1-6 as b2, CONV1-11, {concat: [from b1, from b2]}]",
        "layers: [{each: {F: [5, 6]}, layers: CONV1-F as b(i+1)}, CONV1-(b1.C+b2.C), {concat: [from b1, from b(4/2)]}]",
        "layers: [CONV1-5 as b(1), CONV1-6 as b(2.0), CONV1-11, {concat: {each: {j: [1, 2]}, layers: from b(j)}}]",
    )
    agree("CONV1-5 as one, TANH, from one", "CONV1-5 as b('x'), TANH, from bx")
    assert refused("layers: [{each: {F: [5]}, layers: CONV1-F as b(i)}, from b7]") == ("unknown-point", "b7")
    assert refused("layers: [{each: {F: [5]}, layers: CONV1-F as b(i)}, {add: [from b*]}]") == ("unknown-point", "b*")
    assert refused("RELU as b(1/2)")[0] == "name"


def test_input_in_a_block_is_its_entry_point() -> None:
    agree(
        "layers: [CONV3-6 as a, CONV3-12, CONV1-6, {add: [IDENTITY, from a]}, POOL2, RESIZE to=8]",
        "blocks: {u: [CONV3-(2*C), CONV1-(input.C), {add: [IDENTITY, from input]}], v: [POOL2, RESIZE to=(input.H)]}\n"
        "layers: CONV3-6, u, v",
    )
    assert facts("blocks: {u: [POOL2, RESIZE like=input]}\nlayers: CONV3-6, u")["shapes"] == [
        *("8 x 8 x 4", "8 x 8 x 6", "4 x 4 x 6", "8 x 8 x 6")
    ]
    nested = "blocks: {v: [RELU, u], u: [TANH, {add: [IDENTITY, from input]}]}\nlayers: CONV3-6, v"
    agree("layers: [CONV3-6, RELU as a, TANH, {add: [IDENTITY, from a]}]", nested)
    agree(
        "layers: [RELU, TANH, {add: [IDENTITY, from input]}]",
        "layers: [RELU, u(input)]\nblocks:\n  u(p): [TANH, {add: [IDENTITY, from p]}]",
    )


def test_like_takes_a_size_alone() -> None:
    found = facts("layers: [CONV3-4 as big, POOL2, RESIZE like=big]")
    assert (found["inputs"], found["shapes"]) == (
        [[], [0], [1], [2]],
        ["8 x 8 x 4", "8 x 8 x 4", "4 x 4 x 4", "8 x 8 x 4"],
    )
    assert refused("RESIZE like=bgi, RELU as big")[0] == "unknown-point"


# -- names with two meanings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("vars: {unit: 3}\nblocks: {unit: RELU}\nlayers: unit, CONV1-unit", "unit"),
        ("vars: {body: 3}\nlayers: {body: CONV1-body}", "3"),
        ("vars: {p: 3}\nlayers: RELU as p, CONV1-p", "3"),
        ("blocks: {body: RELU}\nlayers: {body: body}", "body"),
    ],
)
def test_a_name_in_two_name_spaces_is_a_warning(text: str, word: str) -> None:
    assert warned(text) == [("two-meanings", word)]


def test_defaults_touch_the_layers_of_the_spec() -> None:
    text = "vars: {norm: BN}\ndefaults: CONV nobias, BN eps=0.1\nblocks: {u: [CONV1-4, norm]}\nlayers: u, CONV1-4 bias"
    agree("CONV1-4 nobias, BN eps=0.1, CONV1-4", text)


def test_parameters_stand_in_the_order_in_which_they_are_written() -> None:
    found = facts("layers: [{add: [[CONV3-4, BN], CONV1-4]}, {a: CONV3-5}, FLATTEN, FC-6]")
    assert found["layers"] == ["INPUT", "CONV3-4", "BN", "CONV1-4", "ADD", "CONV3-5", "FLATTEN", "FC-6"]
