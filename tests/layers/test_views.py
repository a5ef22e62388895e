"""How views lie in memory: by hand, and as torch's `reshape` has it on tensors that are permuted and cut."""

from __future__ import annotations

from math import prod

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from archspec.layers import Layer, Shape, Storage, registry
from archspec.layers.regularization import Dropout
from archspec.layers.reshape import Flatten, Part, Reshape
from archspec.layers.resize import Crop
from archspec.layers.strides import packed, stored, viewed

IMAGE = Shape((7, 5), 3)  # 3 x 7 x 5 in torch: strides 35, 5, 1


@pytest.mark.parametrize(
    ("shape", "sizes", "strides"),
    [
        (IMAGE, (3, 7, 5), (35, 5, 1)),
        (Shape((2, 3, 4), 5), (5, 2, 3, 4), (24, 12, 4, 1)),
        (Shape((), 490), (490,), (1,)),
        (Shape((16,), None), (16,), (1,)),
    ],
)
def test_what_is_fresh_lies_packed_channels_first(
    shape: Shape, sizes: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    assert (stored(shape), packed(shape)) == (sizes, strides)


@pytest.mark.parametrize(
    ("layer", "shape", "given_", "found"),
    [
        (Dropout(), IMAGE, (35, 5, 1), (35, 5, 1)),
        (Part(index=2, of=3), IMAGE, (35, 5, 1), (35, 5, 1)),
        (Crop(to=(3, 5)), IMAGE, (35, 5, 1), (35, 5, 1)),
        (Flatten(), IMAGE, (35, 5, 1), (1,)),
        (Flatten(), Shape((), 490), (1,), (1,)),
        (Flatten(), Shape((), 4), (6,), (6,)),  # one column of 4 x 6
        (Flatten(), Shape((4,), 6), (1, 6), None),  # a transposed map
        (Flatten(), Shape((3, 5), 3), (35, 5, 1), None),  # rows cut away: between channels lie 35 numbers, not 15
        (Flatten(), Shape((3, 5), 1), (35, 5, 1), (1,)),  # one channel of it
        (Flatten(), Shape((7, 1), 3), (35, 5, 1), (5,)),  # a column: 7 x 5 = 35
        (Reshape(to=(15, 3)), Shape((3, 5), 3), (35, 5, 1), (35, 1)),  # 3 x 3 x 5 to 3 x 15: rows are merged
        (Reshape(to=(9, 5)), Shape((3, 5), 3), (35, 5, 1), None),  # to 5 x 9: over the ends of channels
        (Reshape(to=(3, 5, 1, 3)), Shape((3, 5), 3), (35, 5, 1), (35, 5, 1, 1)),
        (Reshape(to=(2, 2, 6)), Shape((4,), 6), (1, 6), (1, 12, 6)),  # 6 x 4 to 6 x 2 x 2: positions are split
    ],
)
def test_strides_by_hand(layer: Layer, shape: Shape, given_: tuple[int, ...], found: tuple[int, ...] | None) -> None:
    assert layer.strides(given_, shape) == found


def test_kinds_that_state_no_strides_keep_the_shape_or_a_part_of_it() -> None:
    views = {kind for kind in registry.values() if kind.storage is Storage.VIEW}
    silent = {kind.notation.name for kind in views if kind.strides is Layer.strides}
    assert silent == {"IDENTITY", "NONE", "PART", "CROP", "DROPOUT", "DROPPATH", "NOISE"}


@st.composite
def tensors(draw: DrawFn) -> tuple[torch.Tensor, Shape]:
    """A batch of 1 to 3 examples with one to four axes each: packed, then axes cut and exchanged."""
    sizes = draw(st.lists(st.sampled_from((1, 2, 3, 4, 6)), min_size=1, max_size=4))
    x = torch.empty(draw(st.integers(1, 3)), *sizes)
    for axis in draw(st.lists(st.integers(1, len(sizes)), max_size=2)):
        start = draw(st.integers(0, x.shape[axis] - 1))
        x = x.narrow(axis, start, draw(st.integers(1, x.shape[axis] - start)))
    x = x.permute(0, *draw(st.permutations(range(1, len(sizes) + 1))))
    return x, Shape(tuple(x.shape[2:]), x.shape[1])


@st.composite
def shapes(draw: DrawFn, elements: int) -> Shape:
    """A shape of so many numbers, with up to four axes."""
    sizes: list[int] = []
    for _ in range(draw(st.integers(0, 3))):
        left = elements // prod(sizes)
        sizes.append(draw(st.sampled_from([size for size in range(1, left + 1) if left % size == 0])))
    first = elements // prod(sizes)
    return Shape(tuple(sizes), first)


@given(st.data())
def test_views_are_those_of_torch(data: st.DataObject) -> None:
    """Whether torch copies, and the strides then; those of axes of size 1 say nothing."""
    x, shape = data.draw(tensors())
    wanted = data.draw(st.one_of(shapes(shape.elements), st.just(shape)))
    y = x.reshape(len(x), *stored(wanted))
    found = viewed(x.stride()[1:], shape, wanted)
    shared = y.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert (found is not None) == shared
    strides = packed(wanted) if found is None else found
    lying = [step for size, step in zip(stored(wanted), strides, strict=True) if size > 1]
    assert lying == [step for size, step in zip(y.shape[1:], y.stride()[1:], strict=True) if size > 1]
