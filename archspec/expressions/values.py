"""The values of expressions: their kinds, how an error words them, and the sizes that none of them may pass."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Protocol, TypeAlias, TypeGuard, runtime_checkable

from archspec.errors import ArchspecError

INT_BITS = 256
TEXT_LIMIT = 10_000  # characters
LIST_LIMIT = 10_000  # elements, counted with all that is nested in them
NESTING = 50  # lists within lists, and operands within operands
AXES = ("C", "H", "W", "L", "T", "N")  # channels, height, width, length, time, positions


@runtime_checkable
class Point(Protocol):
    """A named place in the network, whose shape has sizes: `e4.C`."""

    def size(self, axis: str) -> int:
        """The size along one of AXES; an ArchspecError where the shape there has no such axis."""


Dims: TypeAlias = "tuple[int | tuple[int, int], ...]"  # 1x7 is (1, 7), and 0x1:2 (before:after) is (0, (1, 2))
Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | Dims | Point | None"


def is_number(value: Value) -> TypeGuard[int | float]:
    """Whether `value` counts as a number; a boolean does not."""
    return type(value) is int or type(value) is float


def whole(value: Value) -> int | None:
    """A whole number, also one that was computed as a float; None for any other value.

    >>> whole(64.0), whole(2.5), whole(True)
    (64, None, None)
    """
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def count(values: Collection[object]) -> int:
    """The elements of a list and of the lists in it, at most LIST_LIMIT; an element that stands twice counts twice.

    Errors: `too-large`, after no more work than LIST_LIMIT elements, and `too-deep`.

    >>> count([1, [2, 3]])
    4
    """
    total, level = len(values), [values]  # all lists of one level of nesting
    for _ in range(NESTING):
        if total > LIST_LIMIT:
            raise too_large("the list", LIST_LIMIT, "elements")
        groups = (group.values() if isinstance(group, dict) else group for group in level)
        level = [item for group in groups for item in group if isinstance(item, (list, tuple, dict))]
        if not level:
            return total
        total += sum(map(len, level))
    raise ArchspecError("too-deep", f"a list nested more than {NESTING} levels deep", hint="write a flatter list")


def bounded(value: Value) -> Value:
    """`value` itself, where it is finite and within the limits. Errors: `too-large`, `too-deep`, `arithmetic`."""
    if type(value) is int:
        if value.bit_length() > INT_BITS:
            raise too_large("the whole number", INT_BITS, "bits", hint="write it as a float, such as 1e80")
    elif type(value) is float:
        if not math.isfinite(value):
            raise ArchspecError("arithmetic", f"{value} is not a finite number", hint="floats end at 1.8e308")
    elif isinstance(value, str):
        if len(value) > TEXT_LIMIT:
            raise too_large("the text", TEXT_LIMIT, "characters")
    elif isinstance(value, (list, tuple, dict)):
        count(value)
    return value


def too_large(what: str, limit: int, unit: str, hint: str = "write something smaller") -> ArchspecError:
    """The error for what would pass a limit."""
    return ArchspecError("too-large", f"{what} has more than {limit} {unit}", hint=hint)


def shown(value: object, width: int = 40) -> str:
    """A value as a spec writes it, cut to `width` characters.

    >>> shown([1.5, True, (0, (1, 2)), "it's"])
    "[1.5, yes, 0x1:2, 'it''s']"
    """
    text = _written(value, width, depth=3)
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _written(value: object, width: int, depth: int) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, str):
        return "'" + value[:width].replace("'", "''") + "'"
    if isinstance(value, int) and value.bit_length() > INT_BITS:  # Python refuses to print the longest of them
        return f"(a number of {value.bit_length()} bits)"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(_written(item, width, depth - 1) for item in value[:width])}]" if depth else "[...]"
    if isinstance(value, tuple):
        return "x".join(":".join(map(str, side)) if isinstance(side, tuple) else str(side) for side in value[:width])
    return "a table" if isinstance(value, dict) else "a point"


def described(value: Value) -> str:
    """Kind and value, for a message.

    >>> described("abc"), described((1, 7)), described(True)
    ("text 'abc'", 'dims 1x7', 'the boolean yes')
    """
    kinds: dict[type, str] = {bool: "the boolean ", str: "text ", list: "the list ", tuple: "dims "}
    kind = "the number " if is_number(value) else next((kinds[k] for k in kinds if isinstance(value, k)), "")
    return kind + shown(value)
