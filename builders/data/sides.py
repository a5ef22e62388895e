"""What an audit must know of one side: where its items came from, their hashes, and small pictures of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import torch
from torch import Tensor

from archspec.errors import ArchspecError
from builders.data.calibrate import NEIGHBOURS, Null, calibrate
from builders.data.datasets import pair
from builders.data.items import Items, Stored
from builders.data.orbit import Orbit, nearest, small
from builders.data.provenance import provenance
from builders.data.raw import as_input

EXAMINED = 500  # items of a side that calibrate
BESIDE = 4000  # items of the same side that they are compared with
READ = 256  # items read at once

Source = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a comparison. `pictures` (N, C, H, W) or (N, D) are None for tokens, which have no distance."""

    name: str
    sources: tuple[Source, ...]
    hashes: tuple[bytes, ...]
    pictures: Tensor | None
    sizes: tuple[int, ...]
    orbit: Orbit

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def repeated(self) -> int:
        """How many items equal another one of the same side that stands before them."""
        return len(self.hashes) - len(set(self.hashes))

    @cached_property
    def null(self) -> Null | None:
        """The law of nearest distances on this side; items of one source are no neighbours."""
        if self.pictures is None or len(self) <= NEIGHBOURS + 1:
            return None
        chosen = sample(len(self), EXAMINED)
        numbers = {source: i for i, source in enumerate(dict.fromkeys(self.sources))}
        keys = torch.tensor([numbers[source] for source in self.sources])
        beside = sample(len(self), BESIDE)
        own = keys[chosen][:, None] == keys[beside][None, :]
        distances, _ = nearest(self.pictures[chosen], self.pictures[beside], self.orbit, NEIGHBOURS + 1, own)
        null = calibrate(distances)
        return null and null.among(len(self) / len(beside))


def side(name: str, data: Any, orbit: Orbit) -> Side:
    """A side of items or of any torch data set; everything is read once."""
    sources = tuple((origin, int(i)) for origin, indices in provenance(data) for i in indices.tolist())
    hashes, pictures, sizes = list[bytes](), list[Tensor](), None
    for inputs in _read(data):
        sizes = sizes or tuple(inputs.shape[1:])
        if tuple(inputs.shape[1:]) != sizes:
            raise _uneven(name, sizes, tuple(inputs.shape[1:]))
        hashes += _hashes(inputs)
        if inputs.is_floating_point():
            pictures.append(small(inputs) if inputs.ndim == 4 else inputs.float().flatten(1))
    sizes = sizes or ()
    scale = min(1.0, pictures[0].shape[-1] / sizes[-1]) if pictures and len(sizes) == 3 else 1.0
    moved = orbit.scaled(scale) if len(sizes) == 3 else Orbit()
    return Side(name, sources, tuple(hashes), torch.cat(pictures) if pictures else None, sizes, moved)


def sample(count: int, most: int) -> Tensor:
    """At most so many of `count` indices, the same ones every time, ascending."""
    if count <= most:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))[:most].sort().values


def _read(data: Any) -> Iterator[Tensor]:
    """The inputs of a side, some at a time."""
    if isinstance(data, Items | Stored):
        yield from (inputs for inputs, _ in data.batches(READ))
        return
    for start in range(0, len(data), READ):
        items = [as_input(pair(data, i)[0]) for i in range(start, min(start + READ, len(data)))]
        odd = next((one for one in items if one.shape != items[0].shape), None)
        if odd is not None:
            raise _uneven(type(data).__name__, tuple(items[0].shape), tuple(odd.shape))
        yield torch.stack(items)


def _hashes(inputs: Tensor) -> Iterator[bytes]:
    """A hash of each item's numbers, alike for all types of floating-point numbers; -0 is 0."""
    plain = inputs.float() + 0.0 if inputs.is_floating_point() else inputs.long()
    for row in plain.contiguous().flatten(1).numpy():
        yield blake2b(row, digest_size=16).digest()


def _uneven(name: str, one: tuple[int, ...], other: tuple[int, ...]) -> ArchspecError:
    message = f"{name} has items of {one} and of {other}"
    return ArchspecError("data-values", message, hint="a transform that makes all of one size")
