"""What a study found: rows, paired differences, and quantiles of Student's distribution."""

from __future__ import annotations

import math
from statistics import fmean, stdev

import pytest

from builders.training.curves import Curves
from builders.training.loop import DIVERGED, DONE
from builders.training.student import quantile
from builders.training.summary import difference_table, differences, orders, rows, summary
from builders.training.trial import Result

TABLES = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 10: 2.228, 29: 2.045, 100: 1.984}


def result(scheme: str, seed: int, final: float, status: str = DONE, label: str = "net") -> Result:
    curves = Curves([1.0, 1.0], [0.5, 0.5], [0.0, 1.0, 2.0], [math.nan, 1.0, 1.0], [1.0] * 3, [0.1, 0.92, final])
    return Result(f"{scheme}{seed}{label}", label, scheme, seed, status, curves, final - 0.01, 1.0, "layer 3 FC-8")


@pytest.mark.parametrize(("freedom", "t"), TABLES.items())
def test_quantiles_are_those_of_printed_tables(freedom: int, t: float) -> None:
    assert round(quantile(freedom), 3) == t


def test_differences_are_paired_by_seed() -> None:
    one, other = [0.9, 0.8, 0.95, 0.7], [0.85, 0.77, 0.9, 0.62]
    found = differences(
        [result("a", s, v) for s, v in enumerate(one)]
        + [result("b", s, v) for s, v in reversed(list(enumerate(other)))]
    )
    values = [x - y for x, y in zip(one, other, strict=True)]
    half = 3.182446 * stdev(values) / 2
    (found_one,) = found
    assert (found_one.init, found_one.other, found_one.pairs) == ("a", "b", 4)
    assert found_one.mean == pytest.approx(fmean(values))
    assert [found_one.low, found_one.high] == pytest.approx([fmean(values) - half, fmean(values) + half])
    assert found_one.verdict == "a is better"


def test_what_an_interval_does_not_tell_apart_is_not_told_apart() -> None:
    found = [result(s, seed, 0.5 + 0.1 * ((seed + k) % 2)) for k, s in enumerate("ab") for seed in range(4)]
    assert [one.verdict for one in differences(found)] == ["no clear difference"]
    assert [one.verdict for one in differences([result("a", 0, 0.9), result("b", 0, 0.1)])] == ["no clear difference"]


def test_initialisations_stand_from_best_to_worst() -> None:
    finals = {"a": (0.5, 0.52, 0.51), "b": (0.9, 0.91, 0.9), "c": (0.9, 0.92, 0.87), "d": (0.1, 0.1, 0.1)}
    found = [result(name, seed, v) for name, values in finals.items() for seed, v in enumerate(values)]
    pairs = differences([*found, result("e", 0, 0.9, DIVERGED)])
    assert [(one.init, one.other) for one in pairs[:4]] == [("b", "c"), ("b", "a"), ("b", "d"), ("b", "e")]
    assert all(one.mean > 0 for one in pairs if one.pairs)
    assert orders(pairs) == {"net": "b ~ c > a > d ~ e"}


def test_networks_are_not_compared_with_each_other() -> None:
    found = [result("a", 0, 0.9), result("a", 0, 0.8, label="other")]
    assert difference_table(found) is None
    assert [row.spec for row in rows(found)] == ["net", "other"]


def test_a_trial_that_diverged_is_counted_and_named_and_makes_no_mean() -> None:
    found = [result("a", 0, 0.9), result("a", 1, 0.1, DIVERGED), result("b", 1, 0.8)]
    first, _ = rows(found)
    assert (first.seeds, first.diverged, first.final, first.reached, first.steps_to_goal) == (2, 1, 0.9, 2, 1)
    assert [one.pairs for one in differences(found)] == [0]
    table = summary(found)
    assert table.rows[0] == ("net", "a", "2, 1 diverged", "0.900", "0.920 +- 0.000", "0.890", "1")
    assert table.notes[-1] == "DIVERGED net, a, seed 1: step 2, layer 3 FC-8"
