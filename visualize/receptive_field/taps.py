"""The picture of a fan: a row of dots for every layer, and a line for every tap."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import altair as alt

from archspec.nodes import Node
from visualize.curves.figure import COLOURS, Figure, heading
from visualize.receptive_field.choice import Choice
from visualize.receptive_field.fan import Fan, fan

TALLEST, SHORTEST = 56, 13  # pixels from row to row
HEIGHT = 620
SEEN = 40.0  # the least size of the unit's own dot: it is found among hundreds
UNIT, PAST = "the unit", "past layers"
AMBER = "#C9A227"
KINDS = {UNIT: COLOURS[1], "read": COLOURS[0], "padding": AMBER, "not read": "#CFCFCF"}


def taps(choice: Choice, axis: int, width: int = 640) -> Figure:
    """The fan of the chosen unit along one axis of the input."""
    found = fan(choice, axis)
    apart = min(TALLEST, max(SHORTEST, HEIGHT // len(found.rows)))
    height = apart * max(len(found.rows) - 1, 1) + 2 * SHORTEST
    dots, lines = list(_dots(found, width, apart)), list(_lines(found))
    notes = tuple(_notes(found, {line["kind"] for line in lines}))
    ends = [*(dot["x"] for dot in dots), *(line["x2"] for line in lines)]
    scale = alt.Scale(domain=[min(ends), max(ends)], nice=False, zero=False, padding=10)
    places = {
        "x": alt.X("x", type="quantitative", title=f"{choice.axes[axis]} (position of the input)", scale=scale,
                   axis=alt.Axis(grid=False, tickMinStep=1, format="d")),
        "y": alt.Y("y", type="quantitative", title=None, axis=_names(found),
                   scale=alt.Scale(domain=[0, max(len(found.rows) - 1, 1)], nice=False, padding=SHORTEST)),
    }  # fmt: skip
    layers = [_rules(lines, places), _points(dots, places)]
    title = f"Taps of {choice.title}, along {choice.axes[axis]}"
    chart = alt.layer(*layers).properties(width=width, height=height, title=heading(title, notes, width))
    return Figure(chart, title, notes)


def _notes(found: Fan, kinds: set[str]) -> Iterator[str]:
    name = found.choice.axes[found.axis]
    yield f"a line for every tap; [n]: units along {name}; layers that read their own place alone are left out"
    if PAST in kinds:
        yield "dashed green: taps past the layers of another branch"
    if found.choice.field.axes != found.choice.field.gateless:
        yield "gates and statistics are left out"
    if found.inside < found.count:
        low, high = found.view
        yield f"in view: positions {low:g} to {high:g}, {found.inside:,} of {found.count:,} taps"


def _lines(found: Fan) -> Iterator[dict[str, Any]]:
    levels = _levels(found)
    for tap in found.taps:
        top, bottom = levels[tap.node], levels[tap.source]
        kind = "padding" if not found.within(tap) else PAST if top - bottom > 1 else "read"
        yield {
            "x": found.place(tap.node, tap.unit),
            "x2": found.place(tap.source, tap.place),
            "y": top,
            "y2": bottom,
            "kind": kind,
        }


def _dots(found: Fan, width: int, apart: int) -> Iterator[dict[str, Any]]:
    """The units in view, then the padding that is read."""
    levels = _levels(found)
    low, high = found.view
    top = found.rows[0]
    sizes: dict[Node, float] = {}
    for row in found.rows:
        read = set(found.shown(row.node, row.read, low, high))
        units = found.units(row, low, high)
        sizes[row.node] = max(min(60.0, (0.5 * width / max(len(units), 1)) ** 2, (0.28 * apart) ** 2), 4.0)
        for unit in units:
            kind = UNIT if row is top and unit in read else "read" if unit in read else "not read"
            yield _dot(found, row.node, unit, kind, levels, sizes)
    outside = {(tap.source, tap.place) for tap in found.taps if not found.within(tap)}
    for node, place in sorted(outside, key=lambda one: (one[0].index, one[1])):
        yield _dot(found, node, place, "padding", levels, sizes)


def _dot(
    found: Fan, node: Node, unit: int, kind: str, levels: dict[Node, int], sizes: dict[Node, float]
) -> dict[str, Any]:
    size = max(sizes[node], SEEN) if kind == UNIT else sizes[node]
    return {"x": found.place(node, unit), "y": levels[node], "kind": kind, "unit": unit, "size": size}


def _levels(found: Fan) -> dict[Node, int]:
    """The input at 0, the chosen layer at the top."""
    return {row.node: len(found.rows) - 1 - place for place, row in enumerate(found.rows)}


def _names(found: Fan) -> alt.Axis:
    """Every row named by its layer, and by how many units it has."""
    levels = _levels(found).items()
    names = {str(level): f"{str(node.layer)[:30]} [{node.shape.spatial[found.along(node)]}]" for node, level in levels}
    expression = f"({json.dumps(names)})[datum.value]"
    return alt.Axis(
        values=[int(level) for level in names], labelExpr=expression, labelLimit=260, labelOverlap=False,
        labelFontSize=11 if len(names) < 40 else 9, grid=False, domain=False, ticks=False,
    )  # fmt: skip


def _rules(lines: list[dict[str, Any]], places: dict[str, Any]) -> alt.Chart:
    kinds = {"read": (COLOURS[0], [1, 0]), PAST: (COLOURS[2], [4, 3]), "padding": (AMBER, [2, 2])}
    shades = alt.Scale(domain=list(kinds), range=[shade for shade, _ in kinds.values()])
    dashes = alt.Scale(domain=list(kinds), range=[dash for _, dash in kinds.values()])
    width, opacity = (1.2, 0.8) if len(lines) < 400 else (0.8, 0.65)
    drawn: alt.Chart = alt.Chart(alt.InlineData(values=lines)).mark_rule(strokeWidth=width, opacity=opacity)
    return drawn.encode(
        **places,
        x2="x2",
        y2="y2",
        stroke=alt.Stroke("kind", type="nominal", scale=shades, legend=None),
        strokeDash=alt.StrokeDash("kind", type="nominal", scale=dashes, legend=None),
    )


def _points(dots: list[dict[str, Any]], places: dict[str, Any]) -> alt.Chart:
    shown = [kind for kind in KINDS if any(dot["kind"] == kind for dot in dots)]
    shades = alt.Scale(domain=shown, range=[KINDS[kind] for kind in shown])
    shapes = alt.Scale(domain=shown, range=["square" if kind == "padding" else "circle" for kind in shown])
    legend = alt.Legend(title=None, orient="bottom")
    drawn: alt.Chart = alt.Chart(alt.InlineData(values=dots)).mark_point(
        filled=True, opacity=1, stroke="white", strokeWidth=0.5
    )
    return drawn.encode(
        **places,
        color=alt.Color("kind", type="nominal", scale=shades, legend=legend),
        shape=alt.Shape("kind", type="nominal", scale=shapes, legend=legend),
        size=alt.Size("size", type="quantitative", scale=None),
        tooltip=[alt.Tooltip("unit", type="quantitative"), alt.Tooltip("kind", type="nominal")],
    )
