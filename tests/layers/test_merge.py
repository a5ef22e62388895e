from __future__ import annotations

import pytest

from archspec.layers import Formula, Shape, Storage
from archspec.layers.merge import Add, Concat, Merge, Mul
from tests.layers.facts import IDS, failure, refusal_of_ids

MAP = Shape((28, 28), 64)
STRIDES = "give both the same stride and padding, or CROP or RESIZE one"
RANKS = "give both the same number of axes: FLATTEN a map, or RESHAPE a vector"


@pytest.mark.parametrize(
    ("layer", "inputs", "output"),
    [
        (Add(), (MAP, MAP, MAP), MAP),
        (Add(), (Shape((), 10), Shape((), 10)), Shape((), 10)),
        (Concat(), (MAP, Shape((28, 28), 128), Shape((28, 28), 32)), Shape((28, 28), 224)),  # 64 + 128 + 32
        (Concat(), (Shape((), 10), Shape((), 6)), Shape((), 16)),
        (Mul(), (MAP, MAP), MAP),
        (Mul(), (MAP, Shape((1, 1), 64)), MAP),  # squeeze and excite
        (Mul(), (MAP, Shape((28, 28), 1)), MAP),  # spatial attention
        (Mul(), (Shape((28, 1), 1), Shape((1, 28), 1), Shape((1, 1), 64)), MAP),
        (Mul(), (Shape((), 10), Shape((), 1)), Shape((), 10)),
    ],
)
def test_output_shape(layer: Merge, inputs: tuple[Shape, ...], output: Shape) -> None:
    assert layer.output_shape(*inputs) == output
    assert layer.weights(*inputs) == {}
    assert layer.macs(*inputs) == Formula()
    assert layer.storage is Storage.FRESH


@pytest.mark.parametrize(
    ("layer", "inputs", "message", "hint"),
    [
        (
            Add(),
            (MAP, MAP, Shape((28, 28), 32)),
            "branch 3 of add is 28 x 28 x 32, and branch 1 is 28 x 28 x 64",
            "bring one branch to 64 channels with CONV1-64",
        ),
        (
            Add(),
            (MAP, Shape((14, 14), 64)),
            "branch 2 of add is 14 x 14 x 64, and branch 1 is 28 x 28 x 64",
            STRIDES,
        ),
        (
            Concat(),
            (MAP, Shape((26, 26), 64)),
            "branch 2 of concat is 26 x 26 x 64, and branch 1 is 28 x 28 x 64",
            STRIDES,
        ),
        (Concat(), (MAP, Shape((), 64)), "branch 2 of concat is 64, and branch 1 is 28 x 28 x 64", RANKS),
        (
            Mul(),
            (Shape((1, 1), 64), Shape((28, 28), 64), Shape((14, 14), 64)),
            "branch 3 of mul is 14 x 14 x 64, and branch 2 is 28 x 28 x 64",
            STRIDES,
        ),
        (
            Mul(),
            (MAP, Shape((28, 28), 32)),
            "branch 2 of mul is 28 x 28 x 32, and branch 1 is 28 x 28 x 64",
            "bring one branch to 64 channels, or to 1",
        ),
        (
            Mul(),
            (MAP, Shape((), 64)),
            "branch 2 of mul is 64, and branch 1 is 28 x 28 x 64",
            "keep the gate a map of size 1: GAP without FLATTEN, and CONV1 in place of FC",
        ),
        (Mul(), (MAP, Shape((28,), 64)), "branch 2 of mul is 28 x 64, and branch 1 is 28 x 28 x 64", RANKS),
    ],
)
def test_mismatch(layer: Merge, inputs: tuple[Shape, ...], message: str, hint: str) -> None:
    assert failure(layer, *inputs) == ("shape-mismatch", message, hint, None)


@pytest.mark.parametrize("layer", [Add(), Concat(), Mul()])
def test_token_ids(layer: Merge) -> None:
    assert failure(layer, IDS, IDS) == refusal_of_ids(layer)
    assert failure(layer, Shape((16,), 8), IDS) == refusal_of_ids(layer)


def test_declarations() -> None:
    assert [(str(layer), layer.merge_key, layer.arity) for layer in (Add(), Concat(), Mul())] == [
        ("ADD", "add", (2, None)),
        ("CONCAT", "concat", (2, None)),
        ("MUL", "mul", (2, None)),
    ]
