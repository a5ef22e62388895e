"""Data sets made of random numbers: `synthetic:gaussians,n=1000,std=0.5`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, pi

import torch
from torch import Tensor

from archspec.errors import ArchspecError, did_you_mean
from builders.data.options import Option, options
from builders.data.raw import Raw

Sizes = tuple[int, ...]
KNOWN = {
    "n": Option(10, 10_000_000, whole=True),
    "classes": Option(2, 100_000, whole=True),
    "std": Option(0, inf),
    "seed": Option(0, 2**62, whole=True),
}


def synthetic(text: str, sizes: Sizes, outputs: int) -> Raw:
    """A set of this name and these options, of inputs (N, *sizes) and, if not told otherwise, `outputs` classes."""
    name, _, rest = text.partition(",")
    if name not in SETS:
        hint = did_you_mean(name, SETS) or f"the sets are {', '.join(SETS)}"
        raise ArchspecError("unknown-data", f"there is no synthetic data set {name!r}", hint=hint)
    chosen: Mapping[str, float] = options(rest, KNOWN, "data-options") if rest else {}
    count, classes = int(chosen.get("n", 1000)), int(chosen.get("classes", outputs))
    generator = torch.Generator().manual_seed(int(chosen.get("seed", 0)))
    labels = torch.arange(count) % classes
    inputs = SETS[name](labels, classes, sizes, float(chosen.get("std", 1.0)), generator)
    return Raw(inputs, labels, tuple(map(str, range(classes))), f"synthetic:{text}")


def gaussians(labels: Tensor, classes: int, sizes: Sizes, std: float, generator: torch.Generator) -> Tensor:
    """Every class a Gaussian: a centre drawn from N(0, 1), items around it with deviation `std` in every number."""
    centres = torch.randn(classes, *sizes, generator=generator)
    return centres[labels] + std * torch.randn(len(labels), *sizes, generator=generator)


def noise(labels: Tensor, _: int, sizes: Sizes, std: float, generator: torch.Generator) -> Tensor:
    """Inputs that know nothing of their labels: a network can learn them by heart, and validation stays at chance."""
    return std * torch.randn(len(labels), *sizes, generator=generator)


def stripes(labels: Tensor, classes: int, sizes: Sizes, std: float, generator: torch.Generator) -> Tensor:
    """Waves of a period of 4 pixels and of random phase, their direction the class: k pi / classes; noise `std`."""
    if len(sizes) != 3:
        hint = "gaussians or noise, or an input of height x width x channels"
        raise ArchspecError("data-options", "stripes are images, and the input is none", hint=hint)
    angle = (labels * pi / classes)[:, None, None]
    phase = 2 * pi * torch.rand(len(labels), 1, 1, generator=generator)
    down, right = torch.arange(sizes[1])[:, None], torch.arange(sizes[2])
    wave = ((down * angle.sin() + right * angle.cos()) * pi / 2 + phase).sin()
    return wave[:, None] + std * torch.randn(len(labels), *sizes, generator=generator)


SETS: Mapping[str, Callable[[Tensor, int, Sizes, float, torch.Generator], Tensor]] = {
    "gaussians": gaussians,
    "noise": noise,
    "stripes": stripes,
}
