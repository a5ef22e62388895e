"""The numbers of one weight: drawn from a generator of its own."""

from __future__ import annotations

import hashlib
from math import sqrt

import torch
from torch import Tensor

from archspec.layers import Role, Weight
from builders.initialization.schemes import Scheme, sides

STARTS = {
    Role.BIAS: 0.0,
    Role.SCALE: 1.0,
    Role.SLOPE: 0.25,
    Role.RUNNING_MEAN: 0.0,
    Role.RUNNING_VARIANCE: 1.0,
}

TALL = 2  # rows to a column, from which on a normal matrix has a condition number of about 6 or less


def start(weight: Weight) -> float:
    """The value before training of a weight that is not drawn: its own, or that of its role."""
    return STARTS[weight.role] if weight.start is None else weight.start


def number(name: str, seed: int) -> int:
    """The seed of one weight's generator: a hash of its name and of the network's seed."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big", signed=True)


def generator(name: str, seed: int) -> torch.Generator:
    """The generator of one weight: the same whatever else the network holds."""
    return torch.Generator().manual_seed(number(name, seed))


def draw(weight: Weight, scheme: Scheme, activation: float, source: torch.Generator) -> Tensor:
    """A kernel of float32 as a scheme draws it; `activation` is the gain of what it leads to."""
    kind = scheme.rule.distribution
    if kind == "orthogonal":
        return orthogonal(weight, source) * (scheme.gain(activation) or 1.0)
    deviation = scheme.deviation(weight, activation)
    assert deviation is not None  # torch's own scheme is not drawn here
    numbers = torch.empty(weight.shape)
    if kind == "uniform":
        bound = sqrt(3) * deviation
        return numbers.uniform_(-bound, bound, generator=source)
    return numbers.normal_(0.0, deviation, generator=source) if deviation else numbers.zero_()


def orthogonal(weight: Weight, source: torch.Generator) -> Tensor:
    """Every group's matrix with orthonormal rows, or columns if these are fewer (Saxe et al. 2014).

    Q of the QR decomposition of a normal matrix with a positive diagonal of R, so that all orthogonal matrices are
    equally likely (Mezzadri 2007).
    """
    rows, columns = sides(weight)
    normal = torch.empty(weight.matrices, max(rows, columns), min(rows, columns)).normal_(generator=source)
    found = _by_cholesky(normal) if normal.shape[1] >= TALL * normal.shape[2] else _by_reflections(normal)
    return (found if rows >= columns else found.mT).reshape(weight.shape)


def _by_cholesky(normal: Tensor) -> Tensor:
    """Q = A / R with A^T A = R^T R: several times as fast, and as exact where A is well conditioned."""
    wide = normal.double()
    r = torch.linalg.cholesky(wide.mT @ wide, upper=True)
    q: Tensor = torch.linalg.solve_triangular(r, wide, upper=True, left=False)
    return q.float()


def _by_reflections(normal: Tensor) -> Tensor:
    """Q by Householder reflections, its columns given the signs of R's diagonal."""
    q, r = torch.linalg.qr(normal)
    found: Tensor = q * r.diagonal(dim1=1, dim2=2).sign().unsqueeze(1)
    return found
