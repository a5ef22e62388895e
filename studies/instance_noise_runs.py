"""Many independent runs of a network at once, each with its own weights and its own noise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, vmap

from builders.network import Network
from builders.threads import threads


@contextmanager
def drawing(seed: int, *stream: object) -> Iterator[None]:
    """torch draws from a stream of its own, in one thread, and goes on where it was afterwards."""
    words = [seed % 2**64, *"/".join(map(str, stream)).encode()]
    with torch.random.fork_rng(devices=[]), threads(1):
        torch.manual_seed(int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0]) >> 1)
        yield


def descend(
    network: Network, points: tuple[Tensor, Tensor], start: Tensor, rate: float, steps: int, batch: int = 1
) -> Tensor:
    """The weights (steps + 1, runs, d) of runs that torch.optim.SGD takes from `start` (runs, d).

    Every step of every run draws `batch` of the points x (m, d), y (m,), and follows the gradient of half their mean
    squared error. The runs' losses are added, so that each run has its own gradient.
    """
    (name,) = dict(network.named_parameters())
    x, y = points

    def output(weight: Tensor, given: Tensor) -> Tensor:
        found: Tensor = functional_call(network, {name: weight[None]}, (given,))
        return found[:, 0]

    weights = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([weights], lr=rate)
    found = [start]
    for _ in range(steps):
        chosen = torch.randint(len(y), (len(start), batch)) if len(y) > 1 else torch.zeros(1, 1).long()
        seen, wanted = x[chosen].expand(len(start), batch, -1), y[chosen]
        optimizer.zero_grad()
        errors = vmap(output, randomness="different")(weights, seen) - wanted
        torch.autograd.backward(errors.square().mean(1).sum() / 2)
        optimizer.step()
        found.append(weights.detach().clone())
    return torch.stack(found)
