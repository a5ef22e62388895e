"""Instance noise: a linear model that sees points with fresh Gaussian noise learns ridge regression (Bishop 1995).

The model is a spec, NOISE-s and FC-1 without bias. Standard errors are exact: the loss's from the moments of a
Gaussian, those of descent from its covariance, which obeys a recurrence of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from studies import instance_noise_point as one_point
from studies.claims import LEVEL, Claim, above, alike, below, near, quantile, sampled
from studies.instance_noise_figures import figures
from studies.instance_noise_moments import Array, Descent, loss_error, ridge
from studies.instance_noise_point import Row
from studies.instance_noise_runs import descend, drawing
from studies.study import Outcome, Study

OFF = 10  # limits
RIVALS = {"least_squares": "of least squares", "half": "of lambda = s^2 / 2", "twice": "of lambda = 2 s^2"}


def run(study: Study) -> Outcome:
    """The noisy loss, descent on it, and the mean of descent on one point: its recurrence, bounds and limit."""
    x, y = _data(study)
    losses, weights, factors = _losses(study, x, y), _descent(study, x, y), one_point.growth(study)
    steps, single, sweep = one_point.recurrence(study), one_point.single(study), one_point.sweep(study)
    limits = one_point.limits(study)
    claims = [
        *_noisy(losses, study),
        *_regression(x, y, weights, study),
        *_mean(steps, study),
        *_limit(limits, study),
        *_bound(sweep, study),
        *_squares(factors, study),
        _missed(single, study),
    ]
    numbers = {"losses": losses, "ridge": weights, "growth": factors, "limits": limits}
    numbers |= {"recurrence": steps, "single": single, "sweep": sweep}
    return Outcome(claims, figures(study, numbers), numbers)


def _data(study: Study) -> tuple[Array, Array]:
    """Points (m, d), the first two features correlated so that shrinking turns the weights, and their targets (m,)."""
    count, features = study.count("points", 2), study.count("features")
    draw = np.random.default_rng([study.seed % 2**64, 1])
    x = draw.normal(size=(count, features))
    x[:, 1:2] = 0.8 * x[:, :1] + 0.6 * x[:, 1:2]
    return x, x @ np.resize([1.0, -2.0, 1.5], features) + 0.5 * draw.normal(size=count)


def _losses(study: Study, x: Array, y: Array) -> list[Row]:
    """The mean of ||(X + N) w - y||^2 over repeats, and ||X w - y||^2 in evaluation, for weights and noises."""
    draw, repeats, found = np.random.default_rng([study.seed % 2**64, 2]), study.count("repeats"), []
    for k, s in enumerate(study.numbers("noises", above=0)):
        network = study.build("model", s=s, d=x.shape[1]).double()
        for number in range(study.count("weights")):
            w = draw.normal(size=x.shape[1:])
            with drawing(study.seed, "loss", k, number), torch.no_grad():
                next(network.parameters()).copy_(torch.from_numpy(w))
                noisy = _squared(network.train()(torch.from_numpy(np.tile(x, (repeats, 1)))), np.tile(y, repeats))
                clean = _squared(network.eval()(torch.from_numpy(x)), y)
            plain, penalty = float(np.sum((x @ w - y) ** 2)), len(y) * s**2 * float(w @ w)
            error = loss_error(x, y, w, s) / repeats**0.5
            found.append({"s": s, "norm": float(w @ w) ** 0.5, "plain": plain, "penalty": penalty, "evaluation": clean,
                          "noisy": noisy / repeats, "error": error})  # fmt: skip
    return found


def _squared(output: Tensor, y: Array) -> float:
    return float((output[:, 0] - torch.from_numpy(y)).square().sum())


def _noisy(losses: Sequence[Row], study: Study) -> Iterator[Claim]:
    wanted, found = [row["plain"] + row["penalty"] for row in losses], [row["noisy"] for row in losses]
    draws = f"{len(losses)} means of {study.count('repeats'):,} draws"
    statement = "E||(X + N) w - y||^2 = ||X w - y||^2 + m s^2 ||w||^2, of several w, s"
    yield sampled(statement, wanted, found, [row["error"] for row in losses], draws)
    plain = [row["plain"] for row in losses]
    room = [1e-12 * one for one in plain]
    found = [row["evaluation"] for row in losses]
    yield near("the same network in evaluation: ||X w - y||^2", plain, found, room, "rounding")


def _descent(study: Study, x: Array, y: Array) -> list[Row]:
    """For every weight: ridge regression and its rivals, the average of descent over steps and runs, its error."""
    s, rate, runs = study.number("noise", above=0), study.number("rate", above=0), study.count("runs", 2)
    burn, steps = study.count("burn"), study.count("steps")
    points = torch.from_numpy(x), torch.from_numpy(y)
    with drawing(study.seed, "ridge"):
        network, start = study.build("model", s=s, d=x.shape[1]).double(), torch.zeros(runs, x.shape[1]).double()
        found = descend(network, points, start, rate, burn + steps)[burn + 1 :].mean((0, 1))
    exact, spread = Descent(x, y, s, rate).average(burn, steps)
    strengths = {"least_squares": 0.0, "half": s**2 / 2, "ridge": s**2, "twice": 2 * s**2}
    fits = {name: ridge(x, y, strength) for name, strength in strengths.items()}
    return [
        {name: float(fit[k]) for name, fit in fits.items()}
        | {"measured": float(found[k]), "error": float(np.sqrt(spread[k, k] / runs))}
        | {"left_of_start": abs(float(exact[k] - fits["ridge"][k]))}
        for k in range(x.shape[1])
    ]


def _regression(x: Array, y: Array, weights: Sequence[Row], study: Study) -> Iterator[Claim]:
    """The mean of descent is ridge regression with lambda = s^2, and none of its rivals."""
    s, count = study.number("noise", above=0), len(y)
    fit, errors = [row["ridge"] for row in weights], [row["error"] for row in weights]
    longer = np.vstack([x, s * count**0.5 * np.eye(x.shape[1])])
    stacked = np.linalg.lstsq(longer, np.concatenate([y, np.zeros(x.shape[1])]))[0].tolist()
    statement = "ridge, lambda = s^2: least squares with rows s sqrt(m) I and targets 0"
    yield near(statement, stacked, fit, 1e-10, "rounding")
    found = [row["measured"] for row in weights]
    draws = f"{study.count('runs')} runs of {study.count('steps'):,} steps"
    yield sampled("SGD behind NOISE-s: mean weights are ridge's, lambda = s^2", fit, found, errors, draws)
    for name, rival in RIVALS.items():
        far = max(abs(row["measured"] - row[name]) / row["error"] for row in weights)
        yield above(f"they are not those {rival}: standard errors", quantile(LEVEL, len(weights)), far)


def _mean(steps: Sequence[Row], study: Study) -> Iterator[Claim]:
    later = [row for row in steps if row["step"]]
    wanted, found, errors = ([row[key] for row in later] for key in ("mean", "measured", "error"))
    draws = f"{len(later)} means of {study.count('many'):,} runs"
    yield sampled("E[w_t+1] = E[w_t] (1 - eta (x^2 + s^2)) + eta x y, every step", wanted, found, errors, draws)


def _limit(limits: Sequence[Row], study: Study) -> Iterator[Claim]:
    wanted, found, errors = ([row[key] for row in limits] for key in ("share", "measured", "error"))
    draws = f"{len(limits)} means of {study.count('limit_runs'):,} runs"
    yield sampled("limit / (y / x) = 1 / (1 + s^2 / x^2), over s / |x|", wanted, found, errors, draws)
    low, high = min(limits, key=_ratio), max(limits, key=_ratio)
    a, b = low["ratio"], high["ratio"]
    yield below(f"s = {a:g} |x|: shrunk by less than 2 s^2 / x^2", 2 * a**2, 1 - low["measured"])
    yield below(f"s = {b:g} |x|: less than 2 x^2 / s^2 is left", 2 / b**2, high["measured"])


def _ratio(row: Row) -> float:
    return row["ratio"]


def _bound(sweep: Sequence[Row], study: Study) -> Iterator[Claim]:
    """After the last step the distance from the limit is |1 - eta (x^2 + s^2)|^t of what it was."""
    last = [row for row in sweep if row["step"] == study.count("length")]
    aim = one_point.limit(*one_point.point(study))
    wanted = [1 - row["mean"] / aim for row in last]
    found, errors = [1 - row["measured"] / aim for row in last], [row["error"] / aim for row in last]
    draws = f"{len(last)} means of {study.count('groups')} runs"
    statement = f"1 - E[w_t] / w* = (1 - eta (x^2 + s^2))^t after {study.count('length')} steps"
    yield sampled(statement, wanted, found, errors, draws)
    room = quantile(LEVEL, len(last))
    signs = [_sign(abs(one) - 1, room * error) for one, error in zip(found, errors, strict=True)]
    right = [_sign(row["over_mean_bound"] - 1, 0) for row in last]
    yield alike("E[w_t] nears w* below eta = 2 / (x^2 + s^2), leaves it above", right, signs)


def _sign(excess: float, room: float) -> str:
    return "converges" if excess < -room else "diverges" if excess > room else "open"


def _squares(factors: Sequence[Row], study: Study) -> Iterator[Claim]:
    draws = f"{len(factors)} means of {study.count('single_steps', 2):,} steps"
    found, errors = [row["square_measured"] for row in factors], [row["square_error"] for row in factors]
    statement = "y = 0: a step takes E[w^2] to 1 - 2 eta m2 + eta^2 m4 of it"
    yield sampled(statement, [row["square"] for row in factors], found, errors, draws)
    room = quantile(LEVEL, len(factors))
    signs = [_sign(one - 1, room * error) for one, error in zip(found, errors, strict=True)]
    right = [_sign(row["over_square_bound"] - 1, 0) for row in factors]
    yield alike("E[w^2] shrinks below eta = 2 m2 / m4, grows above", right, signs)


def _missed(single: Sequence[Row], study: Study) -> Claim:
    """Above the mean-square bound a sample mean is no estimate of the mean, at the worst of the steps."""
    far = max(abs(row["measured"] - row["mean"]) for row in single) / one_point.limit(*one_point.point(study))
    statement = f"one draw a step, {single[0]['over_mean_bound']:g} of the bound: most |sample mean - E[w_t]| / w*"
    return above(statement, OFF, far, f"{study.count('many'):,} runs")
