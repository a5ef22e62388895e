"""KL: a Gaussian fitted to a mixture of two normals by forward and by reverse KL divergence (Bishop 2006, 10.1.2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import torch

from archspec.errors import ArchspecError
from studies import kl_fits
from studies.claims import Claim, above, alike, below, equal, near
from studies.kl_fits import FLAT, Fits, Mixture
from studies.study import Outcome, Study
from visualize.curves import Axis, Figure, Series, lines

LARGEST = 50_000  # places of integration
SIDES = ("left", "right")
QUADRATURE = "two quadratures"


@dataclass(frozen=True)
class Gaussian:
    """A fit with what is known of it: where it set out, its divergences (nats), its mass right of P's valley."""

    divergence: str
    start: float
    mean: float
    deviation: float
    forward: float
    reverse: float
    left: float
    right: float


def run(study: Study) -> Outcome:
    """Moments, the modes that either fit covers, and all divergences of both."""
    mixture, starts, deviation = _mixture(study), study.numbers("starts"), study.number("start_deviation", above=0)
    if (size := kl_fits.size(mixture, starts, deviation)) > LARGEST:
        message = f"the integrals over P would need {size:,} places, and {LARGEST:,} is the most"
        raise ArchspecError("study-parameter", message, hint="means nearer to each other, or wider deviations")
    found = {
        "forward": kl_fits.descend(kl_fits.forward, mixture, starts, deviation),
        "reverse": kl_fits.descend(kl_fits.reverse, mixture, starts, deviation),
    }
    fits = [one for name in found for one in _gaussians(study, mixture, name, found[name])]
    covering, settled = ([one for one in fits if one.divergence == name] for name in found)
    claims = [*_moments(mixture, covering), *_settling(mixture, settled), *_modes(mixture, covering, settled)]
    claims += _divergences(mixture, covering[0], min(settled, key=lambda one: one.reverse))
    figures = {"densities": _densities(mixture, covering, settled), "course": _course(starts, found)}
    return Outcome(claims, figures, {"fits": [vars(one) for one in fits]})


def _mixture(study: Study) -> Mixture:
    """P, from the parameters; raises ArchspecError."""
    weights, means = study.numbers("weights", above=0), study.numbers("means")
    deviations = study.numbers("deviations", above=0)
    for name, values in (("weights", weights), ("means", means), ("deviations", deviations)):
        if len(values) != 2:
            message = f"the parameter {name} of kl is a list of two numbers, found {len(values)}"
            raise ArchspecError("study-parameter", message, hint=f"--set {name}=[..., ...]")
    if means[0] == means[1]:
        raise ArchspecError("study-parameter", "the two means of kl are equal", hint="--set means=[-2.5,2.5]")
    (m, v, s), (n, w, t) = sorted(zip(means, weights, deviations, strict=True))
    return Mixture((v / (v + w), w / (v + w)), (m, n), (s, t))


def _gaussians(study: Study, mixture: Mixture, name: str, fits: Fits) -> Iterator[Gaussian]:
    """Every fit, measured on a grid of its own."""
    starts, valley = study.numbers("starts"), mixture.valley
    grid = kl_fits.grid_for(mixture, starts, study.number("start_deviation"))
    log_p, log_deviations = mixture.log(grid), torch.log(fits.deviations)
    forward = kl_fits.forward(log_p, fits.means, log_deviations, grid).tolist()
    reverse = kl_fits.reverse(log_p, fits.means, log_deviations, grid).tolist()
    places = zip(starts, fits.means.tolist(), fits.deviations.tolist(), forward, reverse, strict=True)
    for start, mean, deviation, along, against in places:
        left = NormalDist(mean, deviation).cdf(valley)
        yield Gaussian(name, start, mean, deviation, along, against, left, 1 - left)


def _moments(mixture: Mixture, covering: list[Gaussian]) -> Iterator[Claim]:
    """Forward KL has one minimum, which has P's mean and variance."""
    room, basis = 2 * FLAT * mixture.variance, f"gradient below {FLAT:g}"
    yield near(
        "forward fit, all starts: mean = w1 m1 + w2 m2", mixture.mean, [one.mean for one in covering], room, basis
    )
    statement = "its variance = sum of w (s^2 + (m - mean)^2)"
    yield near(statement, mixture.variance, [one.deviation**2 for one in covering], 2 * room, basis)


def _settling(mixture: Mixture, settled: list[Gaussian]) -> Iterator[Claim]:
    """Reverse KL has a minimum in each mode, and the start chooses."""
    sides = [_side(mixture, one.start) for one in settled]
    yield equal("maxima of P", 2, len(mixture.modes))
    statement = f"different fits that reverse KL ends at, from {len(settled)} starts"
    yield equal(statement, len(set(sides)), _different([one.mean for one in settled], mixture))
    ends = [_side(mixture, one.mean) for one in settled]
    yield alike("a reverse fit ends on the side of P's valley where it set out", sides, ends)
    minima = [
        kl_fits.minimised(mixture, mean, deviation)
        for mean, deviation in zip(mixture.means, mixture.deviations, strict=True)
    ]
    wanted = [minima[SIDES.index(end)] for end in ends]
    predicted = [number for pair in wanted for number in pair]
    measured = [number for one in settled for number in (one.mean, one.deviation)]
    room = 1e-5 * max(mixture.deviations)
    yield near("reverse fits, all starts: mean and deviation as scipy", predicted, measured, room, "Nelder-Mead")


def _modes(mixture: Mixture, covering: list[Gaussian], settled: list[Gaussian]) -> Iterator[Claim]:
    """How much of each fit lies in either mode."""
    far = [min((_far(one.mean, mixture, mode) for mode in mixture.modes), default=math.inf) for one in settled]
    yield below("reverse fits' mean from the nearest maximum, in deviations of P's normal", 0.5, max(far))
    yield below("reverse fits' mass in the other mode", 0.01, max(min(one.left, one.right) for one in settled))
    valley = mixture.valley
    parts = zip(mixture.weights, mixture.means, mixture.deviations, strict=True)
    left = math.fsum(w * NormalDist(m, s).cdf(valley) for w, m, s in parts)
    least = min(min(one.left / left, one.right / (1 - left)) for one in covering)
    yield above("forward fit's mass in each mode, as a part of P's", 0.5, least)


def _divergences(mixture: Mixture, covering: Gaussian, settled: Gaussian) -> Iterator[Claim]:
    """Both divergences of both fits against scipy's integrals, and which fit is the better one."""
    for label, fit in (("forward fit Q_F", covering), ("better reverse fit Q_R", settled)):
        sign = label[-3:]
        along = kl_fits.forward_by_scipy(mixture, fit.mean, fit.deviation)
        against = kl_fits.reverse_by_scipy(mixture, fit.mean, fit.deviation)
        for shown, wanted, measured in (
            (f"D(P||{sign}) of the {label}, nats", along, fit.forward),
            (f"D({sign}||P) of the {label}, nats", against, fit.reverse),
        ):
            yield near(shown, wanted, measured, 1e-9 * max(1, wanted), QUADRATURE)
    yield above("D(P||Q_R) exceeds D(P||Q_F), nats", covering.forward, settled.forward)
    yield above("D(Q_F||P) exceeds D(Q_R||P), nats", settled.reverse, covering.reverse)


def _side(mixture: Mixture, place: float) -> str:
    return SIDES[place > mixture.valley]


def _different(means: list[float], mixture: Mixture) -> int:
    """How many of the means differ by more than a thousandth of the narrower normal's deviation."""
    ordered = sorted(means)
    room = 1e-3 * min(mixture.deviations)
    return 1 + sum(after - before > room for before, after in pairwise(ordered))


def _far(mean: float, mixture: Mixture, mode: float) -> float:
    """The distance from a maximum in standard deviations of the normal that makes it."""
    nearest = min(range(2), key=lambda k: abs(mixture.means[k] - mode))
    return abs(mean - mode) / mixture.deviations[nearest]


def _densities(mixture: Mixture, covering: list[Gaussian], settled: list[Gaussian]) -> Figure:
    """P with the forward fit and every different reverse fit."""
    by_side = {_side(mixture, one.mean): one for one in settled}
    fits = {"forward KL": covering[0]} | {
        f"reverse KL, started {side}": by_side[side] for side in SIDES if side in by_side
    }
    reach = 4 * max(mixture.deviations)
    low, high = mixture.means[0] - reach, mixture.means[1] + reach
    places = torch.linspace(low, high, 401, dtype=torch.float64)
    series = [Series("P", places.tolist(), mixture.log(places).exp().tolist())]
    for label, fit in fits.items():
        density = kl_fits.normal_log(places, fit.mean, math.log(fit.deviation)).exp()
        series.append(Series(label, places.tolist(), density.tolist()))
    return lines(
        series, Axis("x", None), Axis("density", None), title="A mixture P of two normals, and its Gaussian fits"
    )


def _course(starts: list[float], found: dict[str, Fits]) -> Figure:
    """The mean after every step of every descent."""
    series = []
    for name, fits in found.items():
        steps = [*range(len(fits.course))]
        series += [
            Series(f"start {start:g}", steps, fits.course[:, k].tolist(), panel=f"{name} KL")
            for k, start in enumerate(starts)
        ]
    title = "Where gradient descent takes the mean of the fit"
    return lines(series, Axis("step", None), Axis("mean of Q", None), title=title, width=300)
