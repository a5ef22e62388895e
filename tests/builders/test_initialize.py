"""Schemes as text, the gains and fans they draw by, overrides, and what is kept, reset and drawn once."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest
import torch

import archspec
from archspec import ArchspecError, parse
from archspec.layers import Role, Shape, Weights
from archspec.layers.linear import Linear
from builders.build import build
from builders.initialization.following import following
from builders.initialize import Drawn, initialize, parse_scheme
from builders.network import Network


def net(layers: str, rest: str = "", size: str = "8x8x4") -> Network:
    return build(parse(f"{{name: n, input: {size}, layers: {layers}{rest}}}"))


def drawn(layers: str, scheme: str, size: str = "8x8x4", **options: object) -> list[Drawn]:
    """What was drawn of the kernels."""
    found = initialize(net(layers, size=size), scheme, **options)  # type: ignore[arg-type]
    return [row for row in found if row.role == "kernel"]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("xavier", "xavier-normal"),
        ("he", "he-normal"),
        ("lecun", "lecun-normal"),
        ("he-uniform", "he-uniform"),
        ("xavier(gain=1)", "xavier-normal(gain=1)"),
        ("he-uniform( gain = 1.41 )", "he-uniform(gain=1.41)"),
        ("orthogonal(gain=2)", "orthogonal(gain=2)"),
        ("normal(0.01)", "normal(0.01)"),
        ("normal(std=0.01)", "normal(0.01)"),
        ("zeros", "zeros"),
        ("torch", "torch"),
        ("lsuv", "lsuv"),
    ],
)
def test_a_scheme_is_read_and_written(text: str, canonical: str) -> None:
    assert str(parse_scheme(text)) == canonical
    assert parse_scheme(canonical) == parse_scheme(text) == parse_scheme(parse_scheme(text))


@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        ("xaver", "unknown-scheme", "there is no initialisation scheme `xaver`", "did you mean xavier?"),
        ("", "unknown-scheme", "there is no initialisation scheme ``", None),
        ("normal", "scheme-argument", "normal needs its standard deviation", "write normal(0.01)"),
        ("normal(-1)", "scheme-argument", "the std of normal cannot be `-1`", "write normal(0.01)"),
        ("normal(nan)", "scheme-argument", "the std of normal cannot be `nan`", "write normal(0.01)"),
        ("normal(1e31)", "scheme-argument", "the std of normal cannot be `1e31`", "write normal(0.01)"),
        ("normal(gain=1)", "scheme-argument", "normal does not take `gain=1`", "write normal(0.01)"),
        (
            "he(gain=0)",
            "scheme-argument",
            "the gain of he-normal cannot be `0`",
            "write he-normal or he-normal(gain=1)",
        ),
        ("he(gain=two)", "scheme-argument", "the gain of he-normal cannot be `two`", None),
        ("he(2)", "scheme-argument", "he-normal does not take `2`", None),
        ("zeros(gain=1)", "scheme-argument", "zeros does not take `gain=1`", "write zeros"),
        ("he(gain=1", "scheme-argument", "`he(gain=1` is not written as a scheme", None),
    ],
)
def test_what_is_no_scheme(text: str, code: str, message: str, hint: str | None) -> None:
    with pytest.raises(ArchspecError) as caught:
        parse_scheme(text)
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == (code, message)
    assert hint is None or found.hint == hint


@pytest.mark.parametrize(
    ("layers", "gain"),
    [
        ("[CONV3-8, SIGMOID]", 4.0),
        ("[CONV3-8, BN, POOL2, SIGMOID]", 4.0),
        ("[CONV3-8, FLATTEN, DROPOUT-0.5, HSIGMOID]", 6.0),
        ("[CONV3-8, TANH]", 1.0),
        ("[CONV3-8, RELU, SIGMOID]", 1.0),
        ("[CONV3-8, CONV3-8, SIGMOID]", 1.0),
        ("[CONV3-8]", 1.0),
        ("[{add: [CONV3-4, IDENTITY]}, SIGMOID]", 4.0),
        ("[CONV3-8, {concat: [[BN, BN, SIGMOID], [BN, RELU]]}]", 1.0),  # the nearest
        ("[CONV3-8, {concat: [[CONV3-8], [BN, BN, SIGMOID]]}]", 4.0),
    ],
)
def test_the_gain_is_that_of_the_activation_that_follows(layers: str, gain: float) -> None:
    assert drawn(layers, "xavier")[0].gain == drawn(layers, "orthogonal")[0].gain == gain
    assert drawn(layers, "xavier(gain=3)")[0].gain == 3
    assert drawn(layers, "he")[0].gain == sqrt(2)
    assert drawn(layers, "lecun")[0].gain == 1


def test_the_nearest_activation_is_found_by_name_of_node() -> None:
    graph = parse("{name: n, input: 8x8x4, layers: [CONV3-8, BN, TANH, FLATTEN, FC-2]}").layers
    nodes = list(graph)
    assert following(graph, nodes[1]) is nodes[3]
    assert following(graph, nodes[5]) is None


@pytest.mark.parametrize(
    ("layer", "fans"),
    [
        ("CONV3-8", (36, 72)),
        ("CONV3-8 g4", (9, 18)),
        ("CONV3x1-8 d2 p=same", (12, 24)),
        ("UPCONV2-8", (16, 32)),
        ("UPCONV2-8 g2", (8, 16)),
        ("LINEAR-8", (4, 8)),
    ],
)
def test_deviations_follow_from_the_declared_fans(layer: str, fans: tuple[int, int]) -> None:
    first, last = fans
    wanted = {"xavier": sqrt(2 / (first + last)), "he": sqrt(2 / first), "lecun-normal": sqrt(1 / first)}
    for scheme, deviation in wanted.items():
        (row,) = drawn(f"[{layer}, RELU]", scheme)
        assert (row.fan_in, row.fan_out) == fans
        assert row.asked == pytest.approx(deviation)


@pytest.mark.parametrize(
    "layer", ["CONV3-8", "CONV3-64 g4", "CONV3-8 g4", "CONV1-2", "UPCONV2-8 g2", "LINEAR-8", "LINEAR-5"]
)
def test_orthogonal_kernels_are_orthogonal_group_by_group(layer: str) -> None:
    model = net(layer)
    (row, *_) = initialize(model, "orthogonal(gain=3)")
    groups = int(layer.partition(" g")[2] or 1)
    kernel = next(model.parameters()).detach()
    matrices = kernel.reshape(groups, kernel.shape[0] // groups, -1)
    for one in matrices:
        small = one @ one.T if one.shape[0] <= one.shape[1] else one.T @ one
        assert torch.allclose(small, 9 * torch.eye(len(small)), atol=1e-5)
    assert row.asked == pytest.approx(row.drawn, rel=1e-5)


def test_biases_scales_and_statistics_start_anew() -> None:
    model = net("[CONV3-8, BN, PRELU, SCALE init=0.1, FLATTEN, FC-3]")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(7)
    model(torch.randn(4, 4, 8, 8))
    found = {row.name: row for row in initialize(model, "he")}
    state = model.state_dict()
    constant = {name: row.scheme for name, row in found.items() if row.role != "kernel"}
    assert constant == {
        "conv1.bias": "0",
        "bn1.weight": "1",
        "bn1.bias": "0",
        "bn1.running_mean": "0",
        "bn1.running_var": "1",
        "prelu1.weight": "0.25",
        "scale1.weight": "0.1",
        "fc1.bias": "0",
    }
    for name, value in constant.items():
        assert torch.equal(state[name], torch.full_like(state[name], float(value)))
        assert found[name].drawn == found[name].asked == 0
    assert state["bn1.num_batches_tracked"] == 0


def test_a_draw_hangs_on_name_shape_and_seed_alone() -> None:
    small, large = net("[CONV3-8, RELU]"), net("[CONV3-8, RELU, CONV5-3, FLATTEN, FC-2]")
    initialize(small, "he", 3)
    torch.manual_seed(99)
    state = torch.get_rng_state()
    initialize(large, "he", 3)
    assert torch.equal(torch.get_rng_state(), state)
    first, second = dict(small.named_parameters()), dict(large.named_parameters())
    assert set(first) < set(second)
    assert all(torch.equal(first[name], second[name]) for name in first)
    initialize(small, "he", 4)
    assert not torch.equal(first["conv1.weight"], second["conv1.weight"])


def test_of_overrides_the_last_that_fits_counts() -> None:
    model = net("{body: [CONV3-8, RELU], head: [FLATTEN, FC-3]}")
    rows = initialize(model, "he", overrides={"*": "zeros", "head.*": "normal(0.01)"})
    assert [row.scheme for row in rows if row.role == "kernel"] == ["zeros", "normal(0.01)"]


def test_each_kernel_of_a_layer_has_its_own_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Linear.weights

    def two(self: Linear, *inputs: Shape) -> Weights:
        found = right(self, *inputs)
        return {**found, "bias": replace(found["bias"], role=Role.KERNEL)}

    monkeypatch.setattr(Linear, "weights", two)
    model = net("[LINEAR-13]")
    assert [row.scheme for row in initialize(model, "torch", overrides={"*.bias": "zeros"})] == ["torch", "zeros"]
    assert not model.get_parameter("linear1.bias").any()
    assert [row.scheme for row in initialize(model, "he", overrides={"*.bias": "torch"})] == ["he-normal", "torch"]
    assert model.get_parameter("linear1.bias").any()


def test_a_pattern_that_fits_nothing_is_an_error() -> None:
    with pytest.raises(ArchspecError) as caught:
        initialize(net("[CONV3-8, RELU, FLATTEN, FC-3]"), overrides={"haed.*": "zeros"})
    (found,) = caught.value.diagnostics
    assert found.code == "unmatched-pattern"
    assert found.message == "no kernel has a name like `haed.*`"
    assert found.hint == "kernels are called conv1.weight, fc1.weight"


def test_weights_of_the_spec_are_kept_and_said_so() -> None:
    model = net("[CONV1-1 w=k]", ", tensors: {k: [[1, 2, 3, 4]]}")
    with torch.no_grad():
        next(model.parameters()).zero_()
    row, bias = initialize(model, "he")
    assert (row.scheme, row.asked, bias.scheme) == ("spec", None, "0")
    assert next(model.parameters()).flatten().tolist() == [1, 2, 3, 4]


def test_json_holds_no_infinity() -> None:
    row = initialize(build(parse("{name: n, input: 8x8x4, layers: CONV3-8}"), dtype="float16"), "normal(1e6)")[0]
    assert row.to_dict()["drawn"] == "inf"


def test_shared_weights_are_drawn_once() -> None:
    rows = drawn("[CONV3-4 share a, SIGMOID, CONV3-4 share a, RELU]", "xavier")
    assert [(row.name, row.gain) for row in rows] == [("conv1.weight", 4.0)]


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_other_dtypes_hold_the_same_numbers(dtype: str) -> None:
    spec = parse("{name: n, input: 8x8x4, layers: CONV3-8}")
    one, other = build(spec), build(spec, dtype=dtype)
    initialize(one, "orthogonal")
    initialize(other, "orthogonal")
    assert torch.equal(next(one.parameters()).to(next(other.parameters()).dtype), next(other.parameters()))


def test_torch_draws_as_its_layers_do() -> None:
    model = net("[CONV3-64 pad=reflect, UPCONV2-64 g2, FLATTEN, FC-64]")
    rows = {row.name: row for row in initialize(model, "torch")}
    for name, columns in {"conv1": 36, "upconv1": 128, "fc1": 16384}.items():
        assert rows[f"{name}.weight"].asked == rows[f"{name}.bias"].asked == pytest.approx(1 / sqrt(3 * columns))
        assert rows[f"{name}.weight"].drawn == pytest.approx(1 / sqrt(3 * columns), rel=0.05)
        assert model.get_parameter(f"{name}.weight").abs().max() <= 1 / sqrt(columns)
        assert rows[f"{name}.bias"].drawn > 0


def test_lsuv_gives_every_output_unit_variance() -> None:
    model = net("[CONV3-8, BN, SIGMOID, CONV3-8, SIGMOID, FLATTEN, DROPOUT-0, FC-3]")
    batch = torch.randn(64, 4, 8, 8)
    rows = [row for row in initialize(model, "lsuv", batch=batch) if row.role == "kernel"]
    assert [row.variance for row in rows] == pytest.approx([1, 1, 1], abs=0.1)
    outputs = []
    for name in ("conv1", "conv2", "fc1"):
        model.get_submodule(name).register_forward_hook(lambda _, __, value: outputs.append(value.var(correction=0)))
    model(batch)
    assert [one.item() for one in outputs] == pytest.approx([1, 1, 1], abs=0.1)
    assert all(row.drawn != pytest.approx(row.asked or 0) for row in rows)
    initialize(model, "lsuv", batch=batch)
    assert model.get_buffer("bn1.running_mean").abs().max() == 0
    assert model.training


def test_lsuv_says_what_it_cannot_reach() -> None:
    (row,) = drawn("CONV3-8", "lsuv", batch=torch.zeros(4, 4, 8, 8))
    assert row.variance == 0


def test_lsuv_scales_training_only_parts_too() -> None:
    text = (
        "{name: n, input: 8x8x4, layers: {a: CONV3-8, aux: [GAP, FLATTEN, FC-5 as early], b: [from a, FLATTEN, FC-3]}"
    )
    model = build(parse(text + ", training_outputs: early}"))
    rows = [row for row in initialize(model.eval(), "lsuv", batch=torch.randn(64, 4, 8, 8)) if row.role == "kernel"]
    assert [row.variance for row in rows] == pytest.approx([1, 1, 1], abs=0.1)
    assert not any(part.training for part in model.modules())


def test_lsuv_needs_a_batch() -> None:
    with pytest.raises(ArchspecError) as caught:
        initialize(net("CONV3-8"), "lsuv")
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("no-batch", "LSUV scales weights by a batch of inputs, and none is given")


@pytest.mark.parametrize("code", ["not-a-network", "on-meta", "seed"])
def test_what_cannot_be_initialised(code: str) -> None:
    given = {"not-a-network": torch.nn.Linear(1, 1), "on-meta": archspec.build("tutorial/cnn", device="meta")}
    with pytest.raises(ArchspecError) as caught:
        initialize(given.get(code, net("CONV3-8")), seed="one" if code == "seed" else 0)  # type: ignore[arg-type]
    assert [one.code for one in caught.value.diagnostics] == [code]
