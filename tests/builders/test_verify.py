"""The verifier: it finds nothing on what is right, and names what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from archspec import Call, Formula, Shape, Storage, Window, load, parse
from archspec.layers import AxisWindow, Phases, Reach
from archspec.layers.activation import Relu
from archspec.layers.convolution import Conv
from archspec.layers.normalization import BatchNorm
from archspec.layers.pooling import GlobalAvgPool, Pool
from builders.modules import module, saved
from builders.modules.dispatch import Saved
from builders.verify import Verification, Verifier, verify

TEXT = "{name: small, input: 12x12x3, layers: [CONV3-8 nobias, BN, RELU, POOL2, CONV3-4 d2, RELU, GAP, FLATTEN, FC-3]}"


def check(text: str = TEXT) -> Verification:
    return Verifier().verify(parse(text))


def failing(found: Verification) -> set[tuple[str, str]]:
    return {(claim.subject, claim.quantity) for claim in found.failures}


def always(value: object) -> Callable[..., object]:
    """A fact that is the same for every layer and input."""

    def fact(*_: object) -> object:
        return value

    return fact


def test_a_right_network_holds() -> None:
    found = check()
    assert found.holds, found
    assert found.held > 80
    quantities = {claim.quantity for claim in found.claims}
    assert {"output shape", "parameters", "buffers", "MACs", "bytes alive", "bytes for backward"} <= quantities


@pytest.mark.parametrize("name", ["tutorial/cnn", "tutorial/dilated", "tutorial/residual", "squeezenet1_1"])
def test_bundled_networks_hold(name: str) -> None:
    found = verify(name, input="64x64x3") if name == "squeezenet1_1" else verify(name)
    assert found.holds, found


def test_a_wrong_shape_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pool, "output_shape", always(Shape((5, 5), 8)))
    found = failing(check())
    assert ("4 POOL2", "output shape") in found
    assert ("5 CONV3-4 d2", "output shape") in found


def test_a_shape_that_breaks_the_run_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GlobalAvgPool, "output_shape", always(Shape((1, 1), 5)))
    found = check()
    assert {("7 GAP", "output shape"), ("9 FC-3", "runs")} <= failing(found)
    assert "5" in str(next(claim.measured for claim in found.failures if claim.quantity == "runs"))


def test_wrong_parameters_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    right = BatchNorm.weights

    def wrong(self: BatchNorm, *inputs: Shape) -> Any:
        return {name: weight for name, weight in right(self, *inputs).items() if name != "bias"}

    monkeypatch.setattr(BatchNorm, "weights", wrong)
    assert failing(check()) == {("2 BN", "parameters"), ("2 BN", "weights"), ("network", "parameters")}


def test_wrong_buffers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    right = BatchNorm.weights

    def wrong(self: BatchNorm, *inputs: Shape) -> Any:
        return {name: weight for name, weight in right(self, *inputs).items() if name != "running_var"}

    monkeypatch.setattr(BatchNorm, "weights", wrong)
    assert failing(check()) == {("2 BN", "buffers"), ("2 BN", "weights"), ("network", "buffers")}


def test_wrong_macs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Relu, "macs", always(Formula.product(1)))
    assert failing(check()) == {("3 RELU", "MACs"), ("6 RELU", "MACs"), ("network", "MACs")}


def test_wrong_storage_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (BatchNorm, Relu):
        monkeypatch.setattr(kind, "storage", Storage.VIEW)
    assert {("2 BN", "bytes alive"), ("network", "peak bytes alive")} <= failing(check())


def test_a_wrong_declaration_of_what_autograd_keeps_is_named() -> None:
    right = saved.dispatch(Conv)

    def wrong(layer: Conv, shape: Shape, needs: tuple[bool, ...]) -> Saved:  # noqa: ARG001
        return Saved(output=True)

    saved.register(Conv, wrong)
    try:
        found = failing(check())
    finally:
        saved.register(Conv, right)
    assert {("1 CONV3-8 nobias", "bytes for backward"), ("network", "bytes for backward")} <= found
    assert check().holds


def test_a_wrong_window_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Conv, *inputs: Shape) -> tuple[Window, ...]:  # noqa: ARG001
        return (Window(tuple(AxisWindow(axis, Phases(1, 1, ((-1, 0),))) for axis in range(2))),)

    monkeypatch.setattr(Conv, "window", wrong)
    subjects = {subject for subject, _ in failing(check())}
    assert any("CONV3-8" in subject for subject in subjects)
    assert any("CONV3-4 d2" in subject for subject in subjects)


def test_a_window_that_says_too_much_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = AxisWindow(None, Reach.ALL)
    monkeypatch.setattr(Pool, "window", always((Window((everything,) * 2),)))
    assert any("POOL2" in subject for subject, _ in failing(check()))


class Detached(nn.Module):
    """Lets no gradient through."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x.detach())


class Unsteady(nn.Module):
    """Gives other numbers on every pass."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + torch.rand_like(x))


@pytest.mark.parametrize(
    ("built", "quantity"), [(Detached(), "parameters with a gradient"), (Unsteady(), "evaluation repeats")]
)
def test_a_wrong_builder_is_named(built: nn.Module | Call, quantity: str) -> None:
    right = module.dispatch(Relu)
    module.register(Relu, lambda layer, shape: built)  # noqa: ARG005
    try:
        found = failing(check())
    finally:
        module.register(Relu, right)
    assert ("network", quantity) in found


def test_what_is_too_large_runs_on_meta_alone() -> None:
    spec = load("resnet18")
    found = Verifier(budget=1 << 20).verify(spec)
    assert found.holds, found
    assert any("meta alone" in note for note in found.notes)
    assert "bytes for backward" not in {claim.quantity for claim in found.claims}
    assert "peak bytes alive" in {claim.quantity for claim in found.claims}


def test_training_outputs_are_verified() -> None:
    text = """
name: heads
input: 8x8x3
layers:
  body: CONV3-4, BN, RELU
  aux: GAP, FLATTEN, FC-2
  head: from body, CONV3-4, GAP, FLATTEN, FC-3
outputs: head
training_outputs: aux
"""
    found = check(text)
    assert found.holds, found
    assert any(claim.subject.endswith("FC-2") and claim.quantity == "parameters" for claim in found.claims)
    assert any(claim.quantity == "MACs of training alone" for claim in found.claims)


def test_the_same_topology_is_proved_once() -> None:
    verifier = Verifier()
    first, second = (verifier.verify(parse(TEXT)) for _ in range(2))
    assert first.held > second.held
    assert any("topology" in note for note in second.notes)
