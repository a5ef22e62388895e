"""What all units read, found at once: the bundled networks leave nothing out, and agree with the walk back."""

from __future__ import annotations

import pytest

from archspec import Spec, load, parse
from archspec.analysis.regions import regions
from archspec.bundle import names
from tests.receptive_field.comparison import network


def corners(sizes: tuple[int, ...]) -> set[tuple[int, ...]]:
    return {tuple(min(place, size - 1) for size in sizes) for place in (0, 1, *sizes)} | {
        tuple(size // 2 for size in sizes)
    }


def agree(spec: Spec) -> None:
    analysis = spec.analyze()
    for node in spec:
        found = analysis.regions(node)
        assert found.keys() == analysis.receptive_fields[node].keys()
        for start, axes in found.items():
            fields = analysis.receptive_fields[node][start].axes
            for unit in corners(node.shape.spatial):
                assert [one.at(unit) for one in axes] == [field.inside(*unit) for field in fields], (node, unit)


@pytest.mark.parametrize("name", sorted({name for name, _, variant in names() if not variant and "tutorial" in name}))
def test_small_bundled_networks(name: str) -> None:
    agree(load(name))


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_0", "mobilenet_v2", "unet"])
def test_bundled_networks(name: str) -> None:
    agree(load(name))


def test_equal_lines_are_one_object() -> None:
    spec = load("resnet50")
    analysis = spec.analyze()
    lines = {line for node in spec for axes in analysis.regions(node).values() for one in axes for line in one.lines}
    sets = {(line.axis, line.sets) for line in lines}
    assert len(lines) == len(sets)


def test_an_empty_axis_empties_the_region() -> None:
    spec = network("4x4x1", "CONV1-1 p2")
    (axes,) = spec.analyze().regions(list(spec)[1]).values()
    assert [list(one.at((0, 3)).members()) for one in axes] == [[], [1]]
    assert list(axes[0].at((2, 3)).members()) == [0]


def test_ways_that_miss_a_map_are_left_to_the_walk() -> None:
    """Unit 0, 3 of the sum reads nothing through the padded way, whatever column 3 reads: no line can say that."""
    spec = network("4x4x1", [{"add": ["CONV1-1 p2", "PAD p2"]}, "CONV1-1"])
    *_, merged, after = spec
    assert spec.analyze().regions(merged) == {}
    assert spec.analyze().regions(after) == {}


def test_very_long_maps_are_left_out() -> None:
    spec = parse("{name: a, input: 16x1, layers: [CONV3-1 s2, CONV3-1 s2]}")
    assert len(regions(spec.layers, most=16)) == 3
    assert regions(spec.layers, most=8) == {}
