from __future__ import annotations

import pytest

from archspec.layers import Formula, Layer, Shape, Storage
from archspec.layers.resize import Crop, Interpolation, Pad, PixelShuffle, Resize, Unshuffle, Upsample
from tests.layers.facts import failure

IMAGE = Shape((64, 48), 16)
RANK_HINT = "place it before FLATTEN, or RESHAPE the vector"


@pytest.mark.parametrize(
    ("layer", "inputs", "output"),
    [
        (Upsample(factor=2), (IMAGE,), Shape((128, 96), 16)),
        (Upsample(factor=3, mode="linear"), (Shape((10,), 4),), Shape((30,), 4)),
        (Upsample(factor=2, mode="trilinear"), (Shape((2, 3, 4), 5),), Shape((4, 6, 8), 5)),
        (Resize(to=(32,)), (IMAGE,), Shape((32, 32), 16)),
        (Resize(to=(224, 112), mode="bilinear"), (IMAGE,), Shape((224, 112), 16)),
        (Resize(like="skip"), (IMAGE, Shape((13, 17), 99)), Shape((13, 17), 16)),
        (Crop(to=(60, 40)), (IMAGE,), Shape((60, 40), 16)),
        (Crop(like="up"), (Shape((64, 64), 512), Shape((56, 56), 256)), Shape((56, 56), 512)),
        (Crop(to=(60, 40), at=(4, 8)), (IMAGE,), Shape((60, 40), 16)),  # 4 + 60 = 64, 8 + 40 = 48
        (Pad(padding=((1, 2), 3)), (IMAGE,), Shape((67, 54), 16)),  # 1 + 64 + 2, 3 + 48 + 3
        (Pad(padding=(63, 47), pad="reflect"), (IMAGE,), Shape((190, 142), 16)),  # 63 + 64 + 63, 47 + 48 + 47
        (Pad(padding=(5,), pad="circular"), (Shape((5,), 1),), Shape((15,), 1)),
        (Unshuffle(factor=2), (Shape((56, 56), 96),), Shape((28, 28), 384)),  # 96 x 2^2
        (PixelShuffle(factor=3), (Shape((32, 32), 9),), Shape((96, 96), 1)),  # 9 / 3^2
    ],
)
def test_output_shape(layer: Layer, inputs: tuple[Shape, ...], output: Shape) -> None:
    assert layer.output_shape(*inputs) == output
    assert layer.weights(*inputs) == {}
    assert layer.macs(*inputs) == Formula()


def test_only_a_crop_is_a_view() -> None:
    fresh = Upsample, Resize, Pad, Unshuffle, PixelShuffle
    assert Crop.storage is Storage.VIEW
    assert {kind.storage for kind in fresh} == {Storage.FRESH}


def test_offsets() -> None:
    assert Crop(to=(60, 41)).offsets(IMAGE) == (2, 3)  # (64 - 60) / 2, floor((48 - 41) / 2)
    assert Crop(to=(60, 40), at=(0, 5)).offsets(IMAGE) == (0, 5)
    assert Crop(to=(40,), at=(3,)).offsets(IMAGE) == (3, 3)


def test_notation() -> None:
    layers = (
        Upsample(factor=2, mode="bilinear"),
        Resize(like="skip"),
        Crop(to=(60, 40), at=(0, 5)),
        Pad(padding=((1, 2), 3), pad="reflect"),
        Unshuffle(factor=2, order="swin"),
        PixelShuffle(factor=3),
    )
    assert [str(layer) for layer in layers] == [
        "UPSAMPLE-2 mode=bilinear",
        "RESIZE like=skip",
        "CROP to=60x40 at=0x5",
        "PAD p1:2x3 pad=reflect",
        "UNSHUFFLE-2 order=swin",
        "PIXSHUFFLE-3",
    ]


@pytest.mark.parametrize(
    ("mode", "shape", "message", "hint"),
    [
        (
            "linear",
            IMAGE,
            "mode=linear is for 1-D maps, and 64 x 48 x 16 is a 2-D map",
            "use mode=nearest or mode=bilinear or mode=bicubic",
        ),
        (
            "bicubic",
            Shape((10,), 4),
            "mode=bicubic is for 2-D maps, and 10 x 4 is a 1-D map",
            "use mode=nearest or mode=linear",
        ),
    ],
)
def test_mode_of_another_rank(mode: Interpolation, shape: Shape, message: str, hint: str) -> None:
    expected = "wrong-rank", message, hint, "mode"
    assert failure(Upsample(factor=2, mode=mode), shape) == expected
    assert failure(Resize(to=(2,), mode=mode), shape) == expected


@pytest.mark.parametrize(
    ("layer", "kind", "found"),
    [
        (Resize(), "RESIZE", "neither"),
        (Resize(like="skip", to=(2,)), "RESIZE", "both"),
        (Crop(at=(1,)), "CROP", "neither"),
    ],
)
def test_like_or_to(layer: Layer, kind: str, found: str) -> None:
    assert failure(layer, IMAGE, IMAGE) == (
        "like-or-to",
        f"{kind} takes like= or to=, and here is {found}",
        f"write {kind} like=skip for the size of the point `skip`, or {kind} to=28x28",
        None,
    )


def test_like_a_point_of_another_rank() -> None:
    assert failure(Resize(like="skip"), IMAGE, Shape((10,), 4)) == (
        "shape-mismatch",
        "skip is 10 x 4, a 1-D map, and 64 x 48 x 16 is a 2-D map",
        "name a point with as many axes, or use to=",
        "like",
    )


def test_crop_beyond_the_input() -> None:
    assert failure(Crop(to=(70, 40)), IMAGE) == (
        "crop-too-large",
        "70 positions from position 0 on do not fit into 64: 64 x 48 x 16 cut to 70 x 40 x 16",
        "keep at most 64 positions",
        "to",
    )
    assert failure(Crop(to=(60, 40), at=(4, 9)), IMAGE) == (
        "crop-too-large",
        "40 positions from position 9 on do not fit into 48: 64 x 48 x 16 cut to 60 x 40 x 16",
        "start at 8 or before",
        "at",
    )
    assert failure(Crop(like="up"), IMAGE, Shape((65, 48), 1))[3] == "like"


def test_padding_that_there_is_too_little_to_make_of() -> None:
    assert failure(Pad(padding=(0, 48), pad="reflect"), IMAGE) == (
        "padding-too-large",
        "pad=reflect can pad 48 positions by at most 47, not 48",
        "use pad=zeros or a smaller padding",
        "pad",
    )
    message = "pad=circular can pad 5 positions by at most 5, not 6"
    assert failure(Pad(padding=((0, 6),), pad="circular"), Shape((5,), 1))[1] == message


def test_blocks_that_do_not_fit() -> None:
    assert failure(Unshuffle(factor=3), Shape((9, 28), 4)) == (
        "not-divisible",
        "28 positions cannot be split into 3 equal parts",
        "2 or 4 would do",
        "factor",
    )
    assert failure(PixelShuffle(factor=2), Shape((9, 9), 6)) == (
        "not-divisible",
        "6 channels cannot be split into 4 equal parts",
        "3 or 6 would do",
        "factor",
    )


@pytest.mark.parametrize("layer", [Unshuffle(factor=2), PixelShuffle(factor=2)])
def test_blocks_are_for_images(layer: Layer) -> None:
    message = f"{layer} needs a 2-D map, and 16 x 4 is a 1-D map"
    assert failure(layer, Shape((16,), 4)) == ("wrong-rank", message, "RESHAPE the map first", None)


@pytest.mark.parametrize("layer", [Upsample(factor=2), Resize(to=(2,)), Crop(to=(2,)), Pad(padding=(1,))])
def test_vectors_have_no_size_to_change(layer: Layer) -> None:
    message = f"{layer} needs a map, and 490 is a vector"
    assert failure(layer, Shape((), 490)) == ("wrong-rank", message, RANK_HINT, None)
