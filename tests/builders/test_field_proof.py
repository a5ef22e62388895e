"""The proof of receptive fields end to end: it holds for every sort of topology, and catches a wrong composition."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

import pytest
import torch

from archspec import Shape, load, parse
from archspec.analysis import clipping
from archspec.analysis.positions import Positions
from archspec.analysis.reads import Table
from archspec.layers import Window, pointwise
from archspec.layers.convolution import Conv
from archspec.layers.normalization import GroupNorm
from archspec.layers.resize import Upsample
from builders.proofs.claim import Claim
from builders.proofs.field import prove_field
from builders.proofs.places import last_maps
from builders.proofs.windows import alone, prove_window
from tests.builders.faulty import Fails, Late
from tests.receptive_field.comparison import network
from tests.receptive_field.test_faults import changed, one_tap_less, shifted

RESIDUAL = {"add": [["CONV3-8, BN, RELU, CONV3-8, BN"], ["IDENTITY"]]}
EXCITED = {"mul": [["CONV3-8"], ["GAP, CONV1-8, SIGMOID"]]}
INCEPTION = {"concat": [["CONV1-8"], ["CONV1x7-8, CONV7x1-16"], ["POOL3 s1 p1, CONV1-8"]]}
HALVES = {"concat": [["PART-0 of=2"], ["PART-1 of=2, CONV3-2"]]}
DENSE: list[Any] = [{"concat": [["IDENTITY"], ["BN, RELU, CONV1-16, CONV3-8"]]} for _ in range(3)]
TOPOLOGIES: dict[str, tuple[str, list[Any]]] = {
    "chain": ("32x32x3", ["CONV3-8, BN, RELU, POOL2, CONV5-16", "GAP, FLATTEN, FC-10"]),
    "residual": ("32x32x3", ["CONV7-8 s2", RESIDUAL, "CONV3-8 s2", RESIDUAL, "GAP, FLATTEN, FC-10"]),
    "inception": ("24x24x4", ["CONV3-8 s2 p0", INCEPTION, INCEPTION]),
    "dense": ("32x32x3", ["CONV3-16 s2", *DENSE, "AVGPOOL2", *DENSE]),
    "grouped": ("16x16x8", ["CONV3-16 g4, SHUFFLE-4, CONV3-16 g16", "PART-1 of=4, CONV1-8"]),
    "same": ("33x33x3", ["CONV3-8 s2 p=same, POOL3 s2 p=same, CONV3-8 s2 p=same"]),
    "u-net": (
        "60x60x1",
        ["CONV3-8 p0 as a", "POOL2, CONV3-16 p0, UPCONV2-8", {"concat": [["from a, CROP to=54"], ["IDENTITY"]]}],
    ),
    "upsampled": ("16x16x3", ["CONV3-8 s2, UPSAMPLE-2, CONV3-8"]),
    "bilinear": ("16x16x3", ["CONV3-8 s2, RELU, UPSAMPLE-2 mode=bilinear, CONV3-8, BN, RELU, CONV3-4"]),
    "dilated": ("40x40x3", ["CONV3-8 d2, CONV3-8 d4"]),
    "pixels": ("16x16x4", ["UNSHUFFLE-2, CONV3-16, PIXSHUFFLE-2, CONV3-4"]),
    "half": ("12x12x4", [HALVES, "PART-0 of=2, CONV1-2"]),
    "groups": ("12x12x4", [HALVES, "CONV1-4 g2, PART-0 of=2"]),
    "resized half": ("12x12x4", [HALVES, "UPSAMPLE-2 mode=bilinear, PART-0 of=2"]),
    "blocks": ("12x12x2", ["UNSHUFFLE-2, PIXSHUFFLE-2"]),
    "sequence": ("100x4", ["CONV3-8 causal, CONV3-8 causal d2, CONV3-8 causal d4 s2"]),
    "video": ("8x16x16x3", ["CONV3x1x1-4, CONV1x3x3-4 s1x2x2, POOL2, CONV3-4"]),
    "ceil": ("30x30x3", ["POOL3 s2 ceil=yes, CONV3-4 s3, POOL2 ceil=yes"]),
    "adaptive": ("30x20x3", ["CONV3-4 s2, AVGPOOL to=6, CONV3-4"]),
    "copied": ("32x32x3", ["CONV3-4 pad=circular, CONV3-4 pad=reflect s2"]),
    "norms": ("16x16x4", ["CONV3-8, LN, GELU, CONV3-8, RMSNORM, LRN n=3, HSWISH, PRELU, SOFTMAX, CMEAN"]),
}


@contextmanager
def double() -> Iterator[None]:
    """New tensors in float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def claims(shape: str, layers: list[Any]) -> list[Claim]:
    written = json.loads(json.dumps(layers))  # YAML would write what stands here twice as an alias
    return list(prove_field(network(shape, written).layers).claims)


@pytest.mark.parametrize(("shape", "layers"), TOPOLOGIES.values(), ids=TOPOLOGIES)
def test_every_sort_of_topology_holds(shape: str, layers: list[Any]) -> None:
    found = claims(shape, layers)
    assert found
    assert {claim.verdict for claim in found} == {"holds"}


def measured(found: list[Claim], quantity: str) -> list[object]:
    return [claim.measured for claim in found if claim.quantity == quantity]


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("residual", "35/4/17"),
        ("sequence", "15/2/14"),
        ("dilated", "13/1/6"),
        ("pixels", "8/1/4"),
        ("blocks", "2/1/0"),
        ("half", "3/1/1"),
    ],
)
def test_figures_are_measured_on_the_slim_network(name: str, figures: str) -> None:
    assert set(measured(claims(*TOPOLOGIES[name]), "receptive field")) == {figures}


def test_published_figures() -> None:
    proof = prove_field(load("resnet18").layers)
    assert measured(list(proof.claims), "receptive field") == ["435/32/217"]
    assert proof.notes == (
        "receptive field along H of input: measured on 608 x 1, two channels",
        "receptive field along W of input: measured on 1 x 608, two channels",
    )
    assert proof.holds


@pytest.mark.parametrize(
    "layers", [["CONV3-8 s2", EXCITED], ["CONV3-8 s2, GN-4, CONV3-8"], ["CONV3-8 s2, IN, CONV3-8"]]
)
def test_gates_and_statistics(layers: list[Any]) -> None:
    """With them every unit reads the whole input, without them the window of 7."""
    found = claims("32x32x4", layers)
    assert {claim.verdict for claim in found} == {"holds"}
    assert measured(found, "receptive field without gates") == ["7/2/3"]
    whole = next(claim for claim in found if claim.quantity == "receptive field: regions")
    ends = [tuple(map(int, one.split(" to "))) for one in str(whole.measured).split(", ")]
    assert len(set(ends)) == 1
    bare = next(claim for claim in found if claim.quantity == "receptive field without gates: regions")
    assert bare.measured != whole.measured


def test_holes_are_found_column_by_column() -> None:
    assert set(measured(claims("40x40x3", ["CONV3-8 d4"]), "receptive field: density")) == {"3 of 9"}


def test_two_inputs() -> None:
    text = """
    name: two
    input: {image: 32x32x3, mask: 32x32x1}
    layers: [{concat: ["from image, CONV3-4 s2", "from mask, CONV5-4 s2"]}, CONV3-4]
    """
    found = prove_field(parse(text).layers).claims
    assert {claim.verdict for claim in found} == {"holds"}
    figures = {claim.subject: claim.measured for claim in found if claim.quantity == "receptive field"}
    assert figures == {"5 CONV3-4, H of image": "7/2/3", "5 CONV3-4, H of mask": "9/2/4"}


def test_every_output_is_proved() -> None:
    text = """
    name: heads
    input: 32x32x3
    layers: [CONV3-4 as one, CONV3-4 s2 as two]
    outputs: [one, two]
    """
    found = list(prove_field(parse(text).layers).claims)
    assert measured(found, "receptive field") == ["3/1/1", "5/2/2"]


def test_the_last_map_before_everything_is_read_as_a_whole() -> None:
    spec = network("8x8x3", ["CONV3-4, RELU, GAP, FLATTEN, FC-3"])
    assert [str(node.layer) for node in last_maps(spec.layers)] == ["RELU"]
    assert prove_field(network("12", ["FC-3"]).layers).notes == ("receptive field: no map slides over an input",)


def wrong(found: list[Claim]) -> set[str]:
    return {claim.quantity for claim in found if not claim.holds}


@pytest.mark.parametrize("fault", [shifted, one_tap_less])
def test_a_wrong_window_is_caught(fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Conv.window
    monkeypatch.setattr(Conv, "window", lambda *given: tuple(changed(one, fault) for one in right(*given)))
    assert {"receptive field", "receptive field: regions"} <= wrong(claims(*TOPOLOGIES["chain"]))


def test_a_wrong_composition_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Composed fields one position too long: regions are found by another way, so that the figures alone are wrong."""
    right = Table.over

    def longer(self: Table, units: Positions) -> Positions:
        found = right(self, units)
        return Positions(found.low, found.extent + 1) if units.extent > 1 else found

    monkeypatch.setattr(Table, "over", longer)
    assert "receptive field" in wrong(claims(*TOPOLOGIES["residual"]))


def test_a_union_that_forgets_a_branch_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("archspec.analysis.receptive_field")
    monkeypatch.setattr(module, "joined", lambda one, other: one)  # noqa: ARG005
    assert "receptive field" in wrong(claims("32x32x3", [{"concat": [["CONV1-4"], ["CONV5-4"]]}]))


def test_wrong_regions_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right: Callable[..., Any] = clipping._along
    monkeypatch.setattr(clipping, "_along", lambda *given: right(*given).shifted(1))
    assert "receptive field: regions" in wrong(claims(*TOPOLOGIES["chain"]))


def test_a_wrong_field_without_statistics_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figure with them is right: everything is read."""
    right = GroupNorm.window

    def beside(*given: Any) -> tuple[Window, ...]:
        return tuple(replace(one, unmarked=changed(pointwise(2), shifted)) for one in right(*given))

    monkeypatch.setattr(GroupNorm, "window", beside)
    found = wrong(claims("32x32x4", ["CONV3-8 s2, GN-4, CONV3-8"]))
    assert found == {
        "receptive field without gates",
        *(f"receptive field without gates: {x}" for x in ("regions", "density")),
    }


def test_a_wrong_module_is_caught() -> None:
    found = list(prove_field(alone(Late(), (Shape((12,), 6),))).claims)
    assert "receptive field: regions" in wrong(found)
    (claim,) = prove_field(alone(Fails(), (Shape((12,), 6),))).claims
    assert (claim.verdict, claim.predicted) == ("FAILS", "runs")


@pytest.mark.parametrize("state", [torch.no_grad, torch.inference_mode, partial(torch.device, "meta"), double])
def test_proofs_do_not_hang_on_how_the_caller_set_torch(state: Callable[[], AbstractContextManager[Any]]) -> None:
    layers: list[Any] = ["CONV3-8 s2, GN-4, RELU, UPSAMPLE-2 mode=bilinear"]
    layer, shape = Upsample(factor=2, mode="bilinear"), Shape((6, 5), 4)
    wanted = claims("16x16x3", layers), prove_window(layer, (shape,))
    with state():
        assert (claims("16x16x3", layers), prove_window(layer, (shape,))) == wanted


def test_behind_interpolation_a_wrong_field_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN says too much there, and changes decide."""
    layers: list[Any] = ["CONV3-8 s2, LN, RELU, UPSAMPLE-2 mode=bilinear"]
    found = claims("16x16x3", layers)
    assert any("finite changes" in claim.note for claim in found)
    assert {claim.verdict for claim in found} == {"holds"}
    right = Conv.window
    monkeypatch.setattr(Conv, "window", lambda *given: tuple(changed(one, shifted) for one in right(*given)))
    assert "receptive field: regions" in wrong(claims("16x16x3", layers))
