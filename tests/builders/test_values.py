"""What the modules compute, held against each kind's definition; and what is drawn at random while training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from archspec.layers import Layer, Shape, registry
from archspec.layers.activation import LeakyRelu
from archspec.layers.normalization import BatchNorm
from archspec.layers.regularization import Dropout, DropPath, Noise
from tests.builders.cases import Case, cases, every_kind, some
from tests.builders.values_oracle import RULES, compute

DROPPING = [Dropout(p=0.25), DropPath(p=0.25)]


def agree(case: Case, batch: int) -> None:
    """A module in evaluation gives what the definition does, to nine digits."""
    built, tensors = case.built(), case.tensors(batch)
    state = built.state_dict() if isinstance(built, nn.Module) else {}
    with torch.no_grad():
        found = case.run(built, tensors).numpy()
    with np.errstate(all="ignore"):
        wanted = compute(case.layer, {name: w.numpy() for name, w in state.items()}, *(x.numpy() for x in tensors))
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_the_oracle_knows_every_kind() -> None:
    assert set(RULES) == set(registry)


@every_kind
@some
@given(st.data())
def test_values_are_those_of_the_definition(kind: type[Layer], data: st.DataObject) -> None:
    agree(data.draw(cases(kind)), data.draw(st.sampled_from((1, 2))))


def test_slopes_may_be_negative() -> None:
    agree(Case(LeakyRelu(slope=-0.5), (Shape((3, 4), 2),)), 2)


def test_a_wrong_value_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "LEAKY", lambda layer, weights, x: np.where(x > 0, x, 1.000001 * layer.slope * x))  # noqa: ARG005
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        agree(Case(LeakyRelu(slope=0.5), (Shape((3, 4), 2),)), 2)


# -- training ----------------------------------------------------------------------------------------------------------


def trained(layer: Layer, shape: Shape, x: Tensor) -> Tensor:
    """The output while training, the same on every call."""
    torch.manual_seed(0)
    case = Case(layer, (shape,))
    return case.run(case.built(), [x], train=True)


@pytest.mark.parametrize("layer", DROPPING, ids=str)
def test_what_is_kept_grows_by_what_is_dropped(layer: Layer) -> None:
    x = torch.rand(4000, 5, 3, dtype=torch.float64) + 1
    y = trained(layer, Shape((3,), 5), x)
    kept = y != 0
    assert torch.allclose(y[kept], x[kept] / 0.75, rtol=1e-12)
    assert abs(kept.double().mean() - 0.75) < 0.03
    assert abs((y / x).mean() - 1) < 0.03


def test_dropout_drops_numbers_and_drop_path_whole_examples() -> None:
    ones = torch.ones(200, 5, 3, dtype=torch.float64)
    numbers, examples = (trained(layer, Shape((3,), 5), ones).flatten(1).count_nonzero(1) for layer in DROPPING)
    assert set(examples.tolist()) == {0, 15}
    assert len(set(numbers.tolist())) > 5


@pytest.mark.parametrize("kind", [Dropout, DropPath])
def test_nothing_and_everything_can_be_dropped(kind: type[Dropout | DropPath]) -> None:
    x = torch.rand(3, 5, dtype=torch.float64) + 1
    assert torch.equal(trained(kind(p=0), Shape((), 5), x), x)
    assert torch.equal(trained(kind(p=1), Shape((), 5), x), torch.zeros_like(x))


def test_noise_has_its_deviation() -> None:
    x = torch.rand(2000, 10, dtype=torch.float64)
    added = trained(Noise(deviation=0.3), Shape((), 10), x) - x
    assert abs(added.mean()) < 0.01
    assert abs(added.std() - 0.3) < 0.01
    assert abs(torch.corrcoef(torch.stack([added.flatten(), x.flatten()]))[0, 1]) < 0.03


@pytest.mark.parametrize(("shape", "axes"), [(Shape((), 3), (0,)), (Shape((4,), 3), (0, 2)), (Shape((2, 4), 3), None)])
def test_batch_norm_learns_its_statistics(shape: Shape, axes: tuple[int, ...] | None) -> None:
    """Training uses the batch's variance (over n); the running one takes a share m of it over n - 1."""
    case = Case(BatchNorm(momentum=0.3, eps=0.01, affine=False), (shape,))
    over = axes or (0, 2, 3)
    built, (x,) = case.built(), case.tensors(6)
    assert isinstance(built, nn.Module)
    before = {name: value.clone() for name, value in built.named_buffers()}
    y = case.run(built, [x], train=True)
    mean, variance = x.mean(over, keepdim=True), x.var(over, correction=0, keepdim=True)
    assert torch.allclose(y, (x - mean) / (variance + 0.01).sqrt(), rtol=1e-9)
    wanted = 0.7 * before["running_mean"] + 0.3 * mean.flatten()
    assert torch.allclose(built.get_buffer("running_mean"), wanted, rtol=1e-9)
    wanted = 0.7 * before["running_var"] + 0.3 * x.var(over, correction=1)
    assert torch.allclose(built.get_buffer("running_var"), wanted, rtol=1e-9)
