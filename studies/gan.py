"""GAN: the minimax generator's gradient vanishes where the discriminator is good (Goodfellow et al. 2014, 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit, log_expit  # type: ignore[import-untyped]
from scipy.stats import binom  # type: ignore[import-untyped]
from torch import Tensor

from archspec.errors import ArchspecError
from studies import gan_run
from studies.claims import LEVEL, Claim, above, below, equal, near
from studies.gan_run import Course, Players
from studies.study import Outcome, Study
from visualize.curves import Axis, Figure, Series, beside, lines

LOGITS = (-1000.0, -700.0, -40.0, -10.0, -1.0, 0.0, 1.0, 10.0, 40.0, 700.0, 1000.0)
SMALL = 0.01  # D at most, where slopes are taken: 1 - D is 1 to within it
ROUNDING = 1e-12
LOSSES = ("minimax", "non-saturating")
POINTS = 256
MOST_ORDERS = 140  # a norm squares: float64 ends at 1e-308


@dataclass(frozen=True)
class Level:
    """Gradient norms at one height of the discriminator's bias: of one point, and of the mean over many."""

    one: float  # D at the point
    largest: float  # D over the many
    mean: float
    logit: float  # norm of the logit's gradient at the point
    norms: dict[str, tuple[float, float]]


def run(study: Study) -> Outcome:
    """Factors of the losses, norms against D over many powers of ten, and generators that stall or do not."""
    if study.count("orders", 3) > MOST_ORDERS:
        message = f"D falls through {MOST_ORDERS} powers of ten at most, found {study.count('orders')}"
        raise ArchspecError("study-parameter", message, hint=f"--set orders={MOST_ORDERS}")
    both = gan_run.players(study)
    levels = list(_levels(study, both))
    study.say("gan: discriminators are trained alone")
    learnt = gan_run.pretrain(both, gan_run.data(study, 3), study.count("pretraining"))
    runs = dict(_runs(study, both))
    claims = [*_factors(), *_stable(), *_norms(levels), *_trained(learnt), *_stalling(runs)]
    figures = {"gradients": _gradients(levels, learnt), "run": _course(runs)}
    return Outcome(
        claims, figures, {"gradients": _level_rows(levels), "training": _training_rows(learnt), "run": _run_rows(runs)}
    )


def _losses() -> dict[str, gan_run.Loss]:
    return {"minimax": gan_run.minimax, "non-saturating": gan_run.non_saturating}


def _factors() -> Iterator[Claim]:
    """dL/dh by autograd against the closed forms, D and 1 - D by scipy."""
    wanted = {"minimax": -expit(np.array(LOGITS)), "non-saturating": -expit(-np.array(LOGITS))}
    shown = {"minimax": "d/dh log(1 - D) = -D", "non-saturating": "d/dh (-log D) = -(1 - D)"}
    for name, loss in _losses().items():
        h = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
        (found,) = torch.autograd.grad(loss(h).sum(), h)
        predicted = wanted[name].tolist()
        room = [ROUNDING * abs(one) for one in predicted]
        statement = f"{name}: {shown[name]}, D = sigmoid(h), |h| to 1000"
        yield _largest(statement, predicted, found.tolist(), room)


def _stable() -> Iterator[Claim]:
    """The losses by log-sigmoids, and what the plain formula does."""
    h = torch.tensor(LOGITS, dtype=torch.float64)
    predicted = [*log_expit(-h.numpy()).tolist(), *(-log_expit(h.numpy())).tolist()]
    measured = [*gan_run.minimax(h).tolist(), *gan_run.non_saturating(h).tolist()]
    room = [ROUNDING * abs(one) for one in predicted]
    yield _largest("both losses as log-sigmoids are exact for |h| to 1000", predicted, measured, room)
    plain = torch.log(1 - torch.sigmoid(torch.tensor(40.0, dtype=torch.float64))).item()
    yield equal("log(1 - sigmoid(40)) formed step by step is", "-inf", str(plain))


def _largest(statement: str, predicted: Sequence[float], measured: Sequence[float], room: Sequence[float]) -> Claim:
    """Relative agreement; where a number is below the smallest float, both are 0."""
    return near(statement, predicted, measured, room, f"{ROUNDING:g} of the value")


def _levels(study: Study, both: Players) -> Iterator[Level]:
    """Gradient norms of the first seed's networks, the bias lowered so that D of one z falls to 10^-orders."""
    source = torch.Generator().manual_seed(gan_run.stream(study, 5))
    many = torch.randn(POINTS, 2, generator=source, dtype=torch.float64)
    own = gan_run.Players(
        both.generator,
        both.discriminator,
        *(gan_run.apart({at: one[:1] for at, one in side.items()}) for side in (both.making, both.judging)),
    )
    bias = list(own.judging.values())[-1]
    start = own.judge(own.make(many[None]))[0, 0].item()
    first = bias.detach().clone()
    orders = study.count("orders", 3)
    for k in np.linspace(0, orders, 4 * orders + 1):
        with torch.no_grad():
            bias.copy_(first - start - np.log(10) * k)
        one = {name: gan_run.slopes(loss, own, many[None, :1]).item() for name, loss in _losses().items()}
        all_ = {name: gan_run.slopes(loss, own, many[None]).item() for name, loss in _losses().items()}
        judged = expit(own.judge(own.make(many[None]))[0].detach().numpy())
        plain = gan_run.slopes(lambda h: h, own, many[None, :1]).item()
        norms = {name: (one[name], all_[name]) for name in LOSSES}
        yield Level(float(judged[0]), float(judged.max()), float(judged.mean()), plain, norms)


def _norms(levels: Sequence[Level]) -> Iterator[Claim]:
    """Of one point the norm is that of the logit times D or 1 - D; over many the slopes are 1 and 0."""
    factors = {"minimax": [one.one for one in levels], "non-saturating": [1 - one.one for one in levels]}
    for name, sign in zip(LOSSES, ("D", "(1 - D)"), strict=True):
        predicted = [one.logit * factor for one, factor in zip(levels, factors[name], strict=True)]
        measured = [one.norms[name][0] for one in levels]
        room = [ROUNDING * value for value in predicted]
        yield _largest(f"{name}, one z: gradient norm = {sign} |dh/dw|", predicted, measured, room)
    few = [one for one in levels if one.largest <= SMALL]
    for name, slope in zip(LOSSES, (1.0, 0.0), strict=True):
        norms = [one.norms[name][1] for one in few]
        found = np.polyfit(np.log10([one.mean for one in few]), np.log10(norms), 1)[0]
        low, high = (round(np.log10(one.mean)) for one in (few[-1], few[0]))
        statement = f"{name}, {POINTS} z: slope of log norm on log D, 1e{low} to 1e{high}"
        yield near(statement, slope, float(found), SMALL, f"D <= {SMALL:g} at every z")


def _trained(learnt: Course) -> Iterator[Claim]:
    """The same along the training of a discriminator that makes it good, instead of lowering its bias."""
    first, last = ([learnt.measured[name][k] for name in LOSSES] for k in (0, -1))
    yield below("discriminator trained alone: mean D(G(z)) at its end", 1e-3, *_median(learnt.judged[-1], upper=True))
    ratio = _median(last[0] / last[1], upper=True)
    yield below("there, minimax gradient norm over non-saturating one", 0.01, *ratio)
    yield above("non-saturating gradient norm there over that before", 1.0, *_median(last[1] / first[1]))


def _runs(study: Study, trained: Players) -> Iterator[tuple[str, Course]]:
    """Each loss against the trained discriminators, and minimax against untrained ones: the same starts and draws."""
    steps, rate = study.count("steps"), study.number("rate", above=0)
    losses = _losses()
    for label, loss, start in (
        ("minimax", losses["minimax"], trained),
        ("non-saturating", losses["non-saturating"], trained),
        ("minimax, untrained discriminator", losses["minimax"], gan_run.players(study)),
    ):
        study.say(f"gan: {label}")
        yield label, gan_run.play(start.copy(), loss, gan_run.data(study, 4), steps, rate)


def _stalling(runs: dict[str, Course]) -> Iterator[Claim]:
    """The part of the way to the real points that generators went.

    Now and then one gets away, so that means and extremes of few seeds say little: the medians are claimed.
    """
    stalled, moved, control = (_gone(course) for course in runs.values())
    yield below("trained discriminator, minimax: part of the way gone", 0.1, *_median(stalled, upper=True))
    yield above("trained discriminator, non-saturating: part gone", 0.5, *_median(moved))
    yield above("untrained discriminator, minimax: part gone", 0.5, *_median(control))
    yield above("non-saturating minus minimax, pairs of equal seeds", 0.5, *_median(moved - stalled))


def _median(found: Tensor, upper: bool = False) -> tuple[float, str]:
    """An end of the median's confidence interval: the k-th of n is above it if fewer than k are below, B(n, 1/2)."""
    count = len(found)
    place = int(binom.ppf(LEVEL, count, 0.5))
    ordered = found.sort().values
    which = "upper" if upper else "lower"
    value = ordered[place if upper else count - 1 - place].item()
    return value, f"median's {which} end, {LEVEL:.2%} of {count} seeds"


def _gone(course: Course) -> Tensor:
    distance = course.measured["distance"]
    return 1 - distance[-1] / distance[0]


def _gradients(levels: Sequence[Level], learnt: Course) -> Figure:
    """Gradient norms against D, on logarithmic axes."""
    x, y = Axis("mean D(G(z))", None, log=True), Axis("gradient norm", None, log=True)
    means = [one.mean for one in levels]
    left = [Series(name, means, [one.norms[name][1] for one in levels]) for name in LOSSES]
    middle = learnt.judged.log().mean(1).exp().tolist()
    right = [Series(name, middle, learnt.measured[name].T.tolist()) for name in LOSSES]
    title = "Gradient of the generator's loss with respect to its weights"
    return beside(
        lines(left, x, y, title="the discriminator's bias lowered", width=330),
        lines(right, x, y, title="the discriminator trained", width=330),
        title=title,
    )


def _course(runs: dict[str, Course]) -> Figure:
    """How far the generators are from the real points, and what the discriminators think of them."""
    far = [Series(name, one.steps, one.measured["distance"].T.tolist()) for name, one in runs.items()]
    judged = [Series(name, one.steps, one.judged.T.tolist()) for name, one in runs.items()]
    step = Axis("step", None)
    return beside(
        lines(far, step, Axis("distance of G(z)'s mean from the real one", None, low=0), width=300),
        lines(judged, step, Axis("mean D(G(z))", None, log=True), width=300),
        title="Generators against trained discriminators, and minimax against untrained ones",
    )


def _level_rows(levels: Sequence[Level]) -> list[dict[str, object]]:
    rows = list[dict[str, object]]()
    for one in levels:
        row: dict[str, object] = {"D of one z": one.one, "mean D": one.mean, "norm of dh/dw, one z": one.logit}
        for name, norms in one.norms.items():
            row |= {f"{name}, one z": norms[0], f"{name}, {POINTS} z": norms[1]}
        rows.append(row)
    return rows


def _training_rows(learnt: Course) -> list[dict[str, object]]:
    judged = learnt.judged.tolist()
    norms = {f"{name}, gradient norm": found.tolist() for name, found in learnt.measured.items()}
    return [
        {"seed": seed, "step": step, "mean D": judged[k][seed]}
        | {name: found[k][seed] for name, found in norms.items()}
        for seed in range(learnt.judged.shape[1])
        for k, step in enumerate(learnt.steps)
    ]


def _run_rows(runs: dict[str, Course]) -> list[dict[str, object]]:
    return [
        {"run": name, "seed": seed, "step": step, "distance": far[k][seed], "mean D": judged[k][seed]}
        for name, one in runs.items()
        for far, judged in [(one.measured["distance"].tolist(), one.judged.tolist())]
        for seed in range(one.judged.shape[1])
        for k, step in enumerate(one.steps)
    ]
