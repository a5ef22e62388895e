from __future__ import annotations

import pytest

from archspec.layers import Formula, Layer, Shape, Storage
from archspec.layers.reshape import (
    ChannelMax,
    ChannelMean,
    Flatten,
    Identity,
    Nothing,
    Part,
    Reshape,
    Shuffle,
    Transpose,
)
from tests.layers.facts import IDS, failure, refusal_of_ids


@pytest.mark.parametrize(
    ("layer", "shape", "output", "storage"),
    [
        (Flatten(), Shape((7, 7), 10), Shape((), 490), Storage.VIEW),  # 7 x 7 x 10
        (Flatten(), Shape((), 490), Shape((), 490), Storage.VIEW),
        (Reshape(to=(7, 7, 512)), Shape((), 25088), Shape((7, 7), 512), Storage.VIEW),  # 7 x 7 x 512 = 25088
        (Reshape(to=(490,)), Shape((7, 7), 10), Shape((), 490), Storage.VIEW),
        (Reshape(to=(2, 3, 4, 5)), Shape((24,), 5), Shape((2, 3, 4), 5), Storage.VIEW),
        (Transpose(), Shape((196,), 512), Shape((512,), 196), Storage.FRESH),
        (Identity(), Shape((7, 7), 10), Shape((7, 7), 10), Storage.VIEW),
        (Identity(), IDS, IDS, Storage.VIEW),
        (Nothing(), IDS, IDS, Storage.VIEW),
        (Part(index=3, of=4), Shape((28, 28), 64), Shape((28, 28), 16), Storage.VIEW),
        (Part(index=0, of=2), Shape((), 10), Shape((), 5), Storage.VIEW),
        (Shuffle(groups=3), Shape((28, 28), 240), Shape((28, 28), 240), Storage.FRESH),
        (ChannelMean(), Shape((28, 28), 64), Shape((28, 28), 1), Storage.FRESH),
        (ChannelMax(), Shape((), 64), Shape((), 1), Storage.FRESH),
    ],
)
def test_facts(layer: Layer, shape: Shape, output: Shape, storage: Storage) -> None:
    assert layer.output_shape(shape) == output
    assert layer.weights(shape) == {}
    assert layer.macs(shape) == Formula()
    assert layer.storage is storage


def test_structural_kinds() -> None:
    assert (Identity.transparent, Identity.absent) == (True, False)
    assert (Nothing.transparent, Nothing.absent) == (False, True)


def test_notation() -> None:
    layers = Reshape(to=(7, 7, 512)), Part(index=0, of=2), Shuffle(groups=3)
    assert [str(layer) for layer in layers] == ["RESHAPE to=7x7x512", "PART-0 of=2", "SHUFFLE-3"]


def test_reshape_to_another_number_of_elements() -> None:
    assert failure(Reshape(to=(7, 7, 10)), Shape((), 500)) == (
        "elements",
        "7 x 7 x 10 holds 490 numbers, and the input 500 holds 500",
        "the sizes of to= must multiply to 500",
        "to",
    )


def test_reshape_to_too_many_axes() -> None:
    assert failure(Reshape(to=(2, 2, 2, 2, 2)), Shape((), 32)) == (
        "dimensions",
        "a shape has 1 to 4 sizes, and to= has 5",
        "write the spatial sizes and then the channels: to=7x7x512",
        "to",
    )


def test_transpose_of_an_image() -> None:
    assert failure(Transpose(), Shape((7, 7), 10)) == (
        "wrong-rank",
        "TRANSPOSE needs a 1-D map, and 7 x 7 x 10 is a 2-D map",
        "RESHAPE the map first",
        None,
    )


def test_shuffle_of_a_vector() -> None:
    message = "SHUFFLE-2 needs a map, and 10 is a vector"
    assert failure(Shuffle(groups=2), Shape((), 10))[:2] == ("wrong-rank", message)


def test_parts() -> None:
    assert failure(Part(index=2, of=2), Shape((7, 7), 10)) == (
        "part-out-of-range",
        "of=2 gives parts 0 to 1, and not 2",
        "parts are counted from 0",
        "index",
    )
    assert failure(Part(index=0, of=4), Shape((7, 7), 10)) == (
        "not-divisible",
        "10 channels cannot be split into 4 equal parts",
        "2 or 5 would do",
        "of",
    )
    message = "10 channels cannot be split into 3 equal parts"
    assert failure(Shuffle(groups=3), Shape((7, 7), 10)) == ("not-divisible", message, "2 or 5 would do", "groups")


@pytest.mark.parametrize("layer", [Flatten(), Reshape(to=(16,)), Part(index=0, of=2), ChannelMean(), ChannelMax()])
def test_token_ids(layer: Layer) -> None:
    assert failure(layer, IDS) == refusal_of_ids(layer)
