"""Charts: what they draw of the numbers they are given, what they say they left out, and the forms they come in."""

from __future__ import annotations

import importlib
import math
import re
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archspec.errors import ArchspecError
from tests.visualize.marks import marks, rows, texts
from visualize.curves import (
    Axis,
    Bar,
    Density,
    Figure,
    Series,
    bars,
    below,
    beside,
    gaussian,
    heat,
    histogram,
    lines,
    stems,
)
from visualize.curves.series import thinned

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Request

STEP, LOSS = Axis("step", None), Axis("loss", "nats")
NAN, INFINITE = math.nan, math.inf


def simple() -> Figure:
    return lines([Series("a", [0, 1, 2], [3, 1, 2])], STEP, LOSS, title="Loss <of> a & b")


def refused(*values: object) -> str:
    with pytest.raises(ArchspecError) as raised:
        lines([Series("a", range(len(values)), values)], STEP, LOSS)  # type: ignore[arg-type]
    assert (raised.value.code, bool(raised.value.hint)) == ("figure-data", True)
    return raised.value.diagnostics[0].message


# -- what is drawn -----------------------------------------------------------------------------------------------------


def test_axes_have_their_units_and_the_line_its_points() -> None:
    svg = simple().svg()
    assert {"step", "loss (nats)", "Loss <of> a & b"} <= set(texts(svg))
    assert marks(svg) == {"line": 1, "symbol": 3}


def test_a_gap_breaks_the_line() -> None:
    figure = lines([Series("a", range(6), [1, 2, NAN, 3, 4, 5])], STEP, LOSS)
    path = re.search(r'class="mark-line [^>]*><path [^>]*d="([^"]*)"', figure.svg())
    assert path is not None
    assert path[1].count("M") == 2
    assert figure.notes == ()


def test_infinities_are_left_out_and_noted() -> None:
    figure = lines([Series("a", range(4), [1, INFINITE, -INFINITE, 4])], STEP, LOSS)
    assert [row["y"] for row in rows(figure)] == [1, None, None, 4]
    assert figure.notes == ("a: 2 values left out (infinite)",)
    assert figure.notes[0] in texts(figure.svg())


def test_a_logarithmic_axis_leaves_out_what_is_not_above_0() -> None:
    figure = lines([Series("a", range(4), [0, -1, 10, 1000])], STEP, Axis("gradient norm", None, log=True))
    assert [row["y"] for row in rows(figure)] == [None, None, 10, 1000]
    assert figure.notes == ("a: 2 values left out (infinite, or not above 0 on a logarithmic axis)",)
    assert {"1e+1", "1e+3"} <= set(texts(figure.svg()))


@pytest.mark.parametrize(("band", "low", "high"), [("range", 1, 5), ("deviation", 1, 5), (None, 1, 5)])
def test_several_runs_are_a_mean_and_a_band(band: str | None, low: float, high: float) -> None:
    runs = [[1, 0], [3, 0], [5, 0]]  # standard deviation of 1, 3, 5: 2
    figure = lines([Series("a", [0, 1], runs)], STEP, LOSS, band=band)  # type: ignore[arg-type]
    first, second = rows(figure)
    assert (first["y"], first["low"], first["high"]) == (3, low, high)
    assert (second["y"], second["low"], second["high"]) == (0, 0, 0)
    assert marks(figure.svg())["area"] == (0 if band is None else 1)
    assert figure.notes[0].startswith("lines: mean of 3 runs")


def test_where_a_run_has_no_value_the_others_count() -> None:
    figure = lines([Series("a", [0, 1], [[1.0, NAN], [3.0, 4.0]])], STEP, LOSS)
    assert [row["y"] for row in rows(figure)] == [2, 4]


def test_panels_stand_in_the_order_in_which_they_are_named() -> None:
    both = [Series(label, [0, 1], [k, 1], panel) for panel in ("validation", "train") for k, label in enumerate("ab")]
    svg = lines(both, STEP, LOSS).svg()
    written = texts(svg)
    assert written.index("validation") < written.index("train")
    assert marks(svg)["line"] == 4


def test_series_differ_in_colour_and_in_dashes() -> None:
    svg = lines([Series(label, [0, 1], [k, 1]) for k, label in enumerate("abc")], STEP, LOSS).svg()
    drawn = re.findall(r' d="M0[^"]*" stroke="([^"]*)"[^>]*stroke-dasharray="([^"]*)"', svg)
    assert len({colour for colour, _ in drawn}) == len({dash for _, dash in drawn}) == 3


def test_what_was_measured_is_dots_without_a_line() -> None:
    curve = Series("curve", [k / 50 for k in range(101)], [k / 50 for k in range(101)])
    svg = lines([curve, Series("measured", [0, 1, 2], [0, 1.1, 1.9], dots=True)], STEP, LOSS).svg()
    assert marks(svg) == {"line": 1, "symbol": 3}
    dots = lines([Series("measured", [0, 1, 2], [0, 1.1, 1.9], dots=True)], STEP, LOSS).svg()
    assert marks(dots)["symbol"] == 3


def test_long_series_are_thinned_keeping_ends_and_extremes() -> None:
    values = [math.sin(k / 500) for k in range(20_000)]
    values[7_000], values[13_000], values[16_001] = 50, -50, NAN
    figure = lines([Series("a", range(20_000), values)], STEP, LOSS)
    drawn = {row["x"]: row["y"] for row in rows(figure)}
    assert {0, 7_000, 13_000, 16_001, 19_999} <= set(drawn)
    assert (drawn[0], drawn[19_999], drawn[16_001]) == (values[0], values[-1], None)
    assert len(drawn) <= 1000
    assert figure.notes == (f"a: {len(drawn)} of 20,000 points drawn, the extremes among them",)


def test_thinning_of_nothing_but_gaps() -> None:
    kept = thinned([None] * 100, most=10)
    assert (kept[0], kept[-1], len(kept) <= 10) == (0, 99, True)


def test_stems_start_at_0() -> None:
    figure = stems([Series("a", [0, 1, 2], [3, -1, 2])], STEP, Axis("weight", None))
    assert marks(figure.svg()) == {"rule": 3, "symbol": 3}
    with pytest.raises(ArchspecError, match="logarithmic"):
        stems([Series("a", [0], [3])], STEP, Axis("weight", None, log=True))


def test_bars_in_groups_with_errors() -> None:
    values = [Bar(label, 2, group, 1, 3) for label in "xy" for group in ("He", "Xavier")]
    svg = bars(values, Axis("scheme", None), Axis("accuracy", "share")).svg()
    assert marks(svg) == {"rect": 4, "rule": 4}
    assert {"scheme", "accuracy (share)", "He", "Xavier", "x", "y"} <= set(texts(svg))


def test_a_histogram_has_area_1_and_densities_over_it() -> None:
    fits = [gaussian("asked", 0, 1), gaussian("drawn", 0.5, 2)]
    figure = histogram({"w": [k / 10 for k in range(-20, 31)]}, Axis("weight", None), bins=7, densities=fits)
    bins = [row for row in rows(figure) if "end" in row]
    assert sum(row["y"] * (row["end"] - row["x"]) for row in bins) == pytest.approx(1)
    assert marks(figure.svg())["line"] == 2
    curve = [row for row in rows(figure) if row["series"] == "drawn"]
    assert max(row["y"] for row in curve) == pytest.approx(1 / (2 * math.sqrt(2 * math.pi)), rel=1e-3)


def test_a_histogram_of_one_value_and_of_a_density_of_ones_own() -> None:
    figure = histogram({"w": [2, 2, NAN]}, Axis("weight", "m"), densities=[Density("flat", lambda _: 1.0)])
    assert figure.notes == ("w: 1 value left out (infinite or not a number)",)
    assert "density (1/m)" in texts(figure.svg())


def test_small_grids_have_their_numbers_written_in() -> None:
    figure = heat([[1, 2], [3, NAN]], Axis("column", None), Axis("row", None), Axis("weight", "V"))
    svg = figure.svg()
    assert marks(svg)["rect"] == 3
    assert {"1", "2", "3", "weight (V)"} <= set(texts(svg))
    assert figure.notes == ("1 value cannot be drawn",)


def test_figures_are_put_together() -> None:
    row = beside(simple(), stems([Series("a", [0, 1], [3, -1])], STEP, LOSS, title="Stems"), title="Both")
    svg = below(row, simple()).svg()
    assert {"Both", "Stems", "Loss <of> a & b"} <= set(texts(svg))
    assert marks(svg) == {"line": 2, "symbol": 3 + 3 + 2, "rule": 2}


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_what_cannot_be_drawn() -> None:
    assert refused() == "`a` is empty"
    assert refused("x") == "`a` holds something that is no number"
    assert refused(NAN, INFINITE) == "`a` has no value that can be drawn"
    assert refused([1, 2], [3]) == "`a` has 2 x and 1 y"


@pytest.mark.parametrize(
    "chart",
    [
        lambda: lines([], STEP, LOSS),
        lambda: lines([Series("a", [0], [1]), Series("a", [0], [1])], STEP, LOSS),
        lambda: lines([Series("a", [0, 1], [1])], STEP, LOSS),
        lambda: bars([], STEP, LOSS),
        lambda: bars([Bar("a", NAN)], STEP, LOSS),
        lambda: histogram({}, STEP),
        lambda: histogram({"a": [NAN]}, STEP),
        lambda: heat([[1, 2], [3]], STEP, STEP, LOSS),
        lambda: heat([[1]], STEP, STEP, LOSS, labels=(["a", "b"], ["c"])),
        lambda: gaussian("a", 0, 0),
        lambda: Axis(" ", None),
        lambda: Axis("a", None, low=1, high=1),
        lambda: Axis("a", None, log=True, low=0),
        lambda: beside(),
        lambda: simple().png(scale=0),
    ],
)
def test_numbers_that_make_no_figure(chart: object) -> None:
    assert callable(chart)
    with pytest.raises(ArchspecError) as raised:
        chart()
    assert (raised.value.code, bool(raised.value.hint)) == ("figure-data", True)


# -- forms -------------------------------------------------------------------------------------------------------------


def test_equal_figures_are_equal_bytes() -> None:
    one, other = simple(), simple()
    assert (one.svg(), one.png(), one.html()) == (other.svg(), other.png(), other.html())


def test_png_has_the_size_of_the_svg_times_the_scale() -> None:
    found = re.search(r'width="(\d+)" height="(\d+)"', simple().svg())
    assert found is not None
    png = simple().png(scale=3)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (3 * int(found[1]), 3 * int(found[2]))


def test_save_chooses_the_form_by_the_suffix(tmp_path: Path) -> None:
    for suffix, start in ((".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".html", b"<!DOCTYPE html>")):
        path = tmp_path / f"figure{suffix}"
        simple().save(path)
        assert path.read_bytes().startswith(start)
    with pytest.raises(ArchspecError) as raised:
        simple().save(tmp_path / "figure.pgn")
    assert (raised.value.code, raised.value.hint) == ("figure-format", "did you mean .png?")
    with pytest.raises(ArchspecError) as raised:
        simple().save(tmp_path / "missing" / "figure.svg")
    assert raised.value.code == "unwritable"


def test_notebooks_show_the_svg() -> None:
    assert simple()._repr_mimebundle_()["image/svg+xml"] == simple().svg()


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    monkeypatch.delitem(sys.modules, "visualize.curves.figure")
    with pytest.raises(ArchspecError, match="altair") as raised:
        importlib.import_module("visualize.curves.figure")
    assert raised.value.hint == "pip install 'archspec-nn[figures]'"


def test_the_page_opens_offline_and_shows_the_chart(browser: Browser, tmp_path: Path) -> None:
    hostile = "</script><script>window.hurt = 1</script>"
    figure = beside(simple(), stems([Series("a", [0, 1], [3, -1])], STEP, LOSS, title=hostile), title=hostile)
    path = tmp_path / "figure.html"
    figure.save(path)
    assert not re.search(r"""(src|href)\s*=\s*["']https?:|@import|url\(\s*["']?https?:""", path.read_text("utf-8"))
    page = browser.new_page()
    asked: list[str] = []
    complaints: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector("#figure svg .mark-line path")
    assert (asked, complaints) == ([path.as_uri()], [])
    assert page.evaluate("window.hurt") is None
    assert page.locator("#figure svg .role-mark.mark-symbol path").count() == 3 + 2
    assert "loss (nats)" in (page.locator("#figure svg.marks").text_content() or "")
    page.close()
