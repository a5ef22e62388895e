"""Published receptive fields: Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks",
Distill 2019, and torchvision's ResNets, which stride in the middle of a block."""

from __future__ import annotations

from fractions import Fraction
from time import perf_counter

import pytest

from archspec import bundle, load
from archspec.analysis.receptive_field import receptive_field
from archspec.choices import Choices
from archspec.document import parse_document
from archspec.spec import build


@pytest.mark.parametrize(
    ("name", "point", "size", "jump", "padding"),
    [
        ("alexnet", "features", 195, 32, 66),
        ("vgg16", "features", 212, 32, 90),
        ("resnet50", "body", 427, 32, 213),
        ("resnet101", "body", 971, 32, 485),
    ],
)
def test_published_figures(name: str, point: str, size: int, jump: int, padding: int) -> None:
    spec = load(name)
    ((start, field),) = receptive_field(spec.layers)[spec.layers.points[point]].items()
    assert start is spec.layers.inputs["input"]
    for axis in field.axes:
        assert (axis.size, axis.size_min, axis.padding) == (size, size, padding)
        assert (axis.jump, axis.density) == (Fraction(jump), Fraction(1))
    assert field.axes[0].centre(0, 0) == Fraction(size - 1, 2) - padding


def test_the_pass_costs_less_than_elaboration() -> None:
    """Timed in turn, each at its best of several rounds."""
    text, name, variant = bundle.read_spec("resnet152")
    parsed = parse_document(text, name)
    elaboration, fields = [], []
    for _ in range(7):
        start = perf_counter()
        spec = build(parsed, Choices(variant))
        middle = perf_counter()
        receptive_field(spec.layers)
        elaboration.append(middle - start)
        fields.append(perf_counter() - middle)
    assert min(fields) < min(elaboration)
