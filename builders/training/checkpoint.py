"""Checkpoints: one file that holds all of a training, replaced at once, and never read unless it is whole."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from archspec.files import replacing
from builders.training.curves import Curves
from builders.training.loop import Training

FORMAT = "archspec checkpoint 1\n"
HEAD = len(FORMAT) + 64 + 1  # the format, the SHA-256 of what follows, a line's end
RNG = "random"


def write_checkpoint(path: Path, training: Training, key: str) -> None:
    """Write weights, optimiser, random state, curves and the trial's key; what was there stays until all is on disk.

    The loader's place follows from the number of steps. File and folder are synced, so that the file is whole even
    behind a loss of power. Raises OSError.
    """
    body = save(_tensors(training), {"key": key})
    digest = hashlib.sha256(body).hexdigest()
    with replacing(path) as draft, draft.open("wb") as file:
        file.write(f"{FORMAT}{digest}\n".encode())
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def resume(path: Path, training: Training, key: str) -> bool:
    """Take a training up where its checkpoint left it; False, and nothing is changed, where there is none of this key.

    A file that is not whole, or not of this format, counts as none.
    """
    tensors = _read(path, key)
    if tensors is None:
        return False
    groups: dict[str, dict[str, Tensor]] = {"network": {}, "optimizer": {}, "curves": {}}
    random = tensors.pop(RNG)
    for name, tensor in tensors.items():
        group, _, rest = name.partition("/")
        groups[group][rest] = tensor
    training.network.load_state_dict(groups["network"])
    training.optimizer.load_state_dict(
        {"state": _nested(groups["optimizer"]), "param_groups": training.optimizer.state_dict()["param_groups"]}
    )
    training.curves = Curves.of(groups["curves"])
    torch.set_rng_state(random)
    return True


def sync_folder(folder: Path) -> None:
    """Have the names in a folder written to disk, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _tensors(training: Training) -> dict[str, Tensor]:
    state = training.network.state_dict()
    found = {f"network/{name}": tensor.detach().clone().contiguous() for name, tensor in state.items()}
    for number, values in training.optimizer.state_dict()["state"].items():
        for name, value in values.items():
            if value is not None:
                found[f"optimizer/{number}.{name}"] = torch.as_tensor(value).clone().contiguous()
    found |= {f"curves/{name}": column for name, column in training.curves.tensors().items()}
    return found | {RNG: torch.get_rng_state()}


def _nested(flat: dict[str, Tensor]) -> dict[int, dict[str, Any]]:
    """The optimiser's state by the number of the parameter."""
    found: dict[int, dict[str, Any]] = {}
    for name, tensor in flat.items():
        number, _, key = name.partition(".")
        found.setdefault(int(number), {})[key] = tensor
    return found


def _read(path: Path, key: str) -> dict[str, Tensor] | None:
    """The tensors of a whole checkpoint of this trial."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    head, body = content[:HEAD], content[HEAD:]
    if head != f"{FORMAT}{hashlib.sha256(body).hexdigest()}\n".encode():
        return None
    try:
        size = int.from_bytes(body[:8], "little")
        metadata = json.loads(body[8 : 8 + size]).get("__metadata__", {})
        return load(body) if metadata.get("key") == key else None
    except (ValueError, SafetensorError):
        return None
