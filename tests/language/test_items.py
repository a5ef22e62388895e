"""The string notation: every spelling of a kernel, amount, option, flag, block and modifier."""

from __future__ import annotations

import pytest

from tests.language.spellings import agree, facts, layers, refused, spec

VARS = "vars: {k: 3, F: 6, one: 1, two: 2, wide: 1x3, same: same, eps: 0.001, on_: yes, off_: no, absent: none}\n"


@pytest.mark.parametrize(
    "spellings",
    [
        ["CONV3-6", "CONV(3)-6", "CONV(k)-F", "CONV(k)-(F)", "CONV3-(2*k)", "CONV(one+2)-6.0"],
        ["CONV3x3-6", "CONV(k)x(k)-(F)", "CONV3x(k)-F", "CONV(k)x3-6"],
        ["CONV1x3-6", "CONV(1)x(3)-6", "CONV(one)x3-6", "CONV1x(k)-6", "CONV(wide)-6", "CONV(one)x(2+1)-(F)"],
        ["CONV3-6", "CONV3-6 s1", "CONV3-6 s=1", "CONV3-6 s(one)", "CONV3-6 s=one", "CONV3-6 s=absent"],
        ["CONV3-6 s2", "CONV3-6 s(2)", "CONV3-6 s=2", "CONV3-6 s=two", "CONV3-6 s(two)", "CONV3-6 s=(one+1)"],
        ["CONV3-6 s1x2", "CONV3-6 s=1x2", "CONV3-6 s(one)x2", "CONV3-6 s(one)x(two)", "CONV3-6 s=1x(two)"],
        ["CONV3-6 p1", "CONV3-6 p=1", "CONV3-6 p=one", "CONV3-6 p(one)"],
        ["CONV3-6 p1:1", "CONV3-6 p=1:1", "CONV3-6 p(one):1", "CONV3-6 p=(one):(one)"],
        ["CONV3-6 p0:1x1:2", "CONV3-6 p=0:1x1:2", "CONV3-6 p(0):(one)x1:(two)"],
        ["CONV3-6 p=same", "CONV3-6 p=same d1 g1"],
        ["CONV3-6 d2", "CONV3-6 d(two)", "CONV3-6 d=2", "CONV3-6 d(2**one)"],
        ["CONV3-6 g2", "CONV3-6 g(two)", "CONV3-6 g=2", "CONV3-6 g=(C//2)"],
        ["CONV3-6 nobias", "CONV3-6 bias=no", "CONV3-6 bias=off_", "CONV3-6 bias=(F == 5)", "CONV3-6 bias=false"],
        ["CONV3-6", "CONV3-6 bias", "CONV3-6 bias=yes", "CONV3-6 bias=on_", "CONV3-6 bias=true", "CONV3-6 bias=none"],
        ["CONV3-6 s2 g2 nobias", "CONV3-6 nobias g2 s2", "CONV3-6   g=2  nobias   s=2", "CONV3-6 g2 s2 bias=no"],
        ["POOL3 s2 ceil=yes", "POOL3 ceil s2", "POOL3 ceil=(k == 3) s=two", "POOL(k) ceil=on_ s2"],
        ["POOL2", "POOL2 noceil", "POOL2 ceil=no", "POOL(two)", "POOL2 s=absent", "POOL2 to=none"],
        ["BN eps=0.001", "BN eps=1e-3", "BN eps=eps", "BN eps=(1/1000)", "BN eps=.001"],
        ["AVGPOOL to=4x2", "AVGPOOL to=(4)x(two)", "AVGPOOL to=(2*two)x2"],
        ["RESIZE to=4 mode=bilinear", "RESIZE mode='bilinear' to=4", "RESIZE mode=bilinear to=(4)"],
        ["LEAKY", "LEAKY-0.01", "LEAKY-(1/100)", "LEAKY-1e-2"],
        ["LEAKY-(-0.5)", "LEAKY-(0-0.5)", "LEAKY-(-one/two)"],
        ["SCALE init=(-1)", "SCALE init=(0-one)"],
        ["GN-2", "GN-two", "GN-(two)", "GN-2.0"],
        ["RELU6", "RELU6 as a", "(RELU6)", "RELU6,", "  RELU6  ", "((RELU6))"],
        ["RELU, TANH", "RELU,TANH", "RELU , TANH,", "(RELU), (TANH)", "(RELU, TANH)", "RELU, (TANH,)"],
    ],
    ids=lambda spellings: spellings[0],
)
def test_spellings_of_a_layer(spellings: list[str]) -> None:
    agree(*(f"{VARS}layers: {one}" for one in spellings))


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("CONV-6", "kernel-missing", "CONV"),
        ("CONV3", "amount-missing", "CONV3"),
        ("RELU-6", "amount-not-allowed", "6"),
        ("GAP3", "kernel-not-allowed", "3"),
        ("CONV3-6 s0", "option-value", "s0"),
        ("CONV0-6", "size", "0"),
        ("CONV3-6 d0", "option-value", "d0"),
        ("CONV3-(C/3)", "size", "(C/3)"),
        ("CONV3-6 strid=2", "unknown-option", "strid=2"),
        ("CONV3-6 s2 s=2", "option-twice", "s=2"),
        ("CONV3-6 p=sam", "option-value", "sam"),
        ("BN eps", "option-value", "eps"),
        ("CONV2-6", "padding-needed", "2"),
        ("CONVk-6", "unknown-layer", "CONVk"),
        ("CONV3-6 RELU", "missing-comma", "RELU"),
        ("CONV3-6, , RELU", "empty-item", ","),
        ("CONV 3-6", "missing-comma", "3-6"),
        ("conv3-6", "unknown-block", "conv3"),
        ("CONV3-6 bias=3", "option-value", "bias=3"),
        ("CONV3-6 s=yes", "option-value", "s=yes"),
        ("ADD", "unknown-layer", "ADD"),
    ],
)
def test_what_is_no_item(text: str, code: str, word: str) -> None:
    assert refused(text) == (code, word)


# -- blocks ------------------------------------------------------------------------------------------------------------

BLOCKS = VARS + "blocks:\n  conv(F, k=1, s=1, bias=yes): CONV(k)-F s=s bias=bias\nlayers: "


@pytest.mark.parametrize(
    "spellings",
    [
        [
            "CONV3-6",
            "conv3-6",
            "conv(6, 3)",
            "conv(6, k=3)",
            "conv(F=6, k=3)",
            "conv(k=3, F=6)",
            "conv(k)-F",
            "conv-6 k=3",
        ],
        [
            "CONV3-6",
            "conv(F, k)",
            "conv(F=F, k=k)",
            "conv(2*3, k=max(1, 3))",
            "conv( 6 , k = 3 )",
            "conv3-F",
            "conv3 F=6",
            "conv F=F k=3",
        ],
        ["CONV1-6", "conv-6", "conv(6)", "conv(F)", "conv-F", "conv-(F)", "conv1-6", "conv(F=6)", "conv(C + 2)"],
        ["CONV1x3-6", "conv1x3-6", "conv(1)x(3)-6", "conv(1)x3-6", "conv(F, wide)", "conv-6 k=wide", "conv-6 k=1x3"],
        ["CONV3-6 s2", "conv3-6 s2", "conv3-6 s=2", "conv3-6 s(two)", "conv(6, 3, 2)", "conv(6, s=2, k=3)"],
        ["CONV1-6 nobias", "conv-6 nobias", "conv-6 bias=no", "conv(6, bias=no)", "conv(6, bias=F == 5)"],
        ["CONV3-6", "conv3-6 bias", "conv3-6 bias=yes", "conv(6, k=3 if F == 6 else 1)"],
        ["CONV1-6 s1x2", "conv-6 s1x2", "conv-6 s=1x2"],
        ["CONV3-6 x2", "conv3-6 x2", "conv3-6 x(two)", "conv(6, 3) x2", "conv(F, k) x(1 + one)", "(conv(6, 3)) x2"],
    ],
    ids=lambda spellings: spellings[1],
)
def test_spellings_of_a_block(spellings: list[str]) -> None:
    agree(*(f'{BLOCKS}["{one}"]' for one in spellings))


def test_the_kernel_is_k_and_the_amount_the_first_parameter_whatever_their_order() -> None:
    blocks = "blocks:\n  u(k, F=2): CONV(k)-F\n  v(a, b, k=5): CONV(k)-(a+b)\nlayers: "
    agree(blocks + "CONV3-2, CONV5-6, CONV3-6", blocks + "['u-3, v-2 b=4, v3-2 b=4']")
    assert refused(blocks + "u3-3") == ("argument-twice", "3")


def test_a_block_without_parameters_or_with_defaults_for_all_stands_alone() -> None:
    blocks = "blocks:\n  plain: RELU\n  wide(F=2*C): CONV1-F\nlayers: "
    agree(
        blocks + "RELU, CONV1-8, CONV1-16", *(blocks + one for one in ["plain, wide, wide", "plain(), wide(), wide()"])
    )


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("u", "argument-missing", "u"),
        ("u(1, 2, 3)", "argument", "3"),
        ("u(1, G=2)", "unknown-parameter", "G=2"),
        ("u(1, F=2)", "argument-twice", "F=2"),
        ("u-1 F=2", "argument-twice", "F=2"),
        ("u3-1", "unknown-parameter", "3"),
        ("u(1) s2", "option", "s2"),
        ("none_(1)", "unknown-block", "none_"),
        ("CONV(3)", "amount-missing", "CONV"),
    ],
)
def test_arguments_that_do_not_fit(text: str, code: str, word: str) -> None:
    assert refused(f"blocks:\n  u(F, s=1): CONV1-F s=s\nlayers: {text}") == (code, word)


def test_the_exact_name_comes_before_a_name_and_a_kernel() -> None:
    blocks = "blocks:\n  conv3(F): CONV7-F\n  conv(F, k=1): CONV(k)-F\nlayers: "
    agree(blocks + "CONV7-6, CONV5-6, CONV3-6, RELU6", blocks + "['conv3-6, conv5-6, conv(3)-6, RELU6']")


def test_a_flag_named_no_something_is_that_parameter_first() -> None:
    blocks = "blocks:\n  u(norm=no, rm=yes): [BN if norm else RELU, TANH if rm]\nlayers: "
    agree(blocks + "BN, TANH", blocks + "u norm", blocks + "u norm=yes rm", blocks + "u(yes, yes)")
    agree(blocks + "RELU, TANH", blocks + "u", blocks + "u nonorm", blocks + "u norm=no rm", blocks + "u(no)")
    agree(blocks + "RELU", blocks + "u rm=no", blocks + "u(rm=no)")


def test_letters_and_numbers_name_parameters_too() -> None:
    blocks = "blocks:\n  u(F, s=1, p=none, d=1, g=1): CONV3-F s=s p=p d=d g=g\nlayers: "
    agree(blocks + "CONV3-6 s2 p0 d2 g2", blocks + "u-6 s2 p0 d2 g2", blocks + "['u(6, s=2, p=0, d=2, g=2)']")


# -- if and else -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "flat"),
    [
        ("RELU if C == 4, TANH", "RELU, TANH"),
        ("RELU if C == 5, TANH", "TANH"),
        ("RELU if C == 5 else GELU, TANH", "GELU, TANH"),
        ("RELU if C == 5 else GELU if C == 4 else SELU", "GELU"),
        ("RELU if C == 5 else GELU if C == 6 else SELU", "SELU"),
        ("RELU if C == 5 else GELU if C == 6, TANH", "TANH"),
        ("(RELU, GELU) if C == 4 else TANH, TANH", "RELU, GELU, TANH"),
        ("RELU, (GELU if C == 5), TANH", "RELU, TANH"),
        ("RELU if (no if C == 4 else yes) else GELU", "GELU"),
        ("CONV3-(8 if C == 4 else 9)", "CONV3-8"),
        ("CONV3-8 if C in [3, 4] and max(C, 9) == 9", "CONV3-8"),
        ("CONV3-8 if 'a, b if c' == \"a, b if c\", RELU", "CONV3-8, RELU"),
        ("CONV3-(2*C) x2 if C < 5", "CONV3-8, CONV3-16"),
        ("CONV3-(2*C) if C < 5 else RELU x3, CONV3-(2*C) if C < 5 else RELU x3", "CONV3-8, RELU, RELU, RELU"),
        ("CONV3-8 x2 if C == 4 else RELU x2, TANH", "CONV3-8, CONV3-8, TANH"),
    ],
)
def test_a_condition_binds_its_item_and_is_decided_before_its_repeats_at_the_current_point(
    text: str, flat: str
) -> None:
    assert layers("layers:\n  - >-\n    " + text) == flat


def test_what_a_false_condition_skips_defines_no_point() -> None:
    assert refused("CONV3-8 as p if C == 5, RELU, from p") == ("unknown-point", "p")


# -- modifiers ---------------------------------------------------------------------------------------------------------


def test_repeats() -> None:
    agree(
        "CONV3-4, RELU, CONV3-4, RELU, TANH",
        "(CONV3-4, RELU) x2, TANH",
        "(CONV3-4, RELU) x(1+1), TANH x1, GELU x0",
        "((CONV3-4 x1, RELU) x(C//4)) x2, TANH x(C/4)",
        "blocks: {u: [CONV3-4, RELU]}\nlayers: u x2, TANH",
    )
    assert layers("CONV3-(2*C) x3") == "CONV3-8, CONV3-16, CONV3-32"


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("RELU x(0-1)", "repeat", "0-1"),
        ("RELU x(1.5)", "repeat", "1.5"),
        ("RELU x(yes)", "repeat", "yes"),
        ("RELU x2 x3", "modifier", "x3"),
        ("RELU as a as b", "modifier", "as"),
        ("CONV3-4 share a share b", "modifier", "share"),
        ("RELU x1000000", "too-large", "1000000"),
    ],
)
def test_modifiers_that_do_not_fit(text: str, code: str, word: str) -> None:
    assert refused(text) == (code, word)


def test_modifiers_stand_in_any_order() -> None:
    orders = ["x2 as p share t", "as p x2 share t", "share t as p x2", "share t x(2) as p", "as p share t x2"]
    agree(*(f"CONV3-4 {order}, RELU, from p" for order in orders))


def test_as_names_the_end_of_all_repeats() -> None:
    found = facts("layers: ['(CONV3-4, RELU) x2 as p', TANH, {add: [IDENTITY, from p]}]")
    assert found["inputs"] == [[], [0], [1], [2], [3], [4], [5, 4]]
    assert refused("layers: ['(CONV3-4 as p, RELU) x2', from p, CONV1-1 as p]")[0] == "duplicate-point"


# -- share -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "owners"),
    [
        ("CONV3-4 share t x3", [None, 1, 1]),
        ("CONV3-4 share t, CONV3-4, CONV3-4 share t", [None, None, 1]),
        ("(CONV3-4, CONV1-4) share t x2", [None, None, 1, 2]),
        ("(CONV3-4, RELU, CONV1-4) share t, (CONV3-4, CONV1-4, TANH) share t", [None, None, None, 1, 3, None]),
        ("blocks: {u: CONV3-4 share t}\nlayers: u, u", [None, None]),
        (
            "blocks: {u: CONV3-4 share t x2}\nlayers: u, u, CONV3-4 share t, CONV3-4 share t",
            [None, 1, None, 3, None, 5],
        ),
        ("blocks: {u: [CONV3-4, CONV1-4]}\nlayers: u share t, RELU, u share t", [None, None, None, 1, 2]),
        ("layers: [CONV3-4 share t, {concat: [CONV3-4 share t, [RELU, CONV3-4 share t]]}]", [None, 1, None, 1, None]),
        ("layers: {each: {n: [1, 2]}, layers: CONV3-4 share t x(n)}", [None, 1, 1]),
        ("layers: {a: CONV3-4 share t, b: CONV3-4 share t}", [None, 1]),
        ("(CONV3-4 share a, CONV3-4 share a) share b, (CONV3-4, CONV3-4) share b", [None, 1, 1, 1]),
        ("CONV3-4 share t, CONV3-4 s2 share t", [None, 1]),
    ],
)
def test_shared_weights(text: str, owners: list[int | None]) -> None:
    found = spec(text)
    assert [node.shared and node.shared.index for node in list(found)[1:]] == owners
    held = sum(w.count.value for n in found if n.shared is None for w in n.facts.weights.values() if w.trainable)
    assert found.analyze().parameters == held


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("CONV3-4 share t, CONV3-8 share t", "t"),
        ("CONV3-4 share t, CONV1-4 share t", "t"),
        ("CONV3-4 share t, CONV3-4 nobias share t", "t"),
        ("(CONV3-4, RELU) share t, RELU share t", "t"),
        ("CONV3-4 share t, (CONV3-4, CONV3-4) share t", "t"),
    ],
)
def test_weights_that_cannot_be_shared(text: str, word: str) -> None:
    assert refused(text) == ("share-clash", word)
