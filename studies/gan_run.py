"""Generators and discriminators of many seeds, trained at once: every tensor of a network is stacked over the seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, vmap
from torch.nn.functional import logsigmoid

from builders.build import build
from builders.network import Network
from studies.study import Study

Loss = Callable[[Tensor], Tensor]
Weights = dict[str, Tensor]
DISCRIMINATOR_RATE = 0.01  # of Adam, before the generator moves
FEWEST = 14  # seeds: of fewer, not even the largest is above the median at 99.99 %
SHOWN = 512  # points at which a course is measured


def minimax(h: Tensor) -> Tensor:
    """log(1 - D) of the discriminator's logit h, D = sigmoid(h), without forming 1 - D."""
    return logsigmoid(-h)


def non_saturating(h: Tensor) -> Tensor:
    """-log D of the logit h."""
    return -logsigmoid(h)


@dataclass(frozen=True)
class Players:
    """The networks of all seeds: two modules, and weights stacked over the seeds."""

    generator: Network
    discriminator: Network
    making: Weights
    judging: Weights

    def make(self, noise: Tensor) -> Tensor:
        """Points (seeds, batch, 2) of noise (seeds, batch, 2)."""
        return _stacked(self.generator, self.making, noise)

    def judge(self, points: Tensor) -> Tensor:
        """Logits (seeds, batch) of points (seeds, batch, 2)."""
        return _stacked(self.discriminator, self.judging, points)[..., 0]

    def copy(self) -> Players:
        """The same networks with weights of their own."""
        return Players(self.generator, self.discriminator, apart(self.making), apart(self.judging))


@dataclass(frozen=True)
class Course:
    """What was measured at some steps of a run, (steps, seeds) each."""

    steps: tuple[int, ...]
    judged: Tensor  # mean of D(G(z))
    measured: Mapping[str, Tensor]


@dataclass(frozen=True)
class Data:
    """Real points, normal about a centre, and noise; a stream of its own for every seed."""

    seeds: int
    batch: int
    center: float
    deviation: float
    source: torch.Generator

    def noise(self, count: int = 0) -> Tensor:
        size = (self.seeds, count or self.batch, 2)
        return torch.randn(size, generator=self.source, dtype=torch.float64)

    def real(self) -> Tensor:
        return self.center + self.deviation * self.noise()


def players(study: Study) -> Players:
    """Networks of every seed, as torch draws them."""
    modules: dict[str, Network] = {}
    weights: dict[str, Weights] = {}
    for name, key in (("generator", 1), ("discriminator", 2)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream(study, key))
            drawn = [build(study.spec(name), dtype="float64") for _ in range(study.count("seeds", FEWEST))]
        modules[name] = drawn[0]
        known = [dict(network.named_parameters()) for network in drawn]
        weights[name] = apart({at: torch.stack([one[at] for one in known]) for at in known[0]})
    return Players(modules["generator"], modules["discriminator"], weights["generator"], weights["discriminator"])


def data(study: Study, key: int) -> Data:
    """The data of an experiment; of equal keys the same."""
    source = torch.Generator().manual_seed(stream(study, key))
    center, deviation = study.number("center"), study.number("deviation", above=0)
    return Data(study.count("seeds", FEWEST), study.count("batch"), center, deviation, source)


def stream(study: Study, key: int) -> int:
    """A seed for one purpose, made of the study's."""
    return int(np.random.SeedSequence([study.seed % 2**64, key]).generate_state(1)[0])


def slopes(loss: Loss, both: Players, noise: Tensor) -> Tensor:
    """The norm of the gradient of the mean loss with respect to the generator's weights, of every seed."""
    found = torch.autograd.grad(loss(both.judge(both.make(noise))).mean(1).sum(), list(both.making.values()))
    norms: Tensor = torch.cat([one.flatten(1) for one in found], 1).norm(dim=1)
    return norms


def pretrain(both: Players, given: Data, steps: int) -> Course:
    """Train the discriminator alone, and measure both losses' gradients meanwhile."""
    optimizer = torch.optim.Adam(both.judging.values(), lr=DISCRIMINATOR_RATE, betas=(0.5, 0.999))
    noise = given.noise(SHOWN)
    found: dict[str, list[Tensor]] = {"minimax": [], "non-saturating": []}
    judged, places = [], tuple(sorted({0, *(round(steps ** (k / 20)) for k in range(21))}))  # D falls fast at first
    for step in range(steps + 1):
        if step in places:
            judged.append(_judged(both, noise))
            for name, loss in (("minimax", minimax), ("non-saturating", non_saturating)):
                found[name].append(slopes(loss, both, noise))
        _discriminate(both, given, optimizer)
    return Course(places, torch.stack(judged), {name: torch.stack(rows) for name, rows in found.items()})


def play(both: Players, loss: Loss, given: Data, steps: int, rate: float) -> Course:
    """Train both in turn by plain gradient descent, which leaves a small gradient small; measures the way to go."""
    judging, making = (torch.optim.SGD(one.values(), lr=rate) for one in (both.judging, both.making))
    noise, far, judged = given.noise(SHOWN), [], []
    places = tuple(sorted({round(steps * k / 40) for k in range(41)}))
    for step in range(steps + 1):
        if step in places:
            with torch.no_grad():
                far.append((both.make(noise).mean(1) - given.center).norm(dim=1))
            judged.append(_judged(both, noise))
        _discriminate(both, given, judging)
        making.zero_grad()
        loss(both.judge(both.make(given.noise()))).mean(1).sum().backward()  # type: ignore[no-untyped-call]
        making.step()
    return Course(places, torch.stack(judged), {"distance": torch.stack(far)})


def _discriminate(both: Players, given: Data, optimizer: torch.optim.Optimizer) -> None:
    """One step of the discriminator on real and on made points."""
    with torch.no_grad():
        made = both.make(given.noise())
    optimizer.zero_grad()
    loss = -logsigmoid(both.judge(given.real())) - logsigmoid(-both.judge(made))
    loss.mean(1).sum().backward()  # type: ignore[no-untyped-call]
    optimizer.step()


@torch.no_grad()
def _judged(both: Players, noise: Tensor) -> Tensor:
    return torch.sigmoid(both.judge(both.make(noise))).mean(1)


def _stacked(network: Network, weights: Weights, given: Tensor) -> Tensor:
    found: Tensor = vmap(lambda own, points: functional_call(network, own, (points,)))(weights, given)
    return found


def apart(weights: Weights) -> Weights:
    """The same weights as tensors of their own, which can be trained."""
    return {name: weight.detach().clone().requires_grad_() for name, weight in weights.items()}
