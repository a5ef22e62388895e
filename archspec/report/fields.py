"""Receptive fields as text and as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from archspec.analysis.receptive_field import AxisField, ReceptiveField

WHOLE = "whole input"


def triple(field: ReceptiveField | None) -> str:
    """Size, jump and padding: 427/32/213, or with a number per axis where they differ: 7x3/2/3x1."""
    if field is None:
        return "nothing"
    sizes = _axes(axis.size for axis in field.axes)
    return f"{sizes}/{_axes(_jump(axis) for axis in field.axes)}/{_axes(axis.padding for axis in field.axes)}"


def extent(field: ReceptiveField | None) -> str:
    """The size along every axis, from smallest to largest where units differ: 7 x 7, 188-204 x 188-204, whole input."""
    if field is None:
        return "nothing"
    if field.whole:
        return WHOLE
    return " x ".join(_span(axis.size_min, axis.size) for axis in field.axes)


def as_value(field: ReceptiveField | None) -> object:
    """The plain value for JSON: per-axis lists, `whole input`, or None where no input is read."""
    if field is None:
        return None
    found = _value(field)
    if isinstance(found, dict):
        found["without_gates"] = _value(field.without_gates)
    elif not field.without_gates.whole:
        return {**_lists(field), "without_gates": _value(field.without_gates)}
    return found


def _value(field: ReceptiveField) -> dict[str, object] | str:
    return WHOLE if field.whole else _lists(field)


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


def _jump(axis: AxisField) -> str:
    return "?" if axis.jump is None else str(axis.jump)


def _span(least: int, most: int) -> str:
    return str(most) if least == most else f"{least}-{most}"


def _axes(values: Iterable[object]) -> str:
    """One value where all axes have the same, else all of them joined by x."""
    texts = [str(value) for value in values]
    return texts[0] if len(set(texts)) == 1 else "x".join(texts)
