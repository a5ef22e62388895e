"""Layers that read everything up to their own place, as causal attention does: a kind of the tests, held against brute
force on top of and below convolutions that stride, dilate and leave holes."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest

from archspec import Family, Formula, Layer, Shape, Storage, Weightless, register
from archspec.analysis.positions import Positions
from archspec.analysis.receptive_field import receptive_field
from archspec.layers import AxisWindow, Reach, Window, registry
from tests import field_oracle
from tests.field_oracle import Box, Reading
from tests.receptive_field.comparison import compare, network


def up_to_here(reading: Reading) -> list[Box]:
    """Unit i reads units 0 to i."""
    return [reading.along(lambda _, at: range(at + 1))]


@pytest.fixture(autouse=True)
def toy() -> Iterator[None]:
    """A registered kind TOYPREFIX, known to brute force as well."""
    with (
        mock.patch.dict(registry),
        mock.patch.dict(field_oracle.RULES, {"TOYPREFIX": up_to_here}),
    ):

        class ToyPrefix(Weightless):
            template = "TOYPREFIX"
            family = Family.ATTENTION
            storage = Storage.FRESH

            def output_shape(self, *inputs: Shape) -> Shape:
                return inputs[0]

            def window(self, *inputs: Shape) -> tuple[Window, ...]:
                return (Window(tuple(AxisWindow(axis, Reach.PREFIX) for axis in range(inputs[0].rank))),)

        kind: type[Layer] = register(ToyPrefix)
        assert kind().macs(Shape((4,), 2)) == Formula()
        yield


@pytest.mark.parametrize(
    "layers",
    [
        "TOYPREFIX",
        "CONV3-2 s2, TOYPREFIX",
        "CONV3-2 d2, CONV3-2 s3, TOYPREFIX",
        "TOYPREFIX, CONV3-2 s2, CONV3-2 d3",
        "CONV2-2 causal d2, TOYPREFIX, CONV3-2 causal s2",
        "CONV3-2 s2, TOYPREFIX, UPCONV2-2, TOYPREFIX",
        "TOYPREFIX, UPCONV1-2 s2 p0, TOYPREFIX",  # every other unit is a hole, and the next prefix is not
        "TOYPREFIX, UPCONV2-2 s2 d3 p0, TOYPREFIX",  # later units read earlier ones
        "TOYPREFIX, UPSAMPLE-2 mode=linear, CROP to=5 at=3, POOL3 s2 ceil=yes",
        "TOYPREFIX, RESIZE to=7, CONV3-2, RESIZE to=5 mode=linear, TOYPREFIX, CONV3-2",
        "TOYPREFIX, GAP",
        "TOYPREFIX, AVGPOOL to=4, GN-2, TOYPREFIX",
        "CONV3-2 s2, FLATTEN, FC-8, RESHAPE to=4x2, TOYPREFIX",
        [{"add": ["IDENTITY", "LN, TOYPREFIX"]}, {"add": ["IDENTITY", "TOYPREFIX, RELU"]}],
        [{"add": ["IDENTITY", "CONV3-(C), TOYPREFIX"]}, {"add": ["IDENTITY", "CONV3-(C) d2, TOYPREFIX"]}],
        ["TOYPREFIX", *({"add": ["IDENTITY", f"CONV3-(C) causal d{2**j}"]} for j in range(4))],
        [{"mul": ["TOYPREFIX", "CONV3-2, GAP, SIGMOID"]}, "CONV3-2 s2"],
        [{"concat": ["CONV3-1 s2, TOYPREFIX", "POOL2 ceil=yes"]}, "CONV3-2"],
    ],
    ids=str,
)
def test_everything_up_to_a_unit(layers: object) -> None:
    compare(network("11x2", layers))


def test_along_both_axes_of_an_image() -> None:
    compare(network("5x4x2", "CONV3-2, TOYPREFIX, POOL2, CONV3-2, TOYPREFIX"))


def test_prefixes_nest_deeply() -> None:
    spec = network("9x2", ["TOYPREFIX, CONV3-2"] * 600)
    *_, last = spec
    (field,) = receptive_field(spec.layers)[last].values()
    assert field.axes[0].at(0) == Positions(0, 9 + 592)


def test_a_stack_of_residual_branches_is_read_in_little_time() -> None:
    """As many ways lead to the input as there are sets of branches: they must not be followed one by one."""
    blocks = [{"add": ["IDENTITY", f"CONV3-2 causal d{j}"]} for j in range(1, 41)]
    spec = network("40x2", ["TOYPREFIX", *blocks])
    *_, last = spec
    (field,) = receptive_field(spec.layers)[last].values()
    assert field.axes[0].at(39) == Positions(0, 40)
    assert field.axes[0].size_min == 1
