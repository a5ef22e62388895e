"""A data set as its source gives it, before it is made to fit a spec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from archspec.errors import ArchspecError


@dataclass(frozen=True, eq=False)
class Raw:
    """Inputs in memory (N, ...) or read one by one, labels from 0, the names of the classes, the name of the set.

    Where the set has a test part of its own, `tested` says how many items at the end are in it. `sources` are those
    that the set declares; without them every item is its own source.
    """

    inputs: Tensor | Dataset[Tensor]
    labels: Tensor
    classes: tuple[str, ...]
    origin: str
    said: tuple[str, ...] = ()
    tested: int = 0
    sources: Tensor | None = None


def as_input(value: object) -> Tensor:
    """One input as a tensor: images with channels first, whole numbers of 8 bits divided by 255.

    Takes tensors, arrays, numbers and PIL images; raises ArchspecError `data-values` for anything else.
    """
    if isinstance(value, Tensor):
        return value.float() / 255 if value.dtype == torch.uint8 else value
    if hasattr(value, "convert") and hasattr(value, "mode"):
        return picture(value)
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf" or not array.size:
            raise TypeError
    except (TypeError, ValueError):
        message = f"an input of type {type(value).__name__} is neither tensor, array nor image"
        raise ArchspecError("data-values", message, hint="items are pairs: a tensor and a whole number") from None
    return as_input(torch.from_numpy(native(array)))


def native(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array of numbers as torch takes it: in the byte order of the machine, of 64 bits at most."""
    kind = array.dtype.newbyteorder("=") if array.dtype.itemsize <= 8 else np.dtype(np.float64)
    return np.ascontiguousarray(array.astype(kind, copy=False))


def picture(image: Any) -> Tensor:
    """A PIL image as (C, H, W) from 0 to 1: grey as one channel, all others as red, green and blue."""
    if image.mode.startswith("I;16"):
        return torch.from_numpy(np.asarray(image).astype(np.float32) / 65535).unsqueeze(0)
    if image.mode in ("I", "F"):
        message = f"an image of mode {image.mode} says nothing of the range of its values"
        raise ArchspecError("data-values", message, hint="save it with 8 or 16 bits a channel, or give tensors")
    pixels = np.array(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB"))
    tensor = torch.from_numpy(pixels).float() / 255
    return tensor.unsqueeze(0) if tensor.ndim == 2 else tensor.permute(2, 0, 1).contiguous()


def numbered(values: Sequence[object] | Tensor) -> tuple[Tensor, tuple[str, ...]]:
    """Labels counted from 0 in ascending order, and the values as names of the classes; raises ArchspecError.

    >>> numbered(torch.tensor([3, 7, 3]))
    (tensor([0, 1, 0]), ('3', '7'))
    """
    try:
        found = torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError):
        found = torch.empty(0, 0)
    if found.ndim != 1 or not len(found) or found.is_floating_point() or found.is_complex():
        raise ArchspecError(
            "data-values", "labels are not one whole number an item", hint="class numbers, such as 0 and 1"
        )
    names, labels = torch.unique(found.long(), return_inverse=True)
    return labels, tuple(str(name) for name in names.tolist())
