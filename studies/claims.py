"""Claims: a statement with what is predicted, what was measured, how far the two may lie apart, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist, fmean, stdev

from archspec.report import Table, listed
from builders.training.student import quantile as student

HOLDS, FAILS = "HOLDS", "FAILS"
LEVEL = 0.9999  # of one claim about random numbers


@dataclass(frozen=True)
class Claim:
    """A statement and its verdict. `tolerance` is None where the two must be equal, or where one is a bound.

    `basis` says where the tolerance comes from: rounding, a number of draws and their confidence level, a grid.
    """

    statement: str
    predicted: float | str
    measured: float | str
    holds: bool
    tolerance: float | None = None
    basis: str = ""

    @property
    def verdict(self) -> str:
        """HOLDS or FAILS."""
        return HOLDS if self.holds else FAILS

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON; numbers that are not finite as text."""
        found = asdict(self) | {"verdict": self.verdict}
        return {
            key: str(one) if isinstance(one, float) and not math.isfinite(one) else one for key, one in found.items()
        }


def equal(statement: str, predicted: float | str, measured: float | str) -> Claim:
    """Both are the same.

    >>> equal("parameters of CONV3-10", 100, 3 * 3 * 10 + 10).verdict
    'HOLDS'
    """
    return Claim(statement, predicted, measured, bool(predicted == measured))


def alike(statement: str, predicted: Sequence[object], measured: Sequence[object]) -> Claim:
    """All of many pairs are the same; the first that are not are shown.

    >>> alike("floor((28 - K) / 2) + 1 for K = 2, 3", [14, 13], [14, 13]).measured
    '2 of 2 agree'
    """
    pairs = list(zip(predicted, measured, strict=True))
    apart = [(one, other) for one, other in pairs if one != other]
    first, second = apart[0] if apart else ("", "")
    found = f"{len(pairs) - len(apart)} of {len(pairs)} agree" + (f"; {second}" if apart else "")
    return Claim(statement, f"all {len(pairs)}" + (f"; {first}" if apart else ""), found, not apart and bool(pairs))


def near(
    statement: str,
    predicted: float | Sequence[float],
    measured: float | Sequence[float],
    tolerance: float | Sequence[float],
    basis: str,
) -> Claim:
    """Both lie within a tolerance of each other; of several all: the pair farthest apart is shown, of ties the largest.

    >>> near("a half", [0.5, 0.5], [0.5, 0.53], 0.01, "by hand").verdict
    'FAILS'
    """
    pairs = list(_triples(predicted, measured, tolerance))
    first, second, room = max(pairs, key=lambda one: (_apart(*one), abs(one[0])))
    return Claim(statement, first, second, all(_apart(*one) <= 1 for one in pairs), room, basis)


def above(statement: str, bound: float, measured: float, basis: str = "") -> Claim:
    """What is measured lies above a bound."""
    return Claim(statement, f"> {shown(bound)}", measured, bool(measured > bound), None, basis)


def at_most(statement: str, bound: float, measured: float, basis: str = "") -> Claim:
    """What is measured lies at a bound or below it."""
    return Claim(statement, f"<= {shown(bound)}", measured, bool(measured <= bound), None, basis)


def below(statement: str, bound: float, measured: float, basis: str = "") -> Claim:
    """What is measured lies below a bound."""
    return Claim(statement, f"< {shown(bound)}", measured, bool(measured < bound), None, basis)


def sampled(
    statement: str,
    predicted: float | Sequence[float],
    measured: float | Sequence[float],
    errors: float | Sequence[float],
    draws: str,
    level: float = LEVEL,
) -> Claim:
    """Means of many draws, with their standard errors, agree with what is predicted.

    A true statement holds with probability `level`: each of k means may lie z standard errors away, where the normal
    distribution stays within z with probability 1 - (1 - level) / k (Bonferroni).

    >>> sampled("mean of 10,000 fair coins", 0.5, 0.503, 0.5 / 100, "10,000 coins").tolerance
    0.0194529594...
    """
    factor = quantile(level, _count(predicted, measured, errors))
    room = factor * errors if isinstance(errors, (int, float)) else [factor * one for one in errors]
    return near(statement, predicted, measured, room, f"{level:.2%} of {draws}")


def leads(statement: str, differences: Sequence[float], level: float = 0.95) -> Claim:
    """The mean of paired differences is above 0: so is the whole interval of Student's t, mean +- t sd / sqrt(n).

    >>> leads("the first is the better one", [0.02, 0.03, 0.025]).measured
    '+0.025 (+0.0126 .. +0.0374)'
    """
    mean, half = interval(differences, level)
    return Claim(statement, "> 0", _between(mean, half), mean - half > 0, None, _pairs(differences, level))


def interval(values: Sequence[float], level: float) -> tuple[float, float]:
    """Mean and half of the interval that holds the true mean with probability `level`, for normal differences."""
    if not all(map(math.isfinite, values)):
        return math.nan, math.nan
    return fmean(values), student(len(values) - 1, level) * stdev(values) / math.sqrt(len(values))


def _between(mean: float, half: float) -> str:
    return f"{mean:+.3g} ({mean - half:+.3g} .. {mean + half:+.3g})"


def _pairs(differences: Sequence[float], level: float) -> str:
    return f"{level * 100:g} % interval of {len(differences)} pairs"


def quantile(level: float, count: int = 1) -> float:
    """How many standard errors each of `count` normal means may lie away for all to do so with probability `level`.

    >>> round(quantile(0.95), 3)
    1.96
    """
    return NormalDist().inv_cdf(1 - (1 - level) / count / 2)


def table(claims: Sequence[Claim]) -> Table:
    """The claims as a table to read."""
    titles = ("claim", "predicted>", "measured>", "tolerance", "verdict")
    rows = [(one.statement, shown(one.predicted), shown(one.measured), _room(one), one.verdict) for one in claims]
    failed = sum(not one.holds for one in claims)
    return listed(
        titles, rows, [f"{failed} of {len(claims)} claims fail" if failed else f"all {len(claims)} claims hold"]
    )


def shown(value: float | str) -> str:
    """A number with six digits at most; text as it is."""
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _room(claim: Claim) -> str:
    room = "" if claim.tolerance is None else f"+- {claim.tolerance:.2g}"
    return f"{room} ({claim.basis})" if room and claim.basis else room or claim.basis


def _count(*given: float | Sequence[float]) -> int:
    """How many numbers are compared, where one number may stand for all."""
    return max(1 if isinstance(one, (int, float)) else len(one) for one in given)


def _triples(
    predicted: float | Sequence[float], measured: float | Sequence[float], tolerance: float | Sequence[float]
) -> zip[tuple[float, float, float]]:
    count = _count(predicted, measured, tolerance)
    spread = (
        [float(one)] * count if isinstance(one, (int, float)) else [*map(float, one)]
        for one in (predicted, measured, tolerance)
    )
    return zip(*spread, strict=True)


def _apart(predicted: float, measured: float, tolerance: float) -> float:
    """The distance in tolerances; infinite where either is not finite, or where none is allowed and there is one."""
    distance = abs(measured - predicted)
    if not (math.isfinite(distance) and math.isfinite(tolerance)):
        return math.inf
    return distance / tolerance if tolerance > 0 else (math.inf if distance else 0.0)
