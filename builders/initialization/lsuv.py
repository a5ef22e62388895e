"""Layer-sequential unit variance: kernels scaled one after another by what a batch makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn

from builders.network import Network
from builders.writer import TrainingOnly

TOLERANCE = 0.1  # of the variance, and
MOST_STEPS = 10  # for each layer: as in the paper's experiments


class Scaling(fx.Interpreter):
    """Runs a network, and divides the kernel of each layer by the standard deviation of the layer's output."""

    def __init__(self, network: Network, kernels: Mapping[nn.Module, Sequence[Tensor]]) -> None:
        super().__init__(network, garbage_collect_values=True)
        self.extra_traceback = False
        self.found: dict[nn.Module, float] = {}  # the variance of the output once its kernel was scaled
        self._kernels = kernels

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        part: nn.Module = self.fetch_attr(target)
        if isinstance(part, TrainingOnly):
            inner = Scaling(part.network, {one: held for one, held in self._kernels.items() if one not in self.found})
            result = inner.run(*args)
            self.found |= inner.found
            return result
        result = part(*args, **kwargs)
        held = self._kernels.get(part)
        if held and part not in self.found:
            result, self.found[part] = _scaled(part, held, args, kwargs, result)
        return result


def _scaled(
    part: nn.Module, held: Sequence[Tensor], args: tuple[Any, ...], kwargs: dict[str, Any], result: Tensor
) -> tuple[Tensor, float]:
    """The output once its variance is 1 within the tolerance, or the steps are used up, or nothing varies."""
    steps, variance = 0, result.var(correction=0).item()
    while abs(variance - 1) >= TOLERANCE and steps < MOST_STEPS and 0 < variance < float("inf"):
        for kernel in held:
            kernel.div_(variance**0.5)
        result, steps = part(*args, **kwargs), steps + 1
        variance = result.var(correction=0).item()
    return result, variance


def scale(
    network: Network, kernels: Mapping[nn.Module, Sequence[Tensor]], inputs: Sequence[Tensor], seed: int
) -> dict[nn.Module, float]:
    """Scale the kernels of these modules so that their outputs on a batch have variance 1 (Mishkin & Matas 2016).

    In training mode, which is that of the steps to come. What statistics that leaves behind is the caller's to reset.
    """
    scaling = Scaling(network, kernels)
    with training(network), torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        scaling.run(*inputs)
    return scaling.found


@contextmanager
def training(network: nn.Module) -> Iterator[None]:
    """The network in training mode; afterwards each of its parts is in the mode that it had."""
    modes = {part: part.training for part in network.modules()}
    network.train()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode
