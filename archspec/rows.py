"""The rows of an `each`: columns of equal length, or a table of text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NoReturn

from archspec.errors import ArchspecError
from archspec.expressions import Value, parse, shown
from archspec.scope import Frame, Scope, Text
from archspec.source import Scalar
from archspec.structure import check_name
from archspec.syntax import Place, Table
from archspec.variables import cell, worth

WORD = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|[^\s|]+")
RULE = re.compile(r"[-=+:|\s]+$")
MOST_ROWS = 10_000

Columns = Mapping[str, Value]


def rows(table: Table, frame: Frame) -> Iterator[Scope]:
    """One scope per row, with the columns, `i` (from 0) and `last`; raises ArchspecError for unequal columns."""
    columns = _columns(table, frame)
    lengths = {name: len(values) for name, values in columns.items() if isinstance(values, list)}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ArchspecError(
            "unequal-columns",
            f"the columns differ in length: {found}",
            table.place.span,
            "give every column as many entries",
        )
    count = max(lengths.values(), default=1)
    if count > MOST_ROWS:
        raise ArchspecError("too-large", f"a table of {count} rows", table.place.span, f"use at most {MOST_ROWS}")
    for i in range(count):
        row = {name: values[i] if isinstance(values, list) else values for name, values in columns.items()}
        yield Scope({**row, "i": i, "last": i == count - 1}, frame.scope)


def row_label(scope: Scope) -> str:
    """A row in words: F=64, s=1."""
    return ", ".join(f"{name}={shown(value)}" for name, value in scope.values.items() if name not in ("i", "last"))


def _columns(table: Table, frame: Frame) -> Columns:
    if table.columns is not None:
        return {key.text: _column(value, frame) for key, value in table.columns}
    scalar = table.text
    assert scalar is not None
    if _is_text_table(scalar):
        return text_table(Place(scalar, 0, len(scalar.text)), frame)
    value = parse(scalar, 1 if scalar.text.startswith("=") else 0).evaluate(frame)
    if isinstance(value, Text) and "\n" in value.strip():
        return text_table(value.place, frame.inner(value.scope))
    if isinstance(value, dict):
        return value
    raise ArchspecError(
        "not-a-table",
        f"`{scalar.text}` is no table",
        scalar.span(),
        "each: {F: [64, 128], s: [1, 2]}, a table of text, or a variable that holds one",
    )


def _is_text_table(scalar: Scalar) -> bool:
    return scalar.style in ("|", ">") or "\n" in scalar.text.strip()


def heading(table: Table) -> list[str] | None:
    """The names of the columns, where the text of the spec shows them; None where an expression gives the table."""
    if table.columns is not None:
        return [key.text for key, _ in table.columns]
    if table.text is None or not _is_text_table(table.text):
        return None
    return [word.text for word in next(_lines(Place(table.text, 0, len(table.text.text))), [])]


def _column(value: object, frame: Frame) -> Value:
    """A list, a constant, or text that is an expression giving one of them."""
    if isinstance(value, Scalar) and isinstance(value.value, str):
        place = Place(value, 0, len(value.text))
        return Text.computed(parse(value, 1 if value.text.startswith("=") else 0).evaluate(frame), place, frame.scope)
    return worth(value, frame)  # type: ignore[arg-type]


def text_table(place: Place, frame: Frame) -> Columns:
    """A table of text: the first line names the columns; `|` and rule lines are only for the eye.

    A cell is a number, dims such as 1x7, yes or no, `-` for none, `=expr`, or a word.
    """
    lines = list(_lines(place))
    if len(lines) < 2:
        raise ArchspecError(
            "not-a-table", "a table needs a line of names and at least one row", place.span, "k  F\n3  16"
        )
    header, *body = lines
    names = _heading(header)
    columns: dict[str, list[Value]] = {name: [] for name in names}
    for words in body:
        if len(words) != len(names):
            _uneven(words, names)
        for name, word in zip(names, words, strict=True):
            columns[name].append(_cell(word, frame))
    return columns


def _heading(header: list[Place]) -> list[str]:
    """The names of the columns."""
    names: dict[str, None] = {}
    for word in header:
        name, span = word.text, word.span
        if name in names:
            raise ArchspecError("duplicate-key", f"the column {name} stands twice", span, "rename one of them")
        names[check_name(name, span, "column")] = None
    return list(names)


def _uneven(words: list[Place], names: list[str]) -> NoReturn:
    span = words[min(len(words), len(names) + 1) - 1].span
    message = f"cells in this row: {len(words)}, columns: {len(names)}"
    raise ArchspecError("row-width", message, span, "write - for an empty cell, and =expr without spaces")


def _lines(place: Place) -> Iterator[list[Place]]:
    """The words of every line that is no rule."""
    start, text = place.start, place.scalar.text
    while start < place.end:
        end = text.find("\n", start, place.end)
        end = place.end if end < 0 else end
        line = text[start:end]
        if line.strip() and not (RULE.match(line) and ("--" in line or "==" in line)):
            yield [Place(place.scalar, start + m.start(), start + m.end()) for m in WORD.finditer(line)]
        start = end + 1


def _cell(word: Place, frame: Frame) -> Value:
    text = word.text
    if text == "-":
        return None
    if text[0] in "'\"":
        return cell(Place(word.scalar, word.start + 1, word.end - 1), False, frame)
    return cell(word, True, frame)
