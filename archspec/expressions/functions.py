"""The functions of expressions, on plain values: Python's meaning, bounded sizes."""

from __future__ import annotations

import functools
import math
import operator
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from archspec.errors import ArchspecError
from archspec.expressions.operators import calculated, mapped, refused
from archspec.expressions.values import LIST_LIMIT, Value, bounded, is_number, shown, too_large


def _extreme(name: str, function: Callable[[Any], Any]) -> Callable[..., Value]:
    """min or max, of several values or of one list."""

    def call(*values: Value) -> Value:
        first = values[0]
        among = first if len(values) == 1 and isinstance(first, (list, tuple)) else values
        if not among:
            raise ArchspecError("arithmetic", f"`{name}` of an empty list", hint=f"write {name}([0] + v) to begin at 0")
        alike = all(map(is_number, among)) or all(isinstance(value, str) for value in among)
        if not alike or (among is values and len(values) == 1):
            raise refused(name, *values)
        return bounded(function(among))

    return call


def _sum(values: Value) -> Value:
    if not isinstance(values, (list, tuple)) or not all(map(is_number, values)):
        raise refused("sum", values, hint="write a list of numbers: sum([1, 2])")
    # added one by one, as the built-in function rounds differently from one Python to the next
    return calculated("sum({})", lambda _: functools.reduce(operator.add, values, 0), values)


def _len(values: Value) -> Value:
    if isinstance(values, (list, str, tuple)):
        return len(values)
    raise refused("len", values, hint="write a list, a text or dims: len([1, 2])")


def _range(*limits: Value) -> Value:
    steps = [limit for limit in limits if type(limit) is int]
    if len(steps) < len(limits):
        raise refused("range", *limits)
    form = f"range({', '.join(map(shown, limits))})"
    if steps[2:] == [0]:
        raise ArchspecError("arithmetic", f"`{form}` has a step of 0", hint="write a step such as 1 or -1")
    numbers = range(*steps)
    if numbers[LIST_LIMIT:]:  # its length may be more than len() can say
        raise too_large(f"`{form}`", LIST_LIMIT, "elements")
    return list(numbers)


def divisible(v: Value, by: Value = 8) -> Value:
    """The multiple of `by` nearest to `v` (halves up), but at least `by` and never below 90 % of `v`.

    The rounding of channels in the MobileNet papers: max(by, int(v + by/2) // by * by), plus `by` if that < 0.9 v.

    >>> divisible(37), divisible(10, 8), divisible(3)
    (40, 16, 8)
    """
    if not is_number(v) or type(by) is not int:
        raise refused("divisible", v, by)
    if by < 1:
        message = f"`divisible({shown(v)}, {shown(by)})` has no multiple to round to"
        raise ArchspecError("arithmetic", message, hint="write a positive divisor, such as 8")
    nearest = max(by, int(v + by / 2) // by * by)
    return bounded(nearest + by if nearest < 0.9 * v else nearest)


class Function(NamedTuple):
    """A function: what it computes, how it is written, how many arguments it takes, a name that the last may carry."""

    call: Callable[..., Value]
    usage: str
    least: int = 1
    most: int = 1
    last: str | None = None


FUNCTIONS: dict[str, Function] = {
    "min": Function(_extreme("min", min), "min(a, b)", most=sys.maxsize),
    "max": Function(_extreme("max", max), "max(a, b)", most=sys.maxsize),
    "sum": Function(_sum, "sum([a, b])"),
    "len": Function(_len, "len(v)"),
    "range": Function(_range, "range(start, stop, step)", most=3),
    "divisible": Function(divisible, "divisible(v, by=8)", most=2, last="by"),
} | {
    name: Function(mapped(name, function, f"{name}({{}})"), f"{name}(v)")
    for name, function in (
        ("abs", abs),
        ("ceil", math.ceil),
        ("floor", math.floor),
        ("round", round),
        ("int", int),
        ("sqrt", math.sqrt),
        ("log2", math.log2),
    )
}
