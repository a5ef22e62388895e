"""The report in a browser after another result, in other windows, and where its parts meet: sorted and filtered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import archspec
from archspec.spec import Spec
from tests.visualize.test_browser_report import chosen, labels, loaded, row
from tests.visualize.test_page import TWO, VOLUME
from visualize.page import page_data

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.visualize.conftest import Open

PLAIN = """
name: plain
input: 16x16x1
blocks: {unit(F): [CONV3-F, RELU]}
layers:
  stem: CONV3-4, RELU
  body: unit(4), unit(4), unit(8)
  head: GAP, FLATTEN, FC-2
"""
LONGER = PLAIN.replace("stem: CONV3-4, RELU", "stem: CONV3-4, BN, RELU").replace(
    "body: unit(4)", "body: POOL2, unit(4)"
)
TRAINED = """
name: trained
input: 16x16x3
layers:
  stem: CONV3-4, RELU as early
  aux: [from early, GAP, FLATTEN, FC-10]
  head: [from early, GAP, FLATTEN, FC-2]
outputs: head
training_outputs: aux
"""


def update(page: Page, spec: Spec) -> None:
    """What a server sends after a save."""
    page.evaluate("(data) => archspec.show(data, true)", page_data(spec))


def test_what_is_chosen_and_looked_at_moves_with_its_layer(opened: Open) -> None:
    page = opened(archspec.parse(PLAIN))
    page.get_by_label("Layer", exact=True).select_option("7")  # the CONV3-8
    page.get_by_label("Unit along H").fill("15")
    update(page, archspec.parse(LONGER))
    assert chosen(page) == [9]
    assert page.get_by_label("Layer", exact=True).input_value() == "9"
    assert "Unit 7, 4 of node 9, CONV3-8 (8 x 8 x 8)" in page.locator("#words").inner_text()
    assert page.locator('#table tr[aria-selected="true"] .label').all_inner_texts() == ["CONV3-8"]
    update(page, archspec.parse(PLAIN))
    assert chosen(page) == [7]
    update(page, archspec.parse(PLAIN.replace("unit(8)", "unit(16)")))
    assert chosen(page) == [7]
    update(page, archspec.parse("{name: plain, input: 16x16x1, layers: CONV3-4}"))
    assert chosen(page) == []
    assert "of node 1, CONV3-4" in page.locator("#words").inner_text()


def test_groups_stay_folded_when_one_is_put_before_them(opened: Open) -> None:
    page = opened(archspec.parse(PLAIN))
    page.get_by_label("Fold to").select_option("every layer")
    for label in ("unit(8)", "head"):
        row(page, label).locator(".twist").click()
    before = page.locator('#table tr[aria-expanded="false"] .label').all_inner_texts()
    update(page, archspec.parse(LONGER))
    assert before == page.locator('#table tr[aria-expanded="false"] .label').all_inner_texts() == ["unit(8)", "head"]


def test_lines_of_a_broken_text_are_nobodys(opened: Open) -> None:
    page = opened(archspec.parse(PLAIN))
    page.evaluate("archspec.select([1], 'test')")
    assert page.locator("#spec-body .on").count() == 1
    page.evaluate("(source) => archspec.fail({diagnostics: [], text: 'no', source})", f"# new\n{PLAIN}")
    page.evaluate("archspec.select([2], 'test')")
    assert page.locator("#spec-body .on").count() == 0
    update(page, archspec.parse(PLAIN))
    assert page.locator("#spec-body .on").count() == 1
    assert page.locator("#failure").is_hidden()


def test_a_drawing_elsewhere_than_what_was_looked_at_is_shown_whole(opened: Open) -> None:
    page = opened(loaded("resnet18"))
    page.get_by_label("Show", exact=True).select_option("depth 1")
    page.get_by_label("Zoom in").click()
    before = page.locator("#stage svg").get_attribute("viewBox")
    update(page, loaded("resnet18"))
    assert page.locator("#stage svg").get_attribute("viewBox") == before
    page.locator('#stage .box[tabindex="0"]').focus()
    for _ in range(20):
        page.keyboard.press("Shift+ArrowRight")
    update(page, loaded("resnet18"))
    boxes = page.locator("#stage .box").first.bounding_box()
    stage = page.locator("#stage").bounding_box()
    assert boxes is not None
    assert stage is not None
    assert stage["x"] < boxes["x"] < stage["x"] + stage["width"]


def test_text_sorts_by_the_number_that_it_starts_with(opened: Open) -> None:
    page = opened(archspec.parse("{name: holes, input: 32x32x1, layers: 'CONV3-1 d2, CONV1-1, CONV3-1 d4, CONV3-1'}"))
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("density").check()
    page.keyboard.press("Escape")
    page.locator('[data-sort="density"]').click()
    densities = [float(text) for text in page.locator("#table tbody tr td:last-child").all_inner_texts()]
    assert len({len(f"{density:g}") for density in densities}) > 1  # as text they would be in another order
    assert densities == sorted(densities)


def test_the_name_of_a_group_finds_what_it_holds(opened: Open) -> None:
    page = opened(loaded("resnet50"))
    before = labels(page)
    page.get_by_label("Filter layers").fill("bottleneck(64)")
    found = labels(page)
    assert (found[:3], found.count("bottleneck(64)")) == (["body", "F=64, n=3, s=1", "bottleneck(64)"], 2)
    assert page.locator("#table .twist:not(.none)").count() == 0
    page.locator('#table tr[tabindex="0"]').focus()
    page.keyboard.press("ArrowLeft")
    assert labels(page) == found
    page.get_by_label("Filter layers").fill("")
    assert labels(page) == before
    page.get_by_label("Filter layers").fill("bottleneck(64)")
    page.locator('[data-sort="macs"]').click()
    assert len(labels(page)) == 20  # the layers of both, and no group


def test_shares_of_all_layers_say_what_the_whole_is(opened: Open) -> None:
    spec = archspec.parse(TRAINED)
    page = opened(spec)
    shares, whole = page.locator("#shares"), page.locator("#shares-body p")
    assert shares.locator("tbody th button").all_inner_texts() == ["Input", "stem", "aux", "head"]
    parameters = sum(counts.trainable.value for counts in spec.analyze().counts.values())
    assert whole.inner_text().startswith(f"100 %: {parameters:,} parameters, ")
    assert whole.inner_text().endswith("; with what training alone needs")
    page.get_by_label("By", exact=True).select_option("layers")
    assert shares.locator("tbody th button").all_inner_texts() == ["Input", "CONV3-4", "FC-10", "GAP", "FC-2"]


def test_small_parts_are_gathered(opened: Open) -> None:
    spec = loaded("resnet50")
    page = opened(spec)
    page.get_by_label("By", exact=True).select_option("layers")
    bars = page.locator("#shares .m-parameters")
    shown = [
        int(str(bar.get_attribute("title")).split()[-1].replace(",", "")) for bar in bars.locator("span[title]").all()
    ]
    assert len(shown) == 25
    assert sum(shown) == spec.analyze().parameters
    assert page.locator("#shares tbody tr").last.locator("button").inner_text() == "102 smaller parts"


def test_inputs_to_choose_from_are_those_that_the_layer_reads(opened: Open) -> None:
    page = opened(archspec.parse(TWO))
    choice = page.get_by_label("Input", exact=True)
    assert choice.locator("option").all_inner_texts() == ["left", "right"]
    choice.select_option("right")
    assert choice.evaluate("(one) => one === document.activeElement")
    page.get_by_label("Layer", exact=True).select_option("2")
    assert choice.count() == 0
    assert "input left" in page.locator("#words").inner_text()


def test_a_slice_stays_inside_the_volume_that_is_left(opened: Open) -> None:
    page = opened(archspec.parse(VOLUME))
    assert page.get_by_label("Slice along T").input_value() == words_slice(page)
    page.get_by_label("Slice along T").fill("7")
    update(page, archspec.parse(VOLUME.replace("8x12x12x1", "4x12x12x1")))
    assert page.get_by_label("Slice along T").input_value() == words_slice(page) == "3"


def words_slice(page: Page) -> str:
    return page.locator("#explorer-tools output").inner_text().removeprefix("T = ")


CELLS = """() => {
    const {units: {canvas, context, cell, high}} = archspec.explorer.parts, [unit] = archspec.explorer.unit;
    const {data} = context.getImageData(0, Math.floor(high / 2 * devicePixelRatio), canvas.width, 1);
    return [unit - 4, unit].map((at) => Math.floor((at + 0.5) * cell * devicePixelRatio))
        .map((x) => [...data.slice(4 * x, 4 * x + 4)]);
}"""


def test_a_band_of_units_shows_its_unit_alone(opened: Open) -> None:
    page = opened(archspec.parse("{name: band, input: 64x1, layers: CONV3-1 causal}"))
    beside, unit = page.evaluate(CELLS)
    assert beside == [255, 255, 255, 255]
    assert unit != beside


@pytest.mark.parametrize("width", [400, 1400])
def test_the_totals_stay_below_the_rows(width: int, opened: Open) -> None:
    page = opened(loaded("resnet50"), viewport={"width": width, "height": 800})
    table, title = page.locator("#table-scroll"), page.locator("#table tfoot th")
    table.evaluate("(box) => { box.scrollTop = 200; }")
    assert bottom(title) == pytest.approx(bottom(page.locator("#table tfoot td").first), abs=1)
    assert bottom(title) <= bottom(table) + 1


def bottom(element: Any) -> float:
    box = element.bounding_box()
    return float(box["y"] + box["height"])


def test_a_printed_page_holds_the_whole_drawing(opened: Open) -> None:
    page = opened(loaded("resnet50"), color_scheme="dark")
    svg = page.locator("#stage svg")
    before = svg.get_attribute("viewBox")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    stage, last = page.locator("#stage").bounding_box(), page.locator("#stage .box").last.bounding_box()
    assert stage is not None
    assert last is not None
    assert stage["y"] < last["y"] < last["y"] + last["height"] < stage["y"] + stage["height"]
    assert stage["height"] > 800  # most of a sheet of paper
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert svg.get_attribute("viewBox") == before
