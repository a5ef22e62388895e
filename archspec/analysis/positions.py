"""Sets of positions along one axis, exact, and of constant size as long as they have no holes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter


@dataclass(frozen=True, slots=True)
class Positions:
    """`extent` positions from `low` on: all of them, or those of which the bit is set in `bits`.

    Bit k stands for `low + k`. The first and the last position are members, so that equal sets are equal values.

    >>> Positions(-1, 3).within(2).members()
    range(0, 2)
    """

    low: int
    extent: int
    bits: int | None = None

    @property
    def high(self) -> int:
        """The largest member; `low - 1` of an empty set."""
        return self.low + self.extent - 1

    @property
    def count(self) -> int:
        """How many members there are."""
        return self.extent if self.bits is None else self.bits.bit_count()

    def shifted(self, by: int) -> Positions:
        return Positions(self.low + by, self.extent, self.bits) if self.extent else self

    def within(self, size: int) -> Positions:
        """The members from 0 to size - 1."""
        if self.low >= 0 and self.low + self.extent <= size:
            return self
        if self.bits is None:
            low, end = max(self.low, 0), min(self.low + self.extent, size)
            return Positions(low, end - low) if low < end else NOWHERE
        bits = self.bits << self.low if self.low >= 0 else self.bits >> -self.low
        return from_bits(0, bits & _ones(size))

    def covers(self, size: int) -> bool:
        """Whether all positions from 0 to size - 1 are members."""
        return self.within(size) == every(size)

    def includes(self, other: Positions) -> bool:
        """Whether the other lies in this set, which has no holes; False of one with holes."""
        ends = self.low <= other.low and other.low + other.extent <= self.low + self.extent
        return self.bits is None and (ends or not other.extent)

    def members(self) -> Sequence[int]:
        """The members in order."""
        row = range(self.low, self.low + self.extent)
        return row if self.bits is None else [one for one in row if self.bits >> (one - self.low) & 1]


NOWHERE = Positions(0, 0)


def every(size: int) -> Positions:
    """The positions from 0 to size - 1."""
    return Positions(0, size)


def from_bits(low: int, bits: int) -> Positions:
    """The set of the bits of `bits`, bit 0 standing for `low`."""
    if not bits:
        return NOWHERE
    zeros = (bits & -bits).bit_length() - 1
    bits >>= zeros
    extent = bits.bit_length()
    return Positions(low + zeros, extent, None if bits == _ones(extent) else bits)


def union(sets: Iterable[Positions]) -> Positions:
    """The union of sets of positions."""
    members = [one for one in sets if one.extent]
    if len(members) < 2:
        return members[0] if members else NOWHERE
    members.sort(key=attrgetter("low"))
    low = end = members[0].low
    for one in members:
        if one.bits is not None or one.low > end:
            return _with_holes(low, members)
        end = max(end, one.low + one.extent)
    return Positions(low, end - low)


def repeated(one: Positions, step: int, times: int) -> Positions:
    """The union of a set, the set shifted by `step`, and so on, `times` sets in all."""
    found, done = one, 1
    while done < times:
        more = min(done, times - done)
        found = union((found, found.shifted(more * step)))
        done += more
    return found


def _with_holes(low: int, members: Iterable[Positions]) -> Positions:
    bits = 0
    for one in members:
        bits |= (_ones(one.extent) if one.bits is None else one.bits) << (one.low - low)
    return from_bits(low, bits)


def _ones(count: int) -> int:
    return (1 << count) - 1
