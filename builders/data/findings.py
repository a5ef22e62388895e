"""What an audit found: copies on two sides, as errors, plain values and a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest

from archspec.errors import ArchspecError
from builders.data.orbit import Orbit

EXAMPLES = 5
HEADINGS = ("", "items", "same source", "duplicates", "near copies", "expected", "threshold", "")


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
    """What the search for near copies over an orbit saw: of `examined` items, chance puts `expected` below `threshold`.

    `observed` are below it; `chance` is the probability that sides without copies look as suspicious as these.
    """

    orbit: str
    examined: int
    threshold: float
    expected: float
    observed: int
    chance: float


@dataclass(frozen=True)
class Compared:
    """Two sides, what was found on them, and the searches for near copies; none where they could not be calibrated."""

    first: str
    second: str
    size: int
    findings: tuple[Finding, ...]
    near: tuple[Near, ...]


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
        rows = [HEADINGS, *(_row(one) for one in self.compared)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
        lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
        orbit = f"orbit of {self.orbit.size}: {self.orbit}, rate {self.rate:g} an item, level {self.level:g}"
        return "\n".join([f"leak audit ({orbit})", *lines, *self.notes])

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
    near = [vars(search) for search in one.near]
    return {"first": one.first, "second": one.second, "size": one.size, "findings": findings, "near": near}


def _row(one: Compared) -> tuple[str, ...]:
    counts = {found.how: len(found.items) for found in one.findings}
    names = f"{one.first}, {one.second}"
    plain = (names, str(one.size), str(counts.get("same source", 0)), str(counts.get("duplicate", 0)))
    verdict = "LEAK" if one.findings else "clean"
    if not one.near:
        return (*plain, "-", "-", "-", verdict)
    near = max(counts.get("near copy", 0), *(search.observed for search in one.near))
    expected = f"{sum(search.expected for search in one.near):.2f}"
    return (*plain, str(near), expected, " ".join(f"{search.threshold:.3f}" for search in one.near), verdict)
