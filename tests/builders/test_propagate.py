"""Signals through random networks: what layers state of them, what is measured, what is predicted, the verdicts."""

from __future__ import annotations

from math import inf, isnan, sqrt
from statistics import fmean

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from archspec import parse
from archspec.layers import Family, Layer, Shape, registry
from archspec.layers.moments import UNKNOWN, Moments, through
from builders.build import build
from builders.initialize import initialize
from builders.modules import Call, module
from builders.propagate import propagate
from builders.propagation.recursion import connections

VECTOR = Shape((), 1)
CURVES = [kind() for kind in registry.values() if hasattr(kind, "curve")]
GRID = torch.linspace(-8, 8, 401, dtype=torch.float64)
each_curve = pytest.mark.parametrize("layer", CURVES, ids=str)


def by_torch(layer: Layer, x: Tensor) -> Tensor:
    """An activation on numbers, as its builder computes it."""
    built = module(layer, VECTOR)
    column = x.reshape(-1, 1)
    with torch.no_grad() if not x.requires_grad else torch.enable_grad():
        if isinstance(built, Call):
            return built.function(column, **built.options).reshape(-1)  # type: ignore[no-any-return]
        return built.double()(column).reshape(-1)  # type: ignore[no-any-return]


def slope(layer: Layer, x: float) -> float:
    at = torch.tensor([x], dtype=torch.float64, requires_grad=True)
    torch.autograd.backward(by_torch(layer, at).sum())
    assert at.grad is not None
    return at.grad.item()


def test_every_activation_but_softmax_states_its_curve() -> None:
    activations = {kind for kind in registry.values() if getattr(kind, "family", None) is Family.ACTIVATION}
    assert {kind().kind for kind in activations} - {layer.kind for layer in CURVES} == {"SOFTMAX"}


@each_curve
def test_curves_are_torchs(layer: Layer) -> None:
    own = torch.tensor([layer.curve(x) for x in GRID.tolist()], dtype=torch.float64)  # type: ignore[attr-defined]
    assert torch.allclose(own, by_torch(layer, GRID), atol=1e-7)
    assert all(abs(layer.curve(x)) < inf for x in (-1e4, 1e4))  # type: ignore[attr-defined]


@each_curve
def test_gains_are_one_over_the_slope_of_the_linear_part(layer: Layer) -> None:
    two_sided = layer.saturated is not None and all(abs(end) < inf for end in layer.saturated)
    assert layer.gain == pytest.approx(1 / slope(layer, 0.0) if two_sided else 1.0)


@each_curve
def test_saturated_and_dead_numbers_hardly_pass_a_gradient_on(layer: Layer) -> None:
    steepest = max(slope(layer, x) for x in GRID[::8].tolist())
    for x in GRID[::8].tolist():
        y = layer.curve(x)  # type: ignore[attr-defined]
        if layer.saturated and not layer.saturated[0] < y < layer.saturated[1]:
            assert slope(layer, x) < steepest / 5
        if layer.dead is not None and y == layer.dead and x != 0:
            assert slope(layer, x) == 0


def test_moments_of_known_functions() -> None:
    assert through(lambda x: x, Moments(2, 9)) == pytest.approx(Moments(2, 9), abs=1e-9)
    relu = through(lambda x: max(x, 0.0), Moments(0, 4))
    assert (relu.mean, relu.square) == pytest.approx((2 / sqrt(2 * 3.141592653589793), 2), abs=1e-3)
    assert all(map(isnan, through(lambda x: x, UNKNOWN)))
    assert Moments(1e200, 1).square == inf
    assert through(lambda x: x + 1, Moments(0, 0)) == pytest.approx(Moments(1, 0), abs=1e-9)


@pytest.mark.parametrize(
    "layer",
    [
        "CONV3-5",
        "CONV3-8 s2 p0",
        "CONV3-8 g4",
        "CONV5-2 d2",
        "CONV3-5 p=same s2",
        "UPCONV2-5",
        "UPCONV4-8 g2",
        "LINEAR-3",
    ],
)
def test_connections_are_those_of_a_kernel_of_ones(layer: str) -> None:
    spec = parse(f"{{name: n, input: 9x7x4, layers: {layer} nobias}}")
    model = build(spec, dtype="float64")
    with torch.no_grad():
        next(model.parameters()).fill_(1)
        found = model(torch.ones(1, 4, 9, 7, dtype=torch.float64)).mean().item()
    assert connections(list(spec.layers)[1]) == pytest.approx(found)


@pytest.mark.parametrize(
    ("layers", "scheme"),
    [
        ('"(CONV3-128 p0, RELU) x4"', "he"),
        ('"(CONV3-128 p0, RELU) x4"', "xavier"),
        ('"(CONV3-128 p0, TANH) x4"', "xavier"),
        ('"(CONV3-128 p0, SIGMOID) x3"', "xavier"),
        ('"(CONV3-128 p0, GELU) x3"', "he"),
        ('"(CONV3-128 g2, LEAKY-0.2) x3, UPCONV2-64 s2, RELU, CONV1-64"', "lecun"),
        ("[CONV3-128, BN, RELU, CONV3-128, LN, ELU, CONV1-64]", "normal(0.1)"),
        ("[CONV3-128, {add: [IDENTITY, [CONV3-128, RELU, CONV3-128]]}, RELU, DROPOUT-0.5, CONV1-64]", "he"),
        ("[CONV3-128, PRELU, SCALE init=0.5, NOISE-0.3, CONV1-64, RMSNORM, FLATTEN, FC-64]", "torch"),
    ],
)
def test_the_recursion_predicts_what_is_measured(layers: str, scheme: str) -> None:
    spec = parse(f"{{name: n, input: 12x12x64, layers: {layers}}}")
    runs = [propagate(spec, [scheme], batch=8, seed=seed).passages[0] for seed in range(3)]
    for node, predicted in runs[0].predicted.items():
        assert predicted is not None
        assert predicted == pytest.approx(fmean(run.layers[node].std for run in runs), rel=0.12), node


def test_where_nothing_is_stated_nothing_is_predicted_until_a_normalisation() -> None:
    (found,) = propagate(parse("{name: n, input: 8x8x4, layers: [CONV3-8, POOL2, CONV3-8, BN, RELU]}")).passages
    first, pooled, second, normed, _ = found.predicted.values()
    assert first is not None
    assert pooled is None is second
    assert normed == 1


def test_gradients_are_those_of_plain_torch() -> None:
    head = "{name: n, input: 6x6x2, layers: [CONV3-3, TANH as a, CONV3-3, RELU, FLATTEN, FC-4 as end]"
    spec, alone = parse(head + ", outputs: [a, end]}"), parse(head + "}")
    (found,) = propagate(alone, ["he"], batch=16, seed=5).passages
    model = build(spec)
    initialize(model, "he", 5)
    x = torch.randn(16, 2, 6, 6, generator=torch.Generator().manual_seed(5))
    outputs = model(x)
    outputs["a"].retain_grad()
    torch.manual_seed(5)
    torch.autograd.backward(F.cross_entropy(outputs["end"], torch.randint(0, 4, (16,))))
    layers = {str(node.layer): one for node, one in found.layers.items()}
    assert layers["TANH"].gradient == pytest.approx(outputs["a"].grad.std(correction=0).item(), rel=1e-5)
    assert layers["TANH"].std == pytest.approx(outputs["a"].std(correction=0).item(), rel=1e-5)
    assert layers["TANH"].signal == pytest.approx(outputs["a"].var(0, correction=0).mean().sqrt().item(), rel=1e-5)


def test_saturated_numbers_and_dead_units_are_counted() -> None:
    text = "{name: n, input: 1x1x4, layers: [CONV1-2 w=k b=b, ACT, FLATTEN], tensors: {k: [K, K], b: [0, -9]}}"
    spec = text.replace("K", "[0, 0, 0, 1]")
    (dead,) = propagate(parse(spec.replace("ACT", "RELU")), batch=64).passages
    assert [one.stuck for one in dead.layers.values()] == [None, 0.5, None]
    (saturated,) = propagate(parse(spec.replace("ACT", "SIGMOID")), batch=64).passages
    stuck = list(saturated.layers.values())[1].stuck
    assert stuck is not None
    assert 0.5 <= stuck < 0.6


@pytest.mark.parametrize("rest", ["layers: [CONV3-4, CONV1-1]", "layers: [RELU, POOL2]",
                                  "layers: {a: CONV3-2, b: [GAP, FLATTEN]}, outputs: [a, b]"])  # fmt: skip
def test_other_outputs_have_a_loss_too(rest: str) -> None:
    (found,) = propagate(parse(f"{{name: n, input: 8x8x3, {rest}}}")).passages
    assert all(one.gradient > 0 for one in found.layers.values() if one.std > 0)


def test_labels_come_from_the_data() -> None:
    found = propagate("deep-relu", ["he"], data="digits", batch=50)
    assert found.notes[-2:] == (
        "a batch of 50 of the training examples",
        "loss: the cross-entropy with the data's labels",
    )
