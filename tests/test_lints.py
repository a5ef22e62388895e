"""Warnings about what layers read: windows beside the map, branches out of step, holes at the output."""

from __future__ import annotations

import pytest

import archspec
from archspec import bundle


def warnings(layers: str, size: str = "32x32x4") -> list[str]:
    spec = archspec.parse(f"name: a\ninput: {size}\nlayers:\n{layers}", "net.yaml")
    return [f"{warning.span}: {warning.code}: {warning.message}" for warning in spec.warnings]


@pytest.mark.parametrize(
    ("size", "found"),
    [
        ("2x2x4", []),
        ("1x2x4", ["net.yaml:4:5: input-too-small: CONV3-8 sees nothing but padding with 2 of its 3 taps"]),
        ("1x1x4", ["net.yaml:4:5: input-too-small: CONV3-8 sees nothing but padding with 2 of its 3 taps"]),
    ],
)
def test_taps_that_only_meet_padding(size: str, found: list[str]) -> None:
    assert warnings("  - CONV3-8", size) == found


def test_taps_of_a_stride_that_steps_over_the_map() -> None:
    """Units 0 and 1 of 4 positions by 3: taps -1, 0, 1 and 2, 3, 4: every tap meets the map from one of them."""
    assert warnings("  - CONV3-8 s3", "4x4x4") == []
    # taps -4, -2, 0, 2, 4 from units 0 and 1, which lie at 0 and 3: the first never, the last never
    found = "net.yaml:4:5: input-too-small: CONV5-8 s3 d2 sees nothing but padding with 2 of its 5 taps"
    assert warnings("  - CONV5-8 d2 s3", "4x4x4")[0] == found


def test_pooling_may_see_padding() -> None:
    assert warnings("  - POOL3 s2 p1", "1x1x4") == []


def test_branches_out_of_step() -> None:
    """Sizes agree by RESIZE, though one branch steps by 4 and the other by 3 x 11/8."""
    merge = "  - add: [CONV3-4 s4, [CONV3-4 s3, RESIZE to=8]]"
    assert warnings(merge) == [
        "net.yaml:4:5: jumps-differ: the branches of ADD step over the input at different distances: 4, 33/8"
    ]
    assert warnings("  - add: [CONV3-4 s4, [POOL2, CONV3-4 s2]]") == []


def test_branches_whose_centres_differ_are_normal() -> None:
    assert warnings("  - add: [IDENTITY, 'CONV3-4 p2:0']") == []


def test_holes_at_the_output() -> None:
    """Two kernels of three, both dilated by 2, read every other of 9 positions."""
    assert warnings("  - CONV3-4 d2, CONV3-4 d2") == [
        "net.yaml:4:17: gridding: units of the output see 5 of 9 positions in their field, the others never"
    ]
    assert warnings("  - CONV3-4 d2, CONV3-4") == []


@pytest.mark.parametrize("name", [variant or name for name, _, variant in bundle.names()])
def test_bundled_specs_have_no_warnings(name: str) -> None:
    assert archspec.load(name).warnings == ()
