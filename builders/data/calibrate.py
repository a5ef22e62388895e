"""The distance below which two items count as copies, from distances between items that are none.

Near an item, the number of others within distance d grows as d^m, m being the dimension of the data there. Then the
j log(d_{j+1} / d_j) of its nearest neighbours d_1 < d_2 < ... are independent and exponential with mean 1/m, whatever
the density (Hill 1975; Levina & Bickel, "Maximum likelihood estimation of intrinsic dimension", 2004; for j = 1 Facco
et al., "Estimating the intrinsic dimension of datasets by a minimal neighborhood information", 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, log1p

import torch
from torch import Tensor

FLOOR = 1e-3  # below it distances of unit vectors are rounding: sqrt(2 - 2c) in float32
COPIES = 8  # of one item on one side, through which the calibration sees
NEIGHBOURS = 24  # of which those behind COPIES give the dimension
LEAST = 60  # items, below which nothing can be calibrated
QUANTILE = 0.25  # of the distances, from which the tail is drawn
DISCOVERIES = 0.1  # share of gaps that may be none (Benjamini & Hochberg 1995)


@dataclass(frozen=True)
class Null:
    """P(nearest distance <= d) = share (d / scale)^dimension, for an item that has no copy on the other side.

    `copies` of `items` items had copies on their own side, which were passed over.
    """

    share: float
    scale: float
    dimension: float
    copies: int
    items: int

    def chance(self, distance: Tensor) -> Tensor:
        """P(nearest distance <= d) of each distance."""
        ratio = distance.clamp_min(FLOOR).double() / self.scale
        return (self.share * ratio**self.dimension).clamp_max(1)

    def threshold(self, rate: float) -> float:
        """The distance that an item without copies falls below with probability `rate`."""
        return float(self.scale * min(1.0, rate / self.share) ** (1 / self.dimension))

    def among(self, factor: float) -> Null:
        """The same for `factor` times as many items to be near to."""
        return Null(self.share * factor, self.scale, self.dimension, self.copies, self.items)


def calibrate(distances: Tensor) -> Null | None:
    """The law of nearest distances from those of items to their own side, (n, NEIGHBOURS + 1), ascending.

    An item's copies on its own side stand before a gap that the law does not give; they are passed over. None where
    there are too few items, or distances that are rounding.
    """
    if len(distances) < LEAST or distances.shape[1] <= NEIGHBOURS:
        return None
    distances = distances.clamp_min(FLOOR).double()
    gaps = (distances[:, 1:] / distances[:, :-1]).log() * torch.arange(1, distances.shape[1])
    dimension = 1 / float(gaps[:, COPIES:].mean().clamp_min(1e-3))
    widest = gaps[:, :COPIES].max(1)
    chances = 1 - (1 - (-dimension * widest.values).exp()) ** COPIES
    copied = chances <= discovered(chances)
    clean = distances.gather(1, torch.where(copied, widest.indices + 1, 0)[:, None])[:, 0]
    scale = float(clean.quantile(QUANTILE))
    if scale < 10 * FLOOR:
        return None
    return Null(QUANTILE, scale, dimension, int(copied.sum()), len(distances))


def discovered(chances: Tensor) -> float:
    """The largest p-value that Benjamini and Hochberg's procedure accepts; below 0 where none.

    >>> discovered(torch.tensor([0.001, 0.5, 0.9]))
    0.0010000000474974513
    """
    ordered = chances.sort().values
    accepted = (ordered <= DISCOVERIES * torch.arange(1, len(ordered) + 1) / len(ordered)).nonzero()
    return float(ordered[accepted[-1, 0]]) if len(accepted) else -1.0


def at_least(found: int, count: int, rate: float) -> float:
    """P(X >= found) of a binomial X: `count` items, each with probability `rate`.

    >>> round(at_least(2, 3, 0.5), 6)
    0.5
    """
    if not found:
        return 1.0
    rows = range(found, min(count, found + 1000) + 1)
    return min(1.0, sum(exp(_chosen(count, i) + i * log(rate) + (count - i) * log1p(-rate)) for i in rows))


def _chosen(count: int, i: int) -> float:
    """The logarithm of the binomial coefficient."""
    return lgamma(count + 1) - lgamma(i + 1) - lgamma(count - i + 1)
