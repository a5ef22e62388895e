"""The operators of expressions, on plain values: Python's meaning, bounded sizes.

The errors of operators and functions lack their place: the expression that calls them knows it and adds it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, TypeAlias

from archspec.errors import ArchspecError
from archspec.expressions.values import (
    INT_BITS,
    LIST_LIMIT,
    TEXT_LIMIT,
    Point,
    Value,
    bounded,
    count,
    described,
    is_number,
    shown,
    too_large,
)

Operation: TypeAlias = "Callable[[Value, Value], Value]"

_REMEDIES: tuple[tuple[type, str], ...] = (
    (bool, "to count a condition, write `1 if c else 0`"),
    (str, "text is only joined with text (+), repeated (*) or compared with text"),
    (list, "write `v[i]` for one element"),
    (tuple, "write `v[i]` for one side"),
    (dict, "a table is for `each`"),
    (type(None), "give it a value, or ask first: `v if v != none else 1`"),
    (Point, "write `.C`, `.H`, `.W` ... for a size of the point"),
    (float, "write `int(v)` where a whole number is needed"),
)


def refused(what: str, *values: Value, hint: str | None = None) -> ArchspecError:
    """`not-a-number`: operands of kinds that `what` does not take; the hint is for the first that has a remedy."""
    hint = hint or next((text for value in values for kind, text in _REMEDIES if isinstance(value, kind)), None)
    return ArchspecError("not-a-number", f"`{what}` cannot take {' and '.join(map(described, values))}", hint=hint)


def calculated(form: str, function: Callable[..., Any], *numbers: object) -> Value:
    """A function of numbers, where its value is a finite real number within the limits; `form` words it in an error."""
    try:
        result = function(*numbers)
    except ZeroDivisionError:
        hint = "guard it: `a / b if b != 0 else 1`"
        raise ArchspecError("division-by-zero", f"{_worded(form, numbers)} divides by zero", hint=hint) from None
    except (OverflowError, ValueError):  # beyond the floats, or outside the domain
        result = math.nan
    if type(result) is int:
        if result.bit_length() <= INT_BITS:
            return result
        raise _too_many_bits(form, numbers)
    if type(result) is complex or not math.isfinite(result):
        message = f"{_worded(form, numbers)} has no finite real value"
        raise ArchspecError("arithmetic", message, hint="floats end at 1.8e308; roots and log2 need positive numbers")
    return result  # type: ignore[no-any-return]  # a float: neither of the above


def _worded(form: str, numbers: tuple[object, ...]) -> str:
    return f"`{form.format(*map(shown, numbers))}`"


def _too_many_bits(form: str, numbers: tuple[object, ...]) -> ArchspecError:
    message = f"{_worded(form, numbers)} has more than the {INT_BITS} bits of a whole number"
    return ArchspecError("too-large", message, hint="write floats where so large a number is meant: 2.0 ** 300")


def mapped(name: str, function: Callable[[Any], Any], form: str) -> Callable[[Value], Value]:
    """A function of one number."""

    def call(value: Value) -> Value:
        if is_number(value):
            return calculated(form, function, value)
        raise refused(name, value)

    return call


def _numeric(symbol: str, function: Callable[[Any, Any], Any]) -> Operation:
    """An operator that takes two numbers."""
    form = f"{{}} {symbol} {{}}"

    def operation(a: Value, b: Value) -> Value:
        if is_number(a) and is_number(b):
            return calculated(form, function, a, b)
        raise refused(symbol, a, b)

    return operation


def _ordering(symbol: str, function: Callable[[Any, Any], bool]) -> Operation:
    """An operator that orders two numbers or two texts."""

    def operation(a: Value, b: Value) -> Value:
        if (is_number(a) and is_number(b)) or (isinstance(a, str) and isinstance(b, str)):
            return function(a, b)
        raise refused(symbol, a, b)

    return operation


def _add(a: Value, b: Value) -> Value:
    if is_number(a) and is_number(b):
        return calculated("{} + {}", operator.add, a, b)
    if isinstance(a, str) and isinstance(b, str):
        _spare("+", a, b, len(a) + len(b))
        return a + b
    if isinstance(a, list) and isinstance(b, list):
        _spare("+", a, b, count(a) + count(b))
        return a + b
    raise refused("+", a, b)


def _multiply(a: Value, b: Value) -> Value:
    if is_number(a) and is_number(b):
        return calculated("{} * {}", operator.mul, a, b)
    whole, series = (a, b) if type(a) is int else (b, a)
    if type(whole) is int and isinstance(series, (str, list)):
        _spare("*", a, b, whole * (len(series) if isinstance(series, str) else count(series)))
        return series * whole
    raise refused("*", a, b)


def _spare(symbol: str, a: Value, b: Value, size: int) -> None:
    """Refuses a text or list of `size` before it is made."""
    limit, unit = (TEXT_LIMIT, "characters") if isinstance(a, str) or isinstance(b, str) else (LIST_LIMIT, "elements")
    if size > limit:
        raise too_large(f"`{shown(a)} {symbol} {shown(b)}`", limit, unit)


def _power(a: Value, b: Value) -> Value:
    if not (is_number(a) and is_number(b)):
        raise refused("**", a, b)
    form = "({}) ** {}" if a < 0 else "{} ** {}"
    least = (a.bit_length() - 1) * b if isinstance(a, int) and isinstance(b, int) else 0  # bits of the result
    if least > INT_BITS:
        raise _too_many_bits(form, (a, b))
    return calculated(form, operator.pow, a, b)


def _contains(a: Value, b: Value, symbol: str = "in") -> bool:
    if isinstance(b, (list, tuple)):
        return a in b
    if isinstance(a, str) and isinstance(b, str):
        return a in b
    raise refused(symbol, a, b, hint="write a list or, for text, a text after `in`")


def item(values: Value, index: Value) -> Value:
    """`values[index]`, counted from 0 or, negative, from the end. Errors: `index`."""
    if not isinstance(values, (list, str, tuple)):
        raise ArchspecError("index", f"{described(values)} has no elements", hint="index a list, a text or dims")
    if type(index) is not int:
        raise ArchspecError("index", f"an index cannot be {described(index)}", hint="write a whole number, or int(v)")
    if not -len(values) <= index < len(values):
        message = f"index {shown(index)} is outside {described(values)} of length {len(values)}"
        raise ArchspecError("index", message, hint="the first element is v[0], the last v[-1]" if values else None)
    return bounded(values[index])


def size(value: Value, axis: Value) -> Value:
    """`value.axis`, a size of a point. Errors: `unknown-attribute`, and the point's own."""
    if value is None or isinstance(value, (bool, int, float, str, list, tuple, dict)):
        message = f"{described(value)} has no `.{axis}`"
        raise ArchspecError("unknown-attribute", message, hint="only a point has sizes: `e4.C` after `... as e4`")
    return value.size(str(axis))


def listed(*values: Value) -> Value:
    """`[...]`, within the limits."""
    return bounded(list(values))


OPERATORS: dict[str, Operation] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": _ordering("<", operator.lt),
    "<=": _ordering("<=", operator.le),
    ">": _ordering(">", operator.gt),
    ">=": _ordering(">=", operator.ge),
    "in": _contains,
    "not in": lambda a, b: not _contains(a, b, "not in"),
    "+": _add,
    "-": _numeric("-", operator.sub),
    "*": _multiply,
    "/": _numeric("/", operator.truediv),
    "//": _numeric("//", operator.floordiv),
    "%": _numeric("%", operator.mod),
    "**": _power,
}
SIGNS: dict[str, Callable[[Value], Value]] = {
    "-": mapped("-", operator.neg, "-{}"),
    "+": mapped("+", operator.pos, "+{}"),
}
