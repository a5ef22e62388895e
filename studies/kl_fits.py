"""Gaussians fitted to a mixture of two normals by gradient descent on a divergence, and scipy's account of the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from scipy.integrate import quad  # type: ignore[import-untyped]
from scipy.optimize import minimize, minimize_scalar  # type: ignore[import-untyped]
from torch import Tensor

FLAT = 1e-7  # a descent ends where no gradient is longer: the loss cannot tell shorter ones from rounding
MOST_STEPS = 20_000
REACH = 10.0  # standard deviations on either side that an integral covers
LOG_ROOT = 0.5 * math.log(2 * math.pi)
Divergence = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Mixture:
    """P, a mixture of two normals, the one with the lower mean first."""

    weights: tuple[float, float]
    means: tuple[float, float]
    deviations: tuple[float, float]

    @property
    def mean(self) -> float:
        return math.fsum(w * m for w, m in zip(self.weights, self.means, strict=True))

    @property
    def variance(self) -> float:
        """Of the normals about their means, and of their means about the mean."""
        parts = zip(self.weights, self.means, self.deviations, strict=True)
        return math.fsum(w * (s**2 + (m - self.mean) ** 2) for w, m, s in parts)

    def log(self, x: Tensor) -> Tensor:
        """The logarithm of the density."""
        parts = zip(self.weights, self.means, self.deviations, strict=True)
        return torch.logsumexp(torch.stack([math.log(w) + normal_log(x, m, math.log(s)) for w, m, s in parts]), 0)

    def log_at(self, x: float) -> float:
        """The same at one place, computed apart from torch."""
        parts = zip(self.weights, self.means, self.deviations, strict=True)
        one, other = (math.log(w / s) - ((x - m) / s) ** 2 / 2 - LOG_ROOT for w, m, s in parts)
        return max(one, other) + math.log1p(math.exp(-abs(one - other)))

    @cached_property
    def valley(self) -> float:
        """Where between the two means the density is least."""
        return float(minimize_scalar(self.log_at, bounds=self.means, method="bounded").x)

    @cached_property
    def modes(self) -> list[float]:
        """Where the density has a maximum: it has none outside the two means."""
        low, high = self.means
        around = 1e-3 * (high - low)
        places = torch.linspace(low - around, high + around, 10_001, dtype=torch.float64)
        rises = self.log(places).diff() > 0
        return list(places[1:-1][rises[:-1] & ~rises[1:]].tolist())


@dataclass(frozen=True)
class Fits:
    """Gaussians at which descents ended; `course` has the means after every step (steps, starts)."""

    means: Tensor
    deviations: Tensor
    course: Tensor


def normal_log(x: Tensor, mean: Tensor | float, log_deviation: Tensor | float) -> Tensor:
    """The logarithm of a normal density."""
    width = torch.as_tensor(log_deviation, dtype=x.dtype)
    return -(((x - mean) * torch.exp(-width)) ** 2) / 2 - width - LOG_ROOT


def forward(p: Tensor, mean: Tensor, log_deviation: Tensor, grid: Tensor) -> Tensor:
    """D(P||Q) = E_P[log P/Q] of every Gaussian (starts), by the trapezoidal rule; `p` is log P on the grid."""
    q = normal_log(grid, mean[:, None], log_deviation[:, None])
    return torch.trapezoid(p.exp() * (p - q), grid)


def reverse(p: Tensor, mean: Tensor, log_deviation: Tensor, grid: Tensor) -> Tensor:
    """D(Q||P) = E_Q[log Q/P] of every Gaussian (starts), by the trapezoidal rule; `p` is log P on the grid."""
    q = normal_log(grid, mean[:, None], log_deviation[:, None])
    return torch.trapezoid(q.exp() * (q - p), grid)


def grid_for(mixture: Mixture, starts: Sequence[float], deviation: float) -> Tensor:
    """Places of integration, so near each other that they resolve where log P turns from one normal to the other."""
    low, high = _ends(mixture, starts, deviation)
    return torch.linspace(low, high, size(mixture, starts, deviation), dtype=torch.float64)


def size(mixture: Mixture, starts: Sequence[float], deviation: float) -> int:
    """How many places of integration there are."""
    narrow = min(*mixture.deviations, deviation)
    step = narrow / max(4.0, (mixture.means[1] - mixture.means[0]) / narrow)
    low, high = _ends(mixture, starts, deviation)
    return math.ceil((high - low) / step) + 1


def _ends(mixture: Mixture, starts: Sequence[float], deviation: float) -> tuple[float, float]:
    far = REACH * max(math.sqrt(mixture.variance), deviation)
    return min(*mixture.means, *starts) - far, max(*mixture.means, *starts) + far


def descend(divergence: Divergence, mixture: Mixture, starts: Sequence[float], deviation: float) -> Fits:
    """Gradient descent of mean and log standard deviation, every start by itself.

    A step that would raise the divergence is not taken and tried at half the length; after one that is taken, the next
    is a tenth longer.
    """
    grid = grid_for(mixture, starts, deviation)
    p = mixture.log(grid)
    place = torch.tensor([starts, [math.log(deviation)] * len(starts)], dtype=torch.float64)
    step, course = torch.full((len(starts),), 0.1, dtype=torch.float64), [place[0]]
    value, slope = _slope(divergence, p, place, grid)
    while slope.norm(dim=0).max() > FLAT and len(course) <= MOST_STEPS:
        trial = place - step * slope
        found, steeper = _slope(divergence, p, trial, grid)
        lower = found <= value
        place, value, slope = (
            torch.where(lower, new, old) for new, old in ((trial, place), (found, value), (steeper, slope))
        )
        step = torch.where(lower, (1.1 * step).clamp(max=10.0), step / 2)
        course.append(place[0])
    return Fits(place[0], place[1].exp(), torch.stack(course))


def _slope(divergence: Divergence, p: Tensor, place: Tensor, grid: Tensor) -> tuple[Tensor, Tensor]:
    """The divergence of every start, and its gradient (2, starts)."""
    place = place.detach().requires_grad_()
    found = divergence(p, place[0], place[1], grid)
    (slope,) = torch.autograd.grad(found.sum(), place)
    return found.detach(), slope


def forward_by_scipy(mixture: Mixture, mean: float, deviation: float) -> float:
    """D(P||Q) of a Gaussian from its definition, by adaptive quadrature."""

    def weighed(x: float) -> float:
        p = mixture.log_at(x)
        return math.exp(p) * (p - _normal_at(x, mean, deviation))

    wide = REACH * max(mixture.deviations)
    return _integral(weighed, mixture, mixture.means[0] - wide, mixture.means[1] + wide)


def reverse_by_scipy(mixture: Mixture, mean: float, deviation: float) -> float:
    """D(Q||P) of a Gaussian from its definition, by adaptive quadrature."""

    def weighed(x: float) -> float:
        q = _normal_at(x, mean, deviation)
        return math.exp(q) * (q - mixture.log_at(x))

    return _integral(weighed, mixture, mean - REACH * deviation, mean + REACH * deviation)


def _normal_at(x: float, mean: float, deviation: float) -> float:
    return -(((x - mean) / deviation) ** 2) / 2 - math.log(deviation) - LOG_ROOT


def _integral(function: Callable[[float], float], mixture: Mixture, low: float, high: float) -> float:
    inner = [place for place in (*mixture.means, mixture.valley) if low < place < high]
    return float(quad(function, low, high, points=inner, epsabs=1e-11, epsrel=1e-11, limit=500)[0])


@cache
def minimised(mixture: Mixture, mean: float, deviation: float) -> tuple[float, float]:
    """Mean and standard deviation at the minimum of D(Q||P) next to a Gaussian, by scipy's Nelder-Mead."""
    found = minimize(
        lambda at: reverse_by_scipy(mixture, at[0], math.exp(at[1])),
        np.array([mean, math.log(deviation)]),
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-13},
    )
    return float(found.x[0]), math.exp(found.x[1])
