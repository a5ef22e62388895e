"""The leak audit: does one part of the data hold copies of items of another?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations, zip_longest
from math import prod
from typing import Any

import torch
from torch.utils.data import Dataset

from archspec.errors import ArchspecError
from builders.data.calibrate import Null, at_least
from builders.data.items import Items, Stored
from builders.data.orbit import EDGE, Orbit, nearest, parse_orbit
from builders.data.report import table
from builders.data.sides import Side, sample, side

ORBIT = "shift=2,flip,rotate=10"
RATE, LEVEL = 1e-3, 1e-3
RATES = 10  # each a tenth of the one before, at which items are counted
MOST = 10**11  # multiply-adds of one comparison; of larger ones a sample is taken
EXAMPLES = 5


@dataclass(frozen=True)
class Pair:
    """Item `first` of one side and item `second` of the other; their distance over the orbit, where it was measured."""

    first: int
    second: int
    distance: float | None = None


@dataclass(frozen=True)
class Finding:
    """Copies on two sides, found by `how`: "same source", "duplicate" or "near copy"; `items` of the second side."""

    first: str
    second: str
    how: str
    items: frozenset[int] = field(repr=False)
    of: int
    examples: tuple[Pair, ...]


@dataclass(frozen=True)
class Near:
    """What the search for near copies saw: `examined` items, of which by chance `expected` are below `threshold`.

    `observed` are below it; `chance` is the probability that sides without copies look as suspicious as these.
    """

    examined: int
    threshold: float
    expected: float
    observed: int
    chance: float


@dataclass(frozen=True)
class Compared:
    """Two sides, what was found on them, and the search for near copies; None where it could not be calibrated."""

    first: str
    second: str
    size: int
    findings: tuple[Finding, ...]
    near: Near | None


@dataclass(frozen=True)
class Audit:
    """Every two sides compared. `findings` are the copies found; `str()` is a table."""

    compared: tuple[Compared, ...]
    orbit: Orbit
    rate: float
    level: float
    notes: tuple[str, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(one for compared in self.compared for one in compared.findings)

    @property
    def total(self) -> int:
        """Items that have a copy on another side; each is counted once for every pair of sides."""
        return sum(len(_items(one)) for one in self.compared)

    def __str__(self) -> str:
        return table(self)

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "orbit": vars(self.orbit) | {"size": self.orbit.size},
            "rate": self.rate,
            "level": self.level,
            "total": self.total,
            "compared": [_plain(one) for one in self.compared],
            "notes": list(self.notes),
        }

    def raise_any(self) -> None:
        """Raise ArchspecError `leak` if anything was found: how many, how, and examples."""
        leaking = [one for one in self.compared if one.findings]
        if not leaking:
            return
        errors = []
        for one in leaking:
            count = len(_items(one))
            how = ", ".join(f"{len(found.items)} by {found.how}" for found in one.findings)
            share = f"{count} of {one.size} {one.second} items ({count / one.size:.1%})"
            message = f"{share} are copies of {one.first} items: {how}"
            rows = zip_longest(*([_example(one, found, pair) for pair in found.examples] for found in one.findings))
            examples = [text for row in rows for text in row if text][:EXAMPLES]  # of every kind in turn
            hint = "\n".join(["split first, then augment the training part alone", *examples])
            errors.append(ArchspecError("leak", message, hint=hint).diagnostics[0])
        raise ArchspecError.of(errors)


def audit(
    train: Any, validation: Any, test: Any = None, *, orbit: str = ORBIT, rate: float = RATE, level: float = LEVEL
) -> Audit:
    """Look for copies of items across training, validation and test: by source, by equal numbers, and over an orbit.

    Each part is `Items`, `Stored` or a torch Dataset of pairs. `orbit` declares what still counts as a copy, `none`
    nothing but noise and normalisation. `rate` is the share of items without copies that fall below the threshold, and
    `level` the probability that the search for near copies finds something in two sides that share nothing.
    Raises ArchspecError where the data cannot be read; what it finds is in the audit.

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
    sides = [side(name, data, declared) for name, data in named.items() if data is not None and _size(name, data)]
    with one_thread():
        compared = tuple(_compared(first, second, rate, level) for first, second in combinations(sides, 2))
        return Audit(compared, declared, rate, level, tuple(_notes(sides, compared)))


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for many small products: on a busy machine two of them wait for each other ten times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _size(name: str, data: Any) -> int:
    if not isinstance(data, Items | Stored | Dataset) or not hasattr(data, "__len__"):
        message = f"{name} cannot be of type {type(data).__name__}"
        raise ArchspecError("unknown-data", message, hint="Items, or a map-style torch Dataset of pairs")
    return len(data)


def _compared(first: Side, second: Side, rate: float, level: float) -> Compared:
    by_source = _shared(first, second, "same source", first.sources, second.sources)
    equal = _shared(first, second, "duplicate", first.hashes, second.hashes)
    near, found = _near(first, second, rate, level)
    findings = tuple(one for one in (by_source, equal, found) if one)
    return Compared(first.name, second.name, len(second), findings, near)


def _shared(first: Side, second: Side, how: str, ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> Finding | None:
    """The items of the second side whose key stands on the first side too."""
    known = {key: i for i, key in reversed(list(enumerate(ours)))}
    items = [i for i, key in enumerate(theirs) if key in known]
    examples = tuple(Pair(known[theirs[i]], i) for i in items[:EXAMPLES])
    return Finding(first.name, second.name, how, frozenset(items), len(second), examples) if items else None


def _near(first: Side, second: Side, rate: float, level: float) -> tuple[Near | None, Finding | None]:
    """Items of the second side that are nearer to the first than chance lets them be.

    Chance is the less favourable of two laws, that of either side: training items may be augmented, others are not.
    Items are counted below the threshold, and below those of rates that are each a tenth of the one before: many items
    that are a little too near are seen in the first counts, and a few that are much too near in the last.
    """
    nulls = _laws(first, second)
    if not nulls or first.pictures is None or second.pictures is None:
        return None, None
    chosen = sample(len(second), _affordable(first))
    distances, indices = nearest(second.pictures[chosen], first.pictures, first.orbit, 1)
    distances, indices = distances[:, 0], indices[:, 0]
    chances = torch.stack([null.chance(distances) for null in nulls]).amax(0)
    rates = [rate / 10**i for i in range(RATES)]
    seen = [min(1.0, RATES * at_least(int((chances <= one).sum()), len(chosen), one)) for one in rates]
    observed, threshold = int((chances <= rate).sum()), min(null.threshold(rate) for null in nulls)
    near = Near(len(chosen), threshold, rate * len(chosen), observed, min(seen))
    unlikely = [one for one, chance in zip(rates, seen, strict=True) if chance <= level]
    if not unlikely:
        return near, None
    below = (chances <= unlikely[0]).nonzero().flatten()
    below = below[distances[below].argsort(stable=True)]
    pairs = [Pair(int(indices[i]), int(chosen[i]), float(distances[i])) for i in below.tolist()]
    items = frozenset(pair.second for pair in pairs)
    return near, Finding(first.name, second.name, "near copy", items, len(second), tuple(pairs[:EXAMPLES]))


def _laws(first: Side, second: Side) -> list[Null]:
    """The laws of nearest distances to as many items as the first side has; none where it cannot be calibrated."""
    if first.sizes != second.sizes or first.null is None:
        return []
    other = second.null
    return [first.null, *([other.among(len(first) / len(second))] if other else [])]


def _affordable(first: Side) -> int:
    """How many items can be compared with a side."""
    assert first.pictures is not None
    sizes = first.pictures.shape[1:]
    numbers = sizes[0] * prod(min(size, EDGE) for size in sizes[1:])
    return max(50, MOST // (first.orbit.size * len(first) * numbers))


def _notes(sides: list[Side], compared: tuple[Compared, ...]) -> list[str]:
    notes = [f"within {one.name}: {one.repeated} items equal another one" for one in sides if one.repeated]
    for one in sides:
        null = one.null
        if null and null.copies > null.items // 100:
            notes.append(f"within {one.name}: {null.copies} of {null.items} items have copies that no source declares")
    for pair in compared:
        if pair.near is None:
            notes.append(f"{pair.first} and {pair.second}: near copies cannot be told apart from chance here")
        elif pair.near.examined < pair.size:
            notes.append(f"{pair.first} and {pair.second}: near copies of a sample of {pair.near.examined} items")
    return notes


def _items(compared: Compared) -> frozenset[int]:
    return frozenset[int]().union(*(one.items for one in compared.findings))


def _example(compared: Compared, finding: Finding, pair: Pair) -> str:
    far = "" if pair.distance is None else f", distance {pair.distance:.3f}"
    return f"{compared.second} {pair.second} and {compared.first} {pair.first} ({finding.how}{far})"


def _plain(one: Compared) -> dict[str, object]:
    findings = [
        {"how": found.how, "items": sorted(found.items), "examples": [vars(pair) for pair in found.examples]}
        for found in one.findings
    ]
    near = vars(one.near) if one.near else None
    return {"first": one.first, "second": one.second, "size": one.size, "findings": findings, "near": near}
