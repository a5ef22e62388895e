from __future__ import annotations

import pytest

from archspec.layers import Family, Formula, Layer, Role, Shape, Storage, registry
from archspec.layers.activation import Activation, LeakyRelu, PRelu, Relu, Softmax
from tests.layers.facts import IDS, counts, failure, refusal_of_ids

KINDS = [kind for kind in registry.values() if kind.family is Family.ACTIVATION]
MAP = Shape((28, 28), 64)


def test_the_kinds_of_the_notation() -> None:
    names = "RELU RELU6 SIGMOID TANH GELU SILU HSWISH HSIGMOID ELU SELU MISH SOFTPLUS SOFTMAX LEAKY PRELU"
    assert {kind.notation.name for kind in KINDS} == set(names.split())


@pytest.mark.parametrize("kind", KINDS)
def test_the_shape_stays(kind: type[Layer]) -> None:
    layer = kind()
    assert layer.output_shape(MAP) == MAP
    assert layer.output_shape(Shape((), 10)) == Shape((), 10)
    assert layer.macs(MAP) == Formula()
    in_place = ["RELU", "RELU6", "SILU", "HSWISH", "HSIGMOID", "ELU", "SELU", "MISH", "LEAKY"]
    assert layer.storage is (Storage.IN_PLACE if layer.kind in in_place else Storage.FRESH)
    assert failure(layer, IDS) == refusal_of_ids(layer)


@pytest.mark.parametrize("layer", [Relu(), Softmax(), LeakyRelu()])
def test_no_weights(layer: Activation) -> None:
    assert layer.weights(MAP) == {}


def test_one_slope_per_channel() -> None:
    weight = PRelu().weights(MAP)["weight"]
    assert (weight.shape, weight.role, weight.trainable) == ((64,), Role.SLOPE, True)
    assert counts(PRelu(), MAP) == {"weight": "64"}


def test_notation() -> None:
    assert str(LeakyRelu()) == "LEAKY"
    assert str(LeakyRelu(slope=0.2)) == "LEAKY-0.2"
    assert str(LeakyRelu(slope=-0.5)) == "LEAKY-(-0.5)"
    assert str(PRelu(w="a")) == "PRELU w=a"
