"""Instance noise: its claims hold, each fails where its statement is false, and the exact moments are exact."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import torch
from torch import Tensor

from archspec import ArchspecError
from builders.modules.regularization import GaussianNoise
from studies import instance_noise
from studies import instance_noise_point as one_point
from studies.claims import Claim
from studies.document import find
from studies.instance_noise_moments import Descent, factor, loss_error, ridge
from studies.running import run
from studies.study import Study

SMALL = {
    "repeats": 300, "runs": 200, "burn": 300, "steps": 150, "many": 4000, "length": 15, "groups": 60,
    "sweep": [0.9, 1.1], "single_steps": 40000, "ratios": [0.1, 10], "limit_runs": 600, "limit_steps": 40,
}  # fmt: skip


def study(seed: int = 0, /, **settings: object) -> Study:
    return Study.of(find("instance-noise"), {**SMALL, **settings}, seed=seed)


def failing(claims: Iterable[Claim]) -> list[str]:
    """How the statements of the claims that fail start."""
    return [one.statement[:14].strip() for one in claims if not one.holds]


def noisier(monkeypatch: pytest.MonkeyPatch, times: float, always: bool = False) -> None:
    """NOISE of another deviation than the spec's, in evaluation too if asked for."""

    def forward(self: GaussianNoise, x: Tensor) -> Tensor:
        return x + times * self.deviation * torch.randn_like(x) if self.training or always else x

    monkeypatch.setattr(GaussianNoise, "forward", forward)


def test_every_claim_of_the_quick_run_holds() -> None:
    outcome = run(Study.of(find("instance-noise"), quick=True))
    assert failing(outcome.claims) == []
    assert len(outcome.claims) == 16
    assert set(outcome.figures) == {"shrinkage", "recurrence", "sweep", "one-draw"}


@pytest.mark.prove
def test_twenty_seeds_hold() -> None:
    failed = [failing(run(Study.of(find("instance-noise"), quick=True, seed=seed)).claims) for seed in range(1, 21)]
    assert sum(map(len, failed)) <= 1, failed


@pytest.mark.parametrize(
    ("times", "always", "failed"),
    [(1.0, False, []), (1.2, False, ["E||(X + N) w -"]), (1.0, True, ["the same netwo"])],
)
def test_noise_of_another_size_or_in_evaluation_is_seen(
    times: float, always: bool, failed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    noisier(monkeypatch, times, always)
    given = study()
    losses = instance_noise._losses(given, *instance_noise._data(given))
    assert failing(instance_noise._noisy(losses, given)) == failed


@pytest.mark.parametrize(
    ("times", "failed"),
    [
        (1.0, set()),
        (1.2, {"SGD behind NOISE-s"}),
        (0.0, {"SGD behind NOISE-s", "they are not those of least squares"}),
        (2**-0.5, {"SGD behind NOISE-s", "they are not those of lambda = s^2 / 2"}),
        (2**0.5, {"SGD behind NOISE-s", "they are not those of lambda = 2 s^2"}),
    ],
)
def test_ridge_regression_with_another_strength_is_seen(
    times: float, failed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    noisier(monkeypatch, times)
    given = study(features=3 if times else 1)  # three least squares weights are found too slowly
    x, y = instance_noise._data(given)
    claims = instance_noise._regression(x, y, instance_noise._descent(given, x, y), given)
    assert {one.statement.split(":")[0] for one in claims if not one.holds} == failed


def test_a_closed_form_that_is_not_ridge_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    given = study()
    x, y = instance_noise._data(given)
    monkeypatch.setattr(instance_noise, "ridge", lambda x, y, strength: ridge(x, y, 1.01 * strength))
    claims = instance_noise._regression(x, y, instance_noise._descent(given, x, y), given)
    assert failing(claims)[0] == "ridge, lambda"


def test_a_recurrence_without_noise_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    given = study()
    assert failing(instance_noise._mean(one_point.recurrence(given), given)) == []
    right = one_point.mean
    monkeypatch.setattr(one_point, "mean", lambda x, y, s, *rest: right(x, y, 0.9 * s, *rest))
    assert failing(instance_noise._mean(one_point.recurrence(given), given)) == ["E[w_t+1] = E[w"]


@pytest.mark.parametrize(
    ("times", "failed"),
    [
        (1.0, []),
        (1.2, ["limit / (y / x"]),
        (2.0, ["limit / (y / x", "s = 0.1 |x|: s"]),
        (0.5, ["limit / (y / x", "s = 10 |x|: le"]),
    ],
)
def test_another_limit_is_seen(times: float, failed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    noisier(monkeypatch, times)
    given = study(ratios=[0.1, 1, 10])
    assert failing(instance_noise._limit(one_point.limits(given), given)) == failed


def test_another_bound_of_the_mean_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    given = study()
    assert failing(instance_noise._bound(one_point.sweep(given), given)) == []
    single = study(draws=1)
    assert failing(instance_noise._bound(one_point.sweep(single), single)) == ["E[w_t] nears w"]
    right = one_point.mean_bound
    monkeypatch.setattr(one_point, "mean_bound", lambda x, s: 1.3 * right(x, s))
    assert failing(instance_noise._bound(one_point.sweep(given), given)) == ["E[w_t] nears w"]
    monkeypatch.undo()
    mean = one_point.mean
    monkeypatch.setattr(one_point, "mean", lambda *given: [0.9 * one for one in mean(*given)])
    assert failing(instance_noise._bound(one_point.sweep(given), given)) == ["1 - E[w_t] / w"]


def test_another_growth_of_the_mean_square_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    given = study()
    assert failing(instance_noise._squares(one_point.growth(given), given)) == []
    right = one_point.square_bound
    monkeypatch.setattr(one_point, "square_bound", lambda x, s: 1.3 * right(x, s))
    assert failing(instance_noise._squares(one_point.growth(given), given)) == ["E[w^2] shrinks"]
    monkeypatch.undo()
    noisier(monkeypatch, 1.05)
    assert failing(instance_noise._squares(one_point.growth(given), given)) == ["y = 0: a step"]


def test_where_the_mean_square_converges_the_sample_mean_is_no_miss() -> None:
    assert instance_noise._missed(one_point.single(study()), study()).holds
    slow = study(single=0.1)
    assert failing([instance_noise._missed(one_point.single(slow), slow)]) == ["one draw a ste"]


def test_a_seed_gives_the_same_numbers_and_another_gives_others() -> None:
    first, again, other = (one_point.recurrence(study(seed, many=50, rates=[0.1])) for seed in (3, 3, -4))
    assert first == again != other


def test_no_global_random_number_is_used() -> None:
    before = torch.get_rng_state()
    one_point.recurrence(study(many=50, rates=[0.1]))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    "settings",
    [{"x": 0}, {"y": -1}, {"s": "big"}, {"length": 0}, {"draws": 1.5}, {"sweep": []}, {"single": 0}, {"groups": 0}],
)
def test_wrong_parameters_of_one_point(settings: dict[str, object]) -> None:
    with pytest.raises(ArchspecError) as found:
        one_point.sweep(study(**settings))
    assert [one.code for one in found.value.diagnostics] == ["study-parameter"]


@pytest.mark.parametrize("settings", [{"noises": [0.1, 0]}, {"points": 1}, {"weights": 0}, {"repeats": "many"}])
def test_wrong_parameters_of_the_loss(settings: dict[str, object]) -> None:
    given = study(**settings)
    with pytest.raises(ArchspecError) as found:
        instance_noise._losses(given, *instance_noise._data(given))
    assert [one.code for one in found.value.diagnostics] == ["study-parameter"]


# -- the exact moments -------------------------------------------------------------------------------------------------


def test_descent_on_one_point_obeys_the_scalar_recurrences() -> None:
    """E[w'^2] = E[w^2] E[(1 - a A)^2] + 2 a y E[w] E[(1 - a A) B] + a^2 y^2 E[B^2].

    A and B are means of z^2 and z over K draws.
    """
    x, y, s, rate, draws = 1.3, -0.7, 0.8, 0.2, 3
    m2, m3, m4 = x**2 + s**2, x**3 + 3 * x * s**2, x**4 + 6 * x**2 * s**2 + 3 * s**4
    squares, cross = m2**2 + (m4 - m2**2) / draws, m2 * x + (m3 - m2 * x) / draws
    mean = second = 0.0
    means, spreads = Descent(np.array([[x]]), np.array([y]), s, rate, draws).moments(6)
    for step in range(7):
        assert means[step, 0] == pytest.approx(mean, rel=1e-12)
        assert spreads[step, 0, 0] == pytest.approx(second - mean**2, rel=1e-10, abs=1e-15)
        second = (
            second * (1 - 2 * rate * m2 + rate**2 * squares)
            + 2 * rate * y * mean * (x - rate * cross)
            + rate**2 * y**2 * (x**2 + s**2 / draws)
        )
        mean = mean * (1 - rate * m2) + rate * x * y


def test_the_spread_of_runs_is_the_exact_one() -> None:
    draw = np.random.default_rng(0)
    x, y, s, rate, batch, runs = draw.normal(size=(5, 2)), draw.normal(size=5), 0.5, 0.1, 2, 40000
    w, kept = np.zeros((runs, 2)), []
    for _ in range(12):
        chosen = draw.integers(5, size=(runs, batch))
        z = x[chosen] + s * draw.normal(size=(runs, batch, 2))
        errors = np.einsum("rbd,rd->rb", z, w) - y[chosen]
        w = w - rate / batch * np.einsum("rb,rbd->rd", errors, z)
        kept.append(w)
    mean, spread = Descent(x, y, s, rate, batch).average(4, 8)
    averages = np.mean(kept[4:], axis=0)
    assert np.abs(averages.mean(0) - mean).max() < 5 * np.sqrt(spread.diagonal().max() / runs)
    assert np.cov(averages.T) == pytest.approx(spread, rel=0.1, abs=0.05 * float(spread.diagonal().max()))


def test_the_factors_and_the_error_of_the_loss_are_those_of_draws() -> None:
    draw = np.random.default_rng(1)
    z = 1.2 + 0.7 * draw.normal(size=400_000)
    for power in (1, 2, 4):
        values = (1 - 0.3 * z**2) ** power
        assert values.mean() == pytest.approx(factor(1.2, 0.7, 0.3, power), abs=5 * values.std() / 400_000**0.5)
    x, y, w = draw.normal(size=(4, 2)), draw.normal(size=4), np.array([1.0, -2.0])
    losses = np.square((x + 0.6 * draw.normal(size=(100_000, 4, 2))) @ w - y).sum(1)
    assert losses.std() == pytest.approx(loss_error(x, y, w, 0.6), rel=0.02)
