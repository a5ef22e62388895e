"""An audit as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from builders.data.leaks import Audit, Compared

HEADINGS = ("", "items", "same source", "duplicates", "near copies", "expected", "threshold", "")


def table(audit: Audit) -> str:
    """The rows of an audit, one for every two sides, and what was noted."""
    rows = [HEADINGS, *(_row(one) for one in audit.compared)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
    orbit = f"orbit of {audit.orbit.size}: {audit.orbit}, rate {audit.rate:g} an item, level {audit.level:g}"
    return "\n".join([f"leak audit ({orbit})", *lines, *audit.notes])


def _row(one: Compared) -> tuple[str, ...]:
    counts = {found.how: len(found.items) for found in one.findings}
    names = f"{one.first}, {one.second}"
    plain = (names, str(one.size), str(counts.get("same source", 0)), str(counts.get("duplicate", 0)))
    verdict = "LEAK" if one.findings else "clean"
    if one.near is None:
        return (*plain, "-", "-", "-", verdict)
    near = max(counts.get("near copy", 0), one.near.observed)
    return (*plain, str(near), f"{one.near.expected:.2f}", f"{one.near.threshold:.3f}", verdict)
