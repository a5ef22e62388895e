"""Structure in YAML: sequences, stages, merges, rows, choices and recursion."""

from __future__ import annotations

import pytest

import archspec
from tests.language.spellings import agree, facts, layers, refused, spec


@pytest.mark.parametrize(
    "spellings",
    [
        [
            "CONV3-4, RELU, CONV3-8, RELU",
            "[CONV3-4, RELU, CONV3-8, RELU]",
            "[[CONV3-4, RELU], [[CONV3-8], RELU]]",
            "['CONV3-4, RELU', 'CONV3-8, RELU']",
            "'CONV3-4, RELU, CONV3-8, RELU,'",
            "{a: 'CONV3-4, RELU', b: [CONV3-8, RELU]}",
            "{a: {b: CONV3-4, c: {d: RELU}}, e: ['CONV3-8, RELU']}",
            "[CONV3-4, {a: RELU}, {if: C == 4, then: CONV3-8}, RELU]",
            "{each: {F: [4, 8]}, layers: [CONV3-F, RELU]}",
            "{each: {F: [4, 8]}, layers: {a: CONV3-F, b: RELU}}",
        ],
        [
            "{concat: [RELU, TANH, GELU]}",
            "{concat: [[RELU], 'TANH', {a: GELU}]}",
            "[{concat: [[[RELU]], TANH, [GELU]]}]",
        ],
        ["{add: [IDENTITY, [RELU, TANH]]}", "{add: [IDENTITY, 'RELU, TANH']}", "{add: [RELU if C == 5, [RELU, TANH]]}"],
        ["{add: [RELU, {mul: [TANH, GELU]}]}", "{add: [[RELU], [{mul: [TANH, [GELU, IDENTITY]]}]]}"],
    ],
    ids=lambda spellings: spellings[0],
)
def test_spellings_of_a_sequence(spellings: list[str]) -> None:
    agree(*(f"layers: {one}" for one in spellings))


def test_the_end_of_a_stage_is_a_point_of_its_name() -> None:
    agree(
        "layers: [CONV3-4 as a, CONV3-4 as b, {add: [IDENTITY, from a]}, {concat: [from b, from a]}]",
        "layers: [{a: CONV3-4}, {b: CONV3-4}, {add: [IDENTITY, from a]}, {concat: [from b, from a]}]",
        "layers: {a: CONV3-4, b: CONV3-4, c: {add: [IDENTITY, from a]}, d: {concat: [from b, from a]}}",
        "layers: {all: {a: CONV3-4, b: CONV3-4}, c: [{add: [from all, from a]}, {concat: [from b, from a]}]}",
    )


# -- merges ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("branches", "shape"),
    [
        ("add: [IDENTITY, CONV3-4]", "8 x 8 x 4"),
        ("add: [IDENTITY, CONV3-4, RELU]", "8 x 8 x 4"),
        ("concat: [IDENTITY, CONV3-6, CONV1-1]", "8 x 8 x 11"),
        ("mul: [IDENTITY, [GAP, CONV1-4]]", "8 x 8 x 4"),
        ("mul: [CONV1-1, IDENTITY]", "8 x 8 x 4"),
        ("mul: ['AVGPOOL to=1x8', 'CMEAN, AVGPOOL to=8x1']", "8 x 8 x 4"),
    ],
)
def test_merges(branches: str, shape: str) -> None:
    found = facts(f"layers: {{{branches}}}")
    assert (found["layers"][-1], found["shapes"][-1]) == (branches.split(":")[0].upper(), shape)  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("{add: [IDENTITY, CONV3-5]}", "shape-mismatch", "add"),
        ("{concat: [IDENTITY, POOL2]}", "shape-mismatch", "concat"),
        ("{mul: [IDENTITY, POOL2]}", "shape-mismatch", "mul"),
        ("{add: RELU}", "branches-not-a-list", "RELU"),
        ("{add: {a: RELU}}", "branches-not-a-list", "{a: RELU}"),
        ("{add: []}", "branches-not-a-list", "[]"),
        ("{add: [NONE, [RELU, NONE]]}", "no-branch", "add"),
        ("{add: [RELU, [NONE, RELU]]}", "none-not-last", "RELU"),
        ("[RELU, NONE]", "none-outside-branch", "NONE"),
        ("{add: [RELU], then: TANH}", "unknown-key", "then"),
        ("{add: [RELU], body: TANH}", "unknown-key", "body"),
        ("{each: {n: [1]}, layers: RELU, body: TANH}", "unknown-key", "body"),
        ("{if: yes, then: RELU, esle: TANH}", "unknown-key", "esle"),
        ("{if: yes, else: TANH}", "missing-key", "if"),
        ("{each: {n: [1]}}", "missing-key", "each"),
        ("{layers: RELU}", "missing-key", "layers"),
        ("{a: RELU, b: }", "empty-stage", "b"),
        ("[]", "empty-sequence", "[]"),
    ],
)
def test_structures_that_are_none(text: str, code: str, word: str) -> None:
    assert refused(f"layers: {text}") == (code, word)


def test_branches_that_end_in_none_are_left_out() -> None:
    three = "layers: {concat: [RELU, TANH, GELU]}"
    agree(three, "layers: {concat: [RELU, NONE, TANH, [NONE], [GELU]]}")
    agree(three, "layers: {concat: [RELU, SELU if no else NONE, TANH, GELU]}")
    agree(three, "layers: {concat: [RELU, {if: no, then: SELU, else: NONE}, TANH, GELU]}")
    agree(three, "blocks: {gone: NONE}\nlayers: {concat: [RELU, gone, TANH, (gone), GELU]}")
    agree("[CONV3-5]", "layers: {add: [CONV3-5, NONE]}", "layers: {concat: [NONE, CONV3-5]}")
    agree("[IDENTITY]", "layers: {mul: [IDENTITY, NONE]}")


def test_a_branch_starts_at_the_current_point_and_its_shape_is_its_own() -> None:
    flat = "layers: [CONV3-6, {concat: [CONV3-12, CONV1-6]}, CONV1-36]"
    agree(flat, "layers: [CONV3-6, {concat: [CONV3-(2*C), CONV1-(C)]}, CONV1-(2*C)]")


# -- rows --------------------------------------------------------------------------------------------------------------

ROWS = "CONV1x7-8 s2, RELU, CONV3-6, LEAKY-0.2, CONV3-4 s2, TANH, DROPOUT-0.5"
BODY = "layers: [CONV(k)-F s=s, act, DROPOUT-0.5 if last]"
COLUMNS = "{F: [8, 6, 4], k: [1x7, 3, 3], s: [2, none, 2], act: [RELU, LEAKY-0.2, TANH]}"
RULED = """
      | F | k   | s | act
      |---|-----|---|----------
      | 8 | 1x7 | 2 | RELU
      | 6 |  3  | - | LEAKY-0.2
      +===+=====+===+==========
      | 4 |  3  | 2 | TANH
"""
BARE = """
      F   k     s       act
      8   1x7   =3-1    RELU
      6   =F_   none    'LEAKY-0.2'
      4   3     2       "TANH"
"""


@pytest.mark.parametrize(
    "each",
    [
        COLUMNS,
        "{F: '[8, 6, 4]', k: ks, s: [2, none, 2], act: acts}",
        "{F: =list, k: [1x7, =F_, 3], s: [=3 - 1, none, 2], act: [RELU, LEAKY-0.2, TANH]}",
        "{F: 'list', k: '[ks[0], 3, 3]', s: [2, none, 2], act: \"['RELU', 'LEAKY-0.2', 'TANH']\"}",
        "{F: list, k: ks, s: [2, none, 2], act: acts}",
        "|" + RULED,
        "|" + BARE,
        "columns",
        "table",
        "=table",
        "table if F_ == 3 else columns",
    ],
)
def test_rows(each: str) -> None:
    variables = f"""vars:
  list: [8, 6, 4]
  ks: [1x7, 3, 3]
  acts: [RELU, LEAKY-0.2, TANH]
  F_: 3
  columns: {COLUMNS}
  table: |{RULED}
"""
    indented = "    " + BODY
    agree(ROWS, f"{variables}\nlayers:\n  - each: {each}\n{indented}")


def test_scalars_in_a_column_stand_in_every_row() -> None:
    agree(
        "CONV5-8 s2 nobias, RELU, CONV5-4 s2 nobias, RELU",
        "layers: {each: {F: [8, 4], k: 5, s: 1+1, b: no, act: \"'RELU'\"}, layers: [CONV(k)-F s=s bias=b, act]}",
        "vars: {a: RELU, k: 5}\nlayers: {each: {F: [8, 4], k: =k, s: 2, b: =no, act: a}, "
        "layers: [CONV(k)-F s=s bias=b, act]}",
    )
    agree("CONV3-5", "layers: {each: {F: 5}, layers: CONV3-F}")
    agree("RELU", "layers: [RELU, {each: {F: []}, layers: CONV3-F}]")


@pytest.mark.parametrize(
    ("cell", "tests"),
    [
        ("3", "c == 3"),
        ("-3", "c == 0-3"),
        ("1e-3", "c == 1/1000"),
        ("1x7", "c[1] == 7 and len(c) == 2"),
        ("yes", "c == yes"),
        ("no", "not c and c != none"),
        ("true", "c == true"),
        ("-", "c == none"),
        ("none", "c == none"),
        ("word", "c == 'word'"),
        ("F", "c == 'F'"),
        ("=F", "c == 6"),
        ("=2*F", "c == 12"),
        ("=[F,1]", "c[0] == 6"),
        ("'yes'", "c == 'yes'"),
        ("'two words'", "c == 'two words'"),
        ("'= 2 * F'", "c == 12"),
        ("CONV3-F", "c == 'CONV3-F'"),
    ],
)
def test_cells(cell: str, tests: str) -> None:
    text = f"vars: {{F: 6}}\nlayers:\n  each: |\n    a c\n    1 {cell}\n  layers: RELU if {tests} else TANH"
    assert layers(text) == "RELU"


def test_i_and_last() -> None:
    assert layers("layers: {each: {F: [5, 6, 7]}, layers: [CONV1-(F+10*i), RELU if not last]}") == (
        "CONV1-5, RELU, CONV1-16, RELU, CONV1-27"
    )


def test_nested_rows_see_the_outer_columns_and_their_own_i() -> None:
    inner = "{each: {k: [1, 3]}, layers: CONV(k)-(F+i)}"
    agree("CONV1-5, CONV3-6, CONV1-7, CONV3-8", f"layers: {{each: {{F: [5, 7]}}, layers: {inner}}}")
    outer = "{each: {k: [1, 3], j: =i}, layers: CONV(k)-(F+j)}"
    agree("CONV1-5, CONV3-5, CONV1-8, CONV3-8", f"layers: {{each: {{F: [5, 7]}}, layers: {outer}}}")


@pytest.mark.parametrize(
    ("each", "code"),
    [
        ("{F: [1, 2], k: [1, 2, 3]}", "unequal-columns"),
        ("[1, 2]", "not-a-table"),
        ("F", "not-a-table"),
        ("{last: [1]}", "reserved-name"),
        ("{}", "not-a-table"),
        ("|\n    F k\n    1\n", "row-width"),
        ("|\n    F k\n    1 2 3\n", "row-width"),
        ("|\n    F F\n    1 2\n", "duplicate-key"),
        ("|\n    F\n", "not-a-table"),
    ],
)
def test_rows_that_are_none(each: str, code: str) -> None:
    assert refused(f"vars: {{F: 1}}\nlayers:\n  each: {each}\n  layers: RELU")[0] == code


def test_one_branch_for_each_row() -> None:
    agree(
        "layers: {concat: [CONV1-8, CONV3-16, CONV5-24]}",
        "layers: {concat: {each: {k: [1, 3, 5]}, layers: CONV(k)-(8*i+8)}}",
        "layers:\n  concat:\n    each: |\n      k  n\n      1  8\n      3 16\n      5 24\n    layers: CONV(k)-n",
        "layers: {concat: {each: {k: [1, 3, 7, 5], n: [8, 16, 1, 24]}, layers: CONV(k)-n if k != 7 else NONE}}",
    )
    agree("CONV3-8", "layers: {add: {each: {k: [3]}, layers: CONV(k)-8}}")


# -- choices and recursion ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "flat"),
    [
        ("{if: C == 4, then: RELU, else: TANH}", "RELU"),
        ("{if: C == 5, then: RELU, else: TANH}", "TANH"),
        ("[RELU, {if: C == 5, then: TANH}]", "RELU"),
        ("{if: yes, then: [RELU, {if: no, then: TANH, else: GELU}]}", "RELU, GELU"),
        ("[CONV3-8, {if: C == 8, then: {a: RELU}}]", "CONV3-8, RELU"),
    ],
)
def test_choices(text: str, flat: str) -> None:
    agree(flat, f"layers: {text}")


UNET = """
input: 188x188x1
blocks:
  double(F): (CONV3-F p0, RELU) x2
  level(F, depth):
    if: depth == 0
    then: double(F)
    else:
      - double(F) as skip
      - POOL2, level(2*F, depth-1), UPCONV2-F s2 as up
      - concat: [[from skip, CROP like=up], from up]
      - double(F)
layers: level(8, 2), CONV1-2
"""


def test_a_block_may_call_itself() -> None:
    down = "CONV3-8 p0, RELU, CONV3-8 p0, RELU as a, POOL2, CONV3-16 p0, RELU, CONV3-16 p0, RELU as b, POOL2"
    flat = [
        f"'{down}, CONV3-32 p0, RELU, CONV3-32 p0, RELU, UPCONV2-16 s2 as up'",
        "{concat: [[from b, CROP like=up], from up]}",
        "'CONV3-16 p0, RELU, CONV3-16 p0, RELU, UPCONV2-8 s2 as up2'",
        "{concat: [[from a, CROP like=up2], from up2]}",
        "'CONV3-8 p0, RELU, CONV3-8 p0, RELU, CONV1-2'",
    ]
    nested, written = (facts(text) for text in (UNET, f"input: 188x188x1\nlayers: [{', '.join(flat)}]"))
    nested["layers"], written["layers"] = (str(one["layers"]).replace("up2", "up") for one in (nested, written))
    assert nested == written


def test_recursion_has_an_end() -> None:
    text = "blocks:\n  u(n): [RELU, u(n-1) if n > 1]\nlayers: "
    assert len(spec(text + "u(64)")) == 65
    assert refused(text + "u(65)")[0] == "too-deep"
    assert refused("blocks: {u: [u]}\nlayers: u")[0] == "too-deep"
    assert refused("vars: {a: 'RELU, a'}\nlayers: a")[0] == "too-deep"
    with pytest.raises(archspec.ArchspecError, match="past 10 layers"):
        spec("RELU x10", limit=10)
