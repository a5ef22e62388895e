"""Random changes of training batches: shifts, flips, rotations, noise. Validation and test never pass through them."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor
from torch.nn import functional

from archspec.errors import ArchspecError
from builders.data.options import FLAG, Option, options

KNOWN = {
    "shift": Option(1, 1024, whole=True),
    "flip": FLAG,
    "rotate": Option(0, 180),
    "noise": Option(0, inf),
}


@dataclass(frozen=True)
class Augment:
    """Changes in the order in which they are written; `str()` is their text.

    Called with a batch (N, C, H, W) and a generator, from which all its random numbers come. It returns a new tensor of
    the same shape; every item is changed by numbers of its own.
    """

    steps: tuple[tuple[str, float], ...]

    def __call__(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        for name, amount in self.steps:
            inputs = STEPS[name](inputs, amount, generator)
        return inputs

    def __str__(self) -> str:
        return ",".join(name if KNOWN[name] is FLAG else f"{name}={amount:g}" for name, amount in self.steps)


def parse_augment(text: str) -> Augment:
    """The augmentation that a text asks for; raises ArchspecError `augment`.

    >>> print(parse_augment("shift=1, flip, noise=0.10"))
    shift=1,flip,noise=0.1
    """
    return Augment(tuple(options(text, KNOWN, "augment").items()))


def fitting(augment: Augment, sizes: tuple[int, ...]) -> Augment:
    """The same augmentation; raises ArchspecError where inputs of these sizes cannot be moved so."""
    moving = [name for name, _ in augment.steps if name != "noise"]
    if moving and len(sizes) != 3:
        hint = "noise alone, or a spec whose input is height x width x channels"
        raise ArchspecError("augment", f"{moving[0]} changes images, and the input is none", hint=hint)
    return augment


def shift(inputs: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Move every image by whole pixels, up to `most` along each axis, zeros moving in."""
    count = len(inputs)
    moved = torch.randint(-int(most), int(most) + 1, (2, count), generator=generator)
    return moved_by(inputs, moved[0], moved[1])


def moved_by(inputs: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Images (N, C, H, W) moved down and right by one number of pixels each, (N,); zeros move in.

    >>> moved_by(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), torch.tensor([1]), torch.tensor([0])).tolist()
    [[[[0.0, 0.0], [1.0, 2.0]]]]
    """
    height, width = inputs.shape[-2:]
    rows = torch.arange(height) - down[:, None]
    columns = torch.arange(width) - right[:, None]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    taken = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None, :]
    index = taken.flatten(1)[:, None].expand(-1, inputs.shape[1], -1)
    return inputs.flatten(2).gather(2, index).view_as(inputs) * inside[:, None]


def flip(inputs: Tensor, _: float, generator: torch.Generator) -> Tensor:
    """Mirror left and right, each image with probability 1/2."""
    mirrored = torch.rand(len(inputs), generator=generator) < 0.5
    return torch.where(mirrored[:, None, None, None], inputs.flip(-1), inputs)


def rotate(inputs: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Turn every image about its centre by an angle drawn evenly from -most to most degrees."""
    return turned(inputs, (2 * torch.rand(len(inputs), generator=generator) - 1) * most)


def turned(inputs: Tensor, degrees: Tensor) -> Tensor:
    """Images (N, C, H, W) turned counterclockwise by one angle each, (N,): bilinear, zeros outside.

    The output at p reads the input at R(p - c) + c; `affine_grid` measures in halves of the image, so that the entries
    between the axes carry the ratio of height and width.

    >>> turned(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), torch.tensor([90.0])).round().tolist()
    [[[[2.0, 4.0], [1.0, 3.0]]]]
    """
    height, width = inputs.shape[-2:]
    angle = degrees.to(inputs.dtype).deg2rad()
    cosine, sine, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    across = torch.stack([cosine, -sine * height / width, zero], 1)
    down = torch.stack([sine * width / height, cosine, zero], 1)
    grid = functional.affine_grid(torch.stack([across, down], 1), list(inputs.shape), align_corners=False)
    return functional.grid_sample(inputs, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def noise(inputs: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    """Add Gaussian noise of this standard deviation."""
    return inputs + deviation * torch.randn(inputs.shape, generator=generator, dtype=inputs.dtype)


STEPS = {"shift": shift, "flip": flip, "rotate": rotate, "noise": noise}
