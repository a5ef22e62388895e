"""Activations that write over their input: where they may, where they may not, and that no number changes."""

from __future__ import annotations

import pytest
import torch

from archspec import parse, run
from archspec.graph import overwriting
from builders.build import build

HEAD = "{name: n, input: 4x4x2, "


def over(rest: str) -> list[str]:
    """The layers that write over their input."""
    return [str(node.layer) for node in sorted(overwriting(parse(HEAD + rest).layers), key=lambda node: node.index)]


@pytest.mark.parametrize("kind", ["RELU", "RELU6", "LEAKY", "ELU", "SELU", "SILU", "MISH", "HSWISH", "HSIGMOID"])
@pytest.mark.parametrize("before", ["CONV3-2", "BN", "UPCONV2-2", "LINEAR-2", "LN", "add: [IDENTITY, CONV3-2]"])
def test_behind_what_needs_no_output_they_do(before: str, kind: str) -> None:
    first = f"{{{before}}}" if ":" in before else before
    assert over(f"layers: [{first}, {kind}]}}") == [kind]


@pytest.mark.parametrize(
    "rest",
    [
        "layers: RELU}",  # the caller's own tensor
        "layers: [CONV3-2, SIGMOID, RELU]}",  # the sigmoid's gradient is computed from its output
        "layers: [CONV3-2, CROP to=2, RELU]}",  # a view
        "layers: [CONV3-2, {add: [IDENTITY, [RELU, CONV3-2]]}]}",
        "layers: {a: CONV3-2, b: RELU}, outputs: [a, b]}",
        "layers: {a: CONV3-2, b: RELU}, outputs: b, training_outputs: a}",
        "layers: {a: CONV3-2, b: RELU, aux: [from a, CONV3-1], c: from b}, outputs: c, training_outputs: aux}",
    ],
)
def test_what_is_needed_elsewhere_stays(rest: str) -> None:
    assert over(rest) == []


def test_of_two_in_a_row_the_first_alone_writes_over_its_input() -> None:
    graph = parse(HEAD + "layers: [CONV3-2, RELU, RELU]}").layers
    assert [node.index for node in overwriting(graph)] == [2]


@pytest.mark.parametrize("kind", ["RELU", "RELU6", "LEAKY", "ELU", "SELU", "SILU", "MISH", "HSWISH", "HSIGMOID"])
def test_numbers_and_gradients_are_those_of_a_fresh_output(kind: str) -> None:
    torch.manual_seed(0)
    model = build(parse(HEAD + f"layers: [CONV3-3, BN, {kind}, GAP, FLATTEN]}}"), dtype="float64")
    plain = build(parse(HEAD + f"layers: [CONV3-3, BN as b, {kind}, GAP, FLATTEN], outputs: [b, flat]}}".replace(
        "FLATTEN]", "FLATTEN as flat]")), dtype="float64")  # fmt: skip
    plain.load_state_dict(model.state_dict())
    x = torch.randn(3, 2, 4, 4, dtype=torch.float64)
    model(x).square().sum().backward()
    plain(x)["flat"].square().sum().backward()
    for one, other in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)  # type: ignore[arg-type]
    with torch.no_grad():
        kept = x.clone()
        assert torch.equal(model.eval()(x), plain.eval()(x)["flat"])
        assert torch.equal(x, kept)


def test_a_worked_example_shows_what_was_there_before() -> None:
    text = "{name: r, input: 2, layers: [FC-2 nobias w=w, RELU], tensors: {input: [1, 2], w: [[1, 0], [0, -1]]}}"
    assert [value.tolist() for value in run(parse(text)).outputs.values()] == [[1.0, 2.0], [1.0, -2.0], [1.0, 0.0]]
