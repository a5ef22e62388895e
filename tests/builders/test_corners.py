"""Networks and builders that went wrong once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from archspec import ArchspecError, Shape, build, parse, verify
from archspec.layers.activation import Tanh
from archspec.layers.convolution import Conv
from builders.modules import module
from builders.verify import Verifier, _bytes

TWO_HEADS = """
name: heads
input: 8x8x3
layers: [CONV3-4 as r, CONV1-2 as e1, from r, CONV1-2 as e2, from r, CONV1-3 as late]
outputs: late
training_outputs: [e1, e2]
"""


@contextmanager
def built_by(kind: Any, builder: Callable[..., Any]) -> Iterator[None]:
    right = module.dispatch(kind)
    module.register(kind, builder)
    try:
        yield
    finally:
        module.register(kind, right)


def test_training_parts_come_in_the_order_of_the_spec() -> None:
    model = build(parse(TWO_HEADS))
    for _ in range(20):
        again = build(parse(TWO_HEADS))
        assert again.code == model.code
        again.load_state_dict(model.state_dict())
        x = torch.randn(2, 3, 8, 8)
        assert torch.equal(again(x)["e1"], model(x)["e1"])


@pytest.mark.parametrize("name", ["input", "max"])
def test_inputs_called_like_a_builtin_and_its_copy_stay_two(name: str) -> None:
    text = f"{{name: a, input: {{{name}: 2x2x1, {name}_1: 2x2x1}}, layers: [{{concat: [IDENTITY, from {name}_1]}}]}}"
    found = build(parse(text))(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2))
    assert found.flatten().tolist() == [0] * 4 + [1] * 4


def test_an_input_that_training_alone_reads() -> None:
    text = """
name: c
input: {x: 8x8x1, y: 8x8x1}
layers: [CONV3-1 as e, {add: [IDENTITY, from y]}, CONV1-1 as t]
outputs: e
training_outputs: t
"""
    model = build(parse(text))
    x, y = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    assert not torch.equal(model(x, y)["t"], model(x, 2 * y)["t"])
    assert model.eval()(x, y)["t"] is None
    assert verify(parse(text)).holds


def test_the_size_of_an_input_is_followed_in_training_alone() -> None:
    text = """
name: l
input: {x: 8x8x1, ref: 4x4x1}
layers: [CONV3-1 as e, RESIZE like=ref as t]
outputs: e
training_outputs: t
"""
    found = build(parse(text))(torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 6, 6))
    assert found["t"].shape == (1, 1, 6, 6)


def test_an_input_that_nothing_reads_takes_no_part() -> None:
    assert verify(parse("{name: c, input: {x: 8x8x1, y: 8x8x1}, layers: [CONV3-1, RELU]}")).holds


def test_verification_does_not_hang_on_torchs_global_state() -> None:
    with torch.no_grad():
        assert verify("tutorial/cnn").holds
    torch.set_default_dtype(torch.float64)
    try:
        assert verify("tutorial/cnn").holds
    finally:
        torch.set_default_dtype(torch.float32)


def test_one_example_that_torch_refuses_to_normalise_is_no_failure() -> None:
    spec = parse("{name: b, input: 8x8x3, layers: [CONV3-4, GAP, FLATTEN, FC-2, BN]}")
    found = Verifier(budget=_bytes(spec, 1)).verify(spec)
    assert found.holds, found
    assert any("no training step" in note for note in found.notes)


def test_other_outputs_are_another_topology() -> None:
    text = "{{name: o, input: 8x8x1, layers: {{a: CONV3-1, b: CONV3-1 s2}}, outputs: {}}}"
    verifier = Verifier()
    notes = [verifier.verify(parse(text.format(outputs))).notes for outputs in ("b", "[a, b]", "b")]
    assert ["same topology" in str(found) for found in notes] == [False, False, True]


def test_a_weight_of_another_shape_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Conv.weights

    def wrong(self: Conv, *inputs: Shape) -> Any:
        return {name: replace(weight, shape=weight.shape[::-1]) for name, weight in right(self, *inputs).items()}

    monkeypatch.setattr(Conv, "weights", wrong)
    found = verify(parse("{name: w, input: 8x8x3, layers: CONV3-4}"))
    assert {(claim.subject, claim.quantity) for claim in found.failures} == {("1 CONV3-4", "weights")}


class Cut(nn.Conv2d):
    """Lets its bias have no gradient."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        assert self.bias is not None
        return nn.functional.conv2d(input, self.weight, self.bias.detach(), padding=1)


def test_a_parameter_without_a_gradient_is_named() -> None:
    with built_by(Conv, lambda layer, shape: Cut(shape.channels, layer.filters, 3, padding=1)):
        found = verify(parse("{name: w, input: 8x8x3, layers: CONV3-4}"))
    assert [claim.subject for claim in found.failures] == ["conv1.bias", "network"]


def test_a_builder_that_gives_something_else_is_told_so() -> None:
    with built_by(Tanh, lambda layer, shape: 3), pytest.raises(ArchspecError) as caught:  # noqa: ARG005
        build(parse("{name: w, input: 8x8x3, layers: TANH}", "net.yaml"))
    assert str(caught.value).startswith("net.yaml:1:33: error[builder-result]: the builder of TANH gives int\n")


def test_a_module_without_the_weights_of_its_layer_is_told_so() -> None:
    with built_by(Conv, lambda layer, shape: nn.PReLU()), pytest.raises(ArchspecError) as caught:  # noqa: ARG005
        build(parse("{name: w, input: 8x8x3, layers: CONV3-4}", "net.yaml"))
    error = caught.value.diagnostics[0]
    assert (error.code, error.message) == ("builder-weights", "what the builder of CONV gives holds no bias")
    assert error.hint == "call its parameters and buffers as the layer's `weights` do: weight, bias"
