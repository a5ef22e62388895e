"""Expressions in a spec: in which order a name is looked up, sizes at the current point, sizes of points."""

from __future__ import annotations

import pytest

from tests.language.spellings import agree, layers, refused


@pytest.mark.parametrize(
    ("input_", "items", "flat"),
    [
        ("8x6x4", "CONV1-(C), CONV1-(H), CONV1-(W), CONV1-(N)", "CONV1-4, CONV1-8, CONV1-6, CONV1-48"),
        ("9x4", "CONV1-(C), CONV1-(L), CONV1-(N)", "CONV1-4, CONV1-9, CONV1-9"),
        ("3x8x6x4", "CONV1-(T), CONV1-(H), CONV1-(W), CONV1-(N)", "CONV1-3, CONV1-8, CONV1-6, CONV1-144"),
        ("7", "FC-(C), FC-(C+N)", "FC-7, FC-8"),
        ("8x6x4", "POOL2 x(H//4), CONV1-(H), FLATTEN, FC-(C)", "POOL2, POOL2, CONV1-2, FLATTEN, FC-4"),
    ],
)
def test_sizes_are_those_of_the_current_point(input_: str, items: str, flat: str) -> None:
    assert layers(f"input: {input_}\nlayers: {items}") == flat


@pytest.mark.parametrize(
    ("input_", "word"), [("8x6x4", "L"), ("8x6x4", "T"), ("9x4", "H"), ("9x4", "W"), ("7", "H"), ("5 ids", "C")]
)
def test_a_size_is_known_only_where_the_shape_has_it(input_: str, word: str) -> None:
    assert refused(f"input: {input_}\nlayers: RELU x({word})") == ("unknown-name", word)


@pytest.mark.parametrize(
    ("text", "flat"),
    [
        ("CONV1-8 as p, CONV1-(p.C + p.H + p.W + p.N)", "CONV1-8, CONV1-88"),
        ("CONV1-8 as p, POOL2, CONV1-(p.H), CONV1-(p.C) x(p.H // H)", "CONV1-8, POOL2, CONV1-8, CONV1-8, CONV1-8"),
        ("CONV1-8, CONV1-(input.C), RELU if input.C == C", "CONV1-8, CONV1-4, RELU"),
        ("CONV1-8 as b(1+1), CONV1-(b2.C + 1)", "CONV1-8, CONV1-9"),
        ("layers: {body: CONV1-8, head: CONV1-(body.C + 1)}", "CONV1-8, CONV1-9"),
    ],
)
def test_sizes_of_points(text: str, flat: str) -> None:
    assert layers(text) == flat


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("RELU as p, CONV1-(p.D)", "unknown-attribute", "D"),
        ("RELU as p, CONV1-(p.L)", "unknown-axis", "p.L"),
        ("CONV1-(q.C)", "unknown-name", "q"),
        ("CONV1-(p.C), RELU as p", "unknown-name", "p"),
        ("vars: {F: 3}\nlayers: CONV1-(F.C)", "unknown-attribute", "F.C"),
        ("CONV1-(f(3))", "unknown-function", "f"),
    ],
)
def test_what_names_nothing(text: str, code: str, word: str) -> None:
    assert refused(text) == (code, word)


ORDER = """
vars: {v: 1, F: 2}
blocks:
  inner(F): CONV1-(F + v)
  columns(v):
    each: {F: [10, 20]}
    layers: CONV1-(F + v)
  name(kind): [RELU if kind == 'inner' else TANH]
layers:
  - {each: {F: [3], C_: =C}, layers: [CONV1-(F + v), CONV1-(C_), 'inner(40)', 'columns(5)']}
  - CONV1-(F), name(inner), name(RELU), CONV1-6 as v2, CONV1-(v2.C)
"""


def test_a_name_is_a_parameter_or_column_then_a_variable_then_a_size_then_a_layer_or_block_then_a_point() -> None:
    assert layers(ORDER) == ("CONV1-4, CONV1-4, CONV1-41, CONV1-15, CONV1-25, CONV1-2, RELU, TANH, CONV1-6, CONV1-6")
    assert layers("vars: {p: 3}\nlayers: CONV1-8 as p, CONV1-p, from p, CONV1-(C)") == ("CONV1-8, CONV1-3, CONV1-8")
    assert refused("blocks: {p: RELU}\nlayers: CONV1-8 as p, p, CONV1-(p.C)") == ("unknown-attribute", "p.C")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3 * 4 - 6 // 4 - 9 % 4 - 2 ** 3", 4),
        ("7 / 2 * 2", 7),
        ("min(4, 9) + max([1, 2]) + abs(0-3)", 9),
        ("ceil(1.2) + floor(1.8) + round(2.6) + int(3.9)", 9),
        ("sum([1, 2, 3]) + len([0, 0]) + range(5)[-1]", 12),
        ("sqrt(81) + log2(8)", 12),
        ("divisible(37) + divisible(3) + divisible(30, 12)", 40 + 8 + 36),
        ("divisible(33.6, by=4)", 32),
        ("1 if 1 < 2 <= 2 and not 3 in [1, 2] or no else 5", 1),
        ("[3, 4, 5][1]", 4),
        ("5 if 'ab' != 'ba' else 6", 5),
        ("7 if yes == true and no == false and none != no else 8", 7),
    ],
)
def test_expressions(expression: str, value: int) -> None:
    agree(
        f"CONV1-{value}", f'layers: ["CONV1-({expression})"]', f'layers: ["u({expression})"]\nblocks: {{u(F): CONV1-F}}'
    )


def test_a_float_is_an_amount_only_where_it_is_a_whole_number() -> None:
    agree("CONV3-6 x2", "CONV3-(6 / 1) x(4 / 2)", "CONV3-6.0 s(2/2) x(2.0)")
    assert refused("CONV3-(C * 1.6)") == ("size", "(C * 1.6)")
    assert refused("CONV3-4 s(3/2)") == ("option-value", "s(3/2)")
    assert refused("CONV3-4 x(3/2)") == ("repeat", "3/2")
