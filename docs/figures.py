"""Writes the pictures of the documentation into docs/figures/.

`--check` says which of the drawings are out of date instead; the screenshot, which needs Chromium, and the figures of
studies, which take minutes, are only written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

import archspec
from archspec.spec import Spec
from studies.document import find
from studies.running import run
from studies.study import Outcome, Study
from visualize.curves.figure import Figure, below, beside
from visualize.diagram import diagram
from visualize.page import page_data, page_html
from visualize.receptive_field import draw_growth, draw_receptive_field, draw_region, draw_taps

FOLDER = Path(__file__).resolve().parent / "figures"
LARGEST = 150_000  # bytes
DOT = Path(sys.executable).with_name("graphviz-pure")  # the same program everywhere, so that pictures stay the same

CAUSAL = """
name: causal
input: 32x1
layers: [CONV2-8 causal, CONV2-8 causal d2, CONV2-8 causal d4, CONV2-8 causal d8]
"""
DENSE_BLOCK = """
name: dense-block
input: 28x28x64
vars: {k: 32}
blocks:
  unit: {concat: [IDENTITY, [BN, RELU, CONV1-(4*k), BN, RELU, CONV3-k]]}
layers: {dense: unit x4}
"""


def dilated() -> str:
    """The dilated pair: its region, its growth and its taps."""
    return draw_receptive_field(archspec.load("dilated"), axis="W").svg()


def gridding() -> str:
    """Dilations 2, 2, 2 beside 1, 2, 3."""
    return beside(*(_gridding(name) for name in ("gridded", "hybrid"))).svg()


def _gridding(name: str) -> Figure:
    spec = archspec.load(name)
    return below(draw_region(spec), draw_taps(spec, axis="W"), title=spec.title)


def causal() -> str:
    """The taps of a causal stack."""
    return draw_taps(archspec.parse(CAUSAL), unit="24").svg()


def growth() -> str:
    """How the field of ResNet-50 grows."""
    return draw_growth(archspec.load("resnet50")).svg()


def unet_region() -> str:
    """What a unit at the corner of the U-Net's map sees, and one in its middle."""
    spec = archspec.load("unet")
    return beside(draw_region(spec, unit="0,0"), draw_region(spec)).svg()


def _diagram(spec: Spec, depth: int | None = None) -> Callable[[], str]:
    return lambda: diagram(spec, depth, dot=DOT).svg()


def _study(name: str, figure: str) -> Callable[[], str]:
    return lambda: _outcome(name).figures[figure].svg()


@cache
def _outcome(name: str) -> Outcome:
    """One run for all figures of a study."""
    return run(Study.of(find(name)))


FIGURES: dict[str, Callable[[], str]] = {
    "dilated": dilated,
    "gridding": gridding,
    "causal": causal,
    "growth": growth,
    "unet_region": unet_region,
    "resnet50": _diagram(archspec.load("resnet50")),
    "unet": _diagram(archspec.load("unet")),
    "dense_block": _diagram(archspec.parse(DENSE_BLOCK), 0),
}

STUDIES: dict[str, Callable[[], str]] = {
    "study-dimensions-sizes": _study("dimensions", "sizes"),
    "study-fir-filter-signals": _study("fir-filter", "signals"),
    "study-instance-noise-shrinkage": _study("instance-noise", "shrinkage"),
    "study-instance-noise-recurrence": _study("instance-noise", "recurrence"),
    "study-instance-noise-sweep": _study("instance-noise", "sweep"),
    "study-instance-noise-one-draw": _study("instance-noise", "one-draw"),
    "study-kl-densities": _study("kl", "densities"),
    "study-kl-course": _study("kl", "course"),
    "study-gan-gradients": _study("gan", "gradients"),
    "study-gan-run": _study("gan", "run"),
    "study-init-curves": _study("init", "curves"),
    "study-leak-accuracies": _study("leak", "accuracies"),
}


def screenshot() -> bytes:
    """The report of ResNet-50 as a browser shows it, a unit of a middle layer chosen."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder, "report.html")
        path.write_text(page_html(page_data(archspec.load("resnet50"))), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1360, "height": 760}, color_scheme="light")
        page.goto(path.as_uri())
        page.get_by_label("Layer", exact=True).select_option("80")
        shown = page.get_by_role("region", name="Receptive field").bounding_box()
        assert shown is not None
        height = shown["y"] + shown["height"] + 12
        return page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": 1360, "height": height})


def main(arguments: list[str]) -> int:
    """Write all pictures, or with `--check` compare them; the exit code is 1 where one differs."""
    differing = []
    for name, draw in (FIGURES if "--check" in arguments else FIGURES | STUDIES).items():
        path, svg = FOLDER / f"{name}.svg", draw().rstrip() + "\n"
        if len(svg.encode()) > LARGEST:
            sys.exit(f"{path.name} would have {len(svg.encode()):,} bytes, and {LARGEST:,} is the most")
        if "--check" not in arguments:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(svg, encoding="utf-8", newline="\n")
        elif not path.is_file() or path.read_text(encoding="utf-8") != svg:
            differing.append(path.name)
    if "--check" not in arguments:
        (FOLDER / "report.png").write_bytes(screenshot())
    for name in differing:
        print(f"docs/figures/{name} is out of date: run python docs/figures.py")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
