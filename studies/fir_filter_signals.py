"""The signals of the study fir-filter on the window n = -6..12, and what closed forms say of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]
FIRST, LAST = -6, 12
WINDOW = np.arange(FIRST, LAST + 1)
SAMPLES = len(WINDOW)  # and taps: the last sample of the output reads the first of the input


@dataclass(frozen=True)
class Problem:
    """The rectangle and the filter on the window, and what closed forms say of their convolution."""

    length: int
    decay: float

    @property
    def x(self) -> Signal:
        """u[n] - u[n - L]."""
        return np.where((WINDOW >= 0) & (self.length > WINDOW), 1.0, 0.0)

    @property
    def h(self) -> Signal:
        """a^n for n = 0, 1, ..., as many taps as the window has samples."""
        return np.power(self.decay, np.arange(SAMPLES), dtype=np.float64)

    @property
    def y(self) -> Signal:
        """0; (1 - a^(n + 1)) / (1 - a) up to n = L - 1; from there a^(n - L + 1) (1 - a^L) / (1 - a)."""
        n, a, length = np.maximum(WINDOW, 0), self.decay, self.length
        rising = (1 - a ** (n + 1)) / (1 - a)
        falling = a ** np.maximum(n - length + 1, 0) * (1 - a**length) / (1 - a)
        return np.where(WINDOW < 0, 0.0, np.where(length - 1 > WINDOW, rising, falling))

    @property
    def room(self) -> Signal:
        """How far rounding may move a sample: of products and sums, and of the differences in the closed form."""
        return rounding(self.x, self.h) * (1 + 4 / (1 - self.decay))


def rounding(x: Signal, h: Signal) -> Signal:
    """Twice the bound on what rounding does to sum_i x[n - i] h[i], in whatever order it is added up."""
    return 2 * len(h) * np.finfo(float).eps * np.convolve(np.abs(x), np.abs(h))[: len(x)]


def moved(signal: Signal, shift: int) -> Signal:
    """x[n - shift] on the window, zero where that reads outside it."""
    found = np.zeros_like(signal)
    kept = max(len(signal) - abs(shift), 0)
    start = max(shift, 0)
    found[start : start + kept] = signal[start - shift : start - shift + kept]
    return found
