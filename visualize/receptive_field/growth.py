"""How the receptive field grows with depth, as a chart: a step at every layer that widens it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import altair as alt

from archspec.analysis import ReceptiveField
from archspec.nodes import Node
from archspec.report.columns import number
from visualize.curves.figure import COLOURS, DASHES, GREY, Figure, heading
from visualize.receptive_field.choice import Choice

MOST_LABELS = 26
FAR = 5  # times the largest field


@dataclass(frozen=True)
class Step:
    """A layer on the way, and the curves there: label, smallest and largest size of a field."""

    node: Node
    sizes: tuple[tuple[str, int, int], ...]


def growth(choice: Choice, width: int = 460, height: int = 300) -> Figure:
    """The size of the field from the input to the layer, along the way that sees most."""
    found = steps(choice)
    rows: list[dict[str, Any]] = [
        {"x": place, "low": low, "high": high, "curve": label, "layer": f"{step.node.index}: {step.node.layer}"}
        for place, step in enumerate(found)
        for label, low, high in step.sizes
    ]
    curves = list(dict.fromkeys(row["curve"] for row in rows))
    x = alt.X(
        "x", type="quantitative", title="layers that widen the field", axis=_ticks(found), scale=_scale(len(found))
    )
    y = alt.Y("high", type="quantitative", title="receptive field (positions)")
    shades = alt.Scale(domain=curves, range=list(COLOURS[: len(curves)]))
    legend = alt.Legend(title=None, orient="bottom", symbolType="stroke") if len(curves) > 1 else None
    dash = alt.StrokeDash("curve", type="nominal", scale=alt.Scale(domain=curves, range=list(DASHES)), legend=legend)
    colour = alt.Color("curve", type="nominal", scale=shades, legend=legend)
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x, color=colour)
    told = [alt.Tooltip(name, title=title, type="nominal") for name, title in TOLD]
    layers: list[alt.Chart] = [*_inputs(choice, x, max(row["high"] for row in rows))]
    notes: tuple[str, ...] = ("along the way that sees most; the ring is the layer of the unit",)
    if any(row["low"] != row["high"] for row in rows):
        layers.append(base.mark_area(interpolate="step", opacity=0.25).encode(y=y, y2="low"))
        notes = (*notes, "band: from the unit that sees least to the one that sees most")
    layers.append(base.mark_line(interpolate="step", strokeWidth=2).encode(y=y, tooltip=told, strokeDash=dash))
    layers.append(base.mark_point(filled=True, size=22, opacity=1).encode(y=y, tooltip=told))
    layers.append(_chosen(choice, found, x, y))
    title = f"Growth over depth of {choice.spec.title}"
    chart = alt.layer(*layers).properties(width=width, height=height, title=heading(title, notes, width))
    return Figure(chart, title, notes)


def _chosen(choice: Choice, found: Sequence[Step], x: alt.X, y: alt.Y) -> alt.Chart:
    """The step of the layer whose unit is shown, and its size."""
    place = max(place for place, step in enumerate(found) if step.node.index <= choice.node.index)
    high = max(high for _, _, high in found[place].sizes)
    rows = [{"x": place, "high": high}]
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y)
    ring: alt.Chart = base.mark_point(shape="circle", size=130, color=COLOURS[1], strokeWidth=2, filled=False)
    return ring


TOLD = (("layer", "layer"), ("curve", "axis"), ("high", "largest field"), ("low", "smallest field"))


def steps(choice: Choice) -> list[Step]:
    """The layers that change the size of the field, from the input on."""
    way = list(_way(choice))
    alike = all(len({(axis.size, axis.size_min) for axis in choice.of(node).axes}) == 1 for node in way)
    names = [" and ".join(choice.axes)] if alike else list(choice.axes)
    gated = any(_sizes(names, choice.of(node)) != _sizes(names, choice.bare(node)) for node in way)
    found: list[Step] = []
    for node in way:
        sizes = _sizes(names, choice.of(node))
        if gated:
            sizes += _sizes([f"{name}, without gates" for name in names], choice.bare(node))
        if not found or found[-1].sizes != sizes:
            found.append(Step(node, sizes))
    return found


def _sizes(names: Sequence[str], field: ReceptiveField) -> tuple[tuple[str, int, int], ...]:
    """A curve for every name: the smallest and the largest size along its axis."""
    return tuple((name, axis.size_min, axis.size) for name, axis in zip(names, field.axes, strict=False))


def _way(choice: Choice) -> Iterator[Node]:
    """From the input to the last layer, at every merge along the branch that sees most, of equal ones the longest."""
    way = [choice.last]
    while way[-1] is not choice.source:
        windows = zip(way[-1].inputs, way[-1].facts.windows, strict=True)
        readable = [(source, window) for source, window in windows if choice.reaches(source)]
        kept = [source for source, window in readable if window.mark is None or window.unmarked is not None]
        branches = kept or [source for source, _ in readable]
        way.append(max(branches, key=lambda one: (sum(axis.size for axis in choice.bare(one).axes), one.index)))
    yield from reversed(way)


def _inputs(choice: Choice, x: alt.X, most: int) -> Iterator[alt.Chart]:
    """The sizes of the input as lines; one that lies far above the curves is only named."""
    sizes = choice.source.shape.spatial
    for size in dict.fromkeys(sizes):
        axes = " and ".join(name for name, own in zip(choice.axes, sizes, strict=True) if own == size)
        far = size > FAR * most
        text = f"input: {number(size)} along {axes}" + (", far above" if far else "")
        base = alt.Chart(alt.InlineData(values=[{"x": 0, "high": size, "text": text}]))
        height: Any = alt.value(12) if far else alt.Y("high", type="quantitative")
        if not far:
            yield base.mark_rule(color=GREY, strokeDash=[6, 4]).encode(y=height)
        words = base.mark_text(align="left", dy=-6, color="#555555", fontSize=11)
        yield words.encode(x=x, y=height, text=alt.Text("text", type="nominal"))


def _ticks(found: Sequence[Step]) -> alt.Axis:
    """Every layer named if they are few, else the first one of each stage."""
    labels = {place: str(step.node.layer) for place, step in enumerate(found)}
    if len(labels) > MOST_LABELS:
        labels = _apart(_stages(found), -(-len(found) // MOST_LABELS))
    written = {place: label if len(label) <= 22 else f"{label[:21]}…" for place, label in labels.items()}
    expression = f"({json.dumps({str(place): label for place, label in written.items()})})[datum.value]"
    return alt.Axis(
        values=list(written),
        labelExpr=expression,
        labelAngle=-45,
        labelLimit=160,
        labelFontSize=10,
        labelOverlap=False,
        grid=False,
    )


def _stages(found: Sequence[Step]) -> dict[int, str]:
    """The places where a group begins, at the greatest depth of groups whose names still fit."""
    chosen: dict[int, str] = {}
    for depth in range(1, 9):
        paths = ["/".join(step.node.path.split("/")[:depth]) for step in found]
        starts = {next(iter(run))[0]: path for path, run in groupby(enumerate(paths), key=lambda pair: pair[1])}
        if len(starts) > MOST_LABELS or len(starts) == len(chosen):
            break
        chosen = starts
    return {place: path or str(found[place].node.layer) for place, path in chosen.items()}


def _apart(labels: dict[int, str], gap: int) -> dict[int, str]:
    """The labels that stand far enough behind the one before them."""
    kept: dict[int, str] = {}
    for place, label in labels.items():
        if not kept or place - max(kept) >= gap:
            kept[place] = label
    return kept


def _scale(count: int) -> alt.Scale:
    return alt.Scale(domain=[0, max(count - 1, 1)], nice=False, padding=8)
