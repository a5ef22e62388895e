"""The figures of instance noise: the limit over s / |x|, the mean over steps, the sweep across its bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studies.instance_noise_moments import factor
from studies.instance_noise_point import Row, limit, mean, mean_bound, point, square_bound
from studies.study import Study
from visualize.curves import Axis, Figure, Series, beside, lines

STEP = Axis("step", None)
FLOOR, LEAST = 1e-3, 0.05  # of distances and of factors on logarithmic axes


def figures(study: Study, numbers: Mapping[str, Sequence[Row]]) -> dict[str, Figure]:
    """A figure by its name; dots are measured."""
    return {
        "shrinkage": _shrinkage(numbers["limits"]),
        "recurrence": _recurrence(study, numbers["recurrence"]),
        "sweep": beside(_distances(study, numbers["sweep"]), _factors(study, numbers["growth"])),
        "one-draw": _one_draw(study, numbers["single"], numbers["sweep"]),
    }


def _shrinkage(limits: Sequence[Row]) -> Figure:
    low, high = (choose(row["ratio"] for row in limits) for choose in (min, max))
    low, high = low / 1.5, high * 1.5
    places = [low * (high / low) ** (k / 100) for k in range(101)]
    measured = [
        Series(f"measured, x = {x:g}", [row["ratio"] for row in limits if row["x"] == x],
               [row["measured"] for row in limits if row["x"] == x], dots=True)
        for x in dict.fromkeys(row["x"] for row in limits)
    ]  # fmt: skip
    curve = Series("1 / (1 + s^2 / x^2)", places, [1 / (1 + place**2) for place in places])
    title = "Instance noise shrinks the weight"
    x, y = Axis("s / |x|", None, log=True, low=low, high=high), Axis("limit of E[w_t] / (y / x)", None)
    return lines([curve, *measured], x, y, title=title)


def _recurrence(study: Study, steps: Sequence[Row]) -> Figure:
    series = []
    for share in dict.fromkeys(row["over_mean_bound"] for row in steps):
        rows = [row for row in steps if row["over_mean_bound"] == share]
        at, label = [row["step"] for row in rows], f"eta = {rows[0]['rate']:g}"
        series.append(Series(f"recurrence, {label}", at, [row["mean"] for row in rows]))
        series.append(Series(f"measured, {label}", at, [row["measured"] for row in rows], dots=True))
    x, y, s = point(study)
    ends, aim = [0, study.count("length")], limit(x, y, s)
    series += [Series("w* = x y / (x^2 + s^2)", ends, [aim, aim]), Series("y / x", ends, [y / x, y / x])]
    title = f"The mean weight, step by step; measured over {study.count('many'):,} runs"
    return lines(series, STEP, Axis("E[w_t]", None, low=0, high=1.1 * y / x), title=title)


def _distances(study: Study, sweep: Sequence[Row]) -> Figure:
    """The measured |E[w_t] - w*| / w* over steps."""
    aim, series = limit(*point(study)), []
    for share in dict.fromkeys(row["over_mean_bound"] for row in sweep):
        rows = [row for row in sweep if row["over_mean_bound"] == share]
        at = [row["step"] for row in rows]
        series.append(Series(f"eta = {rows[0]['rate']:g}", at, [abs(row["measured"] / aim - 1) for row in rows]))
    y = Axis("|mean of w_t - w*| / w*", None, log=True, low=FLOOR)
    return lines(series, STEP, y, title=f"Measured across the mean's bound, {study.count('draws'):,} draws a step")


def _factors(study: Study, rows: Sequence[Row]) -> Figure:
    """What a step makes of mean and mean square, over the learning rate."""
    x, _, s = point(study)
    far = 1.1 * max(row["rate"] for row in rows)
    places = [far * k / 100 for k in range(101)]
    at = [row["rate"] for row in rows]
    series = [
        Series("mean: |1 - eta m2|", places, [abs(factor(x, s, place, 1)) for place in places]),
        Series("measured, mean", at, [abs(row["mean_measured"]) for row in rows], dots=True),
        Series("mean square: 1 - 2 eta m2 + eta^2 m4", places, [factor(x, s, place, 2) for place in places]),
        Series("measured, mean square", at, [row["square_measured"] for row in rows], dots=True),
        Series("neither grows nor shrinks", [0, far], [1, 1]),
    ]
    title = f"The bounds: {square_bound(x, s):g} of the mean square, {mean_bound(x, s):g} of the mean"
    return lines(
        series, Axis("learning rate eta", None), Axis("factor of one step", None, log=True, low=LEAST), title=title
    )


def _one_draw(study: Study, single: Sequence[Row], sweep: Sequence[Row]) -> Figure:
    """Why draws are averaged: the sample mean of single draws at the same rate."""
    (x, y, s), share = point(study), study.number("single")
    aim = limit(x, y, s)
    averaged = [row for row in sweep if row["over_mean_bound"] == share]
    at = [row["step"] for row in single]
    cases = ((single, "many", "one draw a step"), (averaged, "groups", f"{study.count('draws'):,} draws a step"))
    series = [
        Series("recurrence", at, [abs(row / aim - 1) for row in mean(x, y, s, single[0]["rate"], len(at) - 1)]),
        *(
            Series(f"{draws}, mean of {study.count(runs):,} runs", at,
                   [abs(row["measured"] / aim - 1) for row in rows], dots=True)
            for rows, runs, draws in cases
        ),
    ]  # fmt: skip
    title = f"eta = {single[0]['rate']:g}: one draw a step, and many averaged"
    return lines(series, STEP, Axis("|mean of w_t - w*| / w*", None, log=True), title=title)
