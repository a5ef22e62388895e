"""What built networks cost beside torchvision's hand-written ones.

Run `python benchmarks/build.py` on an idle machine: about two minutes on two cores.

Every ratio is of two times that were taken in turn in one process, ours to torchvision's; `minimum` compares the best
rounds, `median` the middle ones. Memory of earlier rounds is given back between them. A pass is in spread if the median
of its ratios, each of the minima of one block of rounds, lies between the extremes of such ratios of two identical
copies of torchvision's module, taken in the same rounds, or beats them.
"""

from __future__ import annotations

import copy
import gc
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import permutations
from typing import Any

import torch
import torchvision  # type: ignore[import-untyped]
from torch import Tensor, nn

import archspec

NETWORKS = ("resnet18", "resnet50", "mobilenet_v2")
CONSTRUCTIONS = 15
LIMIT = 1.2  # what a construction may take of torchvision's
SIDES = {1: 224, 8: 64}  # batch to input size
COPIES = 2  # of torchvision's module, held against itself
BLOCKS = 5  # of rounds: what ratios of one short measurement scatter by
SECONDS = 5.0  # for one network at one batch, number of threads and direction


def timed(function: Callable[[], object]) -> float:
    """Seconds that one call takes, its garbage left for later."""
    start = time.perf_counter()
    result = function()
    taken = time.perf_counter() - start
    del result
    return taken


def in_turn(functions: Sequence[Callable[[], object]], rounds: int | None = None) -> list[list[float]]:
    """The times of each function, called in turn, for so many rounds or for SECONDS; every round starts elsewhere."""
    for function in functions:
        function()
    times: list[list[float]] = [[] for _ in functions]
    done, start = 0, time.perf_counter()
    while done < (rounds or 2 * BLOCKS) or (rounds is None and time.perf_counter() - start < SECONDS):
        for place in range(len(functions)):
            which = (place + done) % len(functions)
            if rounds:
                gc.collect()
            times[which].append(timed(functions[which]))
        done += 1
    return times


def ratios(times: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """Of the minima, and of the medians."""
    return min(times) / min(others), statistics.median(times) / statistics.median(others)


def block_ratios(times: Sequence[float], others: Sequence[float]) -> list[float]:
    """The ratio of minima in each block of rounds."""
    size = len(times) // BLOCKS
    blocks = [slice(start * size, (start + 1) * size) for start in range(BLOCKS)]
    return [min(times[block]) / min(others[block]) for block in blocks]


def constructions() -> bool:
    """Print what building costs; whether all of it is within the limit."""
    print("construction              ours   torchvision   minimum   median")
    within = True
    for name in NETWORKS:
        constructor = getattr(torchvision.models, name)
        ours, theirs = in_turn([partial(archspec.build, name), constructor], CONSTRUCTIONS)
        best, middle = ratios(ours, theirs)
        within &= best <= LIMIT
        verdict = "ok" if best <= LIMIT else f"more than {LIMIT}"
        print(
            f"{name:<20} {min(ours) * 1e3:6.1f} ms {min(theirs) * 1e3:10.1f} ms {best:9.2f} {middle:8.2f}   {verdict}"
        )
    return within


def forward(network: nn.Module, x: Tensor) -> None:
    with torch.no_grad():
        network(x)


def both_ways(network: nn.Module, x: Tensor) -> None:
    network(x).sum().backward()
    network.zero_grad()


def equal_weights(name: str) -> tuple[nn.Module, list[nn.Module]]:
    """Our module, and copies of torchvision's with the same weights."""
    theirs: nn.Module = getattr(torchvision.models, name)()
    ours = archspec.build(name)
    archspec.load_weights(ours, theirs.state_dict())
    return ours, [theirs, *(copy.deepcopy(theirs) for _ in range(COPIES - 1))]


def passes(name: str, threads: int, batch: int, training: bool) -> bool:
    """Print what a pass costs; whether it is within the spread of copies."""
    torch.set_num_threads(threads)
    ours, copies = equal_weights(name)
    x = torch.randn(batch, 3, SIDES[batch], SIDES[batch])
    run: Any = both_ways if training else forward
    calls = [partial(run, one.train(training), x) for one in (ours, *copies)]
    own, first, *others = in_turn(calls)
    best, middle = ratios(own, first)
    pairs = permutations((first, *others), 2)
    spread = sorted(ratio for one, other in pairs for ratio in block_ratios(one, other))
    inside = statistics.median(block_ratios(own, first)) <= spread[-1]
    what = f"{name:<13} {'forward+backward' if training else 'forward':<16} batch {batch}, {threads} thread(s)"
    print(
        f"{what} {min(first) * 1e3:8.1f} ms {best:9.2f} {middle:8.2f}   {spread[0]:.2f}-{spread[-1]:.2f}"
        f"   {'in spread' if inside else 'OUT'}  ({len(own)} rounds)",
        flush=True,
    )
    return inside


def main() -> int:
    """Print every figure; 1 where building takes too long. Passes depend on what else the machine does."""
    within = constructions()
    print("\npass, ours to torchvision's; beside it what copies of torchvision's module show of themselves")
    print(f"{'':<50} {'torchvision':>11} {'minimum':>9} {'median':>8}   spread")
    inside = [
        passes(name, threads, batch, training)
        for name in NETWORKS
        for threads in (1, 2)
        for batch in SIDES
        for training in (False, True)
    ]
    print(f"\n{sum(inside)} of {len(inside)} passes in spread")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
