"""A parsed expression, and its parts, each a function of the environment.

An operator, function or sign that fails gets its place here; what an environment raises passes through untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from archspec.errors import ArchspecError, Span, did_you_mean
from archspec.expressions.functions import FUNCTIONS
from archspec.expressions.operators import Operation
from archspec.expressions.tokens import CONSTANTS, scan
from archspec.expressions.values import AXES, Value, bounded
from archspec.source import Scalar


class Environment(Protocol):
    """What names mean at one place of a spec."""

    def lookup(self, name: str) -> Value:
        """The value of a name; KeyError where there is none. Any other exception passes through `evaluate`."""

    def names(self) -> Iterable[str]:
        """All names, for `did you mean`."""


Code: TypeAlias = Callable[[Environment], Value]


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A parsed expression: `scalar.text[start:end]`, and the names that it reads (`e4.C` reads e4).

    Values are shared, not copied: the lists among them are for reading.

    >>> from archspec.expressions import parse
    >>> class Sizes(dict):
    ...     lookup, names = dict.__getitem__, dict.keys
    >>> parse(Scalar.of("4*F if s == 1 else [F, 'same']")).evaluate(Sizes(F=16, s=1))
    64
    """

    scalar: Scalar
    start: int
    end: int
    names: frozenset[str]
    _code: Code = field(repr=False)

    @property
    def constant(self) -> bool:
        """Whether it reads no names, so that it has the same value everywhere."""
        return not self.names

    @property
    def text(self) -> str:
        return self.scalar.text[self.start : self.end]

    def span(self) -> Span:
        return self.scalar.span(self.start, self.end)

    def check(self, known: Collection[str]) -> None:
        """Raise ArchspecError (unknown-name) for the first name that is not among the known ones."""
        token = scan(self.scalar.text, self.start, self.end)
        while token.kind != "end":
            if token.kind == "word" and token.text in self.names and token.text not in known:
                raise _unknown(token.text, known).at(self.scalar.span(token.start, token.end))
            token = scan(self.scalar.text, token.end, self.end)

    def evaluate(self, environment: Environment) -> Value:
        """The value; an error underlines the part that has none.

        Errors: unknown-name, unknown-attribute, not-a-number, arithmetic, division-by-zero, index, too-large, too-deep.
        """
        return self._code(environment)


def constant(value: Value) -> Code:
    """`value`, whatever the names."""
    return lambda _: value


def remembered(code: Code) -> Code:
    """`code` that reads no names, run once."""
    values: list[Value] = []

    def run(environment: Environment) -> Value:
        if not values:
            values.append(code(environment))
        return values[0]

    return run


def named(name: str, scalar: Scalar, start: int, end: int) -> Code:
    """The value of a name."""

    def run(environment: Environment) -> Value:
        try:
            value = environment.lookup(name)
        except KeyError:
            raise _unknown(name, environment.names()).at(scalar.span(start, end)) from None
        try:
            return bounded(value)
        except ArchspecError as error:
            raise error.at(scalar.span(start, end)) from None

    return run


def _unknown(name: str, names: Iterable[str]) -> ArchspecError:
    known = set(names)
    if name in AXES:
        sizes = ", ".join(axis for axis in AXES if axis in known)
        hint = f"its sizes are {sizes}" if sizes else None
        return ArchspecError("unknown-name", f"the shape here has no axis `{name}`", hint=hint)
    if name in FUNCTIONS:
        hint = f"`{name}` is a function: write `{name}(...)`"
    else:
        hint = did_you_mean(name, {*known, *FUNCTIONS, *CONSTANTS}) or "define it under `vars`, or as a parameter"
    return ArchspecError("unknown-name", f"unknown name `{name[:40]}`", hint=hint)


def applied(function: Callable[..., Value], operands: Sequence[Code], scalar: Scalar, start: int, end: int) -> Code:
    """A function of the operands' values."""

    def run(environment: Environment) -> Value:
        values = [operand(environment) for operand in operands]
        try:
            return function(*values)
        except ArchspecError as error:
            raise error.at(scalar.span(start, end)) from None

    return run


def folded(first: Code, steps: Sequence[tuple[Operation, Code, int]], scalar: Scalar, start: int) -> Code:
    """a + b - c, v[i].C: operations from the left; each step is (operation, right operand, where it ends)."""

    def run(environment: Environment) -> Value:
        value = first(environment)
        for operation, operand, end in steps:
            other = operand(environment)
            try:
                value = operation(value, other)
            except ArchspecError as error:
                raise error.at(scalar.span(start, end)) from None
        return value

    return run


def compared(first: Code, steps: Sequence[tuple[Operation, Code, int, int]], scalar: Scalar) -> Code:
    """a < b <= c: whether every step holds; a step is (comparison, right operand, start and end of both operands)."""

    def run(environment: Environment) -> Value:
        value = first(environment)
        for comparison, operand, start, end in steps:
            other = operand(environment)
            try:
                holds = comparison(value, other)
            except ArchspecError as error:
                raise error.at(scalar.span(start, end)) from None
            if not holds:
                return False
            value = other
        return True

    return run


def decided(operands: Sequence[Code], stop: bool) -> Code:
    """a or b (stop: true), a and b (stop: false): the first operand whose truth is `stop`, else the last."""

    def run(environment: Environment) -> Value:
        value: Value = None
        for operand in operands:
            value = operand(environment)
            if bool(value) is stop:
                break
        return value

    return run


def inverted(operand: Code) -> Code:
    """not a."""
    return lambda environment: not operand(environment)


def chosen(cases: Sequence[tuple[Code, Code]], otherwise: Code) -> Code:
    """a if c else b: the value of the first case, (condition, value), whose condition is true."""

    def run(environment: Environment) -> Value:
        for condition, value in cases:
            if condition(environment):
                return value(environment)
        return otherwise(environment)

    return run
