"""The charts of the project: lines with bands, bars, histograms with densities, stems, grids.

Each takes plain numbers and gives a `Figure`. Axes are `Axis(title, unit)`, so that no chart goes without units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

from visualize.curves.encodings import Symbol, along_x, along_y, colour, dash, data, framed, scale, shape, told
from visualize.curves.figure import INK, Figure
from visualize.curves.series import Axis, Band, Numbers, Series, counted, numbers, prepared, wrong

import altair as alt  # isort: skip  (behind visualize.curves.figure, which says what to install)

FEW_POINTS = 40  # of one line: each has its dot
MOST_WRITTEN = 150  # cells of a grid: each has its number


@dataclass(frozen=True)
class Bar:
    """One bar: its place, its length, the group that gives its colour, and the ends of its error bar."""

    label: str
    value: float
    group: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Density:
    """A curve over a histogram: the density at every x."""

    label: str
    at: Callable[[float], float]


def gaussian(label: str, mean: float, deviation: float) -> Density:
    """The normal density of a mean and a standard deviation.

    >>> round(gaussian("init", 0, 2).at(0), 4)
    0.1995
    """
    if not (math.isfinite(mean) and math.isfinite(deviation) and deviation > 0):
        raise wrong(f"no normal density has mean {mean:g} and standard deviation {deviation:g}", "a deviation above 0")
    return Density(label, NormalDist(mean, deviation).pdf)


def lines(
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    *,
    title: str = "",
    band: Band | None = "range",
    width: int = 420,
    height: int = 260,
    share_y: bool = True,
) -> Figure:
    """Lines; of a series of several runs the mean, with a band from lowest to highest or of a standard deviation.

    Panels stand side by side in the order in which series name them. Raises ArchspecError for what cannot be drawn.
    """
    ready = prepared(series, x, y, band)
    lined, dotted = ([one.label for one in series if one.dots is dots] for dots in (False, True))
    symbol: Symbol | None = None if dotted else "stroke"
    base = alt.Chart().encode(x=along_x(x), y=along_y(y), color=colour([one.label for one in series], symbol=symbol))
    line = base.mark_line(strokeWidth=2, clip=True).encode(strokeDash=dash(series, symbol), tooltip=told(x, y))
    drawn = [line]
    if band and any(row["low"] != row["high"] for row in ready.rows):
        area = base.mark_area(opacity=0.18, clip=True).encode(y=along_y(y, "low"), y2="high")
        drawn.insert(0, area)
    if dotted:
        ends = any(end is not None for axis in (x, y) for end in (axis.low, axis.high))
        dot = base.mark_point(filled=True, size=120, opacity=1, clip=ends)
        dot = dot.encode(shape=shape(series), tooltip=told(x, y))
        drawn[-1:] = [_only(line, lined), _only(dot, dotted)]
    elif len(ready.rows) <= FEW_POINTS * len(series):
        drawn.append(base.mark_point(filled=True, size=30, clip=True).encode(tooltip=told(x, y)))
    return framed(drawn, ready.rows, title, ready.notes, (width, height), share_y)


def _only(chart: alt.Chart, labels: Sequence[str]) -> alt.Chart:
    return chart.transform_filter(alt.FieldOneOfPredicate("series", labels))


def stems(
    series: Sequence[Series], x: Axis, y: Axis, *, title: str = "", width: int = 420, height: int = 260
) -> Figure:
    """A stem from 0 to every value, with a dot at its end."""
    if y.log:
        raise wrong("stems start at 0, which a logarithmic axis lacks", "an axis without log=True")
    ready = prepared(series, x, y, None)
    base = alt.Chart().encode(x=along_x(x), color=colour([one.label for one in series]), tooltip=told(x, y))
    stem = base.mark_rule(strokeWidth=1.5).encode(y=along_y(y), y2=alt.datum(0))
    dot = base.mark_point(filled=True, size=45, opacity=1).encode(y=along_y(y))
    return framed([stem, dot], ready.rows, title, ready.notes, (width, height))


def bars(
    values: Sequence[Bar],
    x: Axis,
    y: Axis,
    *,
    title: str = "",
    width: int = 420,
    height: int = 260,
) -> Figure:
    """Bars in the order given, side by side where they have groups; x names the places, y measures the bars."""
    if not values:
        raise wrong("a figure without bars", "at least one")
    for one in values:
        ends = [end for end in (one.value, one.low, one.high) if end is not None]
        if not all(map(y.holds, ends)):
            raise wrong(f"the bar `{one.label}` has no length that can be drawn", "leave it out")
    order = list(dict.fromkeys(one.label for one in values))
    groups = list(dict.fromkeys(one.group for one in values))
    place = alt.X(
        "label", type="nominal", sort=order, title=x.text, axis=alt.Axis(labelAngle=0 if len(order) < 9 else -40)
    )
    base = alt.Chart().encode(x=place)
    if len(groups) > 1:
        base = base.encode(xOffset=alt.XOffset("group", type="nominal", sort=groups))
    told = [alt.Tooltip("label", type="nominal", title=x.text), alt.Tooltip("value", type="quantitative", title=y.text)]
    bar = base.mark_bar().encode(y=along_y(y, "value"), color=colour(groups, "group"), tooltip=told)
    error = base.mark_rule(strokeWidth=1.5, color=INK).encode(y=along_y(y, "low"), y2="high")
    rows = [asdict(one) for one in values]
    return framed(
        [bar, error] if any(row["low"] is not None for row in rows) else [bar], rows, title, (), (width, height)
    )


def histogram(
    samples: Mapping[str, Numbers],
    x: Axis,
    *,
    bins: int = 40,
    densities: Sequence[Density] = (),
    title: str = "",
    width: int = 420,
    height: int = 260,
) -> Figure:
    """The share of samples in every bin, as a density (area 1), with densities over it.

    All samples are counted in the same bins, from the lowest value to the highest.
    """
    if not samples or bins < 1:
        raise wrong("a histogram needs samples and a bin", "bins=40")
    notes: list[str] = []
    kept = {label: _finite(label, values, notes) for label, values in samples.items()}
    low, high = min(map(min, kept.values())), max(map(max, kept.values()))
    low, high = (low, high) if low < high else (low - 0.5, high + 0.5)
    step = (high - low) / bins
    rows = [row for label, values in kept.items() for row in _binned(label, values, low, step, bins)]
    places = [low + (high - low) * k / 240 for k in range(241)]
    curves = [{"x": at, "y": one.at(at), "series": one.label} for one in densities for at in places]
    labels = [*kept, *(one.label for one in densities)]
    y = Axis("density", f"1/{x.unit}" if x.unit else None)
    bar = alt.Chart(data(rows)).mark_rect(opacity=0.45).encode(
        x=along_x(x), x2="end", y=along_y(y), y2=alt.datum(0), color=colour(labels), tooltip=told(x, y)
    )  # fmt: skip
    curve = alt.Chart(data(curves)).mark_line(strokeWidth=2.5).encode(x=along_x(x), y=along_y(y), color=colour(labels))
    return framed([bar, curve] if curves else [bar], None, title, tuple(notes), (width, height))


def heat(
    grid: Sequence[Numbers],
    x: Axis,
    y: Axis,
    value: Axis,
    *,
    title: str = "",
    labels: tuple[Sequence[str], Sequence[str]] | None = None,
    width: int = 320,
    height: int = 320,
) -> Figure:
    """A grid of colours, row 0 at the top; small ones have their numbers written in. `labels` name columns and rows."""
    table = [numbers(row, f"row {place}") for place, row in enumerate(grid)]
    if not table or any(len(row) != len(table[0]) for row in table):
        raise wrong("the rows of a grid have the same length, and there is at least one", "[[1, 2], [3, 4]]")
    columns, names = labels or ([str(k) for k in range(len(table[0]))], [str(k) for k in range(len(table))])
    if (len(columns), len(names)) != (len(table[0]), len(table)):
        raise wrong(f"a grid of {len(table)} rows and {len(table[0])} columns has other labels", "one for each")
    rows = [
        {"x": columns[c], "y": names[r], "value": cell if value.holds(cell) else None}
        for r, row in enumerate(table)
        for c, cell in enumerate(row)
    ]
    layers = _grid(columns, names, x, y, value, written=len(rows) <= MOST_WRITTEN)
    missing = sum(row["value"] is None for row in rows)
    notes = (f"{counted(missing)} cannot be drawn",) if missing else ()
    return framed(layers, rows, title, notes, (width, height))


def _grid(
    columns: Sequence[str], names: Sequence[str], x: Axis, y: Axis, value: Axis, written: bool
) -> list[alt.Chart]:
    """The cells of a grid, and their numbers where these are written in."""
    flat, crowded = alt.Axis(labelAngle=0, labelOverlap=True), alt.Axis(labelOverlap=True)
    places: dict[str, Any] = {
        "x": alt.X("x", type="nominal", sort=list(columns), title=x.text, axis=flat),
        "y": alt.Y("y", type="nominal", sort=list(names), title=y.text, axis=crowded),
    }
    shade = alt.Color("value", type="quantitative", title=value.text, scale=scale(value))
    told = [alt.Tooltip("value", type="quantitative", title=value.text)]
    cells = alt.Chart().mark_rect().encode(**places, color=shade, tooltip=told)
    number = alt.Text("value", type="quantitative", format=".2~g")
    halo = alt.Chart().mark_text(stroke="white", strokeWidth=2.5, strokeJoin="round").encode(**places, text=number)
    text = alt.Chart().mark_text(color="black").encode(**places, text=number)
    return [cells, halo, text] if written else [cells]


def _finite(label: str, values: Numbers, notes: list[str]) -> list[float]:
    given = numbers(values, f"`{label}`")
    found = [value for value in given if math.isfinite(value)]
    if not found:
        raise wrong(f"`{label}` has no finite value", "leave it out")
    if len(found) < len(given):
        notes.append(f"{label}: {counted(len(given) - len(found))} left out (infinite or not a number)")
    return found


def _binned(label: str, values: Sequence[float], low: float, step: float, bins: int) -> list[dict[str, Any]]:
    counts = [0] * bins
    for value in values:
        counts[min(int((value - low) / step), bins - 1)] += 1
    return [
        {"x": low + k * step, "end": low + (k + 1) * step, "y": count / (len(values) * step), "series": label}
        for k, count in enumerate(counts)
        if count
    ]
