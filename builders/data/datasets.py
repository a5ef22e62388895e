"""Torch data sets of pairs: inputs read when they are needed, labels, names of the classes."""

from __future__ import annotations

from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
)

from archspec.errors import ArchspecError
from builders.data.provenance import counted, provenance
from builders.data.raw import Raw, as_input, numbered


def of_dataset(data: Dataset[Any]) -> Raw:
    """A torch Dataset of pairs (input, label); its items are read when they are needed."""
    if not is_map(data):
        message = f"a data set of type {type(data).__name__} has no length, or no items by index"
        raise ArchspecError("unknown-data", message, hint="a map-style torch Dataset")
    if not len(data):  # type: ignore[arg-type]  # is_map has asked
        raise ArchspecError("split", "the data set is empty", hint="two items at least")
    labels, names = numbered(labels_of(data))
    names = _class_names(data, names)
    inputs = Inputs(data)
    origin, sources = counted(provenance(data))
    return Raw(inputs, labels, names, origin, sources=sources)


def is_map(data: object) -> bool:
    """Whether something is a torch Dataset with a length and items by index."""
    return isinstance(data, Dataset) and not isinstance(data, IterableDataset) and hasattr(data, "__len__")


def behind(data: Any) -> Any:
    """The data set that a DataLoader reads, cut to the items that its sampler chooses; anything else as it is."""
    if not isinstance(data, DataLoader):
        return data
    own = data.batch_sampler if type(data.batch_sampler) not in (BatchSampler, type(None)) else None
    if own is None and isinstance(data.sampler, SequentialSampler | RandomSampler):
        return data.dataset
    with torch.random.fork_rng(devices=[]):  # a sampler may draw
        chosen = chain.from_iterable(own) if own is not None else data.sampler
        return Subset(data.dataset, sorted({int(index) for index in chosen}))


class Inputs(Dataset[Tensor]):
    """The inputs of a data set of pairs, as tensors."""

    def __init__(self, data: Dataset[Any]) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)  # type: ignore[arg-type]  # of_dataset has asked

    def __getitem__(self, index: int) -> Tensor:
        return as_input(pair(self.data, index)[0])


def pair(data: Dataset[Any], index: int) -> tuple[object, object]:
    """Item `index`, its input and its label; raises ArchspecError where it is no pair."""
    item = data[index]
    if not isinstance(item, tuple | list) or len(item) != 2:
        message = f"item {index} of {type(data).__name__} is no pair of input and label"
        raise ArchspecError("data-values", message, hint="__getitem__ returns (tensor, whole number)")
    return item[0], item[1]


def labels_of(data: Dataset[Any]) -> Any:
    """The label of every item: from the parts of a data set where it has any, its `targets`, or item by item."""
    if isinstance(data, Subset):
        return torch.as_tensor(labels_of(data.dataset))[torch.as_tensor(data.indices, dtype=torch.int64)]
    if isinstance(data, ConcatDataset):
        return torch.cat([torch.as_tensor(labels_of(part)) for part in data.datasets if len(part)])  # type: ignore[arg-type]
    if isinstance(data, TensorDataset) and len(data.tensors) == 2:
        return data.tensors[1]
    targets = getattr(data, "targets", None)
    if targets is not None and len(targets) == len(data):  # type: ignore[arg-type]
        return targets
    count = len(data)  # type: ignore[arg-type]
    return [int(label) if isinstance(label, Tensor) else label for label in (pair(data, i)[1] for i in range(count))]


def _class_names(data: Any, values: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a data set gives its classes, where its labels are their indices; otherwise the labels."""
    while isinstance(data, Subset):
        data = data.dataset
    names = getattr(data, "classes", None)
    if not isinstance(names, list | tuple) or not all(
        value.isdecimal() and int(value) < len(names) for value in values
    ):
        return values
    return tuple(str(names[int(value)]) for value in values)
