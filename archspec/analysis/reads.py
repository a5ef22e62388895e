"""Sets of input positions, and tables that say which set every unit of a layer reads.

All is exact: sets are bit masks, tables are periodic, and positions are those of an unbounded grid, so that a field
keeps the padding in it. Composing tables is the whole arithmetic of receptive fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import gcd, lcm
from typing import NamedTuple, Protocol

from archspec.layers.window import Phases

LONGEST_PERIOD = 4096


class Positions(NamedTuple):
    """A set of integers: bit k of `bits` says whether `low + k` is in it; bit 0 is set, unless the set is empty."""

    low: int
    bits: int

    @property
    def high(self) -> int:
        """The largest member; `low - 1` of an empty set."""
        return self.low + self.bits.bit_length() - 1

    @property
    def size(self) -> int:
        """Positions from the smallest to the largest member."""
        return self.bits.bit_length()

    @property
    def number(self) -> int:
        """How many members there are."""
        return self.bits.bit_count()

    def shifted(self, by: int) -> Positions:
        return Positions(self.low + by, self.bits) if self.bits else self

    def within(self, size: int) -> Positions:
        """The members from 0 to size - 1."""
        bits = self.bits << self.low if self.low >= 0 else self.bits >> -self.low
        return positions(0, bits & ((1 << size) - 1))

    def members(self) -> list[int]:
        """The members in order."""
        return [self.low + place for place in range(self.size) if self.bits >> place & 1]


NOWHERE = Positions(0, 0)


def positions(low: int, bits: int) -> Positions:
    """The set of the bits of `bits`, bit 0 standing for `low`."""
    if not bits:
        return NOWHERE
    zeros = (bits & -bits).bit_length() - 1
    return Positions(low + zeros, bits >> zeros)


def union(sets: Iterable[Positions]) -> Positions:
    """The union of sets of positions."""
    members = [one for one in sets if one.bits]
    if len(members) < 2:
        return members[0] if members else NOWHERE
    low = min(one.low for one in members)
    bits = 0
    for one in members:
        bits |= one.bits << (one.low - low)
    return Positions(low, bits)


class Reads(Protocol):
    """Which input positions every unit along an axis reads."""

    def at(self, unit: int) -> Positions:
        """What one unit reads."""

    def over(self, size: int) -> Positions:
        """What units 0 to size - 1 read together."""

    def through(self, phases: Phases, units: int) -> Reads:
        """What the `units` units of a layer read that reads these by `phases`."""

    def up_to(self) -> Reads:
        """What a unit reads that reads all of these up to its own place."""

    def distinct(self, units: int) -> int:
        """How many of the first `units` units show every field there is, up to its place."""

    @property
    def jump(self) -> Fraction:
        """Input positions from one unit to the next, on average."""


class Table:
    """Unit qP + r reads the set of phase r, q steps further. A step of 0: all turns read the same."""

    __slots__ = ("period", "phases", "step")

    def __init__(self, period: int, step: int, phases: tuple[Positions, ...]) -> None:
        self.period, self.step, self.phases = period, step, phases

    def at(self, unit: int) -> Positions:
        turn, phase = divmod(unit, self.period)
        return self.phases[phase].shifted(turn * self.step)

    def over(self, size: int) -> Positions:
        return union(map(self.at, range(min(size, self.period) if self.step == 0 else size)))

    def through(self, phases: Phases, units: int) -> Reads:
        turns = self.period // gcd(phases.step, self.period)
        period, step = phases.period * turns, phases.step * turns // self.period * self.step
        if period > LONGEST_PERIOD:
            return read_singly(self, phases, units)
        return reduced(Table(period, step, tuple(union(map(self.at, phases.reads(unit))) for unit in range(period))))

    def up_to(self) -> Reads:
        return Prefix(self)

    def distinct(self, units: int) -> int:
        return min(units, self.period)

    @property
    def jump(self) -> Fraction:
        return Fraction(self.step, self.period)


class Singly:
    """Units whose fields repeat late or never: found one by one and kept.

    Those near the map are found at once, so that a long chain of such layers does not become a deep recursion.
    """

    __slots__ = ("_find", "_known", "jump")

    def __init__(self, find: Callable[[int], Positions], jump: Fraction, units: int = 0) -> None:
        self._find, self.jump = find, jump
        self._known: dict[int, Positions] = {}
        for unit in range(-units, 2 * units):
            self.at(unit)

    def at(self, unit: int) -> Positions:
        if unit not in self._known:
            self._known[unit] = self._find(unit)
        return self._known[unit]

    def over(self, size: int) -> Positions:
        return union(map(self.at, range(size)))

    def through(self, phases: Phases, units: int) -> Reads:
        return read_singly(self, phases, units)

    def up_to(self) -> Reads:
        return Prefix(self)

    def distinct(self, units: int) -> int:
        return units


class Prefix(Singly):
    """Unit u reads what units 0 to u of others read."""

    __slots__ = ("_sums",)

    def __init__(self, reads: Reads) -> None:
        self._sums: list[Positions] = []

        def summed(unit: int) -> Positions:
            while len(self._sums) <= unit:
                self._sums.append(union([*self._sums[-1:], reads.at(len(self._sums))]))
            return self._sums[unit] if unit >= 0 else NOWHERE

        super().__init__(summed, reads.jump)

    def up_to(self) -> Reads:
        return self  # nothing before the unit reads further


def read_singly(reads: Reads, phases: Phases, units: int) -> Singly:
    """What the units of a layer read that reads these by `phases`, one by one."""
    jump = reads.jump * phases.step / phases.period
    return Singly(lambda unit: union(map(reads.at, phases.reads(unit))), jump, units)


IDENTITY = Table(1, 1, (Positions(0, 1),))


def constant(reads: Positions) -> Table:
    """Every unit reads the same set."""
    return Table(1, 0, (reads,))


def reduced(table: Table) -> Table:
    """The same table with the smallest period."""
    for period in range(1, table.period // 2 + 1):
        if table.period % period == 0 and (table.step * period) % table.period == 0:
            step = table.step * period // table.period
            pairs = zip(table.phases, table.phases[period:], strict=False)
            if all(one.shifted(step) == other for one, other in pairs):
                return Table(period, step, table.phases[:period])
    return table


def joined(one: Reads, other: Reads) -> Reads | None:
    """What either of two reads, as one; None where they go on at different steps, or only one of them is a table."""
    if one is other:
        return one
    tables = isinstance(one, Table), isinstance(other, Table)
    if one.jump != other.jump or tables[0] != tables[1]:
        return None
    if isinstance(one, Table) and isinstance(other, Table):
        period = lcm(one.period, other.period)
        if period <= LONGEST_PERIOD:
            sets = tuple(union((one.at(unit), other.at(unit))) for unit in range(period))
            return reduced(Table(period, one.step * period // one.period, sets))
    return Singly(lambda unit: union((one.at(unit), other.at(unit))), one.jump)
