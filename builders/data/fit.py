"""Making inputs and classes fit a spec: resizing, channels, classes. What is done can be told in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from archspec.errors import ArchspecError
from archspec.nodes import Node
from archspec.spec import Spec

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601


@dataclass(frozen=True)
class Fit:
    """What a spec reads and gives: one input of `sizes` in torch's order, one vector of `outputs` numbers."""

    sizes: tuple[int, ...]
    outputs: int
    tokens: bool
    reading: Node
    giving: Node

    def words(self, sizes: tuple[int, ...]) -> tuple[str, ...]:
        """What happens to an item of these sizes on its way to the input; raises ArchspecError where nothing fits."""
        return tuple(self._words(sizes))

    def _words(self, sizes: tuple[int, ...]) -> Iterator[str]:
        if sizes == self.sizes:
            return
        if len(self.sizes) == 1 and prod(sizes) == self.sizes[0] and not self.tokens:
            yield f"{_by(sizes)} flattened to {self.sizes[0]}"
            return
        if len(self.sizes) != 3 or len(sizes) != 3:
            raise self._misfit(sizes)
        if sizes[0] != self.sizes[0]:
            if {sizes[0], self.sizes[0]} != {1, 3}:
                raise self._misfit(sizes)
            yield "grey repeated as red, green and blue" if sizes[0] == 1 else "colours made grey (ITU-R BT.601)"
        if sizes[1:] != self.sizes[1:]:
            yield f"resized from {_by(sizes[1:])} to {_by(self.sizes[1:])} (bilinear, antialiased)"

    def __call__(self, inputs: Tensor) -> Tensor:
        """Inputs (N, ...) as the spec reads them: (N, C, H, W), float32; tokens stay whole numbers."""
        self.words(tuple(inputs.shape[1:]))
        if self.tokens:
            return inputs.long()
        inputs = inputs.float()
        if len(self.sizes) == 1:
            return inputs.flatten(1)
        if inputs.shape[1] != self.sizes[0]:
            luma = torch.tensor(LUMA).view(3, 1, 1)
            inputs = (inputs * luma).sum(1, keepdim=True) if self.sizes[0] == 1 else inputs.expand(-1, 3, -1, -1)
        if inputs.shape[2:] != self.sizes[1:]:
            inputs = functional.interpolate(
                inputs, list(self.sizes[1:]), mode="bilinear", antialias=True, align_corners=False
            )
        return inputs.contiguous()

    def classes(self, names: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        """How many of the classes are taken, and in words what follows for them; raises ArchspecError."""
        if self.outputs < 2 or len(names) < 2:
            found = f"the spec has {self.outputs} outputs, and the data {len(names)} classes"
            hint = "one output for each class, and two classes at least"
            raise ArchspecError("data-misfit", found, self.giving.span, hint)
        if len(names) > self.outputs:
            kept = names[: self.outputs]
            words = f"the spec has {self.outputs} outputs: of {len(names)} classes the first are taken, {_named(kept)}"
            return self.outputs, (words,)
        spare = self.outputs - len(names)
        words = f"the data has {len(names)} classes: {spare} of the spec's {self.outputs} outputs stand for none"
        return len(names), (words,) if spare else ()

    def _misfit(self, sizes: tuple[int, ...]) -> ArchspecError:
        read = "tokens" if self.tokens else "the input"
        message = f"items of {_by(sizes)} cannot be made {read} of {_by(self.sizes)} (channels first)"
        channels, *space = sizes
        hint = "images are resized, grey and colour turned into each other; nothing else is"
        if not self.tokens:
            hint = f"input: {_by((*space, channels))}, or other data\n{hint}"
        return ArchspecError("data-misfit", message, self.reading.span, hint)


def fit_of(spec: Spec) -> Fit:
    """What a spec reads and gives; raises ArchspecError where it is no classifier of single inputs."""
    inputs, outputs = tuple(spec.layers.inputs.values()), tuple(spec.layers.outputs.values())
    if len(inputs) != 1:
        hint = "data sets give one tensor an item"
        raise ArchspecError("data-misfit", f"the spec has {len(inputs)} inputs", inputs[1].span, hint)
    if len(outputs) != 1:
        message = f"the spec has {len(outputs)} outputs"
        raise ArchspecError("data-misfit", message, outputs[1].span, "list one under outputs:")
    read, given = inputs[0].shape, outputs[0].shape
    if given.spatial or given.channels is None:
        message = f"the output {given} is no vector with a number for each class"
        raise ArchspecError("data-misfit", message, outputs[0].span, "end with FLATTEN or GAP, then FC")
    channels = () if read.channels is None else (read.channels,)
    return Fit((*channels, *read.spatial), given.channels, read.channels is None, inputs[0], outputs[0])


def _by(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes))


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 10 else f"{', '.join(names[:5])} to {names[-1]}"
