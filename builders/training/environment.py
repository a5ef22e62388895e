"""What the numbers of a study may hang on beside its recipe: versions, processor, data."""

from __future__ import annotations

import hashlib
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from archspec import __version__
from builders.data import Items, Prepared, Stored

PACKAGES = ("torch", "numpy", "safetensors", "scikit-learn", "joblib")


def environment(threads: int) -> dict[str, Any]:
    """What numbers may hang on in their last bits: versions, processor, threads."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "archspec": __version__,
        "python": platform.python_version(),
        "packages": versions,
        "system": sys.platform,
        "machine": platform.machine(),
        "vector instructions": torch.backends.cpu.get_cpu_capability(),
        "threads of a trial": threads,
    }


def fingerprint(data: Prepared) -> dict[str, Any]:
    """The sizes of the parts, and a SHA-256 of their labels, sources and, where they are in memory, inputs."""
    found, digest = dict[str, Any](), hashlib.sha256()
    for name, part in (("train", data.train), ("validation", data.validation), ("test", data.test)):
        found[name] = len(part)
        for tensor in _tensors(part):
            digest.update(tensor.contiguous().numpy().data)
    return found | {"sha256": digest.hexdigest()}


def _tensors(part: Items | Stored) -> list[torch.Tensor]:
    return [part.labels, part.sources, *([part.inputs] if isinstance(part, Items) else [])]
