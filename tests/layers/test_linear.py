from __future__ import annotations

from archspec.layers import Formula, Role, Shape, Storage, total
from archspec.layers.linear import FullyConnected, Linear
from tests.layers.facts import IDS, counts, failure, refusal_of_ids


def test_fully_connected() -> None:
    layer, vector = FullyConnected(units=3), Shape((), 490)
    assert layer.output_shape(vector) == Shape((), 3)
    weights = layer.weights(vector)
    assert str(total([weight.count for weight in weights.values()])) == "490 x 3 + 3 = 1473"
    assert [(name, w.shape, w.role, w.fan_in, w.fan_out, w.trainable) for name, w in weights.items()] == [
        ("weight", (3, 490), Role.KERNEL, 490, 3, True),
        ("bias", (3,), Role.BIAS, 490, 3, True),
    ]
    assert layer.macs(vector) == Formula.product(490, 3)
    assert layer.storage is Storage.FRESH


def test_fully_connected_flattens_a_map_of_one_position() -> None:
    layer, pooled = FullyConnected(units=1000, bias=False), Shape((1, 1), 512)
    assert layer.output_shape(pooled) == Shape((), 1000)
    assert counts(layer, pooled) == {"weight": "512 x 1000 = 512000"}
    assert layer.macs(pooled).value == 512000


def test_linear_keeps_the_positions() -> None:
    layer, tokens = Linear(units=3072), Shape((197,), 768)
    assert layer.output_shape(tokens) == Shape((197,), 3072)
    assert layer.output_shape(Shape((), 768)) == Shape((), 3072)
    assert counts(layer, tokens) == {"weight": "768 x 3072 = 2359296", "bias": "3072"}
    assert layer.macs(tokens).value == 768 * 3072 * 197
    assert str(layer.macs(Shape((7, 7), 8))) == "8 x 3072 x 7 x 7 = 1204224"


def test_notation() -> None:
    assert str(FullyConnected(units=3, bias=False, w="k", b="c")) == "FC-3 nobias w=k b=c"
    assert str(Linear(units=8)) == "LINEAR-8"


def test_fully_connected_on_a_map() -> None:
    assert failure(FullyConnected(units=3, bias=False), Shape((7, 7), 10)) == (
        "fc-on-map",
        "FC-3 nobias reads a vector, and 7 x 7 x 10 has 49 positions",
        "one vector of all 490 numbers: FLATTEN, FC-3 nobias\nthe same units at every position: LINEAR-3 nobias",
        None,
    )


def test_token_ids() -> None:
    for layer in (FullyConnected(units=3), Linear(units=3)):
        assert failure(layer, IDS) == refusal_of_ids(layer)
