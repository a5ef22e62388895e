"""The bundled specs: each expects the published figures of its networks, and has them."""

from __future__ import annotations

from pathlib import Path

import pytest

import archspec
from archspec import bundle
from archspec.document import Document, parse_document
from archspec.expectations import hold
from archspec.source import plain

# torchvision's published figures for 224x224x3: parameters, and 10^9 multiply-accumulates
PUBLISHED = {
    "alexnet": (61100840, "0.714"),
    "densenet121": (7978856, "2.834"),
    "densenet161": (28681000, "7.728"),
    "densenet169": (14149480, "3.36"),
    "densenet201": (20013928, "4.291"),
    "mobilenet_v2": (3504872, "0.301"),
    "resnet18": (11689512, "1.814"),
    "resnet34": (21797672, "3.664"),
    "resnet50": (25557032, "4.089"),
    "resnet101": (44549160, "7.801"),
    "resnet152": (60192808, "11.514"),
    "resnext50_32x4d": (25028904, "4.23"),
    "resnext101_32x8d": (88791336, "16.414"),
    "resnext101_64x4d": (83455272, "15.46"),
    "squeezenet1_0": (1248424, "0.819"),
    "squeezenet1_1": (1235496, "0.349"),
    "vgg11": (132863336, "7.609"),
    "vgg11_bn": (132868840, "7.609"),
    "vgg13": (133047848, "11.308"),
    "vgg13_bn": (133053736, "11.308"),
    "vgg16": (138357544, "15.47"),
    "vgg16_bn": (138365992, "15.47"),
    "vgg19": (143667240, "19.632"),
    "vgg19_bn": (143678248, "19.632"),
    "wide_resnet50_2": (68883240, "11.398"),
    "wide_resnet101_2": (126886696, "22.753"),
}
# counted by hand, layer by layer; inception: the size of the Caffe model of GoogLeNet without its training heads
COUNTED = {
    "cnn": 100 + 910 + 1473,
    "dilated": 10 + 10,
    "dilated_sum": 2 * 2,
    "gridded": 10 + 10 + 10,
    "hybrid": 10 + 10 + 10,
    "true_convolution": 3 + 3,
    "deep-relu": 160 + 8 * 2320 + 650,
    "deep-sigmoid": 160 + 8 * 2320 + 650,
    "inception": 6998552,
    "residual": (
        (9 * 3 * 16 + 2 * 16)
        + 6 * (9 * 16 * 16 + 2 * 16)
        + (9 * 16 * 32 + 5 * 9 * 32 * 32 + 16 * 32 + 7 * 2 * 32)
        + (9 * 32 * 64 + 5 * 9 * 64 * 64 + 32 * 64 + 7 * 2 * 64)
        + (64 * 10 + 10)
    ),
    "unet": (
        sum(9 * C * F + F + 9 * F * F + F for C, F in [(1, 64), (64, 128), (128, 256), (256, 512), (512, 1024)])
        + sum(4 * 2 * F * F + F + 9 * 2 * F * F + F + 9 * F * F + F for F in [512, 256, 128, 64])
        + (64 * 2 + 2)
    ),
}
# receptive field, jump and padding as published: for TF-Slim's networks with google-research/receptive_field (Araujo,
# Norris & Sim, Distill 2019), for torchvision's by the same arithmetic on their strides
FIELDS = {
    "alexnet": "195/32/66",
    "resnet50": "427/32/213",
    "resnet101": "971/32/485",
    "vgg16": "212/32/90",
    "alexnet_v2": "195/32/64",
    "vgg_16": "212/32/90",
    "inception_v2": "699/32/318",
    "inception_v3": "1311/32/618",
    "inception_v4": "2071/32/998",
    "inception_resnet_v2": "3039/32/1482",
    "mobilenet_v1": "315/32/126",
    "resnet_v1_50": "483/32/239",
    "resnet_v1_101": "1027/32/511",
    "resnet_v1_152": "1507/32/751",
    "resnet_v1_200": "1763/32/879",
}
LONGEST = 50  # lines

FILES = bundle.files()
NETWORKS = {
    variant or name.rsplit("/", 1)[-1]: (path, variant)
    for name, path in FILES.items()
    for variant in bundle.variants(path) or (None,)
}
each_file = pytest.mark.parametrize("path", FILES.values(), ids=FILES)


def document(path: Path) -> Document:
    return parse_document(path.read_bytes(), path.name)


def test_no_bundled_network_goes_without_a_figure_from_elsewhere() -> None:
    assert sorted(NETWORKS) == sorted({*PUBLISHED, *COUNTED, *FIELDS})


@pytest.mark.parametrize(("path", "variant"), NETWORKS.values(), ids=NETWORKS)
def test_its_expectations_hold(path: Path, variant: str | None) -> None:
    spec = archspec.load(path, variant=variant)
    outcomes = hold(spec.document.expect, spec.document.variants, variant, spec.analyze())
    metrics = {outcome.metric.partition("@")[0] for outcome in outcomes}
    assert ("receptive_field" if spec.variant in FIELDS or spec.name in FIELDS else "parameters") in metrics
    assert [str(outcome.diagnostic()) for outcome in outcomes if not outcome.holds] == []


@pytest.mark.parametrize(("name", "parameters", "gmacs"), [(name, *figures) for name, figures in PUBLISHED.items()])
def test_it_has_and_expects_the_published_figures(name: str, parameters: int, gmacs: str) -> None:
    spec = archspec.load(name)
    totals = spec.analyze().totals
    assert (totals.parameters, round(totals.macs / 1e9, 3)) == (parameters, float(gmacs))
    expect = spec.document.expect
    assert expect is not None
    chosen = expect.get(spec.variant) if spec.variant else expect
    assert chosen is not None
    own = plain(chosen)
    assert isinstance(own, dict)
    assert {"parameters": own["parameters"], "macs": own["macs"]} == {"parameters": parameters, "macs": f"~ {gmacs}G"}


@pytest.mark.parametrize(("name", "field"), FIELDS.items(), ids=FIELDS)
def test_it_has_and_expects_the_published_receptive_field(name: str, field: str) -> None:
    path, variant = NETWORKS[name]
    spec = archspec.load(path, variant=variant)
    outcomes = hold(spec.document.expect, spec.document.variants, variant, spec.analyze())
    fields = [(o.expected, o.found) for o in outcomes if o.metric.startswith("receptive_field@")]
    assert fields == [(field, field)]


@pytest.mark.parametrize(("name", "parameters"), COUNTED.items(), ids=COUNTED)
def test_it_has_the_parameters_counted_by_hand(name: str, parameters: int) -> None:
    assert archspec.load(name).analyze().parameters == parameters


@pytest.mark.parametrize("name", PUBLISHED)
def test_one_parameter_too_many_fails(name: str) -> None:
    path, variant = NETWORKS[name]
    parameters = PUBLISHED[name][0]
    text = path.read_text(encoding="utf-8").replace(f"parameters: {parameters}", f"parameters: {parameters - 1}")
    spec = archspec.parse(text, variant=variant)
    outcomes = hold(spec.document.expect, spec.document.variants, variant, spec.analyze())
    assert [(o.metric, o.difference) for o in outcomes if not o.holds] == [("parameters", "1 more")]


@each_file
def test_it_says_where_it_comes_from_and_what_it_expects_of_each_variant(path: Path) -> None:
    spec = document(path)
    source, expect = spec.source, plain(spec.expect) if spec.expect else None
    assert isinstance(expect, dict)
    assert set(spec.variants) <= set(expect)
    if isinstance(source, dict):
        assert list(source) == list(spec.variants)
    sources = source.values() if isinstance(source, dict) else [source]
    origins = ("https://", "archspec's README") if path.parent.name == "tutorial" else ("https://",)
    assert all(str(one).startswith(origins) for one in sources)


@each_file
def test_it_is_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST
    assert max(map(len, lines)) <= 120
