"""The leak audit: does one part of the data hold copies of items of another?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import prod
from typing import Any

import torch

from archspec.errors import ArchspecError
from builders.data.calibrate import Null, at_least
from builders.data.findings import EXAMPLES, Audit, Compared, Finding, Near, Pair
from builders.data.orbit import EDGE, Orbit, nearest, parse_orbit, searched
from builders.data.sides import Side, sample, side
from builders.threads import threads

ORBIT = "shift=2,flip,rotate=10"
RATE, LEVEL = 1e-3, 1e-3
RATES = 10  # each a tenth of the one before, at which items are counted
MOST = 10**11  # multiply-adds of one comparison; of larger ones a sample is taken


def audit(
    train: Any, validation: Any, test: Any = None, *, orbit: str = ORBIT, rate: float = RATE, level: float = LEVEL
) -> Audit:
    """Look for copies of items across training, validation and test: by source, by equal numbers, and over an orbit.

    Each part is `Items`, `Stored`, a torch Dataset of pairs or a DataLoader of one. `orbit` declares what still counts
    as a copy, `none` nothing but noise and normalisation. `rate` is the share of items without copies that fall below
    the threshold, and `level` the probability that the search for near copies finds something in two sides that share
    nothing. Raises ArchspecError where the data cannot be read; what it finds is in the audit.

    >>> from builders.data import Items
    >>> images = torch.rand(300, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> whole = Items(images, torch.zeros(300).long(), torch.arange(300), "random")
    >>> audit(whole.take(torch.arange(200)), whole.take(torch.arange(200, 300))).total
    0
    >>> audit(whole.take(torch.arange(200)), whole.take(torch.arange(190, 300))).total
    10
    """
    for name, share in (("rate", rate), ("level", level)):
        if not 0 < share < 0.25:
            raise ArchspecError("orbit", f"{name} cannot be {share}", hint="a number above 0 and below 0.25")
    declared = parse_orbit(orbit)
    named = {"train": train, "validation": validation, "test": test}
    with threads(1):
        sides = [one for name, data in named.items() if data is not None and (one := side(name, data))]
        compared = tuple(_compared(*two, declared, rate, level) for two in combinations(sides, 2))
        return Audit(compared, declared, rate, level, tuple(_notes(sides, compared, declared)))


def _compared(first: Side, second: Side, orbit: Orbit, rate: float, level: float) -> Compared:
    findings = [_shared(first, second, "same source", first.sources, second.sources)]
    searches: list[tuple[Near, list[Pair]]] = []
    if not _alike_by_chance(first, second):
        findings.append(_shared(first, second, "duplicate", first.hashes, second.hashes))
        orbits = searched(orbit, first.sizes)
        searches = [found for one in orbits if (found := _near(first, second, one, rate, level / len(orbits)))]
        findings.append(_near_copies(first, second, [pair for _, pairs in searches for pair in pairs]))
    near = tuple(search for search, _ in searches)
    return Compared(first.name, second.name, len(second), tuple(one for one in findings if one), near)


def _alike_by_chance(first: Side, second: Side) -> float:
    """How many pairs are equal by chance where items have few values; 0 where equal items are copies."""
    expected = len(first) * len(second) * max(first.agreement, second.agreement)
    return expected if expected > LEVEL else 0.0


def _shared(first: Side, second: Side, how: str, ours: Sequence[Any], theirs: Sequence[Any]) -> Finding | None:
    """The items of the second side whose key stands on the first side too."""
    known = {key: i for i, key in reversed(list(enumerate(ours))) if key is not None}
    items = [i for i, key in enumerate(theirs) if key in known]
    examples = tuple(Pair(known[theirs[i]], i) for i in items[:EXAMPLES])
    return Finding(first.name, second.name, how, frozenset(items), len(second), examples) if items else None


def _near_copies(first: Side, second: Side, pairs: list[Pair]) -> Finding | None:
    """The pairs that the searches found, each item of the second side once."""
    once: dict[int, Pair] = {}
    for pair in pairs:
        once.setdefault(pair.second, pair)
    examples = tuple(once.values())[:EXAMPLES]
    return Finding(first.name, second.name, "near copy", frozenset(once), len(second), examples) if once else None


def _near(first: Side, second: Side, orbit: Orbit, rate: float, level: float) -> tuple[Near, list[Pair]] | None:
    """Items of the second side that are nearer to the first than chance lets them be, the nearest first.

    Chance is the less favourable of two laws, that of either side: training items may be augmented, others are not.
    Items are counted below the threshold, and below those of rates that are each a tenth of the one before: many items
    that are a little too near are seen in the first counts, and a few that are much too near in the last.
    """
    nulls = _laws(first, second, orbit)
    if not nulls or first.pictures is None or second.pictures is None:
        return None
    chosen = sample(len(second), _affordable(first, orbit))
    distances, indices = (one[:, 0] for one in nearest(second.pictures[chosen], first.pictures, orbit, 1))
    chances = torch.stack([null.chance(distances) for null in nulls]).amax(0)
    rates = [rate / 10**i for i in range(RATES)]
    seen = [min(1.0, RATES * at_least(int((chances <= one).sum()), len(chosen), one)) for one in rates]
    observed, threshold = int((chances <= rate).sum()), min(null.threshold(rate) for null in nulls)
    near = Near(str(orbit), len(chosen), threshold, rate * len(chosen), observed, min(seen))
    most = max((one for one, chance in zip(rates, seen, strict=True) if chance <= level), default=0.0)
    below = (chances <= most).nonzero().flatten()
    below = below[distances[below].argsort(stable=True)]
    return near, [Pair(int(indices[i]), int(chosen[i]), float(distances[i])) for i in below.tolist()]


def _laws(first: Side, second: Side, orbit: Orbit) -> list[Null]:
    """The laws of nearest distances to as many items as the first side has; none where it cannot be calibrated."""
    if first.sizes != second.sizes or (own := first.law(orbit)) is None:
        return []
    other = second.law(orbit)
    return [own, *([other.among(len(first) / len(second))] if other else [])]


def _affordable(first: Side, orbit: Orbit) -> int:
    """How many items can be compared with a side."""
    assert first.pictures is not None
    sizes = first.pictures.shape[1:]
    numbers = sizes[0] * prod(min(size, EDGE) for size in sizes[1:])
    return max(50, MOST // (orbit.size * len(first) * numbers))


def _notes(sides: list[Side], compared: tuple[Compared, ...], orbit: Orbit) -> Iterator[str]:
    for one in sides:
        if one.repeated:
            yield f"within {one.name}: {one.repeated} items equal another one"
        law = one.laws.get(searched(orbit, one.sizes)[-1])
        if law and law.copies > law.items // 20:
            yield f"within {one.name}: {law.copies} of {law.items} items have copies that no source declares"
    for (first, second), pair in zip(combinations(sides, 2), compared, strict=True):
        names, chance = f"{first.name} and {second.name}", _alike_by_chance(first, second)
        if chance:
            yield f"{names}: equal items are no copies here, {chance:.2g} pairs are alike by chance"
        elif not pair.near:
            yield f"{names}: near copies cannot be told apart from chance here"
        elif (least := min(pair.near, key=lambda one: one.examined)).examined < pair.size:
            yield f"{names}: near copies over {least.orbit} of a sample of {least.examined} items"
