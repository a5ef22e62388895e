"""Tables that say which set of input positions every unit of a layer reads.

Tables are periodic, and positions are those of an unbounded grid, so that a field keeps the padding in it. Composing
tables is the whole arithmetic of receptive fields.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from math import gcd, lcm
from typing import Protocol

from archspec.analysis.positions import NOWHERE, Positions, repeated, union
from archspec.layers.window import Phases

LONGEST_PERIOD = 512  # a composition that repeats later is not made: its units are found one by one


class Reads(Protocol):
    """Which input positions every unit along an axis reads."""

    def at(self, unit: int) -> Positions:
        """What one unit reads."""

    def over(self, units: Positions) -> Positions:
        """What some units read together."""

    def through(self, how: Table) -> Reads:
        """What the units of a layer read that reads these units by a table."""

    def up_to(self) -> Reads:
        """What a unit reads that reads all of these up to its own place."""

    def shapes(self, units: int) -> set[Positions]:
        """What units 0 to units - 1 read, where of sets that differ in nothing but their place one is enough."""

    @property
    def jump(self) -> Fraction:
        """Input positions from one unit to the next, on average."""


@dataclass(frozen=True, eq=False)
class Table:
    """Unit qP + r reads the set of phase r, q steps further. A step of 0: all turns read the same."""

    period: int
    step: int
    phases: tuple[Positions, ...]

    def at(self, unit: int) -> Positions:
        turn, phase = divmod(unit, self.period)
        return self.phases[phase].shifted(turn * self.step)

    def over(self, units: Positions) -> Positions:
        if units.bits is not None:
            return union(map(self.at, units.members()))
        if units.extent and self._flows:
            low, high = self.at(units.low).low, self.at(units.high).high
            return Positions(low, high - low + 1)
        starts = range(min(self.period, units.extent))
        turns = (-(-(units.extent - start) // self.period) for start in starts)
        return union(
            repeated(self.at(units.low + start), self.step, times) for start, times in zip(starts, turns, strict=True)
        )

    @cached_property
    def _flows(self) -> bool:
        """Whether units in a row read on without a gap or a step back: then the first and the last one bound them."""
        if any(one.bits is not None or not one.extent for one in self.phases):
            return False
        rows = [*self.phases, self.at(self.period)]
        return all(one.low <= two.low <= one.high + 1 and one.high <= two.high for one, two in pairwise(rows))

    def through(self, how: Table) -> Reads:
        if self is IDENTITY:
            return how
        turns = self.period // gcd(how.step, self.period)
        period, step = how.period * turns, how.step * turns // self.period * self.step
        if period > LONGEST_PERIOD:
            return Singly(((self, how),))
        return reduced(Table(period, step, tuple(self.over(how.at(unit)) for unit in range(period))))

    def up_to(self) -> Reads:
        return Prefix(self)

    def shapes(self, units: int) -> set[Positions]:
        return set(self.phases[:units])

    @property
    def jump(self) -> Fraction:
        return Fraction(self.step, self.period)


class Irregular(ABC):
    """Units whose fields repeat late or never: found when asked for, and kept.

    Others of the kind on which a unit hangs are found first, so that a deep network is no deep recursion.
    """

    def __init__(self, jump: Fraction, deep: bool) -> None:
        self.jump, self.deep = jump, deep
        self.known: dict[int, Positions] = {}

    @abstractmethod
    def missing(self, unit: int) -> list[tuple[Irregular, int]]:
        """The units that must be known before this one is found, and are not."""

    @abstractmethod
    def find(self, unit: int) -> Positions:
        """What a unit reads, once nothing is missing."""

    @abstractmethod
    def through(self, how: Table) -> Reads:
        """What the units of a layer read that reads these units by a table."""

    def at(self, unit: int) -> Positions:
        known = self.known.get(unit)
        return self._resolved(unit) if known is None else known

    def _resolved(self, unit: int) -> Positions:
        pending: list[tuple[Irregular, int]] = [(self, unit)]
        while pending:
            one, place = pending[-1]
            missing = [] if place in one.known else one.missing(place)
            if missing:
                pending += missing
                continue
            if place not in one.known:
                one.known[place] = one.find(place)
            pending.pop()
        return self.known[unit]

    def over(self, units: Positions) -> Positions:
        return union(map(self.at, units.members()))

    def up_to(self) -> Reads:
        return Prefix(self)

    def shapes(self, units: int) -> set[Positions]:
        find = self.at if self.deep else self.find  # what hangs on nothing is not worth the room
        return {one.shifted(-one.low) for one in map(find, range(units))}


class Singly(Irregular):
    """The union over sources: other reads, and the table by which their units are read."""

    def __init__(self, sources: tuple[tuple[Reads, Table], ...]) -> None:
        reads, how = sources[0]
        super().__init__(reads.jump * how.jump, deep=any(isinstance(one, Irregular) for one, _ in sources))
        self.sources = sources

    def missing(self, unit: int) -> list[tuple[Irregular, int]]:
        kept = [(reads, how) for reads, how in self.sources if isinstance(reads, Irregular)]
        return [(reads, one) for reads, how in kept for one in how.at(unit).members() if one not in reads.known]

    def find(self, unit: int) -> Positions:
        return union(reads.over(how.at(unit)) for reads, how in self.sources)

    def through(self, how: Table) -> Reads:
        """The tables of the sources are composed, so that a chain of layers stays one step."""
        sources = []
        for reads, own in self.sources:
            both = own.through(how)
            if not isinstance(both, Table):
                return Singly(((self, how),))
            sources.append((reads, both))
        return Singly(tuple(sources))


class Prefix(Irregular):
    """Unit u reads what units 0 to u of others read."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(reads.jump, deep=True)
        self._reads = reads

    def missing(self, unit: int) -> list[tuple[Irregular, int]]:
        found: list[tuple[Irregular, int]] = []
        if unit > 0 and unit - 1 not in self.known:
            found.append((self, unit - 1))
        if unit >= 0 and isinstance(self._reads, Irregular) and unit not in self._reads.known:
            found.append((self._reads, unit))
        return found

    def find(self, unit: int) -> Positions:
        return union((self.at(unit - 1), self._reads.at(unit))) if unit >= 0 else NOWHERE

    def over(self, units: Positions) -> Positions:
        return self.at(units.high) if units.extent else NOWHERE

    def through(self, how: Table) -> Reads:
        return Singly(((self, how),))

    def up_to(self) -> Reads:
        return self  # nothing before the unit reads further


@lru_cache(maxsize=4096)
def table(phases: Phases) -> Table:
    """The table of what a layer reads."""
    rows = (union(Positions(tap, 1) for tap in taps) for taps in phases.taps)
    return Table(phases.period, phases.step, tuple(rows))


IDENTITY = Table(1, 1, (Positions(0, 1),))


def constant(reads: Positions) -> Table:
    """Every unit reads the same set."""
    return Table(1, 0, (reads,))


def reduced(long: Table) -> Table:
    """The same table with the smallest period."""
    for period in range(1, long.period // 2 + 1):
        if long.period % period == 0 and (long.step * period) % long.period == 0:
            step = long.step * period // long.period
            pairs = zip(long.phases, long.phases[period:], strict=False)
            if all(one.shifted(step) == other for one, other in pairs):
                return Table(period, step, long.phases[:period])
    return long


def joined(one: Reads, other: Reads) -> Reads | None:
    """What either of two reads, as one; None where they go on at different steps."""
    if one is other:
        return one
    if one.jump != other.jump:
        return None
    if isinstance(one, Table) and isinstance(other, Table):
        period = lcm(one.period, other.period)
        if period <= LONGEST_PERIOD:
            sets = tuple(union((one.at(unit), other.at(unit))) for unit in range(period))
            return reduced(Table(period, one.step * period // one.period, sets))
    return Singly(_merged((*_sources(one), *_sources(other))))


def _sources(reads: Reads) -> tuple[tuple[Reads, Table], ...]:
    return reads.sources if isinstance(reads, Singly) else ((reads, IDENTITY),)


def _merged(sources: Iterable[tuple[Reads, Table]]) -> tuple[tuple[Reads, Table], ...]:
    """The same sources, the tables by which one and the same is read joined to one."""
    found: list[tuple[Reads, Table]] = []
    for reads, how in sources:
        for place, (known, before) in enumerate(found):
            both = joined(before, how) if known is reads else None
            if isinstance(both, Table):
                found[place] = (reads, both)
                break
        else:
            found.append((reads, how))
    return tuple(found)
