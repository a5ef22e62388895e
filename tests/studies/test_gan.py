"""The study of the generator's two losses: it holds, and it notices experiments that are wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
import torch

from archspec.errors import ArchspecError
from studies import gan, gan_run
from studies.document import find
from studies.running import run
from studies.study import Outcome, Study

BRIEF = {"pretraining": 1, "steps": 1, "orders": 4}  # too short for what training shows, enough for the rest
SLOPES = [
    "minimax, 256 z: slope of log norm on log D, 1e-4 to 1e-2",
    "non-saturating, 256 z: slope of log norm on log D, 1e-4 to 1e-2",
]
TRAINED = {
    "discriminator trained alone: mean D(G(z)) at its end",
    "there, minimax gradient norm over non-saturating one",
    "non-saturating gradient norm there over that before",
    "trained discriminator, non-saturating: part gone",
    "untrained discriminator, minimax: part gone",
    "non-saturating minus minimax, pairs of equal seeds",
}


def outcome(settings: Mapping[str, object] | None = None, seed: int = 0) -> Outcome:
    return run(Study.of(find("gan"), settings, quick=True, seed=seed))


def failing(settings: Mapping[str, object] | None = None, seed: int = 0) -> list[str]:
    return [one.statement for one in outcome(settings, seed).claims if not one.holds]


def without_training() -> list[str]:
    """What fails of that which needs no training."""
    return [one for one in failing(BRIEF) if one not in TRAINED]


def test_every_claim_holds_and_the_numbers_are_kept() -> None:
    threads = torch.get_num_threads()
    found = outcome()
    assert [one.statement for one in found.claims if not one.holds] == []
    assert set(found.figures) == {"gradients", "run"}
    assert len(found.numbers["gradients"]) == 41
    assert {row["run"] for row in found.numbers["run"]} == {
        "minimax",
        "non-saturating",
        "minimax, untrained discriminator",
    }
    assert torch.get_num_threads() == threads


def test_equal_seeds_give_equal_numbers_and_others_do_not() -> None:
    first, again, other = (outcome(BRIEF, seed).numbers["gradients"] for seed in (0, 0, 1))
    assert first == again != other


def test_discriminators_without_training_fail_what_training_shows() -> None:
    assert set(failing(BRIEF)) == TRAINED


def test_non_saturating_for_minimax_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gan_run, "minimax", gan_run.non_saturating)
    assert without_training() == [
        "minimax: d/dh log(1 - D) = -D, D = sigmoid(h), |h| to 1000",
        "both losses as log-sigmoids are exact for |h| to 1000",
        "minimax, one z: gradient norm = D |dh/dw|",
        SLOPES[0],
    ]


def test_minimax_for_non_saturating_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gan_run, "non_saturating", gan_run.minimax)
    assert without_training() == [
        "non-saturating: d/dh (-log D) = -(1 - D), D = sigmoid(h), |h| to 1000",
        "both losses as log-sigmoids are exact for |h| to 1000",
        "non-saturating, one z: gradient norm = (1 - D) |dh/dw|",
        SLOPES[1],
    ]


def test_a_loss_formed_step_by_step_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gan_run, "minimax", lambda h: torch.log(1 - torch.sigmoid(h)))
    found = without_training()
    assert "both losses as log-sigmoids are exact for |h| to 1000" in found
    assert "non-saturating, one z: gradient norm = (1 - D) |dh/dw|" not in found


def test_a_factor_of_two_in_the_gradient_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    true = gan_run.slopes
    doubled = lambda loss, *given: (2 if loss is gan_run.minimax else 1) * true(loss, *given)  # noqa: E731
    monkeypatch.setattr(gan_run, "slopes", doubled)
    assert without_training() == ["minimax, one z: gradient norm = D |dh/dw|"]


def test_the_stall_needs_a_trained_discriminator() -> None:
    """Against one that has learnt a single step, minimax goes its way."""
    found = failing({"pretraining": 1, "orders": 4, "steps": 100})
    assert "trained discriminator, minimax: part of the way gone" in found


def test_minimax_for_non_saturating_does_not_move_in_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gan_run, "non_saturating", gan_run.minimax)
    found = failing({"orders": 4, "steps": 50})
    assert {
        "non-saturating gradient norm there over that before",
        "trained discriminator, non-saturating: part gone",
        "non-saturating minus minimax, pairs of equal seeds",
    } <= set(found)
    assert "trained discriminator, minimax: part of the way gone" not in found


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seeds": 13}, "the parameter seeds of gan is a whole number from 14, found 13"),
        ({"deviation": 0}, "the parameter deviation of gan is a number above 0, found 0"),
        ({"rate": "fast"}, "the parameter rate of gan is a number above 0, found"),
        ({"steps": 1.5}, "the parameter steps of gan is a whole number from 1, found 1.5"),
        ({"orders": 141}, "D falls through 140 powers of ten at most, found 141"),
    ],
)
def test_parameters_that_make_no_study(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        outcome({**BRIEF, **settings})
    (one,) = caught.value.diagnostics
    assert one.message.startswith(message)
    assert one.code == "study-parameter"


def test_a_width_that_makes_no_network() -> None:
    with pytest.raises(ArchspecError) as caught:
        outcome({**BRIEF, "width": 0})
    (one,) = caught.value.diagnostics
    assert (one.code, one.message) == ("size", "units must be at least 1, found 0")


@pytest.mark.prove
def test_twenty_other_seeds_hold() -> None:
    """15 claims in each of 20 runs: what the levels allow to fail is far below one."""
    assert [(seed, one) for seed in range(41, 61) for one in failing(seed=seed)] == []


def test_the_ends_of_a_medians_interval_are_as_likely_as_they_say() -> None:
    """Of 40 numbers fewer than k fall below the median with a probability that coins give."""
    found = torch.arange(40, dtype=torch.float64).flip(0)
    (low, _), (high, basis) = gan._median(found), gan._median(found, upper=True)
    assert (low, high) == (39 - high, 39 - low)
    below = [sum(math.comb(40, k) for k in range(int(high) + extra)) / 2**40 for extra in (0, 1)]
    assert below[0] < 0.9999 <= below[1]
    assert basis == "median's upper end, 99.99% of 40 seeds"


def test_the_norms_are_those_of_a_network_by_itself() -> None:
    """Weights stacked over seeds give the gradients that torch gives one network."""
    study = Study.of(find("gan"), {"seeds": 14})
    both = gan_run.players(study)
    noise = gan_run.data(study, 9).noise()
    found = gan_run.slopes(gan_run.minimax, both, noise)
    for seed in range(2):
        for module, weights in ((both.generator, both.making), (both.discriminator, both.judging)):
            module.load_state_dict({name: weight[seed].detach() for name, weight in weights.items()})
        loss = torch.log(1 - torch.sigmoid(both.discriminator(both.generator(noise[seed])))).mean()
        slopes = torch.autograd.grad(loss, list(both.generator.parameters()))
        norm = torch.cat([one.flatten() for one in slopes]).norm()
        torch.testing.assert_close(found[seed], norm, rtol=1e-10, atol=0)
