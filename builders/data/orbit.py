"""How far images are from the nearest others, once these are shifted, mirrored and turned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

import torch
from torch import Tensor
from torch.nn import functional

from builders.data.augment import turned
from builders.data.options import FLAG, Option, options

KEPT = 64  # pixels along an axis of the images that are shifted
COARSE = 16  # the same of images that are searched for wider shifts
EDGE = 8  # pixels along an axis at which they are then compared
ROWS, TILE = 256, 1024  # products held at once: as many as a cache holds
BLOCK = 1 << 24  # distances held at once
KNOWN = {"shift": Option(0, 64, whole=True), "flip": FLAG, "rotate": Option(0, 45)}
ANGLES = 5  # of a rotation, from -most to most


@dataclass(frozen=True)
class Orbit:
    """The changes under which an image counts as a copy: shifts by up to `shift` pixels, a mirror, a few angles.

    The pixels are those of images averaged down to `kept` along the axes that are longer.
    """

    shift: int = 0
    flip: bool = False
    rotate: float = 0.0
    kept: int = KEPT

    @property
    def angles(self) -> tuple[float, ...]:
        return tuple(torch.linspace(-self.rotate, self.rotate, ANGLES).tolist()) if self.rotate else (0.0,)

    def __str__(self) -> str:
        parts = [f"shift={self.shift}" if self.shift else "", "flip" if self.flip else ""]
        parts.append(f"rotate={self.rotate:g}" if self.rotate else "")
        return (",".join(filter(None, parts)) or "none") + (f" at {self.kept} pixels" if self.kept != KEPT else "")

    @property
    def size(self) -> int:
        """How many images the orbit of one image has."""
        return (2 * self.shift + 1) ** 2 * (1 + self.flip) * len(self.angles)


def searched(orbit: Orbit, sizes: tuple[int, ...]) -> tuple[Orbit, ...]:
    """What items of these sizes are searched over: no change at all, the orbit, and shifts as wide of coarser images.

    The fewer changes, the more items can be compared. Shifts are in pixels of the images as they are, so that those of
    images above KEPT are fewer there.
    """
    if len(sizes) != 3 or orbit == Orbit():
        return (Orbit(),)
    longest = max(sizes[1:])
    fine = replace(orbit, shift=ceil(orbit.shift * min(1.0, KEPT / longest)))
    return (Orbit(), fine, *([replace(orbit, kept=COARSE)] if longest > COARSE and orbit.shift else []))


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
    if references.ndim == 4:
        queries, references = averaged(queries, orbit.kept), averaged(references, orbit.kept)
    size = max(1, min(ROWS, BLOCK // len(references)))
    for start in range(0, len(queries), size):
        block = queries[start : start + size]
        alike = torch.full((len(block), len(references)), -1.0)
        for changed, images in _orbits(block, references, orbit):
            for part, rows in zip(torch.split(alike, TILE, 1), torch.split(images, TILE), strict=True):
                for one in changed:
                    torch.maximum(part, one @ rows.T, out=part)
        if own is not None:
            alike[own[start : start + len(block)]] = -3.0
        best = alike.topk(min(count, len(references)), dim=1)
        found.append(((2 - 2 * best.values).clamp_min(0).sqrt(), best.indices))
    distances, indices = zip(*found, strict=True)
    return torch.cat(distances), torch.cat(indices)


def _orbits(queries: Tensor, references: Tensor, orbit: Orbit) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
    """For each shift the overlapping parts of the queries, in every mirrored and turned form, and of the references."""
    if references.ndim != 4:
        yield (unit(queries),), unit(references)
        return
    mirrored = (queries, queries.flip(-1)) if orbit.flip else (queries,)
    changed = torch.cat([turned(one, torch.full((len(one),), angle)) for one in mirrored for angle in orbit.angles])
    reach = min(orbit.shift, (min(references.shape[-2:]) - 1) // 2)
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            seen = unit(overlap(changed, down, right))
            yield torch.split(seen, len(queries)), unit(overlap(references, -down, -right))


def overlap(images: Tensor, down: int, right: int) -> Tensor:
    """The part of images that overlaps with others shifted against them, averaged down to EDGE pixels."""
    height, width = images.shape[-2:]
    rows = slice(max(down, 0), height + min(down, 0))
    return averaged(images[..., rows, max(right, 0) : width + min(right, 0)], EDGE)


def unit(inputs: Tensor) -> Tensor:
    """Inputs (N, C, ...) as unit vectors (N, D), the mean of every channel removed; constant ones are 0."""
    flat = inputs.flatten(2) if inputs.ndim > 2 else inputs.unsqueeze(1)
    centred = flat - flat.mean(2, keepdim=True)
    centred = torch.div(centred, centred.norm(dim=2, keepdim=True).clamp_min(1e-6))
    rows: Tensor = centred.flatten(1)
    if flat.shape[1] == 1:
        return rows
    return torch.div(rows, rows.norm(dim=1, keepdim=True).clamp_min(1e-6))
