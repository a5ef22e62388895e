"""Pipelines as users write them, around the digits: copies made of them, cut into parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset, TensorDataset, random_split

from archspec import parse
from builders.data import Audit, Items, prepare
from builders.data.augment import moved_by, turned

SPEC = parse("{name: d, input: 8x8x1, layers: [FLATTEN, FC-10]}")


def digits() -> tuple[Tensor, Tensor]:
    found = prepare("digits", SPEC, validation=0, test=0).train
    assert isinstance(found, Items)
    return found.inputs, found.labels


IMAGES, LABELS = digits()
COUNT = len(LABELS)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Shifted(Dataset[Any]):
    """A user's data set: every item and `copies` shifted copies of it."""

    def __init__(self, data: Dataset[Any], copies: int, seed: int = 0) -> None:
        self.data, self.copies = data, copies
        self.moves = torch.randint(-1, 2, (len(data) * copies, 2), generator=rng(seed))  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.data) * (1 + self.copies)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        which, copy = divmod(index, 1 + self.copies)
        image, label = self.data[which]
        if copy:
            move = self.moves[which * self.copies + copy - 1]
            image = moved_by(image[None], move[:1], move[1:])[0]
        return image, label


class Declared(Shifted):
    """The same, which says what its items were made of."""

    def __init__(self, data: Dataset[Any], copies: int) -> None:
        super().__init__(data, copies)
        self.source_data = data
        self.sources = torch.arange(len(self)) // (1 + copies)


def plain(images: Tensor = IMAGES, labels: Tensor = LABELS) -> TensorDataset:
    return TensorDataset(images, labels)


def cut(data: Dataset[Any], *shares: float, seed: int = 0) -> list[Subset[Any]]:
    return random_split(data, shares, generator=rng(seed))


def how(found: Audit) -> set[str]:
    return {one.how for one in found.findings}


def drawn(images: Tensor, most: float) -> Tensor:
    return (2 * torch.rand(len(images), generator=rng(3)) - 1) * most


def shifted(images: Tensor) -> Tensor:
    return moved_by(images, *torch.randint(-1, 2, (2, len(images)), generator=rng(2)))


def noisy(images: Tensor, deviation: float) -> Tensor:
    return images + deviation * torch.randn(images.shape, generator=rng(4))


COPIES: dict[str, Callable[[Tensor], Tensor]] = {
    "shifted": shifted,
    "mirrored": lambda images: images.flip(-1),
    "turned": lambda images: turned(images, drawn(images, 10)),
    "noisy": lambda images: noisy(images, 0.02),
    "noisier": lambda images: noisy(images, 0.05),
    "all": lambda images: noisy(turned(shifted(images).flip(-1), drawn(images, 10)), 0.01),
    "normalised": lambda images: (shifted(images) - 0.3081) / 0.1307,
    "double": lambda images: shifted(images).double(),
}
