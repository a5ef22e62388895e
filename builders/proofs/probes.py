"""Contaminating positions of an input, and seeing which units of a network's output that reaches.

NaN passes through whatever reads it: NaN times 0 is NaN. So what NaN does not reach is not read. What it reaches may be
multiplied by an exact 0, as in interpolation at a border; a finite change that changes the output bit by bit is read.

What is read is told for positions, whatever the channel: between layers the channels of every position are mixed, since
layers that pick some channels would else hide what the others read. The last layer is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from archspec.analysis.memory import memory
from archspec.graph import LayerGraph
from archspec.layers import Shape
from archspec.nodes import Node
from builders.network import Network
from builders.writer import write

Spans = Sequence[tuple[int, int]]  # positions from the first up to but without the second
Unit = tuple[int, ...]
SCRATCH = 16  # times the outputs alive: the columns of a convolution
MOST_BYTES = 256 << 20
CHANGES = (1.0, -1.0, 1e6, -1e6, 1e30)  # small ones for what saturates, large ones for what fades on a long way
DRAWS = 2
MIXED = 1 / 16  # the share of the mean: little, so that what differs between channels lasts on a long way


@contextmanager
def exact() -> Iterator[None]:
    """No gradients, the CPU, one seed, one thread (small layers only wait for others), and no oneDNN, whose fast
    algorithms mix neighbouring positions."""
    threads = torch.get_num_threads()
    mkldnn: Any = torch.backends.mkldnn
    before, *_ = mkldnn.set_flags(_enabled=False, _fp32_precision=None)  # flags() also sets TF32, which warns
    torch.set_num_threads(1)
    try:
        with torch.no_grad(), torch.device("cpu"), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            yield
    finally:
        torch.set_num_threads(threads)
        mkldnn.set_flags(_enabled=before, _fp32_precision=None)


class Probe:
    """The built network of a graph with one output, in float64 and evaluation, asked about an axis of an input.

    Weights are positive and about as large as leaves the numbers as large as they are, so that nothing cancels out.
    """

    def __init__(self, graph: LayerGraph, start: Node, axis: int, gates: bool = True) -> None:
        self.start, self.axis, self.length = start, axis, start.shape.spatial[axis]
        self._inputs = tuple(graph.inputs.values())
        self._rank = next(iter(graph.outputs.values())).shape.rank
        self._network = write(graph)
        if not gates:
            without_gates(self._network, graph)
        _mix_channels(self._network, graph)
        _draw_weights(self._network)
        self._network.double().eval()
        self._examples = [[_example(node.shape) for node in self._inputs] for _ in range(DRAWS)]
        self._most = max(1, MOST_BYTES // SCRATCH // max(1, memory(graph, 0, "float64").peak))

    def reached(self, samples: Sequence[Spans], changed: bool = False) -> Tensor:
        """Whether contaminating some spans reaches a unit, by NaN or by finite changes: samples x units on all axes."""
        parts = (samples[first : first + self._most] for first in range(0, len(samples), self._most))
        return torch.cat([self._changed(part) if changed else self._tainted(part) for part in parts])

    @property
    def sound(self) -> bool:
        """Whether all numbers are finite where nothing is contaminated; else nothing can be told."""
        return all(bool(self._run(example).isfinite().all()) for example in self._examples)

    def units(self, samples: Sequence[Spans], units: Sequence[Unit], changed: bool = False) -> list[bool]:
        """Whether the spans of the same place reach a unit."""
        found = self.reached(samples, changed)
        return [bool(found[place][unit]) for place, unit in enumerate(units)]

    def _tainted(self, samples: Sequence[Spans]) -> Tensor:
        inputs = self._batch(self._examples[0], len(samples))
        return self._any(self._run(self._contaminated(inputs, samples, float("nan"))).isnan())

    def _changed(self, samples: Sequence[Spans]) -> Tensor:
        """The union over several changes of several inputs; compared are equal places of batches of equal size."""
        found = None
        for example in self._examples:
            inputs = self._batch(example, len(samples))
            before = self._run(inputs)
            for change in CHANGES:
                after = self._any(self._run(self._contaminated(inputs, samples, change)) != before)
                found = after if found is None else found | after
        assert found is not None
        return found

    def _any(self, found: Tensor) -> Tensor:
        """Over the channels, where there are any."""
        return found.any(dim=1) if found.ndim == self._rank + 2 else found

    def _batch(self, example: list[Tensor], size: int) -> list[Tensor]:
        return [tensor.expand(size, *tensor.shape[1:]) for tensor in example]

    def _contaminated(self, inputs: list[Tensor], samples: Sequence[Spans], change: float) -> list[Tensor]:
        place = self._inputs.index(self.start)
        found = inputs[place].clone()
        for row, spans in zip(found, samples, strict=True):
            for first, end in spans:
                part = row.narrow(self.axis + (self.start.shape.channels is not None), first, end - first)
                if found.is_floating_point():  # what is the same for all channels, a normalization takes away
                    part.add_(torch.rand_like(part).add_(0.5).mul_(change))
                else:
                    part.add_(1)
        return [*inputs[:place], found, *inputs[place + 1 :]]

    def _run(self, inputs: list[Tensor]) -> Tensor:
        result: Tensor = self._network(*inputs)
        return result


def _example(shape: Shape) -> Tensor:
    """One example of an input: positive numbers, or the first token id."""
    if shape.channels is None:
        return torch.zeros(1, *shape.spatial, dtype=torch.int64)
    return torch.rand(1, shape.channels, *shape.spatial, dtype=torch.float64) + 0.5


def _draw_weights(network: nn.Module) -> None:
    """Positive weights whose sum over what one output reads is about 1."""
    for weight in network.parameters():
        weight.uniform_(0.5, 1.5).div_(max(1, weight[0].numel()) if weight.ndim > 1 else 1)


def without_gates(network: Network, graph: LayerGraph) -> None:
    """Ones in place of gates, and in place of what uses statistics its own input."""
    nodes = {node.index: node for node in graph}
    for value in list(network.graph.nodes):
        origin = network.origins.get(value.name)
        windows = () if origin is None else nodes[origin.index].facts.windows
        for slot, window in enumerate(windows):
            if window.mark is not None and window.unmarked is not None:
                value.replace_all_uses_with(value.args[slot])
            elif window.mark is not None:
                with network.graph.inserting_before(value):
                    value.update_arg(slot, network.graph.call_function(torch.ones_like, (value.args[slot],)))
    network.graph.eliminate_dead_code()
    network.recompile()


def _mix_channels(network: Network, graph: LayerGraph) -> None:
    """After every layer with several channels, the last one apart, `mixed` in place of what it gives."""
    nodes = {node.index: node for node in graph}
    for value in list(network.graph.nodes):
        origin = network.origins.get(value.name)
        channels = None if origin is None else nodes[origin.index].shape.channels
        if value.op == "placeholder" or (channels or 1) == 1 or all(user.op == "output" for user in value.users):
            continue
        readers = list(value.users)
        with network.graph.inserting_after(value):
            mix = network.graph.call_function(mixed, (value,))
        for reader in readers:
            reader.replace_input_with(value, mix)
    network.recompile()


def mixed(numbers: Tensor) -> Tensor:
    """N x C x positions: every channel with a share of the mean of all, so that NaN and changes reach all channels."""
    return numbers.mul(1 - MIXED).add_(numbers.mean(dim=1, keepdim=True), alpha=MIXED)
