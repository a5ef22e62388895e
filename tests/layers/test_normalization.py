from __future__ import annotations

import pytest
from pydantic import ValidationError

from archspec.layers import Formula, Layer, Role, Shape, Storage
from archspec.layers.normalization import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    Normalization,
    RmsNorm,
)
from tests.layers.facts import IDS, counts, failure, refusal_of_ids

MAP = Shape((14, 14), 64)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (BatchNorm(), {"weight": "64", "bias": "64", "running_mean": "64", "running_var": "64"}),
        (BatchNorm(affine=False), {"running_mean": "64", "running_var": "64"}),
        (LayerNorm(), {"weight": "64", "bias": "64"}),
        (LayerNorm(affine=False), {}),
        (InstanceNorm(), {}),
        (InstanceNorm(affine=True), {"weight": "64", "bias": "64"}),
        (GroupNorm(groups=32), {"weight": "64", "bias": "64"}),
        (RmsNorm(), {"weight": "64"}),
        (LocalResponseNorm(), {}),
    ],
)
def test_facts(layer: Layer, expected: dict[str, str]) -> None:
    assert layer.output_shape(MAP) == MAP
    assert counts(layer, MAP) == expected
    assert layer.macs(MAP) == Formula()
    assert layer.storage is Storage.FRESH


def test_running_statistics_are_no_parameters() -> None:
    weights = BatchNorm().weights(MAP)
    assert [(w.role, w.shape, w.trainable) for w in weights.values()] == [
        (Role.SCALE, (64,), True),
        (Role.BIAS, (64,), True),
        (Role.RUNNING_MEAN, (64,), False),
        (Role.RUNNING_VARIANCE, (64,), False),
    ]


@pytest.mark.parametrize("layer", [BatchNorm(), LayerNorm(), GroupNorm(groups=7), RmsNorm()])
def test_vectors(layer: Normalization) -> None:
    assert layer.output_shape(Shape((), 490)) == Shape((), 490)  # 490 / 7 = 70 channels a group
    assert layer.weights(Shape((), 490))["weight"].shape == (490,)


@pytest.mark.parametrize(("layer", "name"), [(InstanceNorm(), "IN"), (LocalResponseNorm(), "LRN")])
def test_kinds_that_need_positions(layer: Layer, name: str) -> None:
    assert failure(layer, Shape((), 490)) == (
        "wrong-rank",
        f"{name} needs a map, and 490 is a vector",
        "place it before FLATTEN, or RESHAPE the vector",
        None,
    )


@pytest.mark.parametrize("layer", [BatchNorm(), LayerNorm(), GroupNorm(groups=2), RmsNorm()])
def test_token_ids(layer: Normalization) -> None:
    assert failure(layer, IDS) == refusal_of_ids(layer)


def test_groups_that_do_not_divide_the_channels() -> None:
    message = "60 channels cannot be split into 32 equal parts"
    hint = "30 or 60 would do"
    assert failure(GroupNorm(groups=32), Shape((7, 7), 60)) == ("not-divisible", message, hint, "groups")
    assert failure(GroupNorm(groups=9), Shape((7, 7), 8))[2] == "at most 8 would do"


def test_notation() -> None:
    assert str(BatchNorm(eps=0.001, momentum=0.01, w="g", b="c")) == "BN eps=0.001 momentum=0.01 w=g b=c"
    assert str(GroupNorm(groups=32, affine=False)) == "GN-32 noaffine"
    assert str(InstanceNorm(affine=True)) == "IN affine"
    assert str(LocalResponseNorm(n=7, k=2.0)) == "LRN n=7 k=2.0"
    assert str(RmsNorm(eps=1e-6)) == "RMSNORM eps=1e-06"


def test_bounds() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        LayerNorm(eps=-1e-5)
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        BatchNorm(momentum=1.5)
