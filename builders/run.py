"""`archspec.run`: a worked example, every layer's output as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from archspec.errors import ArchspecError
from archspec.nodes import Node
from archspec.spec import InputSize, Spec
from builders.build import build, opened
from builders.proofs.walk import Walk, nothing
from builders.tensors import drawn_weights, given_inputs, in_order

CHANNELS = 8  # of one map that are shown
EDGE = 4  # rows and columns on each side of a larger map


@dataclass(frozen=True)
class Run:
    """The output of every layer for one example, in the spec's order of axes."""

    title: str
    outputs: Mapping[Node, Tensor]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON; numbers that are not finite are the texts "inf", "-inf" and "nan"."""
        layers = [
            {
                "node": node.index,
                "layer": node.name or str(node.layer),
                "shape": list(node.shape.sizes),
                "output": _plain(value),
            }
            for node, value in self.outputs.items()
        ]
        return {"name": self.title, "layers": layers}

    def __str__(self) -> str:
        parts = [
            f"{node.index}  {node.name or node.layer}: {node.shape}\n{_numbers(v)}" for node, v in self.outputs.items()
        ]
        return "\n\n".join([self.title, *parts]) + "\n"


def run(
    spec: Spec | str | Path,
    /,
    *,
    variant: str | None = None,
    input: InputSize | Mapping[str, InputSize] | None = None,
    seed: int = 0,
    **variables: object,
) -> Run:
    """Run a spec, in float64 and evaluation mode, on the inputs that its `tensors` give.

    Weights that it gives are used, others are drawn from `seed`. Raises ArchspecError where an input is not given.

    >>> spec = "{name: sum, input: 3x3x1, layers: CONV2-1 p0 d2 w=ones nobias, tensors: {ones: [[1, 1], [1, 1]], "
    >>> from archspec import parse
    >>> found = run(parse(spec + "input: [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}}"))
    >>> [value.item() for value in found.outputs.values() if value.numel() == 1]
    [20.0]
    """
    start, found = seeded(seed), opened(spec, variant, input, variables)
    inputs = given_inputs(found, torch.float64)
    missing = [name for name in found.layers.inputs if name not in inputs]
    if missing:
        node = found.layers.inputs[missing[0]]
        message = f"the spec gives no tensor for the input `{missing[0]}`"
        hint = f"tensors: {{{missing[0]}: ...}}, nested lists of {node.shape} numbers"
        raise ArchspecError("no-input", message, node.span, hint)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(start)
        network = build(found, dtype="float64").eval()
    outputs: dict[Node, Tensor] = {node: in_order(inputs[name]) for name, node in found.layers.inputs.items()}
    with torch.no_grad():
        walk = Walk(network, found.layers, nothing, lambda node, value: outputs.update({node: in_order(value).clone()}))
        walk.run(*(inputs[name] for name in found.layers.inputs))
    drawn = drawn_weights(found)
    notes = (f"weights drawn (seed {start}): {', '.join(drawn)}",) if drawn else ()
    return Run(found.title, outputs, notes)


def seeded(seed: object) -> int:
    """A seed that a caller gives; raises ArchspecError unless it is a whole number of 64 bits."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not -(1 << 63) <= seed < 1 << 63:
        hint = "give a whole number from -2**63 to 2**63 - 1"
        raise ArchspecError("seed", f"a seed cannot be {seed!r}", hint=hint)
    return seed


def _plain(value: Tensor) -> object:
    """Nested lists of numbers; those that are not finite are texts."""
    if value.isfinite().all():
        return value.tolist()
    return [_plain(part) for part in value] if value.ndim else str(value.item())


def _numbers(value: Tensor) -> str:
    """A vector in a line, a map channel by channel; of large ones the borders."""
    numbers = value.numpy()
    with np.printoptions(precision=6, suppress=True, edgeitems=EDGE, threshold=400, linewidth=110, floatmode="maxprec"):
        if numbers.ndim > 1 and numbers.shape[-1] == 1:
            return str(numbers[..., 0])
        if numbers.ndim < 3:
            return str(numbers)
        channels = [f"channel {c}:\n{numbers[..., c]}" for c in range(min(numbers.shape[-1], CHANNELS))]
    rest = numbers.shape[-1] - CHANNELS
    return "\n".join([*channels, *([f"and {rest} more channels"] if rest > 0 else [])])
