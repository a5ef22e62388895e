"""Data sets of torchvision, downloaded where they are not there yet."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import ConcatDataset

from archspec.errors import ArchspecError, did_you_mean
from builders.data.datasets import Inputs, labels_of
from builders.data.raw import Raw, numbered


def outside(name: str, cache: Path) -> Raw:
    """A data set of torchvision by the name of its class, kept in the folder `cache`; its own test part stays one."""
    from torchvision import datasets  # type: ignore[import-untyped]

    kinds = {one for one in datasets.__all__ if _is_classifier(getattr(datasets, one))}
    if name not in kinds:
        hint = did_you_mean(name, kinds) or "a class of torchvision.datasets that gives pairs, such as MNIST or CIFAR10"
        raise ArchspecError("unknown-data", f"torchvision has no data set {name!r} for classification", hint=hint)
    kind = getattr(datasets, name)
    parts = [_opened(kind, cache, one) for one in _parts(kind)]
    whole: ConcatDataset[Any] = ConcatDataset(parts)
    labels, values = numbered(labels_of(whole))
    classes = getattr(parts[0], "classes", None)
    names = tuple(map(str, classes)) if classes and len(classes) == len(values) else values
    tested = len(parts[1]) if len(parts) == 2 else 0
    said = (f"{name}: its own {tested} test items are the test part",) if tested else ()
    return Raw(Inputs(whole), labels, names, f"torchvision:{name}", said, tested)


def _is_classifier(kind: Any) -> bool:
    """Whether a class can be opened by name alone: no argument but the folder must be given."""
    if not isinstance(kind, type) or not issubclass(kind, torch.utils.data.Dataset):
        return False
    arguments = inspect.signature(kind).parameters
    needed = {
        one for one, given in arguments.items() if given.default is given.empty and given.kind < given.VAR_POSITIONAL
    }
    return needed <= {"root"} and ("download" in arguments or kind.__name__ == "FakeData")


def _parts(kind: Any) -> list[dict[str, object]]:
    """The arguments that choose the training part, and those for the test part where the class has one."""
    arguments = inspect.signature(kind).parameters
    if "train" in arguments:
        return [{"train": True}, {"train": False}]
    if "split" in arguments and arguments["split"].default in ("train", "trainval"):
        return [{"split": arguments["split"].default}, {"split": "test"}]
    return [{}]


def _opened(kind: Any, cache: Path, chosen: dict[str, object]) -> Any:
    arguments = inspect.signature(kind).parameters
    given = {"root": str(cache), "download": True}
    try:
        cache.mkdir(parents=True, exist_ok=True)
        return kind(**{key: value for key, value in given.items() if key in arguments}, **chosen)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        message = f"cannot get torchvision's {kind.__name__}: {reason}"
        hint = f"with a network it is downloaded; without, put its files into {cache / kind.__name__}, or use digits"
        raise ArchspecError("no-download", message, hint=hint) from None
