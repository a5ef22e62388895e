"""Layers that fit their inputs, for hypothesis to draw, and how one of them is run alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from torch import Tensor, nn

from archspec.layers import Layer, Shape, ShapeError, Takes, registry
from builders.modules import Built, Call, module
from tests.strategies import layers

torch.set_num_threads(1)  # the tensors are tiny
LARGEST = 700  # numbers in an activation: the oracle counts one by one
SIDES = (1, 2, 3, 4, 5, 6, 8)
CHANNELS = (1, 2, 3, 4, 6, 8, 9, 12)
POOL = [
    *(Shape((), count) for count in (*CHANNELS, 16)),
    *(Shape((length,), count) for length, count in product(SIDES, CHANNELS)),
    *(Shape(sizes, count) for sizes in product(SIDES, SIDES) for count in (1, 2, 4, 6, 9)),
    *(Shape(sizes, count) for sizes in product((1, 2, 3), (2, 4), (1, 3, 5)) for count in (1, 2, 4)),
    *(Shape((length,), None) for length in (1, 5)),
]


@dataclass(frozen=True)
class Case:
    """A layer and the shapes of inputs that it accepts; of the last one it may take the size alone."""

    layer: Layer
    shapes: tuple[Shape, ...]

    @property
    def size_only(self) -> bool:
        """Whether the last input is read for its size."""
        options = self.layer.notation.options.values()
        return any(o.takes is Takes.SIZE_OF and getattr(self.layer, o.field) is not None for o in options)

    @property
    def output(self) -> Shape:
        return self.layer.output_shape(*self.shapes)

    def built(self, seed: int = 0, dtype: torch.dtype = torch.float64) -> Built:
        """What the builder gives, its weights and buffers drawn anew."""
        built = module(self.layer, *self.shapes)
        if isinstance(built, nn.Module):
            generator = torch.Generator().manual_seed(seed)
            for name, tensor in built.to(dtype).state_dict().items():
                if tensor.is_floating_point():
                    drawn = torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
                    tensor.copy_(drawn.abs() + 0.1 if name == "running_var" else drawn)
        return built

    def tensors(self, batch: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> list[Tensor]:
        """Random inputs; token ids are whole numbers."""
        generator = torch.Generator().manual_seed(seed)
        drawn = [torch.randn(sizes(shape, batch), generator=generator, dtype=dtype) for shape in self.shapes]
        ids = [shape.channels is None for shape in self.shapes]
        return [(x * 9).long() if id_ else x for x, id_ in zip(drawn, ids, strict=True)]

    def run(self, built: Built, tensors: Sequence[Tensor], train: bool = False) -> Tensor:
        """The layer's output, as the network would compute it."""
        inputs: list[Any] = list(tensors)
        if self.size_only:
            inputs[-1] = inputs[-1].shape
        found: Tensor
        if isinstance(built, Call):
            found = built.function(*([inputs] if built.listed else inputs), **built.options)
        else:
            found = built.train(train)(*inputs)
        return found


def sizes(shape: Shape, batch: int) -> tuple[int, ...]:
    """A shape as torch holds it: N, C, H, W."""
    return (batch, *(() if shape.channels is None else (shape.channels,)), *shape.spatial)


def accepts(layer: Layer, *shapes: Shape) -> bool:
    """Whether the layer reads such inputs and nothing grows too large for slow arithmetic."""
    try:
        output = layer.output_shape(*shapes)
    except ShapeError:
        return False
    return all(0 < shape.elements <= LARGEST for shape in (*shapes, output))


def seconds(first: Shape) -> list[Shape]:
    """Shapes that may stand beside a first one: the same, with sizes of 1, with other channels, another map."""
    shrunk = [Shape(tuple(s), c) for *s, c in product(*[{1, size} for size in first.sizes])] if first.channels else []
    other = [Shape(first.spatial, count) for count in (1, 2, 5)]
    return [first, *shrunk, *other, *(shape for shape in POOL if shape.rank == first.rank and shape.channels)]


def tame(layer: Layer) -> Layer:
    """The layer with numbers of ordinary size: those that hypothesis likes overflow, or divide by next to nothing."""
    floats = {name: value for name, value in layer if isinstance(value, float)}
    least = {"eps": 1e-3}
    return layer.model_copy(update={name: max(least.get(name, 0), min(abs(v), 4)) for name, v in floats.items()})


@st.composite
def cases(draw: DrawFn, kind: type[Layer], most: int = 4) -> Case:
    """A layer of a kind with inputs that it accepts, two or three of them where it joins."""
    layer = tame(draw(layers(kind, most)))
    bare = Case(layer, ())
    if layer.arity == (1, 1) or (layer.arity == (1, 2) and not bare.size_only):
        return Case(layer, (draw(fitting(layer, POOL)),))
    shapes: tuple[Shape, ...] = (draw(st.sampled_from([shape for shape in POOL if shape.channels])),)
    for _ in range(1 if bare.size_only else draw(st.integers(1, 2))):
        shapes = (*shapes, draw(fitting(layer, seconds(shapes[0]), *shapes)))
    return Case(layer, shapes)


@st.composite
def fitting(draw: DrawFn, layer: Layer, pool: Sequence[Shape], *others: Shape) -> Shape:
    """The first shape from some place of a pool on that a layer accepts behind others."""
    start = draw(st.integers(0, len(pool) - 1))
    found = next((shape for shape in (*pool[start:], *pool[:start]) if accepts(layer, *others, shape)), None)
    assume(found is not None)
    assert found is not None
    return found


every_kind = pytest.mark.parametrize("kind", registry.values(), ids=registry)
EXAMPLES = settings.default.max_examples if settings.default else 100
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]
some = settings(max_examples=EXAMPLES // 4, suppress_health_check=SLOW)
