"""What an audit must know of one side: where its items came from, their hashes, and small pictures of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import torch
from torch import Tensor

from archspec.errors import ArchspecError
from builders.data.calibrate import NEIGHBOURS, Null, calibrate
from builders.data.datasets import behind, is_map, pair
from builders.data.items import Items, Stored
from builders.data.orbit import Orbit, nearest, small
from builders.data.provenance import provenance
from builders.data.raw import as_input

EXAMINED = 500  # items of a side that calibrate
BESIDE = 4000  # items of the same side that they are compared with
READ = 256  # items read at once
MARKS = 1024  # numbers of an item, of which one asks how often they agree by chance
LAGS = 32  # how many others each item is compared with for that

Source = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a comparison. `pictures` (N, C, H, W) or (N, D) are None for tokens, which have no distance.

    The hash of a constant item is None: blank images are no copies of each other. `agreement` is the probability that
    two items are equal if their numbers were independent: high where they are few or have few values.
    """

    name: str
    sources: tuple[Source, ...]
    hashes: tuple[bytes | None, ...]
    pictures: Tensor | None
    sizes: tuple[int, ...]
    agreement: float
    laws: dict[Orbit, Null | None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def repeated(self) -> int:
        """How many items equal another one of the same side that stands before them."""
        hashes = [one for one in self.hashes if one is not None]
        return len(hashes) - len(set(hashes))

    def law(self, orbit: Orbit) -> Null | None:
        """The law of nearest distances on this side."""
        if orbit not in self.laws:
            self.laws[orbit] = self._law(orbit)
        return self.laws[orbit]

    def _law(self, orbit: Orbit) -> Null | None:
        """Calibrated by the distances of a sample; items of one source are no neighbours."""
        if self.pictures is None or len(self) <= NEIGHBOURS + 1:
            return None
        chosen, beside = sample(len(self), EXAMINED), sample(len(self), BESIDE)
        numbers = {source: i for i, source in enumerate(dict.fromkeys(self.sources))}
        keys = torch.tensor([numbers[source] for source in self.sources])
        own = keys[chosen][:, None] == keys[beside][None, :]
        distances, _ = nearest(self.pictures[chosen], self.pictures[beside], orbit, NEIGHBOURS + 1, own)
        null = calibrate(distances)
        return null and null.among(len(self) / len(beside))


def side(name: str, data: Any) -> Side | None:
    """A side of items, a torch data set or a loader of one; everything is read once. None where it is empty."""
    data = behind(data)
    if not isinstance(data, Items | Stored) and not is_map(data):
        message = f"{name} cannot be of type {type(data).__name__}"
        raise ArchspecError("unknown-data", message, hint="Items, or a map-style torch Dataset of pairs")
    if not len(data):
        return None
    sources = tuple((origin, int(i)) for origin, indices in provenance(data) for i in indices.tolist())
    hashes, pictures, marks, sizes = list[bytes | None](), list[Tensor](), list[Tensor](), None
    for inputs in _read(data):
        sizes = sizes or tuple(inputs.shape[1:])
        if tuple(inputs.shape[1:]) != sizes:
            raise _uneven(name, sizes, tuple(inputs.shape[1:]))
        hashes += _hashes(inputs)
        flat = inputs.flatten(1)
        marks.append(flat[:, sample(flat.shape[1], MARKS)])
        if inputs.is_floating_point():
            pictures.append(small(inputs) if inputs.ndim == 4 else flat.float())
    seen = torch.cat(marks)[sample(len(data), MARKS)]
    held = torch.cat(pictures) if pictures else None
    return Side(name, sources, tuple(hashes), held, sizes or (), agreement(seen))


def agreement(items: Tensor) -> float:
    """P(two items are equal) if the numbers of items (N, D) were independent; 0 with numbers that hardly ever repeat.

    >>> agreement(torch.tensor([[0, 0], [0, 1], [0, 0], [0, 1]])) == 1 / 3
    True
    """
    shuffled = items[torch.randperm(len(items), generator=torch.Generator().manual_seed(0))]
    lags = range(1, min(LAGS + 1, len(items)))
    if not lags:
        return 0.0
    same = torch.stack([(shuffled == shuffled.roll(lag, 0)).double().mean(0) for lag in lags]).mean(0)
    if items.is_floating_point():
        kinds = 1 + (items.sort(0).values.diff(dim=0) != 0).sum(0)
        same[kinds > max(16, len(items) // 8)] = 0.0
    return float(same.prod())


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


def _hashes(inputs: Tensor) -> Iterator[bytes | None]:
    """A hash of each item's numbers, alike for all types of floating-point numbers; None for constant items."""
    plain = (inputs.float() + 0.0 if inputs.is_floating_point() else inputs.long()).contiguous().flatten(1)
    constant = (plain == plain[:, :1]).all(1) if plain.shape[1] > 1 else torch.zeros(len(plain), dtype=torch.bool)
    for row, blank in zip(plain.numpy(), constant.tolist(), strict=True):
        yield None if blank else blake2b(row, digest_size=16).digest()


def _uneven(name: str, one: tuple[int, ...], other: tuple[int, ...]) -> ArchspecError:
    message = f"{name} has items of {one} and of {other}"
    return ArchspecError("data-values", message, hint="a transform that makes all of one size")
