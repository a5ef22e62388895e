"""The data of a page: the same numbers as the analyses, and nothing in it that a browser acts on."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import archspec
from archspec.cli.pages import report
from archspec.errors import ArchspecError
from archspec.spec import Spec
from visualize.page import page_data, page_html
from visualize.page.drawings import _drawn
from visualize.page.explorer import explorer_data
from visualize.page.tree import branches

SPECS = ("tutorial/cnn", "tutorial/dilated", "tutorial/residual", "unet", "squeezenet1_1", "resnet18")
WAVE = "{name: wave, input: 64x2, layers: 'CONV3-4 d4, CONV3-4 d8 s2, POOL2'}"
VOLUME = "{name: volume, input: 8x12x12x1, layers: 'CONV3-4 d2, POOL2'}"
TWO = """
name: two
input: {left: 16x16x3, right: 16x16x1}
layers: [CONV3-8, POOL2, concat: [IDENTITY, [from right, POOL2]]]
"""
EVIL = """
name: "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>\\u2028"
description: "<!-- <b onclick=alert(1)>"
source: "https://example.invalid/\\"onclick=alert(1)"
input: 8x8x1
layers: "CONV3-2, RELU"  # </script><img src=x onerror=window.pwned=1>
"""


def written(data: Mapping[str, object]) -> Any:
    """What a browser reads out of the data: the page's JSON."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page_html(data), re.DOTALL)
    return json.loads(text)


def cell(table: Any, row: int, name: str) -> Any:
    column = next(column for column in table["columns"] if column["name"] == name)
    return column["entries"][column["cells"][row]]


def members(explorer: Any, place: int, unit: tuple[int, ...]) -> set[int]:
    """The positions that a unit reads along one axis, out of the page's lists, in the plainest way."""
    found: set[int] = set()
    for along, which in explorer["axes"][place]:
        number = 0 if along < 0 else unit[along]
        stretches = explorer["lists"][which]
        for count, low, step, shape in zip(*(iter(stretches),) * 4, strict=True):
            if number < count:
                at = low + number * step
                for place_in_shape, length in enumerate(explorer["shapes"][shape]):
                    found |= set(range(at, at + length)) if place_in_shape % 2 == 0 else set()
                    at += length
                break
            number -= count
    return found


@pytest.mark.parametrize("name", SPECS)
def test_groups_hold_the_sums_of_their_layers(name: str) -> None:
    spec = archspec.load(name)
    analysis, memory = spec.analyze(), spec.analyze().memory()
    table = written(page_data(spec))["table"]
    assert [first for first, kind in zip(table["firsts"], table["kinds"], strict=True) if kind == "layer"] == [
        node.index for node in spec
    ]
    nodes = list(spec)
    for row in range(len(table["levels"])):
        inside = nodes[table["firsts"][row] : table["lasts"][row] + 1]
        assert cell(table, row, "parameters")[1] == sum(analysis.counts[node].trainable.value for node in inside)
        assert cell(table, row, "macs")[1] == sum(analysis.macs[node].value for node in inside)
        assert cell(table, row, "memory")[1] == sum(memory.outputs[node] for node in inside)


def test_totals_and_formulas_are_those_of_the_report() -> None:
    spec = archspec.load("tutorial/cnn")
    table = written(page_data(spec))["table"]
    (total,) = table["totals"]
    assert (total["title"], total["cells"]["parameters"], total["cells"]["macs"]) == ("Total", "2,483", "248,430")
    assert cell(table, 1, "parameters") == ["100", 100, "3 x 3 x 1 x 10 + 10 = 100"]
    assert cell(table, 2, "parameters") == ["0", 0]


def test_a_tree_has_every_layer_below_the_groups_it_stands_in() -> None:
    spec = archspec.load("resnet50")
    levels = [(branch.level, branch.row.label) for branch in branches(spec.analyze())]
    assert levels[:2] == [(1, "Input"), (1, "stem")]
    assert (2, "F=64, n=3, s=1") in levels
    assert (4, "skip(256, s=1)") in levels
    assert max(level for level, _ in levels) == 5


@pytest.mark.parametrize("spec", [*map(archspec.load, SPECS[:4]), *map(archspec.parse, (WAVE, VOLUME, TWO))], ids=repr)
def test_units_read_what_the_analysis_says(spec: Spec) -> None:
    explorer = written(explorer_page(spec))
    for node in spec:
        reads = explorer["reads"][explorer["layers"][node.index]]
        fields = spec.analyze().receptive_fields[node]
        assert [start for start, *_ in reads] == [start.index for start in fields]
        for (_, inside, unbounded), field in zip(reads, fields.values(), strict=True):
            for unit in some_units(node.shape.spatial):
                for axis, of in enumerate(field.axes):
                    assert members(explorer, inside[axis], unit) == set(of.inside(*unit).members())
                    assert members(explorer, unbounded[axis], unit) == set(of.at(*unit).members())


def explorer_page(spec: Spec) -> dict[str, object]:
    return {"title": spec.title, **explorer_data(spec.analyze())}


def some_units(sizes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Corners, the middle, and places beside them."""
    places = [sorted({0, 1, size // 3, size // 2, size - 1} & set(range(size))) for size in sizes]
    return list(product(*places))


def test_layers_beyond_the_bound_are_left_out_and_the_others_stay() -> None:
    analysis = archspec.load("resnet18").analyze()
    full, small = explorer_data(analysis), explorer_data(analysis, 60)
    assert -1 not in full["layers"]  # type: ignore[operator]
    layers = small["layers"]
    assert isinstance(layers, list)
    assert layers[0] == 0
    assert layers[-1] == -1
    numbers = [*small["lists"], *small["shapes"]]  # type: ignore[misc]
    assert len([number for part in numbers for number in part]) <= 60


def test_a_shape_with_holes_is_written_in_runs() -> None:
    explorer = explorer_data(archspec.parse("{name: a, input: 9x1, layers: CONV3-1 d2}").analyze())
    assert explorer["shapes"] == [[1], [1, 1, 1], [1, 1, 1, 1, 1]]


def test_boxes_stand_for_nodes_and_are_found_in_their_drawing() -> None:
    spec = archspec.load("resnet18")
    found = written(page_data(spec))["drawings"]["depths"]
    assert found[0]["depth"] == 1
    for drawing in found:
        stood_for: set[int] = set()
        for key, stretches, _ in drawing["boxes"]:
            assert f'id="{key}"' in drawing["svg"]
            for first, last in stretches:
                stood_for |= set(range(first, last + 1))
        assert stood_for == set(range(len(spec)))
        assert "<style" not in drawing["svg"]


def drawings(name: str) -> Any:
    return written(page_data(archspec.load(name)))["drawings"]


@pytest.mark.parametrize(
    ("bound", "most", "reason"),
    [
        ("MOST_BOXES", 20, "deeper drawings have more than 20 boxes and are left out"),
        ("MOST_TEXT", 30_000, "deeper drawings are left out, to keep the page small"),
        ("MOST_LAYERS", 60, "of more than 60 layers the coarsest drawing alone is shown"),
    ],
)
def test_large_drawings_are_left_out(bound: str, most: int, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    full = drawings("resnet18")
    monkeypatch.setattr(f"visualize.page.drawings.{bound}", most)
    cut = drawings("resnet18")
    assert full["missing"] is None
    assert cut["missing"] == reason
    assert 0 < len(cut["depths"]) < len(full["depths"])
    assert cut["depths"] == full["depths"][: len(cut["depths"])]


def test_a_page_without_a_dot_program_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHSPEC_DOT", "no-such-program")
    monkeypatch.setattr("visualize.page.drawings._drawn", _drawn.__wrapped__)  # none is kept from before
    assert drawings("tutorial/cnn") == {"depths": [], "missing": "there is no program no-such-program", "colours": []}


def test_the_summary_is_that_of_the_analysis() -> None:
    spec = archspec.load("unet")
    analysis, memory = spec.analyze(), spec.analyze().memory()
    summary = written(page_data(spec))["summary"]
    assert [summary[name] for name in ("parameters", "macs", "weights", "peak")] == [
        f"{value:,}" for value in (analysis.parameters, analysis.totals.macs, memory.weights, memory.peak)
    ]
    assert summary["flops"] == f"{2 * analysis.totals.macs:,}"
    assert list(spec)[summary["peak_node"]] is memory.peak_node
    assert summary["fields"] == [{"output": "output", "node": len(spec) - 1, "field": "188-204 x 188-204"}]


def test_lines_of_the_spec_lead_to_their_layers() -> None:
    data = written(page_data(archspec.load("resnet50")))
    text = data["source"]["text"].splitlines()
    convolution = data["nodes"][5]
    assert [text[line - 1].split()[0] for line in convolution["lines"]] == ["-", "body:"]
    assert data["source"]["name"] == "resnet.yaml"


def test_warnings_come_without_the_path_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("name: a\ninput: 64x64x1\nlayers: CONV3-1 d2, CONV3-1 d2\n", encoding="utf-8")
    data = page_data(archspec.load(path))
    (warning,) = written(data)["source"]["warnings"]
    assert (warning["code"], warning["line"], warning["here"]) == ("gridding", 3, True)
    assert str(tmp_path) not in page_html(data)


class Tags(HTMLParser):
    """Every element and attribute that a parser of HTML sees."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.seen += [name for name, _ in attrs if name.startswith("on")]


def test_text_of_a_spec_is_no_markup() -> None:
    data = page_data(archspec.parse(EVIL))
    page, tags = page_html(data), Tags()
    tags.feed(page)
    assert tags.seen.count("script") == 2
    assert not {"img", "b", "onerror", "onclick"} & set(tags.seen)
    assert written(data)["summary"]["name"].startswith("</script>")
    assert not set(page[page.index('id="data">') :]) & {"\u2028", "\u2029"}


def test_the_policy_lets_nothing_in_but_the_page_itself() -> None:
    data = page_data(archspec.load("tutorial/cnn"))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page_html(data))
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["connect-src"] == rules["base-uri"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/=]+'", rules["script-src"])
    assert rules["img-src"] == "data: blob:"
    live = page_html(data, 'to"ken')
    assert "connect-src 'self' ws://127.0.0.1:* ws://localhost:*;" in live
    assert 'content="to&quot;ken"' in live
    assert "new WebSocket" in live
    assert "new WebSocket" not in page_html(data)


def test_the_report_of_resnet50_is_small_and_soon_there() -> None:
    spec = archspec.load("resnet50")
    page_data(spec)  # the drawings are kept for the next one, as they are in a live page
    start = time.perf_counter()
    page = page_html(page_data(spec))
    assert time.perf_counter() - start < 2  # 0.15 s on an idle machine
    assert len(page.encode()) < 1_000_000


def run(*arguments: str) -> Result:
    return CliRunner().invoke(report, arguments)


def test_the_command_writes_one_file_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("resnet18", "--input", "64x64x3")
    assert (result.exit_code, result.stdout) == (0, "")
    assert re.fullmatch(r"resnet18\.html: 70 layers, \d+ kB\n", result.stderr)
    assert "64 x 64 x 3" in Path("resnet18.html").read_text(encoding="utf-8")
    assert run("tutorial/cnn", "-o", "-").stdout.startswith("<!doctype html>")


def verification(spec: Spec, **figures: object) -> dict[str, object]:
    totals = {"parameters": spec.analyze().parameters, "MACs": spec.analyze().totals.macs, **figures}
    claims = [
        {"subject": "network", "quantity": name, "predicted": value, "measured": value, "verdict": "holds", "note": ""}
        for name, value in totals.items()
    ]
    return {"networks": [{"name": spec.title, "claims": claims, "notes": ["on meta"], "seconds": 1.5}]}


def test_a_verification_is_shown_by_quantity(tmp_path: Path) -> None:
    spec = archspec.load("tutorial/cnn")
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(verification(spec)), encoding="utf-8")
    page = tmp_path / "net.html"
    assert run("tutorial/cnn", "--verification", str(path), "-o", str(page)).exit_code == 0
    found = written(page_data(spec, verification(spec)))["verification"]
    assert (found["holds"], found["held"], found["notes"]) == (True, "2", ["on meta"])
    assert found["quantities"][0] == {
        "name": "parameters",
        "claims": [["network", "2,483", "2,483", "holds", ""]],
    }
    assert json.dumps(found, separators=(",", ":")) in page.read_text(encoding="utf-8")


def test_a_claim_that_fails_is_shown_before_all_others() -> None:
    spec = archspec.load("tutorial/cnn")
    result = verification(spec)
    claim = {"subject": "1 CONV3-10", "quantity": "buffers", "predicted": 1, "measured": 2, "verdict": "FAILS"}
    result["networks"][0]["claims"].append(claim)  # type: ignore[index]
    found = written(page_data(spec, result))["verification"]
    assert found["holds"] is False
    assert found["quantities"][0]["claims"] == [["1 CONV3-10", "1", "2", "FAILS", ""]]


def test_another_networks_verification_is_refused() -> None:
    spec, other = archspec.load("tutorial/cnn"), archspec.load("tutorial/residual")
    with pytest.raises(ArchspecError, match=r"the verification is of .*, and the spec is tutorial-cnn") as refused:
        page_data(spec, verification(other))
    assert refused.value.code == "verification"
    with pytest.raises(ArchspecError, match="the verification states 7 parameters, and tutorial-cnn has 2483"):
        page_data(spec, verification(spec, parameters=7))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "holds no verification"),
        ("{}", "the verification is of None"),
        (None, "cannot read"),
    ],
)
def test_what_is_no_verification_is_refused(content: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    result = run("tutorial/cnn", "--verification", str(path), "-o", str(tmp_path / "net.html"))
    assert isinstance(result.exception, ArchspecError)
    assert message in str(result.exception)
    assert not (tmp_path / "net.html").exists()


def test_a_report_takes_no_specs_place(tmp_path: Path) -> None:
    path = tmp_path / "net.html"
    path.write_text("{name: net, input: 8x8x1, layers: CONV3-2}", encoding="utf-8")
    result = run(str(path), "-o", str(path))
    assert isinstance(result.exception, ArchspecError)
    assert result.exception.code == "unwritable"
    assert run("tutorial/cnn", "--verify", "--verification", "x").exit_code == 2
    assert run("tutorial/cnn", "--open", "-o", "-").exit_code == 2
