"""The exact mean and covariance of stochastic gradient descent on squared errors with noisy inputs.

A step draws `batch` points z = x_i + N, N ~ N(0, s^2 I), i uniform, and moves w against the mean of z (z'w - y_i).
Its mean and covariance are polynomials of the first four moments of z, so that both obey exact recurrences.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import comb

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def raw(x: float, s: float, order: int) -> float:
    """E[z^order] of z ~ N(x, s^2).

    >>> [raw(1, 1, order) for order in range(5)]
    [1.0, 1.0, 2.0, 4.0, 10.0]
    """
    before, found = 0.0, 1.0
    for k in range(order):
        before, found = found, x * found + k * s**2 * before
    return found


def factor(x: float, s: float, rate: float, power: int) -> float:
    """E[(1 - rate z^2)^power] of z ~ N(x, s^2): by what a step multiplies E[w^power] where y = 0.

    >>> factor(1, 1, 0.5, 2)
    1.5
    """
    return sum(comb(power, k) * (-rate) ** k * raw(x, s, 2 * k) for k in range(power + 1))


def ridge(x: Array, y: Array, strength: float) -> Array:
    """The minimiser of (1/m) ||x w - y||^2 + strength ||w||^2, for x (m, d) and y (m,)."""
    count, features = x.shape
    found: Array = np.linalg.solve(x.T @ x / count + strength * np.eye(features), x.T @ y / count)
    return found


def loss_error(x: Array, y: Array, w: Array, s: float) -> float:
    """The standard deviation of ||(x + N) w - y||^2.

    Every residual is N(r_i, t^2) with t = s ||w||, and the variance of its square is 2 t^4 + 4 t^2 r_i^2.
    """
    spread, residuals = s**2 * w @ w, x @ w - y
    return float(np.sqrt(2 * len(y) * spread**2 + 4 * spread * residuals @ residuals))


@dataclass(frozen=True)
class Descent:
    """Stochastic gradient descent from w = 0 on points x (m, d) with targets y (m,)."""

    x: Array
    y: Array
    s: float
    rate: float
    batch: int = 1

    @cached_property
    def second(self) -> Array:
        """E[z z'] for every point (m, d, d)."""
        return self.x[:, :, None] * self.x[:, None, :] + self.s**2 * np.eye(self.x.shape[1])

    @cached_property
    def hessian(self) -> Array:
        """Of the mean loss (d, d)."""
        found: Array = self.second.mean(0)
        return found

    @cached_property
    def shrink(self) -> Array:
        """By what a step multiplies the mean's distance from the limit (d, d)."""
        return np.eye(self.x.shape[1]) - self.rate * self.hessian

    @cached_property
    def pull(self) -> Array:
        """E[z y] (d,)."""
        found: Array = self.x.T @ self.y / len(self.y)
        return found

    def moments(self, steps: int) -> tuple[Array, Array]:
        """Mean (steps + 1, d) and covariance (steps + 1, d, d) of w after 0, 1, ..., `steps` steps."""
        features = self.x.shape[1]
        means, spreads = np.zeros((steps + 1, features)), np.zeros((steps + 1, features, features))
        for t in range(steps):
            means[t + 1] = self.shrink @ means[t] + self.rate * self.pull
            spreads[t + 1] = self.shrink @ spreads[t] @ self.shrink
            spreads[t + 1] += self.rate**2 / self.batch * self._gradient(means[t], spreads[t])
        return means, spreads

    def average(self, burn: int, steps: int) -> tuple[Array, Array]:
        """Mean (d,) and covariance (d, d) of one run's average over `steps` steps, after `burn` of them.

        cov(w_{t+k}, w_t) is shrink^k cov(w_t); the sums over k are gathered from the last step backwards.
        """
        means, spreads = (found[burn + 1 :] for found in self.moments(burn + steps))
        total, later = np.zeros_like(self.hessian), np.zeros_like(self.hessian)
        for spread in reversed(spreads):
            total += spread + later @ spread + spread @ later.T
            later = self.shrink @ (np.eye(len(later)) + later)
        return means.mean(0), total / steps**2

    def _gradient(self, mean: Array, spread: Array) -> Array:
        """The covariance of one draw's gradient z (z'w - y) for w of this mean and covariance, less what w brings.

        With S = E[w w'] and P = E[z z']: E[z z'S z z'] = 2 P S P + tr(S P) P - 2 (x'S x) x x' and
        E[(z'u) z z'] = (x'u) P + s^2 (u x' + x u').
        """
        square = spread + np.outer(mean, mean)
        along, outer = self.x @ mean, self.second - self.s**2 * np.eye(len(mean))
        fourth = 2 * self.second @ square @ self.second
        fourth += np.einsum("ij,kji->k", square, self.second)[:, None, None] * self.second
        fourth -= 2 * np.einsum("ki,ij,kj->k", self.x, square, self.x)[:, None, None] * outer
        cross = mean[:, None] * self.x[:, None, :]
        third = along[:, None, None] * self.second + self.s**2 * (cross + cross.transpose(0, 2, 1))
        drawn = fourth - 2 * self.y[:, None, None] * third + (self.y**2)[:, None, None] * self.second
        slope = self.hessian @ mean - self.pull
        found: Array = drawn.mean(0) - self.hessian @ spread @ self.hessian - np.outer(slope, slope)
        return found
