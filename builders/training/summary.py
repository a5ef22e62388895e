"""What a study found: a row for each network and initialisation, and paired differences between initialisations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, stdev

from archspec.report import Table, listed
from builders.training.loop import DIVERGED
from builders.training.student import quantile
from builders.training.trial import Result

GOAL = 0.9  # validation accuracy


@dataclass(frozen=True)
class Row:
    """One initialisation of one network over all seeds: means and standard deviations, NaN where there are none.

    Trials that diverged have no final and no test accuracy. `steps_to_goal` is the mean over the trials that came to a
    validation accuracy of 0.9, `reached` of them.
    """

    spec: str
    init: str
    seeds: int
    diverged: int
    final: float
    final_deviation: float
    best: float
    best_deviation: float
    test: float
    test_deviation: float
    reached: int
    steps_to_goal: float


@dataclass(frozen=True)
class Difference:
    """The mean difference of final validation accuracies, init - other, over seeds, and its 95 % interval."""

    spec: str
    init: str
    other: str
    pairs: int
    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Which of the two is better, where the interval leaves 0 out."""
        if not (self.low > 0 or self.high < 0):
            return "no clear difference"
        return f"{self.init if self.mean > 0 else self.other} is better"


def groups(results: Iterable[Result]) -> dict[tuple[str, str], list[Result]]:
    """Results by network and scheme, each by seed."""
    found: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        found.setdefault((result.label, result.scheme), []).append(result)
    return {key: sorted(group, key=lambda result: result.seed) for key, group in found.items()}


def rows(results: Sequence[Result]) -> list[Row]:
    """What the trials of each network and initialisation ended with."""
    return [_row(label, scheme, group) for (label, scheme), group in groups(results).items()]


def _row(label: str, scheme: str, group: Sequence[Result]) -> Row:
    ended = [one for one in group if one.status != DIVERGED]
    reached = [steps for one in group if (steps := one.curves.reached(GOAL)) is not None]
    return Row(
        *(label, scheme, len(group), len(group) - len(ended)),
        *_spread([one.curves.final() for one in ended]),
        *_spread([one.curves.best() for one in group]),
        *_spread([one.test for one in ended]),
        *(len(reached), fmean(reached) if reached else math.nan),
    )


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation of the values that are known."""
    known = [value for value in values if not math.isnan(value)]
    return (fmean(known) if known else math.nan, stdev(known) if len(known) > 1 else math.nan)


def summary(results: Sequence[Result]) -> Table:
    """The rows as a table to read."""
    titles = ("spec", "init", "seeds>", "final validation>", "best validation>", "test>", "steps to 90 %>")
    notes = ["accuracies: mean +- standard deviation over seeds; best: the highest of a trial's evaluations"]
    notes += [
        f"DIVERGED {one.label}, {one.scheme}, seed {one.seed}: step {one.curves.steps}, {one.fault}"
        for one in results
        if one.status == DIVERGED
    ]
    return listed(titles, [_cells(row) for row in rows(results)], notes)


def _cells(row: Row) -> tuple[str, ...]:
    count = f"{row.seeds}" + (f", {row.diverged} diverged" if row.diverged else "")
    some = f" ({row.reached} of {row.seeds})" if row.reached < row.seeds else ""
    steps = f"{row.steps_to_goal:.0f}{some}" if row.reached else "never"
    spreads = (row.final, row.final_deviation), (row.best, row.best_deviation), (row.test, row.test_deviation)
    return row.spec, row.init, count, *(_accuracy(*spread) for spread in spreads), steps


def _accuracy(mean: float, deviation: float) -> str:
    text = "-" if math.isnan(mean) else f"{mean:.3f}"
    return text if math.isnan(deviation) else f"{text} +- {deviation:.3f}"


def differences(results: Sequence[Result]) -> list[Difference]:
    """Every two initialisations of a network, the better one first, paired by seed; who diverged makes no pair.

    The interval is mean +- t sd / sqrt(n), t the 97.5 % quantile of Student's distribution with n - 1 degrees of
    freedom: it takes the differences to be normally distributed.
    """
    finals: dict[str, dict[str, dict[int, float]]] = {}
    for (label, scheme), group in groups(results).items():
        ended = {one.seed: one.curves.final() for one in group if one.status != DIVERGED}
        finals.setdefault(label, {})[scheme] = ended
    return [
        _difference(label, one, other, [first[seed] - second[seed] for seed in first if seed in second])
        for label, schemes in finals.items()
        for (one, first), (other, second) in combinations(sorted(schemes.items(), key=_rank), 2)
    ]


def _rank(entry: tuple[str, Mapping[int, float]]) -> float:
    """The highest mean comes first, a scheme with which every trial diverged last."""
    return -fmean(entry[1].values()) if entry[1] else math.inf


def _difference(label: str, one: str, other: str, values: Sequence[float]) -> Difference:
    mean = fmean(values) if values else math.nan
    half = quantile(len(values) - 1) * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return Difference(label, one, other, len(values), mean, mean - half, mean + half)


def difference_table(results: Sequence[Result]) -> Table | None:
    """The paired differences as a table to read; None where there is nothing to compare."""
    found = differences(results)
    lines = [
        (one.spec, f"{one.init} - {one.other}", str(one.pairs), f"{one.mean:+.3f}", _interval(one), one.verdict)
        for one in found
    ]
    titles = ("spec", "difference in final validation accuracy", "pairs>", "mean>", "95 % interval>", "verdict")
    notes = [f"{label}: {order}" for label, order in orders(found).items()]
    notes.append("paired by seed, Student's t; 95 % for each difference by itself, not corrected for their number")
    return listed(titles, lines, notes) if lines else None


def orders(found: Sequence[Difference]) -> dict[str, str]:
    """For each network its initialisations from best to worst: `>` where the interval of neighbours leaves 0 out."""
    chains: dict[str, list[str]] = {}
    for one in found:
        chain = chains.setdefault(one.spec, [one.init])
        if chain[-1] == one.init:
            chain += [">" if one.low > 0 else "~", one.other]
    return {spec: " ".join(chain) for spec, chain in chains.items()}


def _interval(one: Difference) -> str:
    return "-" if math.isnan(one.low) else f"{one.low:+.3f} .. {one.high:+.3f}"
