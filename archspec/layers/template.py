"""A kind's notation: one declared template from which both the parser and the printer work.

    CONV{kernel}-{filters} s{stride} g{groups} p{padding} pad={mode} [bias] [causal] w={weight}

The capitals are the name; a field in braces right behind it is the kernel, one behind the dash the amount; then come
options: a letter and a field (`s2`), a key and a field (`pad=reflect`), and in brackets a flag (`bias`, `nobias`).
Whether a part may be left out, its type and its bounds are those of the pydantic field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import copysign
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

if TYPE_CHECKING:
    from pydantic import BaseModel

HEAD = re.compile(r"(?P<name>[A-Z][A-Z0-9]*)(?:\{(?P<kernel>\w+)\})?(?:-\{(?P<amount>\w+)\})?$")
OPTION = re.compile(r"(?:(?P<letter>[a-z])\{(?P<short>\w+)\}|(?P<key>\w+)=\{(?P<long>\w+)\}|\[(?P<flag>\w+)\])$")
WORD = re.compile(r"[A-Za-z_]\w*$")


class Takes(Enum):
    """What the value of an option names, where it is not a plain value."""

    TENSOR = "tensor"  # a tensor of the spec: w=k
    SIZE_OF = "size of a point"  # like=skip: only the size is taken
    POINT = "point"  # kv=memory: an input like any other


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a template: its key in the notation, its field, how it is written, the words it knows."""

    key: str
    field: str
    style: Literal["letter", "key", "flag"]
    words: frozenset[str] = frozenset()
    takes: Takes | None = None
    boolean: bool = False


@dataclass(frozen=True)
class Template:
    """The parts of a kind's notation; `kernel` and `amount` are field names."""

    name: str
    kernel: str | None
    amount: str | None
    options: Mapping[str, Option]
    fields: Mapping[str, FieldInfo]

    @classmethod
    def compile(cls, text: str, fields: Mapping[str, FieldInfo]) -> Template:
        """Read a template; raises ValueError where it is malformed or names a field that the class does not have."""
        first, *rest = text.split()
        head = HEAD.match(first)
        if head is None:
            raise ValueError(f"{first!r} does not start a layer template: NAME, NAME{{kernel}}, NAME-{{amount}}")
        options = [_option(part, fields) for part in rest]
        named = [head["kernel"], head["amount"], *(option.field for option in options)]
        unknown = [name for name in named if name and name not in fields]
        if unknown:
            raise ValueError(f"template {text!r} names {', '.join(unknown)}, and the class has no such field")
        table = {option.key: option for option in options}
        return cls(head["name"], head["kernel"], head["amount"], table, fields)

    @property
    def form(self) -> str:
        """How a kind is written: CONVk-n."""
        return self._filled("k", "n")

    @property
    def example(self) -> str:
        """How a kind may be written: CONV3-64."""
        return self._filled("3", "64")

    def _filled(self, kernel: str, amount: str) -> str:
        return self.name + (kernel if self.kernel else "") + (f"-{amount}" if self.amount else "")

    def required(self, field: str) -> bool:
        """Whether the notation must give a value for the field."""
        return self.fields[field].is_required()

    def format(self, layer: BaseModel) -> str:
        """The notation of a layer: every part that differs from its default, in the template's order."""
        written = {name: value for name, value in layer if value != self.fields[name].default}
        kernel = _dims(written[self.kernel]) if self.kernel in written else ""
        amount = f"-{_value(written[self.amount])}" if self.amount in written else ""
        rest = [_written(o, written[o.field]) for o in self.options.values() if o.field in written]
        return " ".join([f"{self.name}{kernel}{amount}", *rest])


def _option(part: str, fields: Mapping[str, FieldInfo]) -> Option:
    match = OPTION.match(part)
    if match is None:
        raise ValueError(f"{part!r} is not an option of a layer template: s{{stride}}, key={{field}}, [flag]")
    if match["flag"]:
        return Option(match["flag"], match["flag"], "flag", boolean=True)
    field = match["short"] or match["long"]
    words, takes = _annotation(fields[field]) if field in fields else (frozenset[str](), None)
    boolean = field in fields and fields[field].annotation is bool
    return Option(match["letter"] or match["key"], field, "letter" if match["letter"] else "key", words, takes, boolean)


def _annotation(field: FieldInfo) -> tuple[frozenset[str], Takes | None]:
    """The words that a field's type knows, and what it takes where that is not a plain value."""
    words: set[str] = set()
    takes: Takes | None = next((mark for mark in field.metadata if isinstance(mark, Takes)), None)
    pending: list[Any] = [field.annotation]
    while pending:
        kind = pending.pop()
        if get_origin(kind) is Literal:
            words.update(word for word in get_args(kind) if isinstance(word, str))
        else:
            takes = next((mark for mark in get_args(kind) if isinstance(mark, Takes)), takes)
            pending += [part for part in get_args(kind) if get_origin(part) is not None]
    return frozenset(words), takes


def _written(option: Option, value: object) -> str:
    if option.style == "flag":
        return option.key if value else f"no{option.key}"
    return (
        f"{option.key}{_dims(value)}"
        if option.style == "letter" and not isinstance(value, str)
        else (f"{option.key}={_dims(value)}")
    )


def _dims(value: object) -> str:
    """`3`, `1x7`, `0:1x1:2`, or a single value."""
    if not isinstance(value, tuple):
        return _value(value)
    return "x".join(":".join(map(_value, side)) if isinstance(side, tuple) else _value(side) for side in value)


def _value(value: object) -> str:
    """A number or word as the notation writes it; what could be misread goes into parentheses or quotes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value if WORD.match(value) else "'" + value.replace("'", "''") + "'"
    if isinstance(value, (int, float)) and copysign(1, value) < 0:
        return f"({value!r})"
    return repr(value)


TensorName = Annotated[str, Takes.TENSOR]
SizeOf = Annotated[str, Takes.SIZE_OF]
PointName = Annotated[str, Takes.POINT]
