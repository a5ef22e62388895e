"""What the tests of diagrams share: the bundled specs, and SVG taken apart."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import pytest

import archspec
from archspec import bundle
from archspec.spec import Spec
from visualize.diagram import renderer

PURE = next(found for folder in renderer._scripts() if (found := shutil.which(renderer.PURE, path=folder)))
SVG = "{http://www.w3.org/2000/svg}"
CNN = "{name: a, input: 28x28x1, layers: [CONV3-10, RELU, POOL2]}"
ODD = """
name: two
input: {left: 32x32x3, right: 32x32x3}
layers:
  - add: [[from left, CONV3-16 share k, RELU], [from right, CONV3-16 share k, RELU]]
  - CONV3-16 s2, BN, RELU as mid
  - UPCONV2-16 as big
  - concat: [[from mid, UPCONV4-8 s4 p0, CROP like=big], from big]
  - GAP, FC-10 as scores
  - from mid, GAP, FC-10 as aux
outputs: scores
training_outputs: aux
"""


NAMES = tuple(variant or name for name, _, variant in bundle.names())  # every bundled spec and variant


@cache
def bundled(name: str) -> Spec:
    return archspec.load(name)


def elements(svg: str) -> dict[str, ET.Element]:
    """The elements of an SVG by their ids; no two have the same."""
    found = [element for element in ET.fromstring(svg).iter() if "id" in element.attrib]
    assert len({element.attrib["id"] for element in found}) == len(found)
    return {element.attrib["id"]: element for element in found}


def hide_system_dot(monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    """Take away the dot programs of the machine and of its user: what Python's packages bring is left."""
    monkeypatch.setenv("PATH", str(empty / "nowhere"))
    monkeypatch.delenv(renderer.VARIABLE, raising=False)
