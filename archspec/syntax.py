"""What the notation says, as a tree: items and their parts, and the structures that hold them.

Every part knows where it stands (a scalar of the YAML and offsets into its text), so that any later pass can underline
the very word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, cast

from archspec.errors import Span
from archspec.expressions import Dims, Environment, Expression, Value, parse
from archspec.source import Scalar
from archspec.source import Value as YamlValue

KERNEL = re.compile(r"(?P<name>[A-Za-z_]\w*?)(?P<sides>\d+(?:x\d+)*)(?P<more>x?)$")


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A stretch of a scalar's text."""

    scalar: Scalar
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.scalar.text[self.start : self.end]

    @property
    def span(self) -> Span:
        return self.scalar.span(self.start, self.end)


class Reader(Environment, Protocol):
    """What an operand is evaluated in: an environment that also gives quoted text its scope."""

    def quote(self, place: Place) -> str:
        """The text of a place, with the scope in which it is read when it is spliced."""


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """A kernel, amount or option value: an expression, quoted text, or several sides (`1x7`, `0:1`).

    Each side is one expression or a pair before:after.
    """

    place: Place
    sides: tuple[tuple[Expression, ...], ...] = ()
    quoted: bool = False
    constant: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "constant", not self.quoted and all(e.constant for side in self.sides for e in side))

    def expressions(self) -> Iterator[Expression]:
        for side in self.sides:
            yield from side

    @property
    def word(self) -> str | None:
        """The bare name, where the operand is nothing else."""
        text = self.place.text
        return text if text.isidentifier() else None

    def evaluate(self, scope: Reader) -> Value:
        """Its value: a number or text, or the sides as a tuple."""
        if self.quoted:
            return scope.quote(self.place)
        if len(self.sides) == 1 and len(self.sides[0]) == 1:
            return self.sides[0][0].evaluate(scope)
        sides = [tuple([expression.evaluate(scope) for expression in side]) for side in self.sides]
        return cast("Dims", tuple(side[0] if len(side) == 1 else side for side in sides))  # bounds are the field's


@dataclass(frozen=True, slots=True, eq=False)
class OptionWord:
    """`s2`, `eps=1e-6`, or a bare word (`causal`, `nobias`), whose value is then None."""

    key: str
    value: Operand | None
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """A layer, block or variable in the layer spelling: `CONV3-64 s2`."""

    word: str
    name: Place
    tail: Operand | None  # a kernel in parentheses behind the word
    amount: Operand | None
    options: tuple[OptionWord, ...]

    def split(self) -> tuple[str, Operand | None] | None:
        """The name without the kernel that the word ends with (CONV1x7 -> CONV, 1x7); None where it ends with none."""
        match = KERNEL.match(self.word)
        if match is None or bool(match["more"]) != (self.tail is not None):
            return None
        at = self.name.start + match.start("sides")
        scalar, found = self.name.scalar, re.finditer(r"\d+", match["sides"])
        literal = [(parse(scalar, at + side.start(), at + side.end()),) for side in found]
        rest = self.tail.sides if self.tail else ()
        end = self.tail.place.end if self.tail else self.name.end
        return match["name"], Operand(Place(scalar, at, end), (*literal, *rest))


@dataclass(frozen=True, slots=True, eq=False)
class Argument:
    """One argument of a call; `name` is None where it is positional."""

    name: str | None
    value: Operand
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A block called with arguments: `conv(64, k=3)`."""

    word: str
    name: Place
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PointRef:
    """The name of a point: `skip`, `b(j)`, or with `every` all points of the name: `f*`."""

    name: str
    place: Place
    index: Expression | None = None
    every: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class From:
    """Continue from a point."""

    point: PointRef


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Items in parentheses."""

    body: Sequence


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One item of a string: what it is, its modifiers and its condition."""

    primary: Thing | Call | From | Group
    place: Place
    repeat: Expression | None = None
    label: PointRef | None = None
    share: Place | None = None
    condition: Expression | None = None
    otherwise: Item | None = None

    @property
    def plain(self) -> bool:
        """Whether it has neither modifiers nor a condition."""
        return self.repeat is None and self.condition is None and self.label is None and self.share is None


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The rows of an `each`: columns as mappings, or an expression or text that gives them."""

    place: Place
    columns: tuple[tuple[Scalar, YamlValue], ...] | None = None
    text: Scalar | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Each:
    """`each:` with `layers:`: the body once per row."""

    table: Table
    body: Sequence
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Merge:
    """`add:`, `concat:` or `mul:` with its branches, one each or one per row."""

    key: str
    branches: tuple[Sequence, ...] | Each
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """`if:` with `then:` and perhaps `else:`."""

    condition: Expression
    then: Sequence
    otherwise: Sequence | None
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """Named sequences in order; the end of each becomes a point."""

    stages: tuple[tuple[Scalar, Sequence], ...]

    @property
    def place(self) -> Place:
        key = self.stages[0][0]
        return Place(key, 0, len(key.text))


Element = Item | Each | Merge | Choice | Stages


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """Elements in order."""

    elements: tuple[Element, ...]
    place: Place
