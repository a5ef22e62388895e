"""The region of the input that a unit reads, as a picture: over a grid, a frame with ticks, or the user's image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from math import prod
from typing import Any

import altair as alt

from archspec.analysis.positions import Positions, every
from visualize.curves.figure import COLOURS, INK, PAPER, Figure, beside, heading
from visualize.receptive_field.choice import AxisRegion, Choice

LONGEST = 340  # pixels of the longer side
LARGEST_CELL = 30  # pixels
STRIP = 30  # pixels of height
MOST_CELLS = 40  # along an axis, of a grid
MOST_RUNS = 3000  # rectangles; finer holes cannot be seen
READ, PADDING, FIELD = "read", "padding", "field and its centre"
SHADES = {READ: "#4C9AD0", PADDING: "#EBD9A0", FIELD: COLOURS[1]}
TICKS = alt.Axis(grid=False, tickMinStep=1, format="d", labelOverlap=True)
ACROSS = AxisRegion("", 1, every(1), every(1), Fraction(0))  # the height of a strip

Plane = tuple[AxisRegion, AxisRegion]  # downwards, to the right
Row = dict[str, Any]
Places = dict[str, Any]


def region(choice: Choice, image: str | None = None) -> Figure:
    """The region of a unit: a plane, a strip for sequences, three projections for volumes; `image` is a data URI."""
    regions, title = choice.regions(), f"Read by {choice.title}"
    notes = tuple(_sentences(choice, regions))
    if len(regions) == 1:
        return _plane((ACROSS, regions[0]), None, title, notes)
    if len(regions) == 2:
        return _plane((regions[0], regions[1]), image, title, notes)
    return beside(*(_plane(pair, None, "", ()) for pair in combinations(regions, 2)), title=title, notes=notes)


def runs(positions: Positions) -> list[tuple[int, int]]:
    """The members as stretches without a hole, each from its first to its last position.

    >>> runs(Positions(2, 5, 0b10011))
    [(2, 3), (6, 6)]
    """
    if positions.bits is None:
        return [(positions.low, positions.high)] if positions.extent else []
    found: list[tuple[int, int]] = []
    for one in positions.members():
        if found and found[-1][1] == one - 1:
            found[-1] = (found[-1][0], one)
        else:
            found.append((one, one))
    return found


def _sentences(choice: Choice, regions: Sequence[AxisRegion]) -> Iterator[str]:
    """The region in words, axis by axis."""
    for one in regions:
        seen = f"{one.read.low} to {one.read.high}" if one.read.extent else "nothing"
        holes = f"{one.read.count} positions of " if one.read.bits is not None else ""
        field = f"field {one.field.low} to {one.field.high}" if one.field.extent else "no field"
        yield f"{one.name}: reads {holes}{seen}; {field}; input 0 to {one.length - 1}"
    if choice.gated:
        yield "gates and statistics, which read everything, are left out"
    if _fine(regions):
        yield "the holes are too fine to draw"


def _fine(axes: Sequence[AxisRegion]) -> bool:
    """Whether holes are not drawn, because there would be too many rectangles."""
    return prod(len(runs(one.field)) for one in axes[-2:]) > MOST_RUNS


def _plane(axes: Plane, image: str | None, title: str, notes: tuple[str, ...]) -> Figure:
    """One axis downwards, one to the right, a position as high as wide."""
    down, right = axes
    cell = min(LARGEST_CELL, (2 * LONGEST if down is ACROSS else LONGEST) / max(map(_extent, axes)))
    (top, bottom), (left, end) = (_span(one, cell) for one in axes)
    places = {
        "x": alt.X("x", type="quantitative", title=_title(right), scale=_scale(left, end), axis=TICKS),
        "y": alt.Y("y", type="quantitative", title=_title(down), scale=_scale(top, bottom, reverse=True),
                   axis=None if down is ACROSS else TICKS),
    }  # fmt: skip
    width, height = round((end - left) * cell), STRIP if down is ACROSS else round((bottom - top) * cell)
    layers = [*_ground(axes, places, image), *_cells(axes, places, cell, image is not None), *_marks(axes, places)]
    chart = alt.layer(*layers).properties(width=width, height=height)
    if title:
        chart = chart.properties(title=heading(title, notes, max(width, 420)))
    return Figure(chart, title, notes)


def _extent(one: AxisRegion) -> int:
    return max(one.length - 1, one.field.high) - min(0, one.field.low) + 1


def _span(one: AxisRegion, cell: float) -> tuple[float, float]:
    """The ends of an axis, with half a position at either side and a little air."""
    if one is ACROSS:
        return -0.75, 0.75
    air = 6 / cell
    return min(0, one.field.low) - 0.5 - air, max(one.length - 1, one.field.high) + 0.5 + air


def _rect(spans: Sequence[tuple[int, int]], what: str) -> Row:
    """A rectangle from the first to the last position along both axes."""
    (top, bottom), (left, right) = spans
    return {"x": left - 0.5, "x2": right + 0.5, "y": top - 0.5, "y2": bottom + 0.5, "what": what}


def _all(one: AxisRegion) -> tuple[int, int]:
    return 0, one.length - 1


def _data(rows: Sequence[Row]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=list(rows)))


def _ground(axes: Plane, places: Places, image: str | None) -> Iterator[alt.Chart]:
    """The input: the user's image, or a sheet with a grid if its cells can be told apart."""
    whole = _rect([_all(one) for one in axes], "input")
    sheet = _data([whole])
    if image is not None:
        yield sheet.mark_image(aspect=False).encode(**places, x2="x2", y2="y2", url=alt.value(image))
    else:
        yield sheet.mark_rect(fill=PAPER).encode(**places, x2="x2", y2="y2")
    if image is None and all(one.length <= MOST_CELLS for one in axes):
        grid: dict[str, Any] = {"color": "#D0D0D0", "strokeWidth": 0.7}
        columns = [{**whole, "x": at - 0.5} for at in range(axes[1].length)]
        rows = [{**whole, "y": at - 0.5} for at in range(axes[0].length)]
        yield _data(columns).mark_rule(**grid).encode(**places, y2="y2")
        yield _data(rows).mark_rule(**grid).encode(**places, x2="x2")


def _cells(axes: Plane, places: Places, cell: float, veil: bool) -> Iterator[alt.Chart]:
    """What is read, in the input and in the padding around it; over an image the rest of it is veiled."""
    read, padding = read_rects(axes)
    if veil:
        rest = [_rect(spans, "rest") for spans in _rest(axes)]
        yield _data(rest).mark_rect(fill="white", fillOpacity=0.72).encode(**places, x2="x2", y2="y2")
        read = []
    apart = cell >= 8
    rows = [row for rect in read + padding for row in (_single(rect) if apart else [rect])]
    marked = _data(rows).mark_rect(stroke="white", strokeWidth=1 if apart else 0)
    yield marked.encode(**places, x2="x2", y2="y2", color=_colour(veil, bool(padding)))


def read_rects(axes: Plane) -> tuple[list[Row], list[Row]]:
    """The stretches that are read, combined over both axes: inside the input, and in the padding."""
    hulls = _fine(axes)
    down, right = (_stretches(one.read, hulls) for one in axes)
    read = [_rect((row, column), READ) for row in down for column in right]
    rows, columns = (_cut(one, hulls) for one in axes)
    padding = [
        _rect((row[:2], column[:2]), PADDING) for row in rows for column in columns if not (row[2] and column[2])
    ]
    return read, padding


def _stretches(positions: Positions, hulls: bool) -> list[tuple[int, int]]:
    return runs(Positions(positions.low, positions.extent) if hulls else positions)


def _cut(one: AxisRegion, hulls: bool) -> list[tuple[int, int, bool]]:
    """The stretches of a field, cut at the ends of the input; whether each lies in it."""
    sides = ((one.field.low, -1, False), (0, one.length - 1, True), (one.length, one.field.high, False))
    return [
        (max(low, start), min(high, end), inside)
        for low, high in _stretches(one.field, hulls)
        for start, end, inside in sides
        if max(low, start) <= min(high, end)
    ]


def _rest(axes: Plane) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The parts of the input that are not read."""
    down, right = axes
    rows, columns = (_stretches(one.read, _fine(axes)) for one in axes)
    for gap in _gaps(rows, down.length):
        yield gap, _all(right)
    for row in rows:
        for gap in _gaps(columns, right.length):
            yield row, gap


def _gaps(stretches: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    ends = [-1, *(high for _, high in stretches)]
    starts = [*(low for low, _ in stretches), length]
    return [(end + 1, start - 1) for end, start in zip(ends, starts, strict=True) if end + 1 <= start - 1]


def _single(rect: Row) -> Iterator[Row]:
    """A rectangle as its cells, so that positions can be counted."""
    for row in range(round(rect["y2"] - rect["y"])):
        for column in range(round(rect["x2"] - rect["x"])):
            x, y = rect["x"] + column, rect["y"] + row
            yield {**rect, "x": x, "x2": x + 1, "y": y, "y2": y + 1}


def _marks(axes: Plane, places: Places) -> Iterator[alt.Chart]:
    """The border of the input; the field with its padding, dashed; its centre."""
    sheet = _data([_rect([_all(one) for one in axes], "input")])
    yield sheet.mark_rect(fillOpacity=0, stroke=INK, strokeWidth=1.2).encode(**places, x2="x2", y2="y2")
    if not all(one.field.extent for one in axes):
        return
    box = _data([_rect([(one.field.low, one.field.high) for one in axes], FIELD)])
    dashed = box.mark_rect(fillOpacity=0, stroke=SHADES[FIELD], strokeWidth=1.8, strokeDash=[5, 3])
    yield dashed.encode(**places, x2="x2", y2="y2")
    y, x = (float(one.centre) for one in axes)
    centre = _data([{"x": x, "y": y}]).mark_point(shape="cross", size=80, filled=True, opacity=1, color=SHADES[FIELD])
    yield centre.encode(**places)


def _colour(veil: bool, padding: bool) -> alt.Color:
    shown = [what for what in SHADES if not (what == READ and veil) and (what != PADDING or padding)]
    scale = alt.Scale(domain=shown, range=[SHADES[what] for what in shown])
    legend = alt.Legend(title=None, orient="bottom", symbolType="square", symbolOpacity=1)
    return alt.Color("what", type="nominal", scale=scale, legend=legend)


def _title(one: AxisRegion) -> str:
    return f"{one.name} (position)"


def _scale(low: float, high: float, reverse: bool = False) -> alt.Scale:
    return alt.Scale(domain=[low, high], nice=False, zero=False, reverse=reverse)
