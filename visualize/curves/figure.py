"""A chart that has been made: as SVG, PNG, PDF or a page of its own, and how all charts look.

Every form is drawn by vl-convert, which holds Vega and a font, so that a figure needs no browser and no network.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from html import escape
from pathlib import Path
from typing import Any, TypeAlias

from archspec.errors import ArchspecError, did_you_mean, missing_package
from archspec.output import write

try:
    import altair as alt
    import vl_convert
except ModuleNotFoundError as error:
    raise missing_package("a figure", error, extra="figures") from None

Chart: TypeAlias = "alt.Chart | alt.LayerChart | alt.FacetChart | alt.ConcatChart | alt.HConcatChart | alt.VConcatChart"
FORMATS = (".svg", ".png", ".pdf", ".html")

# Okabe & Ito's colours, which colour-blind readers tell apart, without those too light for paper
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#B8860B", "#333333")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [10, 4], [1, 3])
INK, GREY, LIGHT, PAPER = "#222222", "#767676", "#E4E4E4", "#F6F6F6"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"  # the first comes with vl-convert, the others are as wide
CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "white",
    "padding": 10,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 11,
        "labelColor": INK,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titleColor": INK,
        "titlePadding": 8,
        "gridColor": LIGHT,
        "domainColor": GREY,
        "tickColor": GREY,
    },
    "header": {"labelFontSize": 12, "labelFontWeight": "bold", "labelColor": INK},
    "legend": {"labelFontSize": 11, "labelColor": INK, "labelLimit": 400, "symbolSize": 120, "symbolStrokeWidth": 2},
    "title": {
        "anchor": "start",
        "frame": "group",
        "fontSize": 14,
        "color": INK,
        "subtitleFontSize": 11,
        "subtitleColor": "#555555",
        "subtitlePadding": 4,
        "offset": 12,
    },
    "range": {"category": list(COLOURS), "heatmap": {"scheme": "viridis"}, "ramp": {"scheme": "viridis"}},
    "mark": {"aria": False},  # a word for each of a thousand marks helps no reader: the figure has a description
    "line": {"strokeCap": "round", "strokeJoin": "round"},
}

_IDS = re.compile(r"\b(clip|gradient_)(\d+)\b")
_PLACES = re.compile(r' (?:d|transform|x2|y2)="[^"]*"')
_LONG = re.compile(r"-?\d+\.\d{4,}(?:e-?\d+)?")
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ margin: 1rem; background: white; }} #figure {{ overflow: auto; }}</style>
<script>{script}</script>
</head>
<body>
<main id="figure" role="img" aria-label="{title}"></main>
<script>showFigure({spec});</script>
</body>
</html>
"""
_SHOW = """window.showFigure = (spec) => vegaEmbed("#figure", spec,
  {mode: "vega-lite", renderer: "svg", actions: {export: true, source: false, compiled: false, editor: false}});"""


@dataclass(frozen=True, eq=False)
class Figure:
    """A chart with its title, and what had to be left out of it (`notes`, also written below the title)."""

    chart: Chart
    title: str
    notes: tuple[str, ...] = ()

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The chart as Vega-Lite."""
        description = ". ".join((self.title, *self.notes))
        return {**self.chart.to_dict(), "config": CONFIG, "description": description}

    def svg(self) -> str:
        """The picture as SVG; the same bytes every time."""
        return self._svg

    @cached_property
    def _svg(self) -> str:
        text = vl_convert.vegalite_to_svg(self.spec, allowed_base_urls=[])
        known: dict[str, str] = {}  # the ids are counted by the process: count them by the picture
        text = _IDS.sub(lambda found: known.setdefault(found[0], f"{found[1]}{len(known)}"), text)
        text = _PLACES.sub(lambda place: _LONG.sub(lambda number: f"{float(number[0]):.6g}", place[0]), text)
        return text.replace("<svg ", f'<svg role="img" aria-label="{escape(self.spec["description"])}" ', 1)

    def png(self, scale: float = 2) -> bytes:
        """The picture as PNG, `scale` pixels to one of the SVG."""
        if not 0 < scale <= 10:
            raise ArchspecError("figure-data", f"a scale is above 0 and at most 10, found {scale}", hint="scale=2")
        return vl_convert.svg_to_png(self.svg(), scale=scale)

    def pdf(self) -> bytes:
        """The picture as PDF."""
        return vl_convert.svg_to_pdf(self.svg())

    def html(self) -> str:
        """A page that opens offline: points tell their values, the wheel zooms, the menu saves SVG and PNG."""
        spec = json.dumps(zoomable(self.spec)).replace("<", "\\u003c")
        return _PAGE.format(title=escape(self.title), script=_script(), spec=spec)

    def save(self, path: str | Path) -> None:
        """Write the figure whole to a file whose suffix chooses the form; raises ArchspecError."""
        path = Path(path)
        write(self.render(path.suffix.lower()), path)

    def render(self, suffix: str) -> bytes:
        """The figure in the form of a suffix: .svg, .png, .pdf or .html; raises ArchspecError for another."""
        if suffix == ".png":
            return self.png()
        if suffix == ".pdf":
            return self.pdf()
        if suffix not in FORMATS:
            hint = did_you_mean(suffix, FORMATS) or f"use one of {', '.join(FORMATS)}"
            raise ArchspecError("figure-format", f"a figure cannot be written as `{suffix}`", hint=hint)
        return (self.html() if suffix == ".html" else self.svg()).encode()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:  # noqa: ARG002
        return {"image/svg+xml": self.svg(), "text/plain": f"<Figure {self.title}>"}


@cache
def _script() -> str:
    """Vega and what shows a figure with it."""
    return vl_convert.javascript_bundle(_SHOW)


def heading(title: str, notes: tuple[str, ...] = (), width: int = 400) -> alt.Title:
    """A title with the notes below it, broken so that they fit a width in pixels."""
    lines = [line for note in notes for line in textwrap.wrap(note, max(round(width / 5.3), 40))]
    if not title:
        return alt.Title(lines, fontSize=11, fontWeight="normal", color="#555555")
    return alt.Title(title, subtitle=lines) if lines else alt.Title(title)


def beside(*figures: Figure, title: str = "", notes: tuple[str, ...] = ()) -> Figure:
    """Figures in a row, under a title of their own if one is given."""
    return _together(alt.hconcat(*(figure.chart for figure in figures), spacing=40), figures, title, notes)


def below(*figures: Figure, title: str = "", notes: tuple[str, ...] = ()) -> Figure:
    """Figures from top to bottom, under a title of their own if one is given."""
    return _together(alt.vconcat(*(figure.chart for figure in figures), spacing=30), figures, title, notes)


def _together(
    chart: alt.HConcatChart | alt.VConcatChart, figures: tuple[Figure, ...], title: str, notes: tuple[str, ...]
) -> Figure:
    if not figures:
        raise ArchspecError("figure-data", "there is no figure to put together", hint="beside(one, another)")
    chart = chart.resolve_scale(color="independent", shape="independent", strokeDash="independent")
    if title:
        chart = chart.properties(title=heading(title, notes, 900))
    inner = (note for figure in figures for note in figure.notes)
    return Figure(chart, title or figures[0].title, (*notes, *inner))


def zoomable(spec: dict[str, Any]) -> dict[str, Any]:
    """A copy of a Vega-Lite spec in which every plot of two measured axes can be moved and zoomed."""
    copied: dict[str, Any] = json.loads(json.dumps(spec))
    for number, plot in enumerate(_plots(copied)):
        select = {"name": f"zoom_{number}", "select": {"type": "interval"}, "bind": "scales"}
        plot["params"] = [*plot.get("params", ()), select]
    return copied


def _plots(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plots of a spec whose x and y are measured, of layers on one another the first such."""
    for parts in (spec.get(key) for key in ("hconcat", "vconcat", "concat")):
        for part in parts or ():
            yield from _plots(part)
    if "spec" in spec:
        yield from _plots(spec["spec"])
    for layer in (spec, *spec.get("layer", ())):
        axes = [layer.get("encoding", {}).get(axis, {}).get("type") for axis in "xy"]
        if axes == ["quantitative", "quantitative"]:
            yield layer
            return
