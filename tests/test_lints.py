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
    """Sizes agree by CROP, though one branch steps by 4 and the other by 3: 7 units on they are 7 positions apart."""
    merge = "  - add: [CONV3-4 s4, [CONV3-4 s3, CROP to=8]]"
    found = "net.yaml:4:5: jumps-differ: the branches of ADD step over the input at different distances: 3, 4"
    assert [one for one in warnings(merge) if "gridding" not in one] == [found]
    again = warnings(f"{merge}\n  - add: [IDENTITY, CONV3-4]")  # the second merge makes it no worse
    assert [one for one in again if "gridding" not in one] == [found]
    assert warnings("  - add: [CONV3-4 s4, [POOL2, CONV3-4 s2]]") == []


@pytest.mark.parametrize("size", ["1000x1000x3", "800x1333x3", "333x500x3", "64x1333x3"])
def test_a_feature_pyramid_of_odd_sizes_is_in_step(size: str) -> None:
    """Behind RESIZE the steps are not quite powers of two, but units stay less than one step apart over the map."""
    down = "CONV3-8 s2 as c1, CONV3-8 s2 as c2, CONV3-8 s2 as c3, CONV3-8 s2 as c4, CONV3-8 s2"
    up = "\n".join(f"  - RESIZE like=c{n}\n  - add: [IDENTITY, from c{n}]" for n in (4, 3, 2))
    assert warnings(f"  - {down}\n{up}", size) == []


def test_a_drift_of_one_step_is_reported_and_less_is_not() -> None:
    """Steps of 1 and 3/2: the third units lie 1 apart, which is less than the larger step, the fourth 3/2."""
    for units, warned in ((3, False), (4, True)):
        merge = f"  - add: [CROP to={units}, [RESIZE to=8, CROP to={units}]]"
        assert [one.split(": ")[1] for one in warnings(merge, "12x4")] == ["jumps-differ"] * warned


def test_branches_whose_centres_differ_are_normal() -> None:
    assert warnings("  - add: [IDENTITY, 'CONV3-4 p2:0']") == []


def test_holes_at_the_output() -> None:
    """Two kernels of three, both dilated by 2, read every other of 9 positions."""
    assert warnings("  - CONV3-4 d2, CONV3-4 d2") == [
        "net.yaml:4:17: gridding: units of the output see 5 of 9 positions in their field, the others never"
    ]
    assert warnings("  - CONV3-4 d2, CONV3-4") == []


def test_a_gate_does_not_hide_holes() -> None:
    found = warnings("  - CONV3-4 d2, CONV3-4 d2\n  - mul: [IDENTITY, [GAP, CONV1-4, SIGMOID]]")
    assert found == [
        "net.yaml:5:5: gridding: units of the output see 5 of 9 positions in their field, the others never"
    ]


def test_the_number_of_holes_is_that_of_one_unit() -> None:
    """A kernel of three dilated by 4 reads 3 of 9; every other unit behind it reads two of them, 6 of 10."""
    spec = archspec.parse("{name: a, input: 64x64x3, layers: [CONV3-8 d4, UPCONV3-8 s2 op=1]}")
    assert [one.message for one in spec.warnings] == [
        "units of the output see 3 of 9 positions in their field, the others never"
    ]


def test_holes_of_a_stride_have_their_own_remedy() -> None:
    """A kernel of 1 that steps by 2 leaves out every other position: 3 of 5."""
    spec = archspec.parse("{name: a, input: 65x65x3, layers: [CONV1-8 s2, CONV3-8]}")
    (warning,) = spec.warnings
    assert warning.message == "units of the output see 3 of 5 positions in their field, the others never"
    assert warning.hint == (
        "dilations without a common factor, or one undilated layer behind them, close the holes of dilation; "
        "a kernel at least as large as its stride leaves none"
    )


def test_a_causal_kernel_longer_than_its_sequence() -> None:
    spec = archspec.parse("{name: a, input: 3x4, layers: [CONV5-4 causal]}")
    (warning,) = spec.warnings
    assert warning.message == "CONV5-4 causal sees nothing but padding with 2 of its 5 taps"
    assert warning.hint == (
        "the sequence is 3 x 4, and a causal layer is padded before it by all that its kernel reaches back: "
        "use a longer sequence, or a smaller kernel or dilation"
    )


@pytest.mark.parametrize("name", [variant or name for name, _, variant in bundle.names()])
def test_bundled_specs_have_no_warnings(name: str) -> None:
    """But for the holes of dilation that an example is there to show."""
    expected = ["gridding"] if name in ("tutorial/dilated_sum", "tutorial/gridding", "gridded") else []
    assert [warning.code for warning in archspec.load(name).warnings] == expected
