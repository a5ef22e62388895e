"""The study of forward and reverse KL: it holds, and it notices experiments that are wrong."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from archspec.errors import ArchspecError
from studies import kl_fits
from studies.document import find
from studies.kl_fits import Mixture
from studies.running import run
from studies.study import Outcome, Study

MIXTURE = Mixture((0.6, 0.4), (-2.5, 2.5), (0.8, 0.6))


def outcome(settings: Mapping[str, object] | None = None) -> Outcome:
    return run(Study.of(find("kl"), settings, quick=True))


def failing(settings: Mapping[str, object] | None = None) -> list[str]:
    return [one.statement for one in outcome(settings).claims if not one.holds]


def test_every_claim_holds_and_the_numbers_of_all_fits_are_kept() -> None:
    found = outcome()
    assert [one.statement for one in found.claims if not one.holds] == []
    rows = found.numbers["fits"]
    assert [row["divergence"] for row in rows] == ["forward"] * 6 + ["reverse"] * 6
    assert set(found.figures) == {"densities", "course"}


def test_means_in_the_other_order_are_the_same_mixture() -> None:
    turned = outcome({"means": [2.5, -2.5], "weights": [4, 6], "deviations": [0.6, 0.8]})
    assert [one.measured for one in turned.claims] == [one.measured for one in outcome().claims]


def test_reverse_for_forward_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kl_fits, "forward", kl_fits.reverse)
    found = failing()
    assert found[:2] == [
        "forward fit, all starts: mean = w1 m1 + w2 m2",
        "its variance = sum of w (s^2 + (m - mean)^2)",
    ]
    assert "forward fit's mass in each mode, as a part of P's" in found
    assert [one for one in found if one.startswith("D(")] == [
        "D(P||Q_F) of the forward fit Q_F, nats",
        "D(P||Q_R) of the better reverse fit Q_R, nats",
        "D(P||Q_R) exceeds D(P||Q_F), nats",
        "D(Q_F||P) exceeds D(Q_R||P), nats",
    ]


def test_forward_for_reverse_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kl_fits, "reverse", kl_fits.forward)
    found = failing()
    assert {
        "different fits that reverse KL ends at, from 6 starts",
        "a reverse fit ends on the side of P's valley where it set out",
        "reverse fits, all starts: mean and deviation as scipy",
        "reverse fits' mean from the nearest maximum, in deviations of P's normal",
        "reverse fits' mass in the other mode",
        "D(Q_R||P) of the better reverse fit Q_R, nats",
    } <= set(found)
    assert "forward fit, all starts: mean = w1 m1 + w2 m2" not in found


def test_a_descent_that_stops_early_misses_the_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kl_fits, "MOST_STEPS", 60)
    found = failing()
    assert found == ["forward fit, all starts: mean = w1 m1 + w2 m2", "its variance = sum of w (s^2 + (m - mean)^2)"]


def test_a_wrong_variance_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    true = Mixture.__dict__["variance"].fget
    monkeypatch.setattr(Mixture, "variance", property(lambda one: 1.00001 * true(one)))
    assert failing() == ["its variance = sum of w (s^2 + (m - mean)^2)"]


def test_integrals_of_the_wrong_divergence_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kl_fits, "forward_by_scipy", kl_fits.reverse_by_scipy)
    assert failing() == ["D(P||Q_F) of the forward fit Q_F, nats", "D(P||Q_R) of the better reverse fit Q_R, nats"]


def test_modes_that_merge_leave_one_fit() -> None:
    found = failing({"means": [-0.5, 0.5]})
    assert {"maxima of P", "different fits that reverse KL ends at, from 6 starts"} <= set(found)
    assert not [one for one in found if one.startswith("forward fit, all starts")]


def test_means_that_rounding_cannot_tell_apart_leave_no_maximum() -> None:
    assert "maxima of P" in failing({"means": [0, 1e-6]})


def test_divergences_are_torchs_where_it_knows_them() -> None:
    """A mixture of two equal normals is one normal."""
    one = Mixture((0.5, 0.5), (1.0, 1.0), (2.0, 2.0))
    grid = torch.linspace(-60, 60, 4001, dtype=torch.float64)
    mean, width = (torch.tensor([value], dtype=torch.float64) for value in (0.5, 1.5))
    p = torch.distributions.Normal(torch.tensor(1.0).double(), torch.tensor(2.0).double())
    q = torch.distributions.Normal(mean, width)
    known = torch.distributions.kl_divergence
    torch.testing.assert_close(kl_fits.forward(one.log(grid), mean, width.log(), grid), known(p, q))
    torch.testing.assert_close(kl_fits.reverse(one.log(grid), mean, width.log(), grid), known(q, p))


def test_the_mixture_is_that_of_torch() -> None:
    normals = torch.distributions.Normal(*torch.tensor([[-2.5, 2.5], [0.8, 0.6]], dtype=torch.float64))
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(torch.tensor([0.6, 0.4], dtype=torch.float64)), normals
    )
    x = torch.linspace(-9, 9, 7, dtype=torch.float64)
    torch.testing.assert_close(MIXTURE.log(x), mixture.log_prob(x))  # type: ignore[no-untyped-call]
    assert [MIXTURE.log_at(place) for place in x.tolist()] == pytest.approx(mixture.log_prob(x).tolist(), rel=1e-12)  # type: ignore[no-untyped-call]
    assert MIXTURE.variance == pytest.approx(mixture.variance.item(), rel=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weights": [0.5, 0]}, "the parameter weights of kl is a number above 0, found 0"),
        ({"weights": [1, 1, 1]}, "the parameter weights of kl is a list of two numbers, found 3"),
        ({"deviations": [1]}, "the parameter deviations of kl is a list of two numbers, found 1"),
        ({"means": [1, 1]}, "the two means of kl are equal"),
        ({"starts": []}, "the parameter starts of kl is a list of numbers, found []"),
        ({"start_deviation": -1}, "the parameter start_deviation of kl is a number above 0, found -1"),
        ({"means": [-50, 50]}, "the integrals over P would need"),
    ],
)
def test_parameters_that_make_no_study(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        outcome(settings)
    (one,) = caught.value.diagnostics
    assert one.code == "study-parameter"
    assert one.message.startswith(message)
