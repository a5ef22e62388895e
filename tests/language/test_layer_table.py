"""The layers: the defaults that an item leaves unsaid, and the shapes that they give."""

from __future__ import annotations

import pytest

from tests.language.spellings import agree, facts, refused, spec


@pytest.mark.parametrize(
    ("bare", "written"),
    [
        ("CONV3-8", "CONV3-8 s1 d1 g1 bias pad=zeros nocausal noflip"),
        ("CONV1x3-8", "CONV1x3-8 s1 d1 g1 bias=yes causal=no flip=no"),
        ("UPCONV2-8", "UPCONV2-8 s2 d1 g1 op=0 bias"),
        ("POOL2", "POOL2 p0 d1 ceil=no"),
        ("AVGPOOL2", "AVGPOOL2 p0 ceil=no countpad=yes"),
        ("AVGPOOL2", "AVGPOOL2 p0 noceil countpad"),
        ("FLATTEN, FC-3", "FLATTEN, FC-3 bias"),
        ("LINEAR-3", "LINEAR-3 bias"),
        ("BN", "BN eps=1e-5 momentum=0.1 affine"),
        ("LN", "LN eps=1e-5 affine"),
        ("IN", "IN eps=1e-5 noaffine"),
        ("GN-2", "GN-2 eps=1e-5 affine"),
        ("RMSNORM", "RMSNORM eps=1e-5 affine"),
        ("LRN", "LRN n=5"),
        ("LEAKY", "LEAKY-0.01"),
        ("UPSAMPLE-2", "UPSAMPLE-2 mode=nearest"),
        ("RESIZE to=4", "RESIZE to=4 mode=nearest"),
        ("PAD p1", "PAD p1 pad=zeros"),
        ("UNSHUFFLE-2", "UNSHUFFLE-2 order=torch"),
        ("PIXSHUFFLE-2", "PIXSHUFFLE-2 order=torch"),
    ],
)
def test_defaults(bare: str, written: str) -> None:
    agree(bare, written)


@pytest.mark.parametrize(
    ("items", "input_", "shape"),
    [
        ("CONV3-8", "8x9x4", "8 x 9 x 8"),
        ("CONV5x1-8 d2", "9x9x4", "9 x 9 x 8"),
        ("CONV3-8 s2", "9x8x4", "5 x 4 x 8"),
        ("CONV4-8 p1:2", "8x8x4", "8 x 8 x 8"),
        ("CONV4-8 p=same s3", "8x7x4", "3 x 3 x 8"),
        ("CONV3-8 p=valid", "8x7x4", "6 x 5 x 8"),
        ("CONV4-8 causal", "9x4", "9 x 8"),
        ("CONV3-8", "4x8x9x4", "4 x 8 x 9 x 8"),
        ("UPCONV2-8", "8x9x4", "16 x 18 x 8"),
        ("UPCONV4-8", "8x9x4", "16 x 18 x 8"),
        ("UPCONV3-8 s3", "8x9x4", "24 x 27 x 8"),
        ("UPCONV3-8 p0", "8x9x4", "17 x 19 x 8"),
        ("UPCONV3-8 p1 op=1", "8x9x4", "16 x 18 x 8"),
        ("POOL3", "8x9x4", "2 x 3 x 4"),
        ("POOL3 s2 p1", "8x9x4", "4 x 5 x 4"),
        ("POOL2 ceil=yes", "9x8x4", "5 x 4 x 4"),
        ("POOL to=3", "8x9x4", "3 x 3 x 4"),
        ("AVGPOOL to=1x7", "8x9x4", "1 x 7 x 4"),
        ("GAP", "8x9x4", "1 x 1 x 4"),
        ("GMP", "9x4", "1 x 4"),
        ("FLATTEN", "8x9x4", "288"),
        ("GAP, FC-3", "8x9x4", "3"),
        ("RESHAPE to=9x32", "8x9x4", "9 x 32"),
        ("TRANSPOSE", "9x4", "4 x 9"),
        ("LINEAR-3", "8x9x4", "8 x 9 x 3"),
        ("PART-1 of=2", "8x9x4", "8 x 9 x 2"),
        ("SHUFFLE-2", "8x9x4", "8 x 9 x 4"),
        ("CMEAN", "8x9x4", "8 x 9 x 1"),
        ("CMAX", "9x4", "9 x 1"),
        ("UPSAMPLE-3", "8x9x4", "24 x 27 x 4"),
        ("RESIZE to=5x6", "8x9x4", "5 x 6 x 4"),
        ("CROP to=5x6", "8x9x4", "5 x 6 x 4"),
        ("CROP to=5x6 at=3x0", "8x9x4", "5 x 6 x 4"),
        ("PAD p0:1x2", "8x9x4", "9 x 13 x 4"),
        ("UNSHUFFLE-2 order=swin", "8x10x4", "4 x 5 x 16"),
        ("PIXSHUFFLE-2", "8x9x4", "16 x 18 x 1"),
        ("IDENTITY", "8x9x4", "8 x 9 x 4"),
    ],
)
def test_shapes(items: str, input_: str, shape: str) -> None:
    found = facts(f"input: {input_}\nlayers: {items}")["shapes"]
    assert isinstance(found, list)
    assert found[-1] == shape


@pytest.mark.parametrize(
    ("items", "parameters", "buffers"),
    [
        ("BN", 8, 8),
        ("LN", 8, 0),
        ("IN", 0, 0),
        ("IN affine", 8, 0),
        ("GN-2", 8, 0),
        ("RMSNORM", 4, 0),
        ("LRN", 0, 0),
        ("PRELU", 4, 0),
        ("SCALE init=1e-6", 4, 0),
        ("DROPOUT-0.5, DROPPATH-0.1, NOISE-0.1", 0, 0),
        ("CONV3-8 g4", 8 * 9 + 8, 0),
        ("UPCONV2-8 g2 nobias", 4 * 4 * 4, 0),
        ("LINEAR-3", 15, 0),
    ],
)
def test_counts(items: str, parameters: int, buffers: int) -> None:
    totals = spec(items).analyze().totals
    assert (totals.parameters, totals.buffers) == (parameters, buffers)


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("CONV2-8", "padding-needed", "2"),
        ("CONV3-8 g3", "not-divisible", "g3"),
        ("CONV9-8 p0", "window-too-large", "9"),
        ("POOL3 p2", "padding-too-large", "p2"),
        ("FC-3", "fc-on-map", "FC-3"),
        ("GN-3", "not-divisible", "3"),
        ("SHUFFLE-3", "not-divisible", "3"),
        ("PART-0 of=3", "not-divisible", "of=3"),
        ("PART-2 of=2", "part-out-of-range", "2"),
        ("CROP to=9", "crop-too-large", "to=9"),
        ("RESIZE", "like-or-to", "RESIZE"),
        ("POOL", "kernel-or-to", "POOL"),
    ],
)
def test_what_does_not_fit(text: str, code: str, word: str) -> None:
    assert refused(text) == (code, word)
