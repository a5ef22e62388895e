"""The diagram of a network: its dot source, what is made of it, and what the command writes."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

import archspec
from archspec import ArchspecError
from archspec.report import table
from archspec.report.columns import Style
from tests.visualize.drawing import CNN, NAMES, ODD, SVG, bundled, elements, hide_system_dot
from visualize.diagram import Direction, diagram, renderer

ROWS = """
name: rows
input: 8x8x4
layers:
  each: {t: [TEXT, other]}
  layers: [CONV3-4, POOL3 s1 p1, CONV3-2]
"""
TIMES = "\N{MULTIPLICATION SIGN}"


@pytest.fixture(autouse=True)
def pure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Draw with the program of the Python package, wherever the test runs."""
    hide_system_dot(monkeypatch, tmp_path)


# -- the source ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "depth", "direction"),
    [
        ("tutorial/cnn", None, "TB"),
        ("tutorial/residual", 0, "LR"),
        ("resnet50", None, "TB"),
        ("resnet50", 1, "TB"),
        ("densenet121", 3, "LR"),
        ("zoo/unet", 2, "TB"),
    ],
)
def test_source(name: str, depth: int | None, direction: Direction, snapshot: SnapshotAssertion) -> None:
    assert diagram(bundled(name), depth, direction).source == snapshot


def test_source_of_odd_parts(snapshot: SnapshotAssertion) -> None:
    assert archspec.parse(ODD).draw(show=["shape", "macs", "memory", "parameters"]).source == snapshot


@pytest.mark.parametrize("name", NAMES)
def test_every_bundled_spec_has_a_source_folded_and_unfolded(name: str) -> None:
    for depth in (None, 0, 1, 2):
        drawn = diagram(bundled(name), depth)
        assert drawn.source.count("{") == drawn.source.count("}")
        assert [box.key for box in drawn.boxes] == re.findall(r'^\t"(box-\d+)" \[', drawn.source, re.MULTILINE)
        assert drawn.source == diagram(bundled(name), depth).source


# -- the picture -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "depth"),
    [("resnet50", depth) for depth in (0, 1, 2, 3, 4)]
    + [("densenet121", 2), ("densenet121", 3), ("zoo/unet", 0), ("zoo/unet", 4), ("tutorial/inception", 3)]
    + [("zoo/slim/inception_v3", None), ("zoo/mobilenet_v2", None), ("squeezenet1_1", None), ("vgg16_bn", 0)],
)
def test_every_box_is_found_in_the_picture_with_its_family(name: str, depth: int | None) -> None:
    drawn = diagram(bundled(name), depth)
    found = elements(drawn.svg())
    for box in drawn.boxes:
        classes = found[box.key].attrib["class"].split()
        assert {"box", f"family-{box.family}"} <= set(classes)
        assert ("folded" in classes) == box.folded
    frames = [key for key in found if key.startswith("frame-")]
    assert len(frames) == drawn.source.count("subgraph")


def test_boxes_say_what_they_hold() -> None:
    spec = bundled("resnet50")
    drawn = spec.draw(3)
    found = elements(drawn.svg())
    texts = [", ".join(text.text or "" for text in found[box.key].iter(f"{SVG}text")) for box in drawn.boxes]
    assert texts[1] == "CONV7-64 s2 nobias, BN, RELU, 112 x 112 x 64 · RF 7 x 7, 9,536 parameters".replace("x", TIMES)
    assert texts[4] == "bottleneck(64) x 2, 56 x 56 x 256 · RF 35 x 35, 140,800 parameters".replace("x", TIMES)
    title = found[drawn.boxes[4].key].find(f"{SVG}title")
    assert title is not None
    assert str(title.text).splitlines()[:3] == [
        "bottleneck(64) x 2",
        "20 layers",
        "17: CONV1-64 nobias (body/row/bottleneck.2): 56 x 56 x 64; 1 x 1 x 256 x 64 = 16384 parameters; "
        "1 x 1 x 256 x 64 x 56 x 56 = 51380224 MACs; RF 19 x 19",
    ]


def test_the_figures_are_those_of_the_table() -> None:
    spec = bundled("resnet50")
    shown = table(spec.analyze(), ["layer", "parameters", "macs"], 3, Style("values")).rows
    source = spec.draw(3, show=["parameters", "macs"]).source
    for layer, parameters, macs in shown:
        if "(" in layer:
            assert f"{parameters} parameters" in source
            assert f"{macs} MACs" in source
            assert layer.replace(" x ", f" {TIMES} ") in source


def test_figures_within_repeats_are_of_one_call_and_their_fields_from_first_to_last() -> None:
    spec = archspec.parse("{name: a, input: 9x9x4, blocks: {b: [CONV3-4, POOL3 s1 p1]}, layers: b x3}")
    source = spec.draw().source
    assert "RF 3 x 3 to 11 x 11".replace("x", TIMES) in source
    assert "148 parameters" in source


def test_memory_within_repeats_is_told_from_first_to_last() -> None:
    spec = archspec.parse("{name: a, input: 8x8x4, blocks: {b: [RELU, CONV3-4]}, layers: [POOL2, b x3]}")
    memory = spec.analyze().memory("float32", 1).outputs
    assert [memory[node] for node in spec] == [1024, 256, 256, 256, 0, 256, 0, 256]  # behind CONV it writes in place
    source = spec.draw(show=["memory"]).source
    assert "256 to 0 bytes" in source
    assert "256 to 256" not in source


def test_what_is_attached_to_a_shared_layer_has_its_own_parameters() -> None:
    spec = archspec.parse("{name: a, input: 8x8x4, layers: [CONV3-4 share k, BN, CONV3-4 share k, BN]}")
    assert spec.analyze().parameters == 156 + 8
    source = spec.draw(show=["parameters"]).source
    assert "156 parameters" in source
    assert "weights shared \N{MIDDLE DOT} 8 parameters" in source


def test_the_names_of_layers_alone() -> None:
    source = archspec.parse(CNN).draw(show=["layer"]).source
    assert ">POOL2<" in source
    assert "parameters" not in source
    assert TIMES not in source


def test_odd_names_are_shown_as_they_are() -> None:
    odd = 'a<b>&"\\l日é}'
    spec = archspec.parse(ROWS.replace("TEXT", f"'{odd}'"))
    for depth in (0, 1):  # the title of a frame, the name of a box
        drawn = "".join(elements(spec.draw(depth).svg())["graph0"].itertext())
        assert f"t='{odd}'" in drawn.replace("\n", "")  # a frame's title is broken into lines


def test_characters_that_xml_lacks_are_replaced() -> None:
    spec = archspec.parse(ROWS.replace("TEXT", '"a\\u0007b\\uffff"'))
    for depth in (0, 1):
        assert "t='a\ufffdb\ufffd'" in "".join(elements(spec.draw(depth).svg())["graph0"].itertext())


def test_the_svg_follows_the_background_and_scales() -> None:
    svg = archspec.parse(CNN).draw().svg()
    assert svg.startswith('<svg class="archspec-diagram"')
    assert "viewBox=" in svg
    assert "prefers-color-scheme:dark" in svg
    assert "max-width:100%" in svg
    assert 'fill="white"' not in svg


def test_text_keeps_the_width_it_was_laid_out_with() -> None:
    svg = archspec.parse(CNN).draw().svg()
    widths = re.findall(r'textLength="([\d.]+)" lengthAdjust="spacingAndGlyphs"[^>]*>([^<]*)<', svg)
    assert float({text: width for width, text in widths}["CONV3-10"]) == pytest.approx(56, abs=4)
    assert len(widths) == svg.count("<text")


def test_formats(tmp_path: Path) -> None:
    drawn = archspec.parse(CNN).draw()
    assert drawn.render("png").startswith(b"\x89PNG")
    assert drawn.render("dot").decode() == drawn.source
    drawn.save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == drawn.svg() == archspec.parse(CNN).draw().svg()
    drawn.save(tmp_path / "a.picture", "svg")
    assert (tmp_path / "a.picture").read_bytes() == drawn.render()


def test_a_system_dot_draws_pdf_on_white(tmp_path: Path) -> None:
    program = tmp_path / "mine"
    program.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/calls"\nprintf "%%PDF-1.7 %%%%EOF"\n')
    program.chmod(0o755)
    assert archspec.parse(CNN).draw(dot=program).render("pdf") == b"%PDF-1.7 %%EOF"
    assert (tmp_path / "calls").read_text() == "-Kdot -Tpdf -Gbgcolor=white\n"


def test_notebooks_show_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = archspec.parse(CNN).draw()
    assert drawn._repr_mimebundle_() == {
        "image/svg+xml": drawn.svg(),
        "text/plain": "<Diagram a: 3 boxes, unfolded>",
    }
    monkeypatch.setattr(renderer, "_scripts", lambda: iter(()))
    assert "error[no-dot]" in archspec.parse(CNN).draw()._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("{name: a, input: 8x8x4, layers: CONV3-4 x3000}", 0),
        ("{name: a, input: 8x8x4, blocks: {b: {add: [[CONV3-4, BN, RELU], IDENTITY]}}, layers: b x400}", 0),
        ("{name: a, input: 8x8x4, blocks: {b(n): [CONV3-4, b-(n-1) if n > 0, CONV1-4]}, layers: b-60}", 0),
    ],
    ids=["chain", "blocks", "nest"],
)
def test_large_networks_are_drawn_in_seconds(text: str, depth: int) -> None:
    start = time.perf_counter()
    drawn = archspec.parse(text).draw(depth, every=True)
    assert len(elements(drawn.svg())) > len(drawn.boxes) > 100
    assert time.perf_counter() - start < 20


# -- what cannot be drawn --------------------------------------------------------------------------------------------


def test_without_a_dot_program_the_source_is_still_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(renderer, "_scripts", lambda: iter(()))
    drawn = archspec.parse(CNN).draw()
    with pytest.raises(ArchspecError) as failed:
        drawn.save(tmp_path / "net.svg")
    assert str(failed.value) == (
        f"error[no-dot]: no dot program is installed that could draw; {tmp_path}/net.dot holds the diagram for one\n"
        "  help: install Graphviz (apt install graphviz, brew install graphviz), or pip install graphviz-pure"
    )
    assert (tmp_path / "net.dot").read_text(encoding="utf-8") == drawn.source
    assert not (tmp_path / "net.svg").exists()


@pytest.mark.parametrize(
    ("wrong", "code", "message", "hint"),
    [
        ({"show": ["parameter"]}, "unknown-figure", "a diagram cannot show `parameter`", "did you mean parameters?"),
        (
            {"show": ["shape", "x"]},
            "unknown-figure",
            "a diagram cannot show `x`",
            "there are layer, shape, parameters, macs, receptive_field, memory",
        ),
        (
            {"direction": "BT"},
            "unknown-direction",
            "there is no direction `BT`",
            "TB draws from top to bottom, LR from left to right",
        ),
        ({"depth": -1}, "count", "depth cannot be -1", "give a whole number from 1, or 0 to fold nothing"),
        ({"depth": True}, "count", "depth cannot be True", "give a whole number from 1, or 0 to fold nothing"),
        ({"depth": "2"}, "count", "depth cannot be '2'", "give a whole number from 1, or 0 to fold nothing"),
    ],
)
def test_unknown_choices(wrong: dict[str, Any], code: str, message: str, hint: str) -> None:
    with pytest.raises(ArchspecError) as failed:
        archspec.parse(CNN).draw(**wrong)
    assert str(failed.value) == f"error[{code}]: {message}\n  help: {hint}"


def test_an_unknown_format() -> None:
    with pytest.raises(ArchspecError) as failed:
        archspec.parse(CNN).draw().render("gif")
    assert str(failed.value) == "error[unknown-format]: there is no format `gif`\n  help: there are svg, png, pdf, dot"


def test_a_folder_is_refused_before_anything_is_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(renderer, "_scripts", lambda: iter(()))
    for folder in (".", "..", tmp_path):
        with pytest.raises(ArchspecError, match=r"error\[unwritable\]: cannot write .*: Is a directory"):
            archspec.parse(CNN).draw().save(folder, "svg")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ArchspecError, match=r"error\[unwritable\]: cannot write .*a\.svg: No such file"):
        archspec.parse(CNN).draw().save(tmp_path / "none" / "a.svg")
