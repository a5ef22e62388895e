"""Receptive fields as text and as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from archspec.analysis.receptive_field import ReceptiveField

WHOLE = "whole input"


def triple(field: ReceptiveField | None) -> str:
    """Size, jump and padding: 427/32/213, or with a number per axis where they differ: 7x3/2/3x1."""
    if field is None:
        return "nothing"
    return f"{_axes(axis.size for axis in field.axes)}/{jumps(field)}/{paddings(field)}"


def gateless(field: ReceptiveField | None) -> ReceptiveField | None:
    """The field without gates and statistics."""
    return field and field.without_gates


def jumps(field: ReceptiveField | None) -> str:
    """The jump, one per axis where they differ; ? where branches go on at different steps, - where units read alike."""
    return _axes("?" if a.jump is None else a.jump or "-" for a in field.axes) if field else "-"


def paddings(field: ReceptiveField | None) -> str:
    """How far unit 0 reaches before the input, one per axis where they differ."""
    return _axes(axis.padding for axis in field.axes) if field else "-"


def densities(field: ReceptiveField | None) -> str:
    """The share of a field that is really read, one per axis where they differ."""
    return _axes(f"{float(axis.density):.4g}" for axis in field.axes) if field else "-"


def extent(field: ReceptiveField | None) -> str:
    """The size along every axis, from smallest to largest where units differ: 7 x 7, 188-204 x 188-204, whole input."""
    if field is None:
        return "nothing"
    if _whole(field):
        return WHOLE
    return " x ".join(_span(axis.size_min, axis.size) for axis in field.axes)


def as_value(field: ReceptiveField | None) -> object:
    """The plain value for JSON: per-axis lists, `whole input`, or None where no input is read."""
    if field is None:
        return None
    bare = _value(field.without_gates)
    return WHOLE if _whole(field) and bare == WHOLE else {**_lists(field), "without_gates": bare}


def _whole(field: ReceptiveField) -> bool:
    """Whether to say so instead of a size: every unit reads all of the input, and not by a window that slides."""
    return all(axis.alike for axis in field.axes) and field.whole


def _value(field: ReceptiveField) -> dict[str, object] | str:
    return WHOLE if _whole(field) else _lists(field)


def _lists(field: ReceptiveField) -> dict[str, object]:
    return {
        "size": [axis.size for axis in field.axes],
        "size_min": [axis.size_min for axis in field.axes],
        "jump": [_number(axis.jump) for axis in field.axes],
        "padding": [axis.padding for axis in field.axes],
        "density": [_number(axis.density) for axis in field.axes],
    }


def _number(value: Fraction | None) -> int | float | None:
    """A whole number where it is one; None stays None."""
    if value is None:
        return None
    return value.numerator if value.denominator == 1 else round(float(value), 6)


def _span(least: int, most: int) -> str:
    return str(most) if least == most else f"{least}-{most}"


def _axes(values: Iterable[object]) -> str:
    """One value where all axes have the same, else all of them joined by x."""
    texts = [str(value) for value in values] or ["-"]
    return texts[0] if len(set(texts)) == 1 else "x".join(texts)
