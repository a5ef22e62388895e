from __future__ import annotations

import pytest
from pydantic import ValidationError

from archspec.layers import Formula, Layer, Role, Shape, Storage
from archspec.layers.regularization import Dropout, DropPath, Noise, Scale
from tests.layers.facts import IDS, failure, refusal_of_ids

MAP = Shape((56, 56), 96)


@pytest.mark.parametrize("layer", [Dropout(), DropPath(p=0.2), Noise(deviation=0.1)])
def test_evaluation_passes_the_input_on(layer: Layer) -> None:
    assert layer.output_shape(MAP) == MAP
    assert layer.storage is Storage.VIEW
    assert layer.weights(MAP) == {}
    assert layer.macs(MAP) == Formula()


def test_scale() -> None:
    layer = Scale(init=1e-6)
    weight = layer.weights(MAP)["weight"]
    assert layer.output_shape(MAP) == MAP
    assert (weight.shape, weight.role, weight.count.value) == ((96,), Role.SCALE, 96)
    assert layer.macs(MAP) == Formula()
    assert layer.storage is Storage.FRESH


@pytest.mark.parametrize("layer", [Dropout(), DropPath(p=0.2), Noise(deviation=0.1), Scale()])
def test_token_ids(layer: Layer) -> None:
    assert failure(layer, IDS) == refusal_of_ids(layer)


def test_notation() -> None:
    layers = Dropout(), Dropout(p=0.1), DropPath(p=0), Noise(deviation=0.25), Scale(), Scale(init=1e-6, w="g")
    assert [str(layer) for layer in layers] == [
        "DROPOUT",
        "DROPOUT-0.1",
        "DROPPATH-0.0",
        "NOISE-0.25",
        "SCALE",
        "SCALE init=1e-06 w=g",
    ]


def test_bounds() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        Dropout(p=1.5)
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        DropPath(p=float("nan"))
    with pytest.raises(ValidationError, match="finite number"):
        Noise(deviation=float("inf"))
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Noise(deviation=-1)


@pytest.mark.parametrize("kind", [DropPath, Noise])
def test_amounts_without_a_default(kind: type[Layer]) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        kind()
