"""Every weight of every bundled architecture is drawn with the standard deviation that its fans ask for.

The fans here are counted from torch's own modules, so that a layer that declares a wrong one fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod, sqrt
from statistics import NormalDist
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec import bundle
from archspec.layers.convolution import Conv, UpConv
from archspec.spec import Spec
from builders.build import build
from builders.initialization.draw import draw, generator
from builders.initialization.following import following
from builders.initialization.schemes import Scheme, parse_scheme
from builders.initialize import initialize
from builders.submodules import layer_modules

SCHEMES = (
    "zeros",
    "xavier-uniform",
    "xavier-normal",
    "he-uniform",
    "he-normal",
    "lecun-normal",
    "orthogonal",
    "torch",
    "normal(0.02)",
)
NETWORKS = [variant or name for name, path in bundle.files().items() for variant in bundle.variants(path) or (None,)]
GAINS = {"SIGMOID": 4.0, "HSIGMOID": 6.0}
RISK = 1e-3  # that one of all the tests of a scheme fails by chance, whatever their number
MOST = 100_000  # weights tested under one scheme
KURTOSIS = {"uniform": 9 / 5, "normal": 3.0}
LARGEST = 1 << 20  # elements of a matrix that is decomposed, and of one that is drawn: more show nothing new


def fans(part: nn.Module) -> tuple[int, int]:
    """Connections of an output and of an input unit, of torch's module."""
    held: Any = part
    if isinstance(part, nn.Linear):
        return part.in_features, part.out_features
    if isinstance(part, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        taps = prod(part.kernel_size)
        return taps * part.in_channels // part.groups, taps * part.out_channels // part.groups
    if isinstance(part, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
        taps = prod(part.kernel_size)
        return taps * part.in_channels // part.groups, taps * part.out_channels // part.groups
    filters, per_group, *kernel = held.weight.shape  # a convolution with borders of its own
    return prod(kernel) * per_group, prod(kernel) * filters // held.groups


def wanted(scheme: Scheme, part: nn.Module, gain: float, kernel: Tensor) -> float:
    """The standard deviation by the formulas of the papers."""
    first, last = fans(part)
    groups = getattr(part, "groups", 1)
    matrix = kernel.shape[0] // groups, prod(kernel.shape[1:])
    return {
        "zeros": 0.0,
        "xavier": gain * sqrt(2 / (first + last)),
        "he": sqrt(2 / first),
        "lecun": sqrt(1 / first),
        "orthogonal": gain / sqrt(max(matrix)),
        "torch": 1 / sqrt(3 * prod(kernel.shape[1:])),
        "normal": scheme.argument or 0.0,
    }[scheme.name.split("-")[0]]


def agrees(kernel: Tensor, deviation: float, kind: str) -> bool:
    """Whether the mean square of a sample is that of its distribution, at a risk shared among all the tests."""
    square = kernel.double().square().mean().item()
    if kind == "constant":
        return square == deviation == 0
    if kind == "orthogonal":
        return sqrt(square) == pytest.approx(deviation, rel=1e-4)
    quantile = NormalDist().inv_cdf(1 - RISK / MOST / 2)
    n, excess = kernel.numel(), KURTOSIS[kind] - 1
    if kind == "normal":  # chi-square by Wilson & Hilferty (1931), which is close in the tails of few elements too
        spread = sqrt(2 / (9 * n))
        low, high = (max(1 - 2 / (9 * n) + side * quantile * spread, 0) ** 3 for side in (-1, 1))
    else:
        low, high = (1 + side * quantile * sqrt(excess / n) for side in (-1, 1))
    return low <= square / deviation**2 <= high


def disagreeing(spec: Spec, scheme: str, known: set[Any]) -> Iterator[str]:
    """The kernels of a network whose draw is not as wide as it should be; `known` ones are not drawn again."""
    chosen, model = parse_scheme(scheme), build(spec, device="meta")
    names, parts = {id(one): name for name, one in model.named_parameters()}, layer_modules(model)
    for node in spec.layers:
        part = parts.get(node.index) if "weight" in node.facts.weights else None
        weight = node.facts.weights.get("weight")
        if part is None or weight is None or weight.role != "kernel":
            continue
        after = following(spec.layers, node)
        gain = GAINS.get(after.layer.kind, 1.0) if after else 1.0
        held: Tensor = part.get_parameter("weight")
        key = (names[id(held)], held.shape, gain, scheme)
        if key in known:
            continue
        known.add(key)
        kind = chosen.rule.distribution
        if kind == "orthogonal" and weight.shape[0] * weight.shape[0] > LARGEST:
            weight = replace(weight, shape=(weight.shape[0] // 8, *weight.shape[1:]))
            held = torch.empty(weight.shape, device="meta")
        kernel = draw(weight, chosen, after.layer.gain if after else 1.0, generator(key[0], 0))
        if not agrees(kernel, wanted(chosen, part, gain, held), kind):
            yield key[0]


KNOWN: set[Any] = set()


@pytest.mark.parametrize("scheme", [one for one in SCHEMES if one != "torch"])
@pytest.mark.parametrize("name", ["cnn", "deep-sigmoid", "squeezenet1_1"])
def test_draws_are_as_wide_as_asked(name: str, scheme: str) -> None:
    assert list(disagreeing(archspec.load(name), scheme, set())) == []


@pytest.mark.prove
@pytest.mark.parametrize("scheme", [one for one in SCHEMES if one != "torch"])
@pytest.mark.parametrize("name", NETWORKS)
def test_draws_of_every_network_are_as_wide_as_asked(name: str, scheme: str) -> None:
    assert list(disagreeing(archspec.load(name), scheme, KNOWN)) == []


@pytest.mark.parametrize("name", ["cnn", pytest.param("unet", marks=pytest.mark.prove), "deep-relu"])
def test_what_the_network_holds_was_drawn_so(name: str) -> None:
    for scheme in SCHEMES:
        model = build(name)
        rows = {row.name: row for row in initialize(model, scheme)}
        for part in layer_modules(model).values():
            kernel = getattr(part, "weight", None)
            if not isinstance(kernel, Tensor) or kernel.ndim < 2:
                continue
            row = next(row for held, row in rows.items() if model.get_parameter(held) is kernel)
            kind = parse_scheme(scheme).rule.distribution
            deviation = wanted(parse_scheme(scheme), part, row.gain or 1.0, kernel)
            assert row.asked == pytest.approx(deviation), (scheme, row)
            assert agrees(kernel.detach(), deviation, "uniform" if kind == "torch" else kind), (scheme, row)


@pytest.mark.parametrize("scheme", ["he-normal", "xavier-uniform", "lecun-normal"])
@pytest.mark.parametrize("kind", [Conv, UpConv])
def test_a_wrong_fan_is_found(kind: type[Conv | UpConv], scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted in one layer kind: groups forgotten."""
    text = "{name: n, input: 8x8x8, layers: [CONV3-16 g4, SIGMOID, UPCONV2-8 g4, RELU, CONV3-16 pad=reflect, FLATTEN]}"
    right = kind._weights

    def planted(self: Any, *shapes: Any) -> Any:
        found = right(self, *shapes)
        kernel = found["weight"]
        fans = {"fan_in": kernel.fan_in * self.groups, "fan_out": kernel.fan_out * self.groups}
        return {**found, "weight": replace(kernel, **fans)}

    assert list(disagreeing(archspec.parse(text), scheme, set())) == []
    monkeypatch.setattr(kind, "_weights", planted)
    assert list(disagreeing(archspec.parse(text), scheme, set())) == [
        "conv1.weight" if kind is Conv else "upconv1.weight"
    ]
