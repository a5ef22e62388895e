"""The report in a browser: opened as a file, used by mouse and by keyboard."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import archspec
from archspec.spec import Spec
from tests.visualize.test_page import EVIL, TWO, VOLUME, verification

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect, Page

    from tests.visualize.conftest import Open

HOLES = "{name: holes, input: 24x24x1, layers: 'CONV3-1 d2 s2, CONV3-1 d2'}"


@cache
def loaded(name: str) -> Spec:
    return archspec.load(name)


@cache
def deep() -> Spec:
    return archspec.parse("{name: deep, input: 8x8x4, layers: {a: '(CONV3-4, BN, RELU) x400'}}")


def labels(page: Page) -> list[str]:
    return page.locator("#table tbody tr .label").all_inner_texts()


def row(page: Page, label: str) -> Any:
    return page.locator("#table tbody tr", has=page.locator(".label").get_by_text(label, exact=True)).first


def chosen(page: Page) -> list[int]:
    return sorted(page.evaluate("[...archspec.selection.nodes]"))


def test_groups_fold_and_unfold(opened: Open) -> None:
    page = opened(loaded("resnet50"))
    stem = row(page, "stem")
    assert stem.get_attribute("aria-expanded") == "true"
    assert "CONV7-64 s2 nobias" in labels(page)
    stem.locator(".twist").click()
    assert stem.get_attribute("aria-expanded") == "false"
    assert "CONV7-64 s2 nobias" not in labels(page)
    page.get_by_label("Fold to").select_option("1")
    assert labels(page) == ["Input", "stem", "body", "head"]
    page.get_by_label("Fold to").select_option("every layer")
    assert len(labels(page)) > 176
    assert page.locator("#table tfoot").inner_text().split()[1] == "25,557,032"


def test_columns_sort_and_the_order_of_execution_comes_back(opened: Open) -> None:
    page = opened(loaded("tutorial/cnn"))
    before = labels(page)
    header = page.locator("th", has=page.locator('[data-sort="parameters"]'))
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert labels(page)[:3] == ["FC-3", "CONV3-10", "CONV3-10"]
    header.get_by_role("button").click()
    assert (header.get_attribute("aria-sort"), labels(page)[-1]) == ("ascending", "FC-3")
    page.get_by_label("Back to execution order").click()
    assert (header.get_attribute("aria-sort"), labels(page)) == ("none", before)


def test_a_sorted_table_lists_layers_of_all_groups_side_by_side(opened: Open) -> None:
    page = opened(loaded("resnet50"))
    page.get_by_label("Fold to").select_option("every layer")
    page.locator('[data-sort="macs"]').click()
    macs = [node.facts.macs.value for node in loaded("resnet50")]
    cells = page.locator("#table tbody tr td:nth-child(4)").all_inner_texts()
    found = [int(cell.replace(",", "")) for cell in cells]
    assert found == sorted(macs, reverse=True)
    rows = page.locator("#table tbody tr").evaluate_all("(rows) => rows.map((row) => Number(row.dataset.row))")
    places = [(-macs, row) for macs, row in zip(found, rows, strict=True)]
    assert places == sorted(places)  # those alike in the order of execution


def test_formulas_columns_and_the_filter(opened: Open) -> None:
    page = opened(loaded("tutorial/cnn"))
    assert "3 x 3 x 1 x 10 + 10 = 100" not in page.locator("#table tbody").inner_text()
    page.get_by_label("Formulas").check()
    assert "3 x 3 x 1 x 10 + 10 = 100" in page.locator("#table tbody").inner_text()
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("FLOPs").check()
    assert "FLOPs" in page.locator("#table thead").inner_text()
    page.get_by_label("Filter layers").fill("conv3")
    assert labels(page) == ["CONV3-10", "CONV3-10"]


def test_boxes_and_rows_choose_each_other(opened: Open) -> None:
    page = opened(loaded("resnet50"))
    page.locator("#stage .box", has_text="bottleneck(64)").first.click()
    nodes = chosen(page)
    assert len(nodes) == 20  # two calls of ten layers
    assert page.locator('#table tr.group[aria-selected="true"] .label').all_inner_texts() == ["bottleneck(64)"] * 2
    row(page, "stem").locator(".label").click()
    assert chosen(page) == [1, 2, 3, 4]
    row(page, "BN").locator(".label").click(modifiers=["Control"])
    assert chosen(page) == [1, 3, 4]
    for _ in range(2):
        row(page, "stem").locator(".label").click()
        assert chosen(page) == [1, 2, 3, 4]
    assert page.locator("#stage .box.on").count() == 2
    assert page.locator("#stage .box.on").first.get_attribute("aria-pressed") == "true"


def test_what_is_chosen_elsewhere_is_unfolded_and_in_view(opened: Open) -> None:
    page = opened(loaded("resnet50"))
    assert page.locator("#table tr", has_text="CONV3-256").count() == 0
    page.get_by_label("Layer", exact=True).select_option("80")
    element, box = page.locator('#table tr[aria-selected="true"]'), page.locator("#table-scroll").bounding_box()
    inner = element.bounding_box()
    assert inner is not None
    assert box is not None
    assert box["y"] < inner["y"] < box["y"] + box["height"] - inner["height"]


def test_the_diagram_zooms_pans_and_changes_its_depth(opened: Open) -> None:
    page = opened(loaded("resnet50"))

    def view() -> list[float]:
        return [float(number) for number in str(page.locator("#stage svg").get_attribute("viewBox")).split()]

    first = view()
    page.get_by_label("Zoom in").click()
    assert view()[2] < first[2]
    page.locator("#stage").hover()
    page.mouse.wheel(0, 300)
    wide = view()
    page.mouse.down()
    page.mouse.move(900, 500, steps=3)
    page.mouse.up()
    assert view()[:2] != wide[:2]
    assert chosen(page) == []  # dragging over a box does not choose it
    page.get_by_label("Show", exact=True).select_option("depth 1")
    assert page.locator("#stage .box").count() == 4


def test_lines_of_the_spec_and_layers_choose_each_other(opened: Open) -> None:
    page = opened(loaded("tutorial/residual"))
    nodes = page.evaluate("archspec.data.nodes.map((node) => node.lines)")
    line = nodes[10][0]
    page.locator(f'#spec-body [data-line="{line}"] button').click()
    assert chosen(page) == [node for node, lines in enumerate(nodes) if line in lines]
    page.evaluate("archspec.select([10], 'test')")
    assert page.locator("#spec-body li.on").get_attribute("data-line") == str(line)


def test_shares_choose_their_part(opened: Open) -> None:
    page = opened(loaded("resnet50"))
    page.locator("#shares").get_by_role("button", name="Choose stem").click()
    assert chosen(page) == [1, 2, 3, 4]
    assert page.locator("#shares tr.on").inner_text().split()[-1] == "%"
    percents = page.locator("#shares .m-macs .bar-text").all_inner_texts()
    assert sum(float(text.strip("<% ")) for text in percents if text) == pytest.approx(100, abs=0.5)


def drawn(page: Page) -> tuple[list[int], list[list[int]], list[list[int]]]:
    """The unit, and per axis the positions read and those of the field, out of what the page draws."""
    spread = "(axis) => axis.flatMap(([first, last]) => Array.from({length: last - first + 1}, (_, i) => first + i))"
    unit, inside, field = page.evaluate(
        f"[archspec.explorer.unit, ...['inside', 'field'].map((name) => archspec.explorer.found[name].map({spread}))]"
    )
    return unit, inside, field


def check_unit(page: Page, spec: Spec, node: int) -> tuple[int, ...]:
    """The explorer says of the unit that it shows what the analysis says; in the words as well."""
    unit, inside, field = drawn(page)
    layer = list(spec)[node]
    axes = next(iter(spec.analyze().receptive_fields[layer].values())).axes
    assert [set(axis) for axis in inside] == [set(axis.inside(*unit).members()) for axis in axes]
    assert [set(axis) for axis in field] == [set(axis.at(*unit).members()) for axis in axes]
    words = page.locator("#words").inner_text()
    assert f"Unit {', '.join(map(str, unit))} of node {node}" in words
    for axis in axes:
        region, reads = axis.region(*unit), axis.at(*unit)
        assert region is not None
        assert f"{region[0]} to {region[1]}" in words
        assert f"field {reads.low} to {reads.high}, centre {float(axis.centre(*unit)):g}" in words
    return tuple(unit)


def test_pointing_at_a_unit_shows_what_it_reads(opened: Open) -> None:
    spec = loaded("resnet18")
    page = opened(spec)
    page.get_by_label("Layer", exact=True).select_option("20")
    canvas = page.locator("#unit-map")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    rows, columns = list(spec)[20].shape.spatial
    for down, right in ((0, 0), (1, columns - 1), (rows - 1, 2)):
        page.mouse.move(
            box["x"] + (right + 0.5) * box["width"] / columns, box["y"] + (down + 0.5) * box["height"] / rows
        )
        assert check_unit(page, spec, 20) == (down, right)


def test_holes_of_dilation_are_left_open(opened: Open) -> None:
    spec = archspec.parse(HOLES)
    page = opened(spec)
    check_unit(page, spec, 2)
    assert "density" in page.locator("#words").inner_text()
    _, (rows, columns), _ = drawn(page)
    hole = next(place for place in range(rows[0], rows[-1]) if place not in rows)
    places = [[rows[1], columns[1]], [hole, hole], [rows[-1] + 2, columns[1]]]
    read, missed, ground = page.evaluate(COLOURS, places)
    assert read != missed
    assert missed == ground


COLOURS = """(places) => {
    const {input} = archspec.explorer.parts, {width, height} = input.canvas, scale = devicePixelRatio;
    const {data} = input.context.getImageData(0, 0, width, height);
    return places.map(([row, column]) => {
        const middle = [input.x(column) + input.cell / 2, input.y(row) + input.high / 2];
        const [x, y] = middle.map((at) => Math.floor(at * scale));
        return [...data.slice(4 * (y * width + x), 4 * (y * width + x) + 4)];
    });
}"""


def test_a_unit_that_stands_beside_its_map_reads_nothing(opened: Open) -> None:
    page = opened(archspec.parse("{name: beside, input: 4x4x1, layers: CONV1-1 p2}"))
    assert "rows (H): 2 to 2; field 2 to 2" in page.locator("#words").inner_text()
    page.get_by_label("Unit along H").fill("0")
    assert page.locator("#words li").all_inner_texts()[0] == "rows (H): nothing (field -2 to -2, centre -2)"
    assert drawn(page)[1] == [[], []]


@pytest.mark.parametrize("text", [TWO, VOLUME])
def test_several_inputs_and_volumes(text: str, opened: Open) -> None:
    spec = archspec.parse(text)
    page = opened(spec)
    node = len(spec) - 1
    check_unit(page, spec, node)
    page.locator("#unit-map").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    check_unit(page, spec, node)
    if len(spec.layers.inputs) > 1:
        page.get_by_label("Input", exact=True).select_option("right")
        assert "of the 16 x 16 x 1 input right" in page.locator("#words").inner_text()
    else:
        page.get_by_label("Slice along T").fill("0")
        assert "T = 0" in page.locator("#explorer-tools").inner_text()


def test_ones_own_picture_is_drawn_below(opened: Open, tmp_path: Path) -> None:
    page = opened(loaded("tutorial/cnn"))
    before = page.locator("#input-map").screenshot(path=tmp_path / "a.png")
    page.locator("#picture").set_input_files(tmp_path / "a.png")
    page.locator(".file", has_text="a.png").wait_for()
    assert page.locator("#input-map").screenshot() != before
    (tmp_path / "a.txt").write_text("no picture", encoding="utf-8")
    page.locator("#picture").set_input_files(tmp_path / "a.txt")
    page.get_by_text("a.txt is no picture that this browser reads.").wait_for()


def test_everything_by_keyboard(opened: Open) -> None:
    spec = loaded("resnet18")
    page = opened(spec)
    page.locator('#table tr[tabindex="0"]').focus()
    page.keyboard.press("ArrowDown")
    stem = row(page, "stem")
    assert stem.evaluate("(row) => row === document.activeElement")
    page.keyboard.press("ArrowLeft")
    assert stem.get_attribute("aria-expanded") == "false"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert chosen(page) == [1]
    page.keyboard.press("ArrowLeft")
    page.keyboard.press(" ")
    assert chosen(page) == [1, 2, 3, 4]
    page.locator('#stage .box[tabindex="0"]').focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert chosen(page) == [len(spec) - 2]  # FLATTEN, before FC-1000
    page.keyboard.press("+")
    page.locator("#unit-map").focus()
    page.evaluate("archspec.select([20], 'test')")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    assert check_unit(page, spec, 20)[1] == 0
    page.get_by_label("Unit along H").fill("3")
    assert check_unit(page, spec, 20) == (3, 0)
    page.get_by_label("Layer", exact=True).focus()
    page.keyboard.press("ArrowDown")
    assert chosen(page) == [21]
    assert page.get_by_label("Layer", exact=True).evaluate("(one) => one === document.activeElement")


def test_every_control_has_a_name_and_every_text_contrast(opened: Open) -> None:
    for scheme in ("light", "dark"):
        page = opened(loaded("tutorial/residual"), verification(loaded("tutorial/residual")), color_scheme=scheme)
        nameless = page.evaluate(
            """[...document.querySelectorAll('button, select, input, summary, canvas, a')].filter((one) =>
                !(one.getAttribute('aria-label') || one.innerText?.trim() || one.labels?.length || one.title))
                .map((one) => one.outerHTML)"""
        )
        assert nameless == []
        faint = page.evaluate(CONTRAST)
        assert faint == []


CONTRAST = """(() => {
    const context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const rgba = (colour) => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data];
    };
    const ground = (one) => {
        for (let at = one; at; at = at.parentElement) {
            const colour = rgba(getComputedStyle(at).backgroundColor);
            if (colour[3] > 250) return colour;
        }
        return rgba('white');
    };
    const light = ([red, green, blue]) => [red, green, blue].map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const faint = [];
    for (const one of document.querySelectorAll('body *')) {
        if (one.closest('svg, script, noscript') || !one.checkVisibility()) continue;
        if (![...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
        const [a, b] = [light(rgba(getComputedStyle(one).color)), light(ground(one))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) faint.push([one.outerHTML.slice(0, 120), ratio]);
    }
    return faint;
})()"""


def test_light_and_dark(opened: Open) -> None:
    light = opened(loaded("tutorial/cnn"), color_scheme="light")
    dark = opened(loaded("tutorial/cnn"), color_scheme="dark")
    part: FloatRect = {"x": 0, "y": 0, "width": 500, "height": 300}
    bright, dim = light.screenshot(clip=part), dark.screenshot(clip=part)
    assert bright != dim
    dark.get_by_label("Switch to light").click()
    dark.mouse.move(0, 0)
    assert dark.evaluate("getComputedStyle(document.body).backgroundColor") == light.evaluate(
        "getComputedStyle(document.body).backgroundColor"
    )
    assert dark.screenshot(clip=part) != dim


@pytest.mark.parametrize("name", ["resnet50", "unet"])
def test_a_narrow_window_scrolls_down_alone(name: str, opened: Open) -> None:
    page = opened(loaded(name), viewport={"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 400


def test_resnet50_is_there_within_a_second(opened: Open) -> None:
    page = opened(loaded("resnet50"))
    ready = float(page.evaluate("document.documentElement.dataset.ready"))
    assert 0 < ready < 3000  # milliseconds; 250 on an idle machine


def test_thousands_of_rows_stay_few_elements(opened: Open) -> None:
    page = opened(deep())
    page.get_by_label("Fold to").select_option("every layer")
    assert page.locator("#table").get_attribute("aria-rowcount") == "1203"
    assert page.locator("#table tbody tr").count() < 300
    page.locator('#table tr[tabindex="0"]').focus()
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.dataset.row") == "1201"
    page.evaluate("archspec.select([900], 'test')")
    assert page.locator('#table tr[data-row="901"]').get_attribute("aria-selected") == "true"


def test_a_spec_cannot_run_anything(opened: Open) -> None:
    page = opened(archspec.parse(EVIL))
    assert page.evaluate("window.pwned") is None
    assert page.locator("h1").inner_text().startswith("</script><script>")
    assert page.locator("#summary a").first.get_attribute("href") == "https://example.invalid/"


def test_a_verification_is_shown(opened: Open) -> None:
    spec = loaded("tutorial/cnn")
    page = opened(spec, json.loads(json.dumps(verification(spec))))
    assert page.locator("#verification p.good").inner_text().startswith("✓ 2 numbers held against a run: all of them")
    page.locator("#verification summary", has_text="MACs").click()
    assert "248,430" in page.locator("#verification .claims").inner_text()


def test_expectations_that_fail_are_unfolded(opened: Open) -> None:
    page = opened(archspec.parse("{name: a, input: 8x8x1, layers: CONV3-2, expect: {parameters: 12, macs: <= 5M}}"))
    assert page.locator(".expected summary").inner_text() == "✗ 1 of 2 expectations fail"
    assert page.locator(".expected li").all_inner_texts() == ["✗ parameters 12, found 20", "✓ macs <= 5M"]


def test_a_printed_page_holds_every_row(opened: Open) -> None:
    page = opened(deep())
    page.get_by_label("Fold to").select_option("every layer")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#table tbody tr[data-row]").count() == 1202
