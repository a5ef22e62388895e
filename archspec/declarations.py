"""What a document declares beside its layers: inputs, blocks, defaults, outputs, tensors."""

from __future__ import annotations

import re
from dataclasses import dataclass

from archspec.errors import ArchspecError, Findings
from archspec.expressions import Expression, parse
from archspec.notation import Parser
from archspec.source import Listing, Mapping, Scalar, Value
from archspec.structure import check_name, place_of, sequence
from archspec.syntax import Operand, Place, PointRef, Sequence, Thing

AXIS_KEYS = (
    ("time", "height", "width", "channels"),
    ("height", "width", "channels"),
    ("length", "channels"),
    ("channels",),
)
ALL_AXES = frozenset(AXIS_KEYS[0] + AXIS_KEYS[2])
SIGNATURE = re.compile(r"\s*([A-Za-z_]\w*)\s*(\(|$)")


@dataclass(frozen=True, slots=True)
class InputShape:
    """An input as declared: one expression per axis, in the spec's order."""

    sizes: tuple[Expression, ...]
    ids: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a block, with its default."""

    name: str
    default: Operand | None


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its name, parameters and body."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Sequence
    place: Place


@dataclass(frozen=True, slots=True)
class Output:
    """A point that is an output, perhaps under a condition."""

    point: PointRef
    condition: Expression | None


@dataclass(frozen=True, slots=True)
class Tensor:
    """A given tensor: its shape and its numbers, row by row."""

    shape: tuple[int, ...]
    values: tuple[float, ...]
    place: Place


def read_inputs(value: Value) -> dict[str, InputShape]:
    """`input`: one shape, or a mapping of names to shapes; the first is where the layers start."""
    if not isinstance(value, Mapping) or any(key.text in ALL_AXES for key, _ in value.items):
        return {"input": read_input(value)}
    findings, found = Findings(), {}
    for key, item in value.items:
        with findings:
            found[key.text if key.text == "input" else check_name(key.text, key.span(), "input")] = read_input(item)
    findings.raise_any()
    if not found:
        raise ArchspecError("input", "the network has no input", value.span(), "input: 28x28x1")
    return found


def read_input(value: Value) -> InputShape:
    """`28x28x1`, `784`, `1024 ids`, or a mapping of axis names."""
    if isinstance(value, Mapping):
        return _named_axes(value)
    if not isinstance(value, Scalar) or not value.text:
        raise ArchspecError("input", "an input needs a shape", value.span(), "28x28x1, 784, or 1024 ids")
    parser = Parser(value, 0, len(value.text))
    parser.spaces()
    operand = parser.dims()
    parser.spaces()
    ids = value.text[parser.at :].strip() == "ids"
    if not ids and parser.at < len(value.text):
        raise parser.fail("input", f"found {parser.found()} behind the shape", "28x28x1, (res)x(res)x3, or 1024 ids")
    sizes = tuple(side[0] for side in operand.sides)
    most = 1 if ids else 4
    if len(sizes) > most or any(len(side) > 1 for side in operand.sides):
        raise ArchspecError(
            "input",
            f"`{value.text}` is not a shape",
            value.span(),
            "up to three spatial sizes and the channels: 28x28x1",
        )
    return InputShape(sizes, ids, place_of(value))


def _named_axes(mapping: Mapping) -> InputShape:
    """`{height: 480, width: 640, channels: 3}`, in any order."""
    keys = {key.text for key, _ in mapping.items}
    names = next((axes for axes in AXIS_KEYS if set(axes) == keys), None)
    if names is None:
        raise ArchspecError(
            "input",
            f"{', '.join(key.text for key, _ in mapping.items)} do not make a shape",
            mapping.span(),
            "height, width, channels; length, channels; time, height, width, channels",
        )
    sizes = []
    for name in names:
        value = mapping.get(name)
        if not isinstance(value, Scalar):
            raise ArchspecError("input", f"`{name}` needs a size", mapping.span(), f"{name}: 32")
        sizes.append(parse(value))
    return InputShape(tuple(sizes), False, place_of(mapping))


def read_block(key: Scalar, body: Value) -> Block:
    """One entry of `blocks`: a signature such as `basic(F, s=1)` and its sequence."""
    match = SIGNATURE.match(key.text)
    if match is None or not match[1][0].islower():
        raise ArchspecError(
            "signature",
            f"`{key.text}` does not name a block",
            key.span(),
            "a block's name starts with a small letter, its parameters stand in parentheses: basic(F, s=1)",
        )
    name = Place(key, match.start(1), match.end(1))
    if match[1] == "x":
        raise ArchspecError("reserved-name", "`x` repeats an item", name.span, "call the block something else")
    check_name(match[1], name.span, "block")
    parameters = _parameters(key, match.end() - 1) if match[2] else ()
    return Block(match[1], parameters, sequence(body), name)


def _parameters(key: Scalar, opening: int) -> tuple[Parameter, ...]:
    cursor = Parser(key, opening, len(key.text))
    end = cursor.closing(opening)
    if key.text[end + 1 :].strip():
        raise cursor.fail("signature", "something stands behind the parameters", "basic(F, s=1):", end + 1)
    cursor.at = opening + 1
    found: dict[str, Parameter] = {}
    cursor.spaces()
    while cursor.at < end:
        start = cursor.at
        parameter = _parameter(cursor, end)
        if parameter.name in found:
            message = f"the parameter {parameter.name} stands twice"
            raise cursor.fail("parameter", message, "rename one of them", start, start + len(parameter.name))
        found[parameter.name] = parameter
        cursor.spaces()
        cursor.at += cursor.peek(",")
        cursor.spaces()
    return tuple(found.values())


def _parameter(cursor: Parser, end: int) -> Parameter:
    start = cursor.at
    name = cursor.name()
    check_name(name.text, name.span, "parameter")
    cursor.spaces()
    if cursor.peek("="):
        cursor.at = start
        return Parameter(name.text, cursor.argument(end).value)
    if cursor.at < end and not cursor.peek(","):
        raise cursor.fail("signature", f"found {cursor.found()} in the parameters", "basic(F, s=1)")
    return Parameter(name.text, None)


def read_defaults(value: Value) -> tuple[Thing, ...]:
    """`defaults`: layers with the options that hold where an item says nothing."""
    found = []
    for element in sequence(value).elements:
        thing = getattr(element, "primary", None)
        if not isinstance(thing, Thing) or thing.amount or thing.tail or element.place.text != _whole(thing):
            place = getattr(element, "place", None) or place_of(value)
            raise ArchspecError(
                "defaults", "defaults are layers with options", place.span, "defaults: CONV nobias, BN eps=0.001"
            )
        found.append(thing)
    return tuple(found)


def _whole(thing: Thing) -> str:
    end = thing.options[-1].place.end if thing.options else thing.name.end
    return thing.name.scalar.text[thing.name.start : end]


def read_outputs(value: Value) -> tuple[Output, ...]:
    """`outputs`: a point or a list of points, each perhaps with `if EXPR`."""
    items = value.items if isinstance(value, Listing) else (value,)
    findings: Findings = Findings()
    found: list[Output] = []
    if not items:
        raise ArchspecError("outputs", "this list is empty", value.span(), "outputs: [head, aux if training]")
    for item in items:
        with findings:
            if not isinstance(item, Scalar) or not item.text:
                raise ArchspecError("outputs", "an output is a point", item.span(), "outputs: [head, aux if training]")
            found += _points(item)
    findings.raise_any()
    return tuple(found)


def _points(scalar: Scalar) -> list[Output]:
    parser, found = Parser(scalar, 0, len(scalar.text)), []
    parser.spaces()
    while parser.at < parser.stop:
        point = parser.point()
        condition, otherwise = parser.conditional()
        if otherwise is not None:
            raise parser.fail("outputs", "an output has no `else`", "list both points, each with its own condition")
        found.append(Output(point, condition))
        parser.separator()
    return found


def read_tensor(value: Value) -> Tensor:
    """A nested list of numbers, all rows of one length; raises ArchspecError at the first odd one."""
    level: list[Value] = [value]
    shape: list[int] = []
    while isinstance(level[0], Listing):
        length = len(level[0].items)
        for row in level:
            if not isinstance(row, Listing) or len(row.items) != length or not length:
                raise ArchspecError(
                    "ragged-tensor", f"this should be a list of {max(1, length)}", row.span(), "rows have one length"
                )
        shape.append(length)
        level = [item for row in level if isinstance(row, Listing) for item in row.items]
    values: list[float] = []
    for item in level:
        number = item.value if isinstance(item, Scalar) else None
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise ArchspecError("not-a-number", "a tensor holds numbers", item.span(), "[[1, 0], [0, -1]]")
        values.append(number)
    return Tensor(tuple(shape), tuple(values), place_of(value))
