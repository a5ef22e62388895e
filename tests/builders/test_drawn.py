"""Every weight of every bundled architecture is drawn with the standard deviation that its fans ask for.

The fans here are counted from torch's own modules, so that a layer that declares a wrong one fails. The bounds hold for
every number of elements; the risk is shared among all tests, so that none of them is expected to fail in a lifetime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import log, prod, sqrt
from types import MappingProxyType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec import bundle
from archspec.layers import Weight, registry
from archspec.nodes import Node
from archspec.spec import Spec
from builders.build import build
from builders.initialization import draw, schemes
from builders.initialization.following import following
from builders.initialization.schemes import Scheme, parse_scheme, sides
from builders.initialize import Drawn, initialize
from builders.network import Network
from builders.submodules import layer_modules

RANDOM = ("xavier-uniform", "xavier-normal", "he-uniform", "he-normal", "lecun-normal", "normal(0.02)", "torch")
NETWORKS = [variant or name for name, path in bundle.files().items() for variant in bundle.variants(path) or (None,)]
GAINS = {"SIGMOID": 4.0, "HSIGMOID": 6.0}
TESTS = 100_000  # at least as many as are made of all weights under all schemes
RISK = 1e-6  # that one or more of them fails by chance
X = log(2 * TESTS / RISK)


def fans(part: nn.Module) -> tuple[int, int]:
    """Connections of an output and of an input unit, of torch's module."""
    if isinstance(part, nn.Linear):
        return part.in_features, part.out_features
    held: Any = part
    if hasattr(held, "kernel_size"):
        taps = prod(held.kernel_size)
        return taps * held.in_channels // held.groups, taps * held.out_channels // held.groups
    filters, per_group, *kernel = held.weight.shape  # a convolution with borders of its own
    return prod(kernel) * per_group, prod(kernel) * filters // held.groups


def wanted(scheme: Scheme, part: nn.Module, gain: float) -> float:
    """The standard deviation by the formulas of the papers; for torch's own, U(-b, b) with b^2 = 1 / row."""
    first, last = fans(part)
    kernel = part.get_parameter("weight")
    row = prod(kernel.shape[1:])
    return {
        "zeros": 0.0,
        "xavier": gain * sqrt(2 / (first + last)),
        "he": sqrt(2 / first),
        "lecun": sqrt(1 / first),
        "orthogonal": gain / sqrt(max(kernel.shape[0] // getattr(part, "groups", 1), row)),
        "torch": 1 / sqrt(3 * row),
        "normal": scheme.argument or 0.0,
    }[scheme.name.split("-")[0]]


def agrees(total: float, square: float, n: int, uniform: bool) -> bool:
    """Whether n numbers, of sum and sum of squares as given in units of the deviation asked for, can have it.

    The sum of squares of normal numbers by Laurent & Massart (2000), lemma 1; of uniform ones, which lie between 0 and
    3 with mean 1 and variance 4/5, by Bernstein's inequality; the sum by that of sub-Gaussian numbers.
    """
    if abs(total) > sqrt(2 * X * n):
        return False
    if uniform:
        return abs(square - n) <= 2 * X / 3 + sqrt((2 * X / 3) ** 2 + 1.6 * X * n)
    return -2 * sqrt(X * n) <= square - n <= 2 * sqrt(X * n) + 2 * X


def kernels(model: Network, spec: Spec) -> Iterator[tuple[Node, nn.Module, Weight]]:
    """The layers with kernels and the modules that hold these."""
    parts, seen = layer_modules(model), set[int]()
    for node in spec.layers:
        weight = node.facts.weights.get("weight")
        if node.index in parts and weight is not None and weight.role == "kernel":
            held = parts[node.index].get_parameter("weight")
            if id(held) not in seen:
                seen.add(id(held))
                yield node, parts[node.index], weight


def disagreeing(model: Network, spec: Spec, text: str, seed: int = 0) -> tuple[list[str], list[str]]:
    """The weights that were not drawn as wide as they should be ("all" if all of them together were not), and those of
    which another deviation was asked for."""
    scheme, drawn, asked, exact = parse_scheme(text), list[str](), list[str](), text == "orthogonal"
    rows = {row.name: row for row in initialize(model, scheme, seed)}
    names = {id(one): name for name, one in model.named_parameters()}
    uniform, pooled = scheme.name in ("torch", "xavier-uniform", "he-uniform"), (0.0, 0.0, 0)
    for node, part, _ in kernels(model, spec):
        after = following(spec.layers, node)
        deviation = wanted(scheme, part, GAINS.get(after.layer.kind, 1.0) if after else 1.0)
        held = [part.get_parameter("weight"), *([part.bias] if text == "torch" and part.bias is not None else [])]
        for one in held:
            row = rows[names[id(one)]]
            if row.scheme == "spec":
                continue
            total, square = measured(one)  # type: ignore[arg-type]
            n = one.numel()  # type: ignore[operator]
            assert row.drawn == pytest.approx(sqrt(square / n))
            asked += [row.name] * (row.asked != pytest.approx(deviation, rel=1e-9))
            if exact or deviation == 0:
                right = sqrt(square / n) == pytest.approx(deviation, rel=1e-4)
            else:
                scaled = total / deviation, square / deviation**2, n
                right = agrees(*scaled, uniform)
                pooled = pooled[0] + scaled[0], pooled[1] + scaled[1], pooled[2] + n
            drawn += [row.name] * (not right)
    return drawn or ["all"] * (not agrees(*pooled, uniform)), asked


def measured(held: Tensor) -> tuple[float, float]:
    """Sum and sum of squares of the elements."""
    one = held.detach()
    return one.sum(dtype=torch.float64).item(), torch.linalg.vector_norm(one, dtype=torch.float64).item() ** 2


@pytest.mark.parametrize("name", ["cnn", "deep-sigmoid", "squeezenet1_1"])
def test_draws_are_as_wide_as_asked(name: str) -> None:
    spec = archspec.load(name)
    model = build(spec)
    for scheme in (*RANDOM, "zeros", "orthogonal"):
        assert disagreeing(model, spec, scheme) == ([], []), scheme


@pytest.mark.prove
@pytest.mark.parametrize("name", NETWORKS)
def test_draws_of_every_network_are_as_wide_as_asked(name: str) -> None:
    """With another seed for each network: equal names would be given equal numbers."""
    spec = archspec.load(name)
    model = build(spec)
    for scheme in (*RANDOM, "zeros"):
        assert disagreeing(model, spec, scheme, NETWORKS.index(name)) == ([], []), scheme


@pytest.mark.prove
def test_the_risk_is_shared_among_enough() -> None:
    """Of sums and of squares, under each scheme, of each kernel, under torch's of each bias, and of all together."""
    counts = [sum(1 for _ in kernels(build(spec, device="meta"), spec)) for spec in map(archspec.load, NETWORKS)]
    assert 2 * (len(RANDOM) + 1) * (sum(counts) + len(counts)) <= TESTS


@pytest.mark.prove
def test_orthogonal_draws_of_every_network_are_as_wide_as_asked() -> None:
    """Their width does not hang on chance: each shape is drawn once, and is that of every weight with this shape."""
    drawn = dict[tuple[int, tuple[int, int]], float]()
    scheme = parse_scheme("orthogonal")
    for spec in map(archspec.load, NETWORKS):
        for _, part, weight in kernels(build(spec, device="meta"), spec):
            shape = weight.matrices, sides(weight)
            if shape not in drawn:
                kernel = draw.draw(weight, scheme, 1.0, draw.generator("a", 0))
                drawn[shape] = torch.linalg.vector_norm(kernel, dtype=torch.float64).item() / sqrt(kernel.numel())
            assert drawn[shape] == pytest.approx(wanted(scheme, part, 1.0), rel=1e-4)
            assert scheme.deviation(weight, 1.0) == pytest.approx(wanted(scheme, part, 1.0))


@pytest.mark.prove
@pytest.mark.parametrize("name", NETWORKS)
def test_lsuv_gives_every_layer_of_every_network_unit_variance(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of orthogonal draws normal ones take the place here: quicker, and only their scale is asked about."""
    monkeypatch.setattr(draw, "orthogonal", lambda weight, source: torch.empty(weight.shape).normal_(generator=source))
    spec = archspec.load(name)
    model = build(spec)
    torch.manual_seed(0)
    batch = [torch.randn(2, *(node.shape.channels, *node.shape.spatial)) for node in spec.layers.inputs.values()]  # type: ignore[arg-type]
    rows = {row.name: row for row in initialize(model, "lsuv", batch=batch)}
    variances: dict[str, float] = {}
    names = {id(one): held for held, one in model.named_parameters()}
    for _, part, weight in kernels(model, spec):
        row = rows[names[id(part.weight)]]
        if row.scheme == "spec":
            continue
        first = draw.draw(weight, parse_scheme("lsuv"), 1.0, draw.generator(row.name, 0))
        scale = row.drawn / first.double().square().mean().sqrt().item()
        assert torch.allclose(part.get_parameter("weight").detach(), first * scale, rtol=1e-3, atol=1e-6)
        part.register_forward_hook(
            lambda _, __, out, key=row.name: variances.update({key: out.var(correction=0).item()})
        )
    torch.manual_seed(0)
    with torch.no_grad():
        model.train()(*batch)
    for key, variance in variances.items():
        assert variance == pytest.approx(1, abs=0.11), key
        assert rows[key].variance == pytest.approx(variance, rel=1e-2)


TEXT = (
    "{name: n, input: 8x8x32, layers: [CONV3-64 g4, SIGMOID, UPCONV2-96 g4, RELU, CONV3-48 pad=reflect, "
    "HSIGMOID, UPCONV3-16 s1, GAP, FLATTEN, FC-200]}"
)
FIRST = ["conv1.weight", "upconv1.weight"]
EVERY = ["conv1.weight", "upconv1.weight", "conv2.weight", "upconv2.weight", "fc1.weight"]


def swapped(weight: Weight, layer: Any) -> Weight:  # noqa: ARG001
    return replace(weight, fan_in=weight.fan_out, fan_out=weight.fan_in)


def ungrouped(weight: Weight, layer: Any) -> Weight:
    groups = getattr(layer, "groups", 1)
    return replace(weight, fan_in=weight.fan_in * groups, fan_out=weight.fan_out * groups)


def by_rank(weight: Weight, layer: Any) -> Weight:  # noqa: ARG001
    """As torch.nn.init guesses them from the shape: right for all but transposed convolutions."""
    held = torch.empty(weight.shape, device="meta")
    first, last = torch.nn.init._calculate_fan_in_and_fan_out(held)
    return replace(weight, fan_in=first, fan_out=last // weight.matrices)


@pytest.mark.parametrize("scheme", ["he-normal", "he-uniform", "lecun-normal", "xavier-uniform", "xavier-normal"])
@pytest.mark.parametrize(
    ("fault", "found"), [(swapped, EVERY), (ungrouped, FIRST), (by_rank, ["upconv1.weight", "upconv2.weight"])]
)
def test_a_wrong_fan_is_found(
    scheme: str, fault: Callable[[Weight, Any], Weight], found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = archspec.parse(TEXT)
    assert disagreeing(build(spec), spec, scheme) == ([], [])
    for kind in {registry[name] for name in ("CONV", "UPCONV", "FC")}:
        right = kind.weights

        def planted(self: Any, *inputs: Any, right: Any = right) -> Any:
            return {**right(self, *inputs), "weight": fault(right(self, *inputs)["weight"], self)}

        monkeypatch.setattr(kind, "weights", planted)
    spec = archspec.parse(TEXT)
    if scheme.startswith("xavier") and fault is not ungrouped:
        found = []  # the sum of the fans is the same
    assert disagreeing(build(spec), spec, scheme) == (found, found)


@pytest.mark.parametrize("scheme", ["he-normal", "he-uniform", "xavier-uniform", "xavier-normal", "orthogonal"])
def test_a_gain_wrong_by_a_tenth_is_found(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = archspec.parse(TEXT)
    if scheme.startswith("he"):
        rules = {**schemes.SCHEMES, scheme: replace(schemes.SCHEMES[scheme], gain=sqrt(2) * 1.1)}
        monkeypatch.setattr(schemes, "SCHEMES", MappingProxyType(rules))
        assert disagreeing(build(spec), spec, scheme) == (EVERY, EVERY)
    else:
        for kind in ("SIGMOID", "HSIGMOID"):
            monkeypatch.setattr(registry[kind], "gain", GAINS[kind] * 1.1)
        assert disagreeing(build(spec), spec, scheme) == (["conv1.weight", "conv2.weight"],) * 2


LAYERS: list[tuple[str, str, Callable[[], Any]]] = [
    ("16x4", "CONV3-8", lambda: nn.Conv1d(4, 8, 3)),
    ("8x8x4", "CONV3-8 g2 s2", lambda: nn.Conv2d(4, 8, 3, groups=2)),
    ("4x4x4x4", "CONV3-8", lambda: nn.Conv3d(4, 8, 3)),
    ("8x8x4", "CONV3-8 pad=reflect", lambda: nn.Conv2d(4, 8, 3)),
    ("16x4", "UPCONV2-8", lambda: nn.ConvTranspose1d(4, 8, 2)),
    ("8x8x4", "UPCONV2-8 g2", lambda: nn.ConvTranspose2d(4, 8, 2, groups=2)),
    ("8x8x4", "LINEAR-8", lambda: nn.Linear(4, 8)),
    ("4", "FC-8", lambda: nn.Linear(4, 8)),
    ("8x8x4", "BN", lambda: nn.BatchNorm2d(4)),
    ("8x8x4", "PRELU", lambda: nn.PReLU(4)),
]


@pytest.mark.parametrize(("size", "layer", "made"), LAYERS)
def test_torchs_own_draw_is_that_of_its_module(size: str, layer: str, made: Callable[[], Any]) -> None:
    model = build(archspec.parse(f"{{name: n, input: {size}, layers: {layer}}}"))
    rows: tuple[Drawn, ...] = initialize(model, "torch", seed=7)
    torch.manual_seed(draw.number(rows[0].name, 7))
    own = made().state_dict()
    for row in rows:
        assert torch.equal(model.state_dict()[row.name], own[row.name.rpartition(".")[2]]), row
