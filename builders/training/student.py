"""Quantiles of Student's distribution."""

from __future__ import annotations

import math

LEVEL = 0.95


def quantile(freedom: int, level: float = LEVEL) -> float:
    """The t with P(|T| <= t) = level, T of Student's distribution (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4).

    >>> round(quantile(4), 3), round(quantile(29), 3)
    (2.776, 2.045)
    """
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(middle, freedom) < level else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _inside(angle: float, freedom: int) -> float:
    """P(|T| <= sqrt(freedom) tan(angle))."""
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(2 + odd, freedom - 1, 2):
        term *= (k - 1) / k * math.cos(angle) ** 2
        total += term
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total
