"""Variables: what a scalar, list or table of YAML is worth, with expressions over the other variables in any order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Table
from graphlib import CycleError, TopologicalSorter
from numbers import Integral, Real

from archspec.errors import ArchspecError, Findings, Source, Span, did_you_mean
from archspec.expressions import NESTING, Expression, Value, bounded, parse
from archspec.scope import Frame, Instance, Poisoned, Scope, Text
from archspec.source import Listing, Mapping, Scalar
from archspec.source import Value as Node
from archspec.syntax import Place

DIMS = re.compile(r"\d+(?:x\d+)+$")
UNCLEAR = {"on": "yes", "y": "yes", "off": "no", "n": "no"}


def cell(place: Place, plain: bool, frame: Frame) -> Value:
    """What a word of a list or table is worth: a number, dims, yes or no, `=expr`, or text."""
    text = place.text
    if text.startswith("="):  # in quotes too: YAML needs them around commas
        value = parse(place.scalar, place.start + 1, place.end).evaluate(frame)
        return Text.computed(value, place, frame.scope)
    if not plain:
        return Text.at(place, frame.scope)
    if DIMS.match(text):
        return tuple(map(int, text.split("x")))
    if text.lower() in UNCLEAR:
        hint = f"write {UNCLEAR[text.lower()]}, or quote it if the text is meant"
        raise ArchspecError(
            "unclear-boolean", f"`{text}` is true or false to some readers of YAML, text to others", place.span, hint
        )
    known = {"yes": True, "true": True, "no": False, "false": False, "none": None}
    if text in known:
        return known[text]
    number = Scalar(text, "", place.scalar.origin, 0, 0).value
    return Text.at(place, frame.scope) if isinstance(number, str) else number


def worth(value: Node, frame: Frame) -> Value:
    """The value of a YAML scalar or list."""
    if isinstance(value, Scalar):
        return cell(Place(value, 0, len(value.text)), value.plain, frame)
    if isinstance(value, Listing):
        return [worth(item, frame) for item in value.items]
    return {key.text: worth(item, frame) for key, item in value.items}  # columns for an `each`


def expressions(value: Node) -> Iterator[Expression]:
    """Every `=expr` in a value."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, Listing):
            pending += item.items
        elif isinstance(item, Scalar) and item.text.startswith("="):
            yield parse(item, 1)


def evaluate(raw: Table[str, Node], blocks: Table[str, object]) -> Scope:
    """The variables of a network; raises ArchspecError with every finding, cycles among them.

    >>> from archspec.source import read
    >>> evaluate(dict(w=Scalar.of("=2*n"), n=Scalar.of("3")), {}).find("w")
    6
    """
    values: dict[str, Value] = {}
    findings, failed = Findings(), set[str]()
    reads: dict[str, set[str]] = {}
    for name, value in raw.items():
        reads[name] = set()
        with findings:
            reads[name] = {read for expression in expressions(value) for read in expression.names if read in raw}
    findings.raise_any()
    frame = Frame(Scope(values, None), Instance(), None, None, blocks)
    for name in _order(reads, raw):
        if reads[name] & failed:
            failed.add(name)
            continue
        failed.add(name)
        with findings:
            values[name] = _evaluate(name, raw[name], frame)
            failed.remove(name)
    findings.raise_any()
    return frame.scope


def _order(reads: dict[str, set[str]], raw: Table[str, Node]) -> list[str]:
    """Every variable after those that it reads."""
    try:
        return list(TopologicalSorter(reads).static_order())
    except CycleError as error:
        cycle = list(reversed(error.args[1]))
        message = f"the variables {' -> '.join(cycle)} read each other"
        raise ArchspecError("cycle", message, raw[cycle[0]].span(), "give one of them a value") from None


def _evaluate(name: str, value: Node, frame: Frame) -> Value:
    try:
        return worth(value, frame)
    except Poisoned:
        message = f"the variable {name} reads a size, and variables are worth the same everywhere"
        raise ArchspecError("unknown-name", message, value.span(), "compute it where the layer stands") from None


def overridden(raw: Table[str, Node], overrides: Iterable[tuple[str, Span | None, Node]]) -> dict[str, Node]:
    """The variables with other values; raises ArchspecError for a name that the spec does not declare."""
    found, findings = dict(raw), Findings()
    for name, span, value in overrides:
        with findings:
            if name not in raw:
                hint = did_you_mean(name, raw) or f"the variables are {', '.join(raw) or 'none'}"
                raise ArchspecError("unknown-variable", f"there is no variable `{name}`", span, hint)
            found[name] = value
    findings.raise_any()
    return found


def from_python(value: object, name: str, depth: int = 0) -> Node:
    """A Python number, text, boolean, None, list or dictionary, as YAML would give it; raises ArchspecError else."""
    if depth > NESTING:
        raise ArchspecError("too-deep", f"{name} is nested more than {NESTING} levels deep", hint="give a flatter list")
    if isinstance(value, Table):
        pairs = ((Scalar.of(str(key), name), from_python(item, name, depth + 1)) for key, item in value.items())
        return Mapping(tuple(pairs), Source(name, ""), 0, 0)
    if isinstance(value, (list, tuple)):
        return Listing(tuple(from_python(item, name, depth + 1) for item in value), Source(name, ""), 0, 0)
    if value is None or isinstance(value, bool):
        return Scalar.of("none" if value is None else "yes" if value else "no", name)
    if isinstance(value, str):
        return Scalar.of(value, name)
    if isinstance(value, Real):  # numpy's numbers too
        number = int(value) if isinstance(value, Integral) else float(value)
        return Scalar.of(str(bounded(number)), name)
    hint = "give a number, text, a boolean, a list or a dictionary of lists"
    raise ArchspecError("not-a-value", f"{name} cannot be of type {type(value).__name__}", hint=hint)
