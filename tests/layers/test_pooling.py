from __future__ import annotations

import pytest

from archspec.layers import Formula, Shape, Storage
from archspec.layers.pooling import AvgPool, GlobalAvgPool, GlobalMaxPool, Pool, Pooling
from tests.layers.facts import IDS, failure

IMAGE = Shape((28, 28), 10)


@pytest.mark.parametrize(
    ("layer", "shape", "output"),
    [
        (Pool(kernel=(2,)), IMAGE, Shape((14, 14), 10)),  # (28 - 2) / 2 + 1
        (Pool(kernel=(3,), stride=(2,), padding=(1,)), Shape((112, 112), 64), Shape((56, 56), 64)),
        (Pool(kernel=(3,), stride=(2,)), Shape((112, 112), 64), Shape((55, 55), 64)),  # floor(109 / 2) + 1
        (Pool(kernel=(3,), stride=(2,), ceil=True), Shape((112, 112), 64), Shape((56, 56), 64)),  # ceil(109 / 2) + 1
        (
            Pool(kernel=(2,), padding=(1,), ceil=True),
            Shape((3,), 8),
            Shape((2,), 8),
        ),  # a third starts behind the input
        (Pool(kernel=(2,), ceil=True), Shape((1, 1), 8), Shape((1, 1), 8)),  # ceil(-1 / 2) + 1
        (Pool(kernel=(2,), stride=(1,), dilation=(3,)), Shape((10,), 4), Shape((7,), 4)),  # 10 - 3(2 - 1) - 1 + 1
        (Pool(kernel=(1, 2)), Shape((32, 100), 64), Shape((32, 50), 64)),
        (Pool(kernel=(2,), stride=(1,), padding=((0, 1),)), Shape((13, 13), 512), Shape((13, 13), 512)),
        (Pool(kernel=(3,), stride=(2,), padding="same"), Shape((147, 147), 64), Shape((74, 74), 64)),  # ceil(147 / 2)
        (Pool(kernel=(3,), stride=(1,), padding="valid"), Shape((8, 8), 4), Shape((6, 6), 4)),
        (AvgPool(kernel=(2,)), Shape((8, 28, 28), 3), Shape((4, 14, 14), 3)),
        (AvgPool(to=(7,)), Shape((13, 13), 512), Shape((7, 7), 512)),
        (Pool(to=(6, 1)), Shape((3, 5), 2), Shape((6, 1), 2)),
        (GlobalAvgPool(), Shape((7, 9), 512), Shape((1, 1), 512)),
        (GlobalMaxPool(), Shape((100,), 16), Shape((1,), 16)),
    ],
)
def test_output_shape(layer: Pooling, shape: Shape, output: Shape) -> None:
    assert layer.output_shape(shape) == output
    assert layer.weights(shape) == {}
    assert layer.macs(shape) == Formula()
    assert layer.storage is Storage.FRESH


def test_notation() -> None:
    layer = AvgPool(kernel=(3,), stride=(2,), padding=((0, 1),), ceil=True, countpad=False)
    assert str(layer) == "AVGPOOL3 s2 p0:1 ceil=yes countpad=no"
    assert str(Pool(to=(7, 1))) == "POOL to=7x1"
    assert str(Pool(kernel=(3,), padding="same")) == "POOL3 p=same"


def test_neither_kernel_nor_to() -> None:
    assert failure(Pool(), IMAGE) == (
        "kernel-or-to",
        "POOL has neither a kernel nor to=",
        "write POOL2 for windows of 2, or POOL to=7 for 7 windows along every axis",
        None,
    )


def test_words_beside_to() -> None:
    both = Pool(kernel=(2,), to=(7,))
    assert failure(both, IMAGE) == (
        "kernel-or-to",
        "to= fixes the windows, and here stands POOL2 to=7",
        "leave out either to= or the kernel",
        "kernel",
    )
    assert failure(AvgPool(to=(7,), countpad=False), IMAGE)[3] == "countpad"


def test_padding_of_more_than_half_the_kernel() -> None:
    assert failure(Pool(kernel=(3,), padding=((1, 2),)), IMAGE) == (
        "padding-too-large",
        "a padding of 2 is more than half of the kernel of 3",
        "use at most p1",
        "padding",
    )


def test_window_larger_than_the_map() -> None:
    expected = (
        "window-too-large",
        "a window of 5 positions does not fit into 3",
        "use a smaller kernel or dilation, more padding, or less downsampling before it",
        "kernel",
    )
    assert failure(Pool(kernel=(3,), dilation=(2,)), Shape((3, 3), 1)) == expected
    assert failure(AvgPool(kernel=(5,), stride=(2,), ceil=True), Shape((3, 3), 1)) == expected  # ceil(-2 / 2) + 1 = 0


def test_wrong_rank() -> None:
    hint = "place it before FLATTEN, or RESHAPE the vector"
    vector = "GAP needs a map, and 490 is a vector"
    assert failure(GlobalAvgPool(), Shape((), 490)) == ("wrong-rank", vector, hint, None)
    ids = "POOL2 computes with numbers, and here are 16 ids"
    assert failure(Pool(kernel=(2,)), IDS) == ("token-ids", ids, "embed the ids first", None)


def test_number_of_sizes() -> None:
    assert failure(Pool(kernel=(2, 2)), Shape((100,), 4)) == (
        "dimensions",
        "2 sizes stand here, and 100 x 4 is a 1-D map",
        "write one size for all axes, or one for each, height before width",
        "kernel",
    )
