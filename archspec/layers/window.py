"""What an output unit reads: along every input axis a phase table, everything up to here, or everything.

Positions are those of an unbounded grid: a unit may read positions before 0 or behind the end, which are padding. Sizes
enter only where a layer reads everything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import gcd
from typing import NamedTuple

from archspec.layers.geometry import Axis


class Phases(NamedTuple):
    """Unit qP + r reads the positions q*J + t for every tap t of phase r: period P, step J, taps of phases 0 to P - 1.

    >>> Phases(1, 2, ((-1, 0, 1),)).reads(3)
    (5, 6, 7)
    """

    period: int
    step: int
    taps: tuple[tuple[int, ...], ...]

    def reads(self, unit: int) -> tuple[int, ...]:
        """The positions that a unit reads."""
        turn, phase = divmod(unit, self.period)
        return tuple(turn * self.step + tap for tap in self.taps[phase])


class Reach(StrEnum):
    """Windows that grow with the map."""

    PREFIX = "prefix"  # everything up to the unit's own position: causal attention, one-directional recurrence
    ALL = "all"  # everything


class Mark(StrEnum):
    """Reading that may be left out of a receptive field."""

    GATE = "gate"  # a global factor, as of squeeze-and-excitation
    STATISTICS = "statistics"  # a mean or variance over all positions


class AxisWindow(NamedTuple):
    """How an input axis is read: by units along the output axis `axis`, or (None) alike by all units."""

    axis: int | None
    reads: Phases | Reach


@dataclass(frozen=True)
class Window:
    """How the units of a layer read one of its inputs: one entry per spatial axis of that input.

    A marked window says in `unmarked` what is read besides, and is left once gates and statistics are left out.
    """

    axes: tuple[AxisWindow, ...]
    mark: Mark | None = None
    unmarked: "Window | None" = None

    @property
    def same(self) -> bool:
        """Whether every unit reads the position of its own place and nothing else."""
        return self is pointwise(len(self.axes))


SAME = Phases(1, 1, ((0,),))
EVERYTHING = AxisWindow(None, Reach.ALL)


@cache
def pointwise(rank: int) -> Window:
    """Every unit reads the position of its own place."""
    return Window(tuple(AxisWindow(axis, SAME) for axis in range(rank)))


@cache
def whole(rank: int, mark: Mark | None = None, unmarked: Window | None = None) -> Window:
    """Every unit reads the whole input."""
    return Window((EVERYTHING,) * rank, mark, unmarked)


def aligned(tables: Iterable[Phases]) -> Window:
    """One table per axis, each read along the output axis of the same place."""
    return Window(tuple(AxisWindow(axis, table) for axis, table in enumerate(tables)))


def sliding(axes: Iterable[Axis]) -> Window:
    """A window that slides: P = 1, J = s, taps -p + d t."""
    return aligned(Phases(1, a.stride, (tuple(-a.before + a.dilation * t for t in range(a.kernel)),)) for a in axes)


def spreading(axes: Iterable[Axis]) -> Window:
    """A transposed window: unit o reads position i where o = i s - p + d t, so that P = s and J = 1."""
    return aligned(Phases(a.stride, 1, tuple(_sources(a, phase) for phase in range(a.stride))) for a in axes)


def _sources(axis: Axis, phase: int) -> tuple[int, ...]:
    """The positions i with phase = i s - p + d t for some tap t: every (s/g)-th tap from the first, g = gcd(d, s)."""
    place, g = phase + axis.before, gcd(axis.dilation, axis.stride)
    if place % g:
        return ()
    turn = axis.stride // g
    first = place // g * pow(axis.dilation // g, -1, turn) % turn
    return tuple(sorted((place - axis.dilation * t) // axis.stride for t in range(first, axis.kernel, turn)))


def shifted(offsets: Iterable[int]) -> Window:
    """Unit i reads position i + offset."""
    return aligned(Phases(1, 1, ((offset,),)) for offset in offsets)


def repeated(factors: Iterable[int]) -> Window:
    """Every position is read by f units in a row: P = f, J = 1."""
    return aligned(Phases(factor, 1, ((0,),) * factor) for factor in factors)


def gathered(factors: Iterable[int]) -> Window:
    """Every unit reads f positions of its own: P = 1, J = f."""
    return aligned(Phases(1, factor, (tuple(range(factor)),)) for factor in factors)


def adaptive(size: int, parts: int) -> Phases:
    """Unit i of `parts` reads floor(i in/out) to ceil((i + 1) in/out) - 1: P = out/g, J = in/g, g = gcd(in, out)."""
    period, step = parts // gcd(size, parts), size // gcd(size, parts)
    return Phases(
        period, step, tuple(tuple(range(r * step // period, -(-(r + 1) * step // period))) for r in range(period))
    )


def interpolated(size: int, wanted: int, reach: int) -> Phases:
    """Interpolation between the `2 reach` nearest positions (reach 0: the nearest one), corners apart.

    Unit i lies at (i + 1/2) in/out - 1/2 (nearest: i in/out, rounded down); positions of weight 0 are not read.
    """
    period, step = wanted // gcd(size, wanted), size // gcd(size, wanted)
    if reach == 0:
        return Phases(period, step, tuple(((r * step) // period,) for r in range(period)))
    taps = []
    for r in range(period):
        twice = (2 * r + 1) * step - period  # the place, times 2 P
        left = twice // (2 * period)
        exact = twice % (2 * period) == 0
        taps.append((left,) if exact else tuple(range(left - reach + 1, left + reach + 1)))
    return Phases(period, step, tuple(taps))
