"""How rows of numbers become the places, colours and legends of a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from visualize.curves.figure import COLOURS, DASHES, Chart, Figure, heading
from visualize.curves.series import Axis, Series

import altair as alt  # isort: skip  (behind visualize.curves.figure, which says what to install)

Symbol = Literal["square", "stroke"]
DOT = "M-0.5,0A0.5,0.5,0,1,1,0.5,0A0.5,0.5,0,1,1,-0.5,0"  # half as wide as the circle, which is too much in a legend


def framed(
    layers: Sequence[alt.Chart],
    rows: Sequence[dict[str, Any]] | None,
    title: str,
    notes: tuple[str, ...],
    size: tuple[int, int],
    share_y: bool = True,
) -> Figure:
    """Layers over the same data, in one panel or one for each that the rows name, with title and notes."""
    panels = list(dict.fromkeys(row["panel"] for row in rows or () if "panel" in row))
    chart: Chart = alt.layer(*layers) if rows is None else alt.layer(*layers, data=data(rows))
    chart = chart.properties(width=size[0], height=size[1])
    if len(panels) > 1 and isinstance(chart, alt.LayerChart):
        column = alt.Column("panel", type="nominal", sort=panels, title=None)
        chart = chart.facet(column=column).resolve_scale(y="shared" if share_y else "independent")
    if title or notes:
        chart = chart.properties(title=heading(title, notes, size[0] * max(len(panels), 1)))
    return Figure(chart, title or "figure", notes)


def data(rows: Sequence[dict[str, Any]]) -> alt.InlineData:
    """Rows as the data of a chart."""
    return alt.InlineData(values=list(rows))


def scale(axis: Axis) -> alt.Scale:
    """The scale of an axis, logarithmic where that is asked for, with the ends that are given."""
    ends: dict[str, Any] = {"domainMin": axis.low, "domainMax": axis.high}
    kind: dict[str, Any] = {"type": "log"} if axis.log else {"zero": False}
    return alt.Scale(**kind, **{name: end for name, end in ends.items() if end is not None})


def along_x(axis: Axis) -> alt.X:
    """Numbers to the right."""
    return alt.X("x", type="quantitative", title=axis.text, scale=scale(axis), axis=ticks(axis))


def along_y(axis: Axis, field: str = "y") -> alt.Y:
    """Numbers upwards."""
    return alt.Y(field, type="quantitative", title=axis.text, scale=scale(axis), axis=ticks(axis))


def ticks(axis: Axis) -> alt.Axis:
    """On logarithmic axes powers of ten alone, as 1e-3."""
    return alt.Axis(format="~e", tickCount=8) if axis.log else alt.Axis(labelOverlap=True)


def colour(labels: Sequence[str], field: str = "series", symbol: Symbol | None = "square") -> alt.Color:
    """The colour of a series; its legend where there are several."""
    order = list(dict.fromkeys(labels))
    shades = alt.Scale(domain=order, range=[COLOURS[k % len(COLOURS)] for k in range(len(order))])
    return alt.Color(field, type="nominal", scale=shades, legend=legend(order, symbol))


def dash(series: Sequence[Series], symbol: Symbol | None = "stroke") -> alt.StrokeDash:
    """The same order as the colours, so that lines differ on grey paper too."""
    order = {one.label: one.dots for one in series}
    turns = (k + k // len(COLOURS) for k in range(len(order)))  # another dash where the colours begin again
    dashes = [DASHES[0 if dots else turn % len(DASHES)] for turn, dots in zip(turns, order.values(), strict=True)]
    shades = alt.Scale(domain=list(order), range=dashes)
    return alt.StrokeDash("series", type="nominal", scale=shades, legend=legend(list(order), symbol))


def shape(series: Sequence[Series]) -> alt.Shape:
    """In the legend a line, or a dot for a series of dots."""
    order = {one.label: DOT if one.dots else "stroke" for one in series}
    shapes = alt.Scale(domain=list(order), range=list(order.values()))
    return alt.Shape("series", type="nominal", scale=shapes, legend=legend(list(order), None))


def legend(order: Sequence[str], symbol: Symbol | None) -> alt.Legend | None:
    """A legend, where there is more than one entry; its symbols are all alike, or (None) as the shapes say."""
    alike = alt.Undefined if symbol is None else symbol
    return alt.Legend(title=None, symbolType=alike, symbolOpacity=1) if len(order) > 1 else None


def told(x: Axis, y: Axis) -> list[alt.Tooltip]:
    """What a point tells when it is pointed at."""
    return [
        alt.Tooltip("series", type="nominal", title="series"),
        alt.Tooltip("x", type="quantitative", title=x.text),
        alt.Tooltip("y", type="quantitative", title=y.text),
    ]
