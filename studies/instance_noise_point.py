"""Descent on one point (x, y) that is seen with noise: its mean step by step, across its bound, its square, its limit.

Every experiment gives rows of what is predicted, what was measured, and the exact standard error of that.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from studies.instance_noise_moments import Descent, factor, raw
from studies.instance_noise_runs import descend, drawing
from studies.study import Study

Row = dict[str, float]


def mean_bound(x: float, s: float) -> float:
    """The rate 2 / (x^2 + s^2) below which the mean converges."""
    return 2 / (x**2 + s**2)


def square_bound(x: float, s: float) -> float:
    """The rate 2 m2 / m4 below which the mean square converges; m2, m4: the moments of x + N.

    >>> square_bound(1, 1)
    0.4
    """
    return 2 * raw(x, s, 2) / raw(x, s, 4)


def limit(x: float, y: float, s: float) -> float:
    """x y / (x^2 + s^2)."""
    return x * y / (x**2 + s**2)


def mean(x: float, y: float, s: float, rate: float, steps: int) -> list[float]:
    """E[w_0], ..., E[w_steps] by the recurrence, from w_0 = 0."""
    found = [0.0]
    for _ in range(steps):
        found.append(found[-1] * (1 - rate * (x**2 + s**2)) + rate * x * y)
    return found


def recurrence(study: Study) -> list[Row]:
    """Many runs of one draw a step, step by step, at each of the `rates`."""
    rates = study.numbers("rates", above=0)
    return [row for rate in rates for row in _followed(study, rate, study.count("many"), 1)]


def sweep(study: Study) -> list[Row]:
    """Runs of many draws a step at each rate of the `sweep` and at the rate `single`."""
    rates = {*study.numbers("sweep", above=0), study.number("single", above=0)}
    groups, draws = study.count("groups"), study.count("draws")
    return [row for rate in sorted(rates) for row in _followed(study, rate, groups, draws)]


def single(study: Study) -> list[Row]:
    """Many runs of one draw a step, near the bound of the mean."""
    return _followed(study, study.number("single", above=0), study.count("many"), 1)


def growth(study: Study) -> list[Row]:
    """By what one step from w = 1 multiplies the mean and the mean square, where y = 0."""
    (x, _, s), count = point(study), study.count("single_steps", 2)
    found = []
    for share in study.numbers("squares", above=0):
        rate = share * square_bound(x, s)
        with drawing(study.seed, "growth", share):
            start = torch.ones(count, 1, dtype=torch.float64)
            after = descend(study.build("model", s=s).double(), _one(x, 0), start, rate, 1)[1]
        first, second, fourth = (factor(x, s, rate, power) for power in (1, 2, 4))
        found.append(
            {
                "rate": rate, "over_square_bound": share, "over_mean_bound": rate / mean_bound(x, s),
                "mean": first, "mean_measured": float(after.mean()),
                "mean_error": float(np.sqrt((second - first**2) / count)),
                "square": second, "square_measured": float(after.square().mean()),
                "square_error": float(np.sqrt((fourth - second**2) / count)),
            }
        )  # fmt: skip
    return found


def limits(study: Study) -> list[Row]:
    """The average of many long runs over s / |x|, for x and -2 x in turn, as a share of y / x."""
    x, y, _ = point(study)
    ratios = study.numbers("ratios", above=0)
    return [_settled(study, -2 * x if k % 2 else x, y, ratio) for k, ratio in enumerate(ratios)]


def point(study: Study) -> tuple[float, float, float]:
    """x, y and s."""
    return study.number("x", above=0), study.number("y", above=0), study.number("s", above=0)


def _followed(study: Study, share: float, runs: int, draws: int) -> list[Row]:
    """The mean over runs after every step, at a share of the mean's bound, with `draws` averaged per step."""
    (x, y, s), steps = point(study), study.count("length")
    rate = share * mean_bound(x, s)
    with drawing(study.seed, "steps", share, draws):
        start = torch.zeros(runs, 1, dtype=torch.float64)
        means = descend(study.build("model", s=s).double(), _one(x, y), start, rate, steps, draws).mean(1)[:, 0]
    errors = np.sqrt(_law(x, y, s, rate, draws).moments(steps)[1][:, 0, 0] / runs)
    rows = zip(mean(x, y, s, rate, steps), means.tolist(), errors.tolist(), strict=True)
    return [
        {"over_mean_bound": share, "rate": rate, "draws": draws, "step": step, "mean": wanted, "measured": found,
         "error": error}
        for step, (wanted, found, error) in enumerate(rows)
    ]  # fmt: skip


def _settled(study: Study, x: float, y: float, ratio: float) -> Row:
    """Runs at a quarter of the mean-square bound, averaged over their later half and over each other."""
    s, runs, steps = ratio * abs(x), study.count("limit_runs", 2), study.count("limit_steps")
    rate = square_bound(x, s) / 4
    with drawing(study.seed, "limit", x, ratio):
        start = torch.zeros(runs, 1, dtype=torch.float64)
        found = descend(study.build("model", s=s).double(), _one(x, y), start, rate, 2 * steps)[steps + 1 :].mean()
    exact, spread = _law(x, y, s, rate, 1).average(steps, steps)
    share = x / y
    return {
        "x": x, "s": s, "ratio": ratio, "rate": rate, "share": limit(x, y, s) * share, "measured": float(found) * share,
        "error": float(np.sqrt(spread[0, 0] / runs)) * abs(share),
        "left_of_start": abs(float(exact[0]) - limit(x, y, s)) * abs(share),
    }  # fmt: skip


def _one(x: float, y: float) -> tuple[Tensor, Tensor]:
    return torch.tensor([[x]], dtype=torch.float64), torch.tensor([y], dtype=torch.float64)


def _law(x: float, y: float, s: float, rate: float, draws: int) -> Descent:
    return Descent(np.array([[x]]), np.array([y]), s, rate, draws)
