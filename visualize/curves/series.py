"""The numbers behind a chart: axes with their units, and series checked and made ready to be drawn.

What cannot be drawn is never dropped in silence: gaps stay gaps, and what is left out is noted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Literal

from archspec.errors import ArchspecError

MOST_POINTS = 1000  # of one line
Band = Literal["range", "deviation"]
Numbers = Sequence[float]


@dataclass(frozen=True)
class Axis:
    """What an axis measures, and in what unit (None: a count or ratio, without one).

    >>> Axis("loss", "nats").text
    'loss (nats)'
    """

    title: str
    unit: str | None
    log: bool = False
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise wrong("an axis has no title", 'Axis("loss", "nats")')
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise wrong(f"the axis `{self.title}` ends at {self.high:g}, before its start {self.low:g}", "low < high")
        if self.log and self.low is not None and self.low <= 0:
            raise wrong(f"the logarithmic axis `{self.title}` cannot start at {self.low:g}", "a start above 0")

    @property
    def text(self) -> str:
        """The title with the unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def holds(self, value: float) -> bool:
        """Whether there is a place for a value: it is finite, and above 0 where the axis is logarithmic."""
        return math.isfinite(value) and (value > 0 or not self.log)


@dataclass(frozen=True)
class Series:
    """One line: its label, its x, and its y or several runs of y (a row per seed), NaN where there is none.

    Series of equal `panel` share a panel. What was measured may be `dots` without a line.
    """

    label: str
    x: Numbers
    y: Numbers | Sequence[Numbers]
    panel: str = ""
    dots: bool = False


@dataclass(frozen=True)
class Prepared:
    """Rows to draw, in order, and what there is to note."""

    rows: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]


def wrong(message: str, hint: str) -> ArchspecError:
    """The error for numbers that make no figure."""
    return ArchspecError("figure-data", message, hint=hint)


def numbers(values: Iterable[Any], what: str) -> list[float]:
    """Values as floats; raises ArchspecError where one is no number, or there is none at all."""
    try:
        found = [float(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        raise wrong(f"{what} holds something that is no number", "numbers, and NaN for a gap") from None
    if not found:
        raise wrong(f"{what} is empty", "leave it out, or give it a value")
    return found


def prepared(series: Sequence[Series], x: Axis, y: Axis, band: Band | None) -> Prepared:
    """Series as rows of x, y, low, high, series, panel; y None is a gap."""
    if not series:
        raise wrong("a figure without series", "at least one")
    taken = [(one.panel, one.label) for one in series]
    if twice := next((label for panel, label in taken if taken.count((panel, label)) > 1), None):
        raise wrong(f"two series are called `{twice}`", "another label or panel for one of them")
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for one in series:
        rows += _rows(one, x, y, band, notes)
    counts = sorted({len(_runs(one)) for one in series})
    if counts[-1] > 1:
        spread = {"range": "bands: lowest to highest", "deviation": "bands: one standard deviation", None: ""}[band]
        many = " or ".join(map(str, counts))
        notes.insert(0, f"lines: mean of {many} runs" + (f"; {spread}" if spread else ""))
    return Prepared(tuple(rows), tuple(notes))


def _rows(one: Series, x: Axis, y: Axis, band: Band | None, notes: list[str]) -> list[dict[str, Any]]:
    runs = _runs(one)
    places = numbers(one.x, f"x of `{one.label}`")
    for run in runs:
        if len(run) != len(places):
            raise wrong(f"`{one.label}` has {len(places)} x and {len(run)} y", "one y for each x")
    left_out = sum(not x.holds(place) for place in places)
    left_out += sum(not y.holds(value) and not math.isnan(value) for run in runs for value in run)
    if left_out:
        why = "infinite, or not above 0 on a logarithmic axis" if x.log or y.log else "infinite"
        notes.append(f"{one.label}: {counted(left_out)} left out ({why})")
    found = [
        {"x": place, **_spread([run[k] for run in runs if y.holds(run[k])], y, band)}
        for k, place in enumerate(places)
        if x.holds(place)
    ]
    if not any(row["y"] is not None for row in found):
        raise wrong(f"`{one.label}` has no value that can be drawn", "leave it out")
    kept = thinned([row["y"] for row in found])
    if len(kept) < len(found):
        notes.append(f"{one.label}: {len(kept):,} of {len(found):,} points drawn, the extremes among them")
    return [{**found[k], "series": one.label, "panel": one.panel} for k in kept]


def _runs(one: Series) -> list[list[float]]:
    rows: list[Any] = list(one.y)
    if rows and all(hasattr(row, "__len__") and not isinstance(row, str) for row in rows):
        return [numbers(row, f"`{one.label}`") for row in rows]
    return [numbers(rows, f"`{one.label}`")]


def _spread(values: Sequence[float], y: Axis, band: Band | None) -> dict[str, float | None]:
    """The mean of what runs have at one x, and the ends of the band."""
    if not values:
        return {"y": None, "low": None, "high": None}
    mean = fmean(values)
    if band == "deviation" and len(values) > 1:
        low, high = mean - stdev(values), mean + stdev(values)
        return {"y": mean, "low": low if y.holds(low) else min(values), "high": high}
    return {"y": mean, "low": min(values), "high": max(values)}


def counted(values: int) -> str:
    """How many values, in words.

    >>> counted(1), counted(2000)
    ('1 value', '2,000 values')
    """
    return f"{values:,} value{'s' if values > 1 else ''}"


def thinned(values: Sequence[float | None], most: int = MOST_POINTS) -> list[int]:
    """The places of at most `most` values: both ends, and of stretches between them the lowest, the highest and a gap.

    >>> thinned([0, 9, 1, 2, 3, -5, 4, 6], most=5)
    [0, 1, 5, 7]
    """
    if len(values) <= most:
        return list(range(len(values)))
    stretches = max((most - 2) // 3, 1)
    last = len(values) - 1
    kept = {0, last}
    for number in range(stretches):
        places = range(1 + number * (last - 1) // stretches, 1 + (number + 1) * (last - 1) // stretches)
        gap = next((place for place in places if values[place] is None), None)
        drawn = [(value, place) for place in places if (value := values[place]) is not None]
        kept |= {min(drawn)[1], max(drawn)[1]} if drawn else set()
        kept |= set() if gap is None else {gap}
    return sorted(kept)
