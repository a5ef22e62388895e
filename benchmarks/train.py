"""What a training costs beside a loop written by hand, and what a second process brings.

Run `python benchmarks/train.py` on an idle machine: about four minutes on two cores.

Both loops train copies of one network on the same items in one process, on one thread, in turn. `calls` are ATen
operations of further steps, counted by a dispatch mode. The spread is that of the hand-written loop against itself, in
the same rounds.
"""

from __future__ import annotations

import copy
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

import archspec
from archspec.source import Scalar
from builders.data import Items, Prepared, prepare
from builders.initialize import initialize
from builders.network import Network
from builders.training.loop import Training
from builders.training.recipe import Settings, read_recipe
from builders.training.study import train

SPEC = "deep-relu"
STEPS, ROUNDS = 60, 12
GAIN = 1.6  # what two processes must bring


class Calls(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations that are dispatched."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.counts[str(func)] += 1
        return func(*args, **(kwargs or {}))


def bare(network: nn.Module, items: Items, steps: int, settings: Settings) -> None:
    """A loop as one writes it by hand, for Adam, which looks at nothing."""
    optimizer = torch.optim.Adam(network.parameters(), settings.lr)
    generator = torch.Generator().manual_seed(0)
    done = 0
    while done < steps:
        for chosen in torch.randperm(len(items.labels), generator=generator).split(settings.batch):  # type: ignore[no-untyped-call]
            inputs, labels = items.inputs[chosen], items.labels[chosen]
            optimizer.zero_grad()
            loss = cross_entropy(network(inputs), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            done += 1
            if done == steps:
                return


def ours(network: Network, spec: archspec.Spec, data: Prepared, steps: int) -> None:
    """The same steps as the command takes them, between two evaluations."""
    training = Training(network, spec, data, Settings(steps=steps, evaluate=steps + 1), 0)
    training.curves.evaluated.append(0)  # the first evaluation is no step
    training.evaluate = lambda: True  # type: ignore[method-assign]
    training.run(lambda _: False)


def counted(loop: Callable[[int], None], steps: int) -> int:
    """The operations of `steps` further steps."""
    found = []
    for total in (steps, 2 * steps):
        with Calls() as calls:
            loop(total)
        found.append(calls.counts.total())
    return int(found[1] - found[0])


def loops() -> tuple[Callable[[int], None], Callable[[int], None]]:
    """Our loop and the bare one on copies of one network, by the number of steps."""
    spec = archspec.load(SPEC)
    data = prepare("digits", spec)
    assert isinstance(data.train, Items)
    network, items = archspec.build(spec), data.train
    initialize(network, "he", 0)
    return (
        lambda steps: ours(copy.deepcopy(network), spec, data, steps),
        lambda steps: bare(copy.deepcopy(network), items, steps, Settings()),
    )


def paces() -> None:
    """Print the steps per second of both loops, and the spread of the bare one."""
    own, by_hand = loops()
    print(f"ATen calls of 8 steps: {counted(own, 8)}, by hand {counted(by_hand, 8)}")
    times: list[list[float]] = [[], [], []]
    for _ in range(ROUNDS):
        for place, loop in enumerate((own, by_hand, by_hand)):
            start = time.perf_counter()
            loop(STEPS)
            times[place].append(time.perf_counter() - start)
    own_times, first, second = times
    ratios = sorted(a / b for a, b in zip(own_times, first, strict=True))
    spread = sorted(a / b for a, b in zip(second, first, strict=True))
    print(f"steps/s: {STEPS / min(own_times):.0f}, by hand {STEPS / min(first):.0f}")
    print(f"time, ours to the loop by hand: {statistics.median(ratios):.3f} ({ratios[0]:.3f}-{ratios[-1]:.3f})")
    print(f"the loop by hand to itself:     {statistics.median(spread):.3f} ({spread[0]:.3f}-{spread[-1]:.3f})")


def study(jobs: int, steps: int = 600) -> float:
    """Seconds that fifteen trials take; the start of the processes counts."""
    values = {
        "specs": SPEC,
        "init": "he,zeros,xavier",
        "seeds": "5",
        "steps": str(steps),
        "jobs": str(jobs),
        "orbit": "none",
    }
    recipe = read_recipe(None, {key: Scalar.of(value) for key, value in values.items()})
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        train(recipe, folder, lambda _: None)
        return time.perf_counter() - start


def main() -> int:
    """Print every figure; 1 where a second process brings too little."""
    torch.set_num_threads(1)
    paces()
    one, two = study(1), study(2)
    print(f"15 trials: --jobs 1 {one:.1f} s, --jobs 2 {two:.1f} s: {one / two:.2f} times faster")
    return 0 if one / two >= GAIN else 1


if __name__ == "__main__":
    sys.exit(main())
