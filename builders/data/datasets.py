"""Torch data sets of pairs: inputs read when they are needed, labels, names of the classes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, Dataset, Subset, TensorDataset

from archspec.errors import ArchspecError
from builders.data.provenance import declared, name_of
from builders.data.raw import Raw, as_input, numbered


def of_dataset(data: Dataset[Any]) -> Raw:
    """A torch Dataset of pairs (input, label); its items are read when they are needed."""
    if not hasattr(data, "__len__") or not hasattr(type(data), "__getitem__"):
        message = f"a data set of type {type(data).__name__} has no length, or no items by index"
        raise ArchspecError("unknown-data", message, hint="a map-style torch Dataset")
    if not len(data):
        raise ArchspecError("split", "the data set is empty", hint="two items at least")
    labels, names = numbered(labels_of(data))
    names = _class_names(data, names)
    inputs = Inputs(data)
    own = declared(data)
    return Raw(inputs, labels, names, name_of(data), sources=own)


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
        return torch.as_tensor(labels_of(data.dataset))[torch.as_tensor(data.indices)]
    if isinstance(data, ConcatDataset):
        return torch.cat([torch.as_tensor(labels_of(part)) for part in data.datasets])
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
