"""Which item of which data set every item came from."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import ConcatDataset

from archspec.errors import ArchspecError
from builders.data.items import Items, Stored

Part = tuple[str, Tensor]  # the name of a data set, and indices into it


def provenance(data: Any) -> list[Part]:
    """Where the items came from, in their order: pieces of a data set's name and indices into it.

    `Items` know. Of torch data sets a `Subset` (whatever has `dataset` and `indices`) and a `ConcatDataset` lead
    to what they were cut from. A data set whose items are made of others declares it: `sources`, one index for each
    item, into the data set `source_data`, or into itself as it was. Of any other data set an item is its own source.
    """
    if isinstance(data, Items | Stored):
        return [(data.origin, data.sources)]
    if isinstance(data, ConcatDataset):
        return [piece for part in data.datasets for piece in provenance(part)]
    if hasattr(data, "dataset") and hasattr(data, "indices"):
        return _chosen(provenance(data.dataset), torch.as_tensor(data.indices, dtype=torch.int64))
    own = declared(data)
    if own is None:
        return [(name_of(data), torch.arange(len(data)))]
    base = getattr(data, "source_data", None)
    return _chosen(provenance(base), own) if base is not None else [(name_of(data), own)]


def counted(parts: list[Part]) -> tuple[str, Tensor]:
    """One number for each source: the index in its data set; of several, those of one after those of the other."""
    lengths: dict[str, int] = {}
    for name, indices in parts:
        lengths[name] = max(lengths.get(name, 0), int(indices.max()) + 1 if len(indices) else 0)
    starts = dict(zip(lengths, accumulate(lengths.values(), initial=0), strict=False))
    return " and ".join(lengths), torch.cat([indices + starts[name] for name, indices in parts])


def declared(data: Any) -> Tensor | None:
    """The sources that a data set declares; raises ArchspecError where they are not one index for each item."""
    sources = getattr(data, "sources", None)
    if sources is None:
        return None
    try:
        found = torch.as_tensor(sources)
    except (TypeError, ValueError, RuntimeError):
        found = torch.empty(0, 0)
    whole = found.ndim == 1 and len(found) == len(data) and not found.is_floating_point()
    if not whole or (len(found) and int(found.min()) < 0):
        message = f"`sources` of {type(data).__name__} are not one index from 0 for each of its {len(data)} items"
        raise ArchspecError("sources", message, hint="the index of the item that each one was made of")
    return found.long()


def name_of(data: Any) -> str:
    """A name that no other data has; two objects of torchvision's own classes that open the same files share one."""
    kind = type(data)
    if not kind.__module__.startswith("torchvision.") or not getattr(data, "root", None):
        return f"{kind.__name__} at {id(data):#x}"
    chosen = [f"{key}={value}" for key, value in sorted(vars(data).items()) if isinstance(value, str | int | Path)]
    return f"{kind.__name__} {hash(tuple(getattr(data, 'samples', ())))} {', '.join(chosen)}"


def _chosen(parts: list[Part], indices: Tensor) -> list[Part]:
    """Items of a data set that is itself made of parts: in their order, neighbours of one part together."""
    ends = torch.tensor([len(indices) for _, indices in parts]).cumsum(0)
    if len(indices) and int(indices.max()) >= int(ends[-1]):
        message = f"an index of {int(indices.max())} into a data set of {int(ends[-1])} items"
        raise ArchspecError("sources", message, hint="`source_data` is what `sources` count in")
    if len(parts) == 1:
        return [(parts[0][0], parts[0][1][indices])]
    part = torch.searchsorted(ends, indices, right=True)
    runs = torch.unique_consecutive(part, return_counts=True)
    pieces, found = torch.split(indices, runs[1].tolist()), []
    for number, piece in zip(runs[0].tolist(), pieces, strict=True):
        name, known = parts[number]
        found.append((name, known[piece - (int(ends[number - 1]) if number else 0)]))
    return found
