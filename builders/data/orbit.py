"""How far images are from the nearest others, once these are shifted, mirrored and turned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor
from torch.nn import functional

from builders.data.augment import turned
from builders.data.options import FLAG, Option, options

KEPT = 64  # pixels along an axis of the images that are shifted
EDGE = 8  # pixels along an axis at which they are then compared
BLOCK = 1 << 24  # distances held at once
KNOWN = {"shift": Option(0, 64, whole=True), "flip": FLAG, "rotate": Option(0, 45)}
ANGLES = 5  # of a rotation, from -most to most


@dataclass(frozen=True)
class Orbit:
    """The changes under which an image counts as a copy: shifts by up to `shift` pixels, a mirror, a few angles."""

    shift: int = 0
    flip: bool = False
    rotate: float = 0.0

    @property
    def angles(self) -> tuple[float, ...]:
        return tuple(torch.linspace(-self.rotate, self.rotate, ANGLES).tolist()) if self.rotate else (0.0,)

    def __str__(self) -> str:
        parts = [f"shift={self.shift}" if self.shift else "", "flip" if self.flip else ""]
        parts.append(f"rotate={self.rotate:g}" if self.rotate else "")
        return ",".join(filter(None, parts)) or "none"

    @property
    def size(self) -> int:
        """How many images the orbit of one image has."""
        return (2 * self.shift + 1) ** 2 * (1 + self.flip) * len(self.angles)

    def scaled(self, factor: float) -> Orbit:
        """The orbit of images that were made smaller: shifts in their pixels, rounded up."""
        return Orbit(ceil(self.shift * factor), self.flip, self.rotate)


def parse_orbit(text: str) -> Orbit:
    """The orbit that a text declares, `none` for copies that were not moved; raises ArchspecError `orbit`.

    >>> parse_orbit("shift=2,flip").size
    50
    """
    if text == "none":
        return Orbit()
    found = options(text, KNOWN, "orbit")
    return Orbit(int(found.get("shift", 0)), "flip" in found, found.get("rotate", 0.0))


def small(inputs: Tensor) -> Tensor:
    """Images (N, C, H, W) as they are shifted: averaged down to KEPT pixels along the axes that are longer."""
    return averaged(inputs.float(), KEPT)


def averaged(inputs: Tensor, most: int) -> Tensor:
    """Images averaged down to `most` pixels along the axes that are longer."""
    height, width = inputs.shape[-2:]
    wanted = (min(height, most), min(width, most))
    return inputs if wanted == (height, width) else functional.adaptive_avg_pool2d(inputs, wanted)


def nearest(
    queries: Tensor, references: Tensor, orbit: Orbit, count: int, own: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Distances from each query to its `count` nearest references over the orbit, ascending, and their indices.

    Shapes (Q, C, H, W), (N, C, H, W) -> (Q, count) twice; vectors (Q, D), (N, D) know no orbit. The distance of two
    images is that of unit vectors: every channel has its mean removed, and the whole is divided by its norm, so that
    another normalisation changes nothing. A shifted image is compared where both overlap, so that it does not matter
    what moved in. `own` (Q, N) marks pairs that are passed over.
    """
    found: list[tuple[Tensor, Tensor]] = []
    size = max(1, BLOCK // len(references))
    for start in range(0, len(queries), size):
        block = queries[start : start + size]
        alike = torch.full((len(block), len(references)), -1.0)
        for window, images in _orbits(references, orbit):
            torch.maximum(alike, torch.mm(unit(window(block)), images.T), out=alike)
        if own is not None:
            alike[own[start : start + len(block)]] = -3.0
        best = alike.topk(min(count, len(references)), dim=1)
        found.append(((2 - 2 * best.values).clamp_min(0).sqrt(), best.indices))
    distances, indices = zip(*found, strict=True)
    return torch.cat(distances), torch.cat(indices)


class Window:
    """The part of an image that overlaps with another one shifted against it, averaged down to EDGE pixels."""

    def __init__(self, down: int, right: int) -> None:
        self.down, self.right = down, right

    def __call__(self, images: Tensor) -> Tensor:
        if images.ndim != 4:
            return images
        height, width = images.shape[-2:]
        rows = slice(max(self.down, 0), height + min(self.down, 0))
        return averaged(images[..., rows, max(self.right, 0) : width + min(self.right, 0)], EDGE)


def _orbits(references: Tensor, orbit: Orbit) -> Iterator[tuple[Window, Tensor]]:
    """For each change, the window of the queries and the references seen through the opposite one, as unit vectors."""
    if references.ndim != 4:
        yield Window(0, 0), unit(references)
        return
    reach = min(orbit.shift, (min(references.shape[-2:]) - 1) // 2)
    steps = range(-reach, reach + 1)
    for images in (references, references.flip(-1)) if orbit.flip else (references,):
        for angle in orbit.angles:
            copies = turned(images, torch.full((len(images),), angle)) if angle else images
            for down in steps:
                for right in steps:
                    yield Window(down, right), unit(Window(-down, -right)(copies))


def unit(inputs: Tensor) -> Tensor:
    """Inputs (N, C, ...) as unit vectors (N, D), the mean of every channel removed; constant ones are 0."""
    flat = inputs.flatten(2) if inputs.ndim > 2 else inputs.unsqueeze(1)
    centred = flat - flat.mean(2, keepdim=True)
    centred = centred / centred.norm(dim=2, keepdim=True).clamp_min(1e-6)
    rows = centred.flatten(1)
    return torch.div(rows, rows.norm(dim=1, keepdim=True).clamp_min(1e-6))
