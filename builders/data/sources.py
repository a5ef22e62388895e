"""Where data comes from: `digits`, `torchvision:NAME`, `folder:PATH`, `npz:PATH`, `synthetic:NAME`, a torch Dataset."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from archspec.errors import ArchspecError, did_you_mean, missing_package
from builders.data.folder import folder
from builders.data.outside import outside
from builders.data.raw import Raw, as_input, numbered
from builders.data.synthetic import synthetic

WRITTEN = "digits, torchvision:NAME, folder:PATH, npz:PATH or synthetic:NAME"


def named(text: str, sizes: tuple[int, ...], outputs: int, cache: Path) -> Raw:
    """The data set that a text names; raises ArchspecError."""
    kind, colon, rest = text.partition(":")
    readers: Mapping[str, Callable[[], Raw]] = {
        "digits": digits,
        "torchvision": lambda: outside(rest, cache),
        "folder": lambda: folder(Path(rest).expanduser()),
        "npz": lambda: npz(Path(rest).expanduser()),
        "synthetic": lambda: synthetic(rest, sizes, outputs),
    }
    if kind not in readers or bool(colon) is (kind == "digits") or (colon and not rest):
        found = did_you_mean(kind, readers)
        hint = f"{found} write {WRITTEN}" if found and kind not in readers else f"write {WRITTEN}"
        raise ArchspecError("unknown-data", f"there is no data set {text!r}", hint=hint)
    try:
        return readers[kind]()
    except ModuleNotFoundError as error:
        raise missing_package(f"data {text}", error, "train") from None


def digits() -> Raw:
    """1797 handwritten digits of 8x8 grey values 0 to 16, here 0 to 1: scikit-learn's, of the UCI repository."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    read = load_digits()
    inputs = torch.from_numpy(read.images).float().div(16).unsqueeze(1)
    names = tuple(map(str, range(10)))
    said = ("digits: 1797 images of 8x8, values 0 to 16 divided by 16",)
    return Raw(inputs, torch.from_numpy(read.target).long(), names, "digits", said)


def npz(path: Path) -> Raw:
    """The arrays of a file: `inputs` (N, C, H, W), (N, H, W) or (N, ...), `labels` (N,) and perhaps `sources` (N,)."""
    arrays = _arrays(path)
    inputs, labels = arrays.get("inputs"), arrays.get("labels")
    if inputs is None or labels is None:
        message = f"{path} holds {', '.join(sorted(arrays)) or 'nothing'}, not inputs and labels"
        raise ArchspecError("data-values", message, hint="numpy.savez(path, inputs=..., labels=...)")
    if (
        inputs.ndim < 2
        or not inputs.size
        or inputs.dtype.kind not in "biuf"
        or inputs.shape[0] != len(np.atleast_1d(labels))
    ):
        message = f"{path}: inputs are {_array(inputs)}, labels {_array(labels)}"
        raise ArchspecError("data-values", message, hint="inputs (N, C, H, W) of numbers, labels (N,)")
    said = ["values 0 to 255 divided by 255"] if inputs.dtype == np.uint8 else []
    tensor = as_input(inputs)
    tensor = tensor.unsqueeze(1) if tensor.ndim == 3 else tensor
    classes, names = numbered(_torch(labels))
    sources = _given_sources(arrays["sources"], len(labels), str(path)) if "sources" in arrays else None
    return Raw(tensor, classes, names, f"npz:{path}", tuple(said), sources=sources)


def _arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise ValueError("it holds one array, not several with names")
            return {name: file[name] for name in file.files}
    except OSError as error:
        message = f"cannot read {path}: {error.strerror or error}"
        raise ArchspecError("unreadable", message, hint="the path of a file that numpy.savez wrote") from None
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError, KeyError) as error:
        message = f"{path} is no file of named arrays: {str(error).splitlines()[0] if str(error) else 'it is cut off'}"
        hint = "numpy.savez(path, inputs=..., labels=...), arrays of numbers"
        raise ArchspecError("data-values", message, hint=hint) from None


def _array(array: np.ndarray[Any, Any]) -> str:
    return f"{array.dtype} {tuple(array.shape)}"


def _torch(array: np.ndarray[Any, Any]) -> Tensor:
    return torch.from_numpy(array.astype(np.int64)) if array.dtype.kind in "biu" else torch.empty(0, 0)


def _given_sources(values: np.ndarray[Any, Any], count: int, where: str) -> Tensor:
    sources = _torch(values)
    if sources.shape != (count,) or int(sources.min()) < 0:
        message = f"{where}: `sources` are not one whole number from 0 for each of {count} items"
        raise ArchspecError("sources", message, hint="the index of the item that each one was made of")
    return sources
