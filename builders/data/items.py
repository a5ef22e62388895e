"""What training reads: items in memory or behind a loader, and the three parts of a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

Batches: TypeAlias = Iterator[tuple[Tensor, Tensor]]
Augmenting: TypeAlias = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True, eq=False)
class Items:
    """Items in memory: inputs (N, C, H, W) or (N, ...), labels (N,) int64, sources (N,) int64.

    A source is the index of an item in the data set `origin` that it came from. It stays with the item through splits
    and augmentation, so that an audit can tell whose copy an item is.
    """

    inputs: Tensor
    labels: Tensor
    sources: Tensor
    origin: str = ""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> Items:
        """The items at these indices, in their order."""
        return Items(self.inputs[indices], self.labels[indices], self.sources[indices], self.origin)

    def batches(self, size: int, generator: torch.Generator | None = None, start: int = 0) -> Batches:
        """Batches of `size` items, the last one smaller; shuffled by a generator, without one in order.

        `start` leaves the first batches out, as an epoch that is taken up again does. A batch costs one `index_select`
        for its inputs and one for its labels, in order none at all.

        >>> items = Items(torch.arange(5.0), torch.arange(5), torch.arange(5))
        >>> [labels.tolist() for _, labels in items.batches(2)]
        [[0, 1], [2, 3], [4]]
        """
        if generator is None:
            yield from islice(
                zip(torch.split(self.inputs, size), torch.split(self.labels, size), strict=True), start, None
            )
            return
        for chosen in torch.split(torch.randperm(len(self), generator=generator), size)[start:]:
            yield self.inputs.index_select(0, chosen), self.labels.index_select(0, chosen)


@dataclass(frozen=True, eq=False)
class Stored:
    """Items that are read when they are asked for: `dataset[i]` is one input of the spec's shape.

    The batches are those that `Items` would give for the same generator; `workers` processes read them.
    """

    dataset: Dataset[Tensor]
    labels: Tensor
    sources: Tensor
    origin: str = ""
    workers: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> Stored:
        """The items at these indices, in their order; nothing is read."""
        chosen = torch.utils.data.Subset(self.dataset, indices.tolist())
        return Stored(chosen, self.labels[indices], self.sources[indices], self.origin, self.workers)

    def batches(self, size: int, generator: torch.Generator | None = None, start: int = 0) -> Batches:
        """As `Items.batches`; the batches left out by `start` are not read."""
        order = torch.arange(len(self)) if generator is None else torch.randperm(len(self), generator=generator)
        chosen = torch.split(order, size)[start:]
        own = torch.Generator()  # a loader draws a seed for its workers, and torch's own numbers belong to the training
        sampler = [one.tolist() for one in chosen]
        loader = DataLoader(self.dataset, batch_sampler=sampler, num_workers=self.workers, generator=own)
        for indices, inputs in zip(chosen, loader, strict=True):
            yield inputs, self.labels[indices]

    def load(self, indices: Tensor | None = None) -> Items:
        """All items, or those at these indices, in memory."""
        part = self if indices is None else self.take(indices)
        inputs = torch.cat([inputs for inputs, _ in part.batches(256)]) if len(part) else torch.empty(0)
        return Items(inputs, part.labels, part.sources, self.origin)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A data set made ready for a spec: three parts that share no source, and what was done to make it fit.

    `augment` changes a training batch (N, C, H, W) by random numbers of a generator; validation and test never pass
    through it. `said` are sentences to be shown: what was scaled, resized, chosen, cut.
    """

    train: Items | Stored
    validation: Items | Stored
    test: Items | Stored
    augment: Augmenting | None
    classes: tuple[str, ...]
    said: tuple[str, ...]
