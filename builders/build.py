"""`archspec.build`: from a spec, or its name, to a torch module."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from archspec.document import parse_document
from archspec.errors import ArchspecError, did_you_mean
from archspec.source import collector_paused
from archspec.spec import InputSize, Spec, load
from archspec.spec import build as elaborated
from builders.network import Network
from builders.tensors import give_weights
from builders.writer import write

DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


def build(
    spec: Spec | str | Path,
    /,
    *,
    variant: str | None = None,
    dtype: str | torch.dtype = "float32",
    device: str | torch.device = "cpu",
    input: InputSize | Mapping[str, InputSize] | None = None,
    **variables: object,
) -> Network:
    """Build the torch module of a spec: a Spec, a path, or the name of a bundled spec or variant; raises ArchspecError.

    `variant`, `input` and further keywords choose as in `archspec.load`. The module is in training mode, its weights
    are drawn as torch draws them; on the device "meta" it takes no memory.

    >>> model = build("tutorial/cnn")
    >>> tuple(model(torch.zeros(2, 1, 28, 28)).shape)
    (2, 3)
    >>> sum(parameter.numel() for parameter in model.parameters())
    2483
    """
    number, place = _dtype(dtype), torch_device(device)
    with collector_paused():
        found = opened(spec, variant, input, variables)
        with nullcontext() if place == torch.get_default_device() else place:
            network = write(found.layers)
    if number is not torch.get_default_dtype():
        network.to(number)
    give_weights(network, found)
    network.source, network.choices = found.source, found.choices
    return network


def opened(
    spec: Spec | str | Path,
    variant: str | None = None,
    input: InputSize | Mapping[str, InputSize] | None = None,
    variables: Mapping[str, object] | None = None,
) -> Spec:
    """The spec itself, or that of a path or name; raises ArchspecError."""
    if not isinstance(spec, Spec):
        return load(spec, variant=variant, input=input, **dict[str, Any](variables or {}))
    if variant is None and input is None and not variables:
        return spec
    message = f"{spec.title} is chosen already"
    raise ArchspecError("chosen", message, hint="give variant, input and variables to archspec.load, or here a name")


def spec_of(network: Network) -> Spec:
    """The spec that a network was built from; raises ArchspecError where its text is none."""
    return elaborated(parse_document(network.source.text, network.source.name), network.choices)


def _dtype(dtype: str | torch.dtype) -> torch.dtype:
    name = str(dtype).removeprefix("torch.")
    if name not in DTYPES:
        hint = did_you_mean(name, DTYPES) or f"networks are built in {', '.join(DTYPES)}"
        raise ArchspecError("unknown-dtype", f"weights cannot be of dtype `{name}`", hint=hint)
    return DTYPES[name]


def torch_device(device: str | torch.device) -> torch.device:
    """The device; raises ArchspecError where there is none of that name, or torch cannot reach it."""
    try:
        found = torch.device(device)
        if found.type != "meta":
            torch.empty(0, device=found)
    except (RuntimeError, AssertionError, TypeError) as error:
        message = f"torch cannot use the device `{device}`: {str(error).splitlines()[0]}"
        raise ArchspecError("device", message, hint="use cpu, or meta for shapes alone") from None
    return found
