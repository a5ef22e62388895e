"""Networks that are built, copied and exported: bundled ones, one with a training output, one with two inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

import archspec
from builders.network import Network

AUXILIARY = """\
name: auxiliary
input: 12x12x3
defaults: CONV nobias
layers:
  stem: CONV3-8, BN, RELU
  aux: GAP, FLATTEN, FC-5 as early
  body: from stem, CONV3-16 s2, BN, RELU, GAP, FLATTEN
  head: FC-5
training_outputs: early
"""

TWO_INPUTS = """\
name: two_inputs
input: {left: 12x12x3, right: 6x6x4}
layers:
  - from left, CONV3-4 s2, RELU as l
  - from right, RELU, CONV1-4 as r
  - add: [from l, from r]
  - TANH as sum
  - GAP, FLATTEN as pooled
outputs: [sum, pooled]
"""


def parsed(text: str, name: str = "net.yaml", **options: Any) -> Network:
    """The network of a spec's text."""
    return archspec.build(archspec.parse(text, name), **options)


def resnet() -> Network:
    return archspec.build("resnet18")


def unet() -> Network:
    return archspec.build("unet")


def auxiliary() -> Network:
    return parsed(AUXILIARY)


def two_inputs() -> Network:
    return parsed(TWO_INPUTS)


Maker = Callable[[], Network]
SIZES: dict[Maker, tuple[tuple[int, ...], ...]] = {
    resnet: ((3, 32, 32),),
    unet: ((1, 188, 188),),
    auxiliary: ((3, 12, 12),),
    two_inputs: ((3, 12, 12), (4, 6, 6)),
}


def inputs(make: Maker, batch: int = 2) -> tuple[Tensor, ...]:
    """Random tensors that a network takes."""
    generator = torch.Generator().manual_seed(batch)
    return tuple(torch.randn(batch, *sizes, generator=generator) for sizes in SIZES[make])


def settled(make: Maker) -> Network:
    """A network whose running statistics are not those of a new one, in evaluation mode."""
    torch.manual_seed(0)
    network = make()
    with torch.no_grad():
        network.train()(*inputs(make))
    return network.eval()


def named(result: object) -> dict[str, Any]:
    """The outputs by name; the only one is called output."""
    return result if isinstance(result, dict) else {"output": result}


def same(one: object, other: object, tolerance: float = 0.0) -> None:
    """Both results have the same names, the same missing outputs, and numbers that agree."""
    assert list(named(one)) == list(named(other))
    for ours, theirs in zip(named(one).values(), named(other).values(), strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)
