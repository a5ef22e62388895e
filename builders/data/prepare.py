"""From the name of a data set, or a torch Dataset, to three parts that fit a spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, DataLoader, Dataset

from archspec.errors import ArchspecError
from archspec.spec import Spec
from builders.data.augment import fitting, parse_augment
from builders.data.datasets import behind, is_map, of_dataset
from builders.data.fit import Fit, fit_of
from builders.data.items import Items, Prepared, Stored
from builders.data.raw import Raw
from builders.data.sources import named
from builders.data.splits import split
from builders.run import seeded

CACHE = Path("~/.cache/archspec")
MOST_BYTES = 512 << 20  # of inputs that are held in memory

Data = str | Dataset[Any] | DataLoader[Any] | Sequence[Dataset[Any] | DataLoader[Any]]


def prepare(
    data: Data,
    spec: Spec,
    *,
    seed: int = 0,
    validation: float = 0.2,
    test: float = 0.2,
    augment: str | None = None,
    cache: str | Path = CACHE,
) -> Prepared:
    """A data set made ready for a spec: resized, split by `seed`, and only then augmented, the training part alone.

    `data` is `digits`, `torchvision:NAME` (kept in `cache`), `folder:PATH`, `npz:PATH`, `synthetic:NAME`, a torch
    Dataset of pairs (input, label), or two or three of them that are split already: training, validation, test.
    `validation` and `test` are shares of all items. Raises ArchspecError where the data does not fit the spec.

    >>> from archspec import parse
    >>> found = prepare("digits", parse("{name: a, input: 28x28x1, layers: [FLATTEN, FC-3]}"))
    >>> [tuple(part.inputs.shape) for part in (found.train, found.validation, found.test)]
    [(322, 1, 28, 28), (108, 1, 28, 28), (107, 1, 28, 28)]
    >>> print(*found.said, sep="\\n")
    digits: 1797 images of 8x8, values 0 to 16 divided by 16
    the spec has 3 outputs: of 10 classes the first are taken, 0, 1, 2: 537 of 1797 items
    resized from 8x8 to 28x28 (bilinear, antialiased): 537 items
    537 items: 322 to train on, 108 for validation, 107 for test
    """
    fit, start = fit_of(spec), seeded(seed)
    parts: Sequence[Dataset[Any]] = ()
    if isinstance(data, str):
        raw = named(data, fit.sizes, fit.outputs, Path(cache).expanduser())
    elif isinstance(data, Sequence):
        parts = _parts([behind(one) for one in data])
        raw = of_dataset(ConcatDataset(parts))
    else:
        raw = of_dataset(behind(data))
    changing = fitting(parse_augment(augment), fit.sizes) if augment else None
    raw, kept, said = _chosen(raw, fit)
    items, changed = _fitted(raw, fit)
    ends = _given_split(parts, kept) if parts else _split(raw, start, validation, test)
    train, checked, tested = (items.take(one) for one in ends)
    count = f"{len(items)} items: {len(train)} to train on, {len(checked)} for validation, {len(tested)} for test"
    return Prepared(train, checked, tested, changing, raw.classes, (*raw.said, *said, *changed, count))


def _parts(data: Sequence[Any]) -> Sequence[Dataset[Any]]:
    found = [one for one in data if is_map(one)]
    if len(found) != len(data) or len(found) not in (2, 3):
        kinds = ", ".join(type(one).__name__ for one in data) or "none"
        hint = "torch Datasets: training, validation and, if there is one, test"
        raise ArchspecError("unknown-data", f"data that is split already cannot be of types {kinds}", hint=hint)
    return found


def _chosen(raw: Raw, fit: Fit) -> tuple[Raw, Tensor, tuple[str, ...]]:
    """The classes for which the spec has an output, the indices of their items, and what is to be said of that."""
    count, words = fit.classes(raw.classes)
    kept = (raw.labels < count).nonzero().flatten()
    if len(kept) == len(raw.labels):
        return raw, kept, words
    words = tuple(f"{one}: {len(kept)} of {len(raw.labels)} items" for one in words)
    inputs = raw.inputs[kept] if isinstance(raw.inputs, Tensor) else torch.utils.data.Subset(raw.inputs, kept.tolist())
    tested = int((kept >= len(raw.labels) - raw.tested).sum())
    sources = kept if raw.sources is None else raw.sources[kept]
    fewer = replace(raw, inputs=inputs, labels=raw.labels[kept], classes=raw.classes[:count], tested=tested)
    return replace(fewer, sources=sources), kept, words


def _split(raw: Raw, seed: int, validation: float, test: float) -> tuple[Tensor, Tensor, Tensor]:
    """The parts of one data set; a test part of its own stays as it is."""
    if not raw.tested:
        return split(raw.labels, validation, test, seed)
    own = len(raw.labels) - raw.tested
    train, checked, _ = split(raw.labels[:own], validation, 0, seed)
    return train, checked, torch.arange(own, len(raw.labels))


def _given_split(parts: Sequence[Dataset[Any]], kept: Tensor) -> tuple[Tensor, ...]:
    """Which of the items that are kept stand in which part of a split that was given."""
    ends = torch.tensor([len(part) for part in parts]).cumsum(0)  # type: ignore[arg-type]  # _parts has asked
    part = torch.searchsorted(ends, kept, right=True)
    return tuple((part == number).nonzero().flatten() for number in range(3))


def _fitted(raw: Raw, fit: Fit) -> tuple[Items | Stored, tuple[str, ...]]:
    """The items as the spec reads them, in memory where there is room, and in words what that took."""
    sources = torch.arange(len(raw.labels)) if raw.sources is None else raw.sources
    if isinstance(raw.inputs, Tensor):
        words = tuple(f"{one}: {len(raw.labels)} items" for one in fit.words(tuple(raw.inputs.shape[1:])))
        return _finite(Items(fit(raw.inputs), raw.labels, sources, raw.origin)), words
    reading = Fitting(raw.inputs, fit)
    stored = Stored(reading, raw.labels, sources, raw.origin)
    if 4 * len(raw.labels) * prod(fit.sizes) > MOST_BYTES:
        first = "".join(f"; {one}, the first item" for one in fit.words(tuple(raw.inputs[0].shape)))
        return stored, (f"too large for memory: items are read when they are used{first}",)
    items = _finite(stored.load())
    return items, tuple(f"{words}: {count} items" for words, count in reading.told.items())


def _finite(items: Items) -> Items:
    """The same items; raises ArchspecError where one has a number that is not finite in float32."""
    broken = (~items.inputs.isfinite().flatten(1).all(1)).nonzero()
    if len(broken):
        source = int(items.sources[broken[0, 0]])
        message = (
            f"{len(broken)} of {len(items)} items have numbers that are not finite, the first with source {source}"
        )
        raise ArchspecError("data-values", message, hint="leave such items out")
    return items


class Fitting(Dataset[Tensor]):
    """Inputs as the spec reads them, one by one; `told` counts what was done to them in this process."""

    def __init__(self, inputs: Dataset[Tensor], fit: Fit) -> None:
        self.inputs, self.fit = inputs, fit
        self.told: Counter[str] = Counter()

    def __getitem__(self, index: int) -> Tensor:
        one = self.inputs[index]
        self.told.update(self.fit.words(tuple(one.shape)))
        return self.fit(one.unsqueeze(0))[0]
