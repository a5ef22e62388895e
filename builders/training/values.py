"""The values of a recipe, read from YAML or from the command line with errors at their places."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from archspec.errors import ArchspecError, Findings, did_you_mean
from archspec.source import Listing, Mapping, Scalar, Value

T = TypeVar("T")
Reader = Callable[[Value], T]

MOST_SEEDS = 10_000
COMMA = re.compile(r",(?![^(]*\))")  # outside parentheses


def wrong(value: Value, wanted: str, hint: str | None) -> ArchspecError:
    """The error for a value of the wrong kind."""
    found = "a list" if isinstance(value, Listing) else "a table"
    if isinstance(value, Scalar):
        found = f"`{value.text[:40]}`" if value.text else "nothing"
    return ArchspecError("recipe-value", f"expected {wanted}, found {found}", value.span(), hint)


def twice(value: Value, name: str) -> ArchspecError:
    """The error for a value that stands there already."""
    return ArchspecError("recipe-value", f"`{name[:40]}` stands twice", value.span(), "leave one of them out")


def number(low: float, high: float = float("inf"), *, above: bool = False, below: bool = False) -> Reader[float]:
    """A reader of numbers from `low` to `high`; `above` and `below` leave the ends out."""
    start = f"above {low:g}" if above else f"from {low:g}"
    end = "" if high == float("inf") else f"{' and' if above else ''} {'below' if below else 'to'} {high:g}"

    def read(value: Value) -> float:
        found = value.value if isinstance(value, Scalar) else None
        inside = isinstance(found, (int, float)) and not isinstance(found, bool) and low <= found <= high
        if not inside or (above and found == low) or (below and found == high):
            raise wrong(value, f"a number {start}{end}", None)
        return float(str(found))

    return read


def whole(low: int, high: int = (1 << 63) - 1) -> Reader[int]:
    """A reader of whole numbers from `low` to `high`."""
    end = f" to {high}" if high < 1 << 62 else ""

    def read(value: Value) -> int:
        found = value.value if isinstance(value, Scalar) else None
        if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
            raise wrong(value, f"a whole number from {low}{end}", None)
        return found

    return read


def word(*known: str) -> Reader[str]:
    """A reader of one of several words."""

    def read(value: Value) -> str:
        found = text(value)
        if found not in known:
            raise wrong(value, f"one of {', '.join(known)}", did_you_mean(found, known))
        return found

    return read


def text(value: Value) -> str:
    """A text that is not empty."""
    if not isinstance(value, Scalar) or not value.text.strip():
        raise wrong(value, "a text", None)
    return value.text.strip()


def optional(reader: Reader[T]) -> Reader[T | None]:
    """A reader that takes `none` for nothing."""

    def read(value: Value) -> T | None:
        nothing = isinstance(value, Scalar) and value.text in ("none", "null", "~", "")
        return None if nothing else reader(value)

    return read


def yes_or_no(value: Value) -> bool:
    """yes or no; true and false are read as well."""
    found = value.text if isinstance(value, Scalar) else ""
    if found not in ("yes", "true", "no", "false"):
        raise wrong(value, "yes or no", None)
    return found in ("yes", "true")


def several(reader: Reader[T]) -> Reader[tuple[T, ...]]:
    """A reader of a list, or of a text with commas outside parentheses; each value stands once."""

    def read(value: Value) -> tuple[T, ...]:
        found, findings = dict[str, T](), Findings()
        for part in parts(value):
            with findings:
                one = reader(part)
                if str(one) in found:
                    raise twice(part, part.span().text)
                found[str(one)] = one
        findings.raise_any()
        if not found:
            raise wrong(value, "at least one value", None)
        return tuple(found.values())

    return read


def parts(value: Value) -> Iterator[Value]:
    """The items of a list, or of a text the words between commas, each with its place."""
    if not isinstance(value, Scalar):
        yield from value.items if isinstance(value, Listing) else [value]
        return
    start = 0
    for stop in [*(found.start() for found in COMMA.finditer(value.text)), len(value.text)]:
        piece = value.text[start:stop]
        left = start + len(piece) - len(piece.lstrip())
        span = value.span(left, left + len(piece.strip()))
        yield Scalar(piece.strip(), value.style, span.source, span.start, span.end)
        start = stop + 1


def seeds(value: Value) -> tuple[int, ...]:
    """A number of seeds, which are then 0, 1, 2, ..., or a list of them.

    >>> seeds(Scalar.of("3")), seeds(Scalar.of("4,7"))
    ((0, 1, 2), (4, 7))
    """
    if isinstance(value, Scalar) and "," not in value.text:
        count = value.value
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_SEEDS:
            raise wrong(value, f"a number of seeds from 1 to {MOST_SEEDS}, or a list of seeds", "seeds: 5, or [0, 7]")
        return tuple(range(count))
    return several(whole(0))(value)


def betas(value: Value) -> tuple[float, float]:
    """The two rates of Adam's running means."""
    found = tuple(map(number(0, 1, below=True), parts(value)))
    if len(found) != 2:
        raise wrong(value, "two numbers from 0 to 1", "betas: [0.9, 0.999]")
    return found[0], found[1]


def table(reader: Reader[T]) -> Reader[tuple[tuple[str, T], ...]]:
    """A reader of a mapping, or of a text `name=value, ...`, as pairs."""

    def read(value: Value) -> tuple[tuple[str, T], ...]:
        if isinstance(value, Mapping):
            return tuple((key.text, reader(item)) for key, item in value.items)
        if not isinstance(value, Scalar):
            raise wrong(value, "a table", None)
        pairs, names = tuple(_pair(part, reader) for part in parts(value) if isinstance(part, Scalar)), set[str]()
        for part, (name, _) in zip(parts(value), pairs, strict=True):
            if name in names:
                raise twice(part, name)
            names.add(name)
        return pairs

    return read


def _pair(part: Scalar, reader: Reader[T]) -> tuple[str, T]:
    name, equals, rest = part.text.partition("=")
    if not equals or not name.strip():
        raise wrong(part, "name=value", None)
    at = part.span(len(part.text) - len(rest.lstrip()))
    return name.strip(), reader(Scalar(rest.strip(), part.style, at.source, at.start, at.end))
