"""The YAML document: a pydantic model whose fields read their part of the text and keep its places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from archspec.declarations import (
    Block,
    InputShape,
    Output,
    Tensor,
    read_block,
    read_defaults,
    read_inputs,
    read_outputs,
    read_tensor,
)
from archspec.errors import ArchspecError, Diagnostic, Findings, did_you_mean
from archspec.source import Listing, Mapping, Scalar, Value, read
from archspec.structure import check_name, limited, sequence
from archspec.syntax import Sequence, Thing

T = TypeVar("T")


class Reads:
    """A field that a function reads from its YAML value; its findings travel through pydantic's own collection.

    `form` and `description` are for the JSON Schema: a definition there, and what the key says.
    """

    def __init__(self, function: Callable[[Any], object], form: str, description: str) -> None:
        self.function, self.form, self.description = function, form, description

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def _validate(self, value: Any) -> object:
        try:
            return self.function(value)
        except ArchspecError as error:
            raise PydanticCustomError("archspec", "found", {"findings": error.diagnostics}) from None


def _text(value: Value) -> str:
    if not isinstance(value, Scalar) or value.value is None:
        raise ArchspecError("not-text", "text should stand here", value.span(), "write a word or a sentence")
    return value.text


def _mapping(example: str) -> Callable[[Value], Mapping]:
    """A reader that takes a mapping as it is."""

    def reader(value: Value) -> Mapping:
        if not isinstance(value, Mapping):
            raise ArchspecError("not-a-mapping", "a mapping should stand here", value.span(), example)
        return value

    return reader


def _table(example: str, read_one: Callable[[Scalar, Value], T]) -> Callable[[Value], dict[str, T]]:
    """A reader of a mapping, each of whose entries is read by `read_one`; the findings in all of them are collected."""

    def reader(value: Value) -> dict[str, T]:
        findings = Findings()
        found: dict[str, T] = {}
        table = _mapping(example)(value)
        limited(table)
        for key, item in table.items:
            with findings:
                found[key.text] = read_one(key, item)
        findings.raise_any()
        return found

    return reader


def _source(value: Value) -> str | dict[str, str]:
    """Where the architecture is published: text, or one for every variant."""
    if isinstance(value, Mapping):
        return _table("source: https://...", lambda _, text: _text(text))(value)
    return _text(value)


def _variable(key: Scalar, value: Value) -> Value:
    check_name(key.text, key.span(), "variable")
    return value


def _variant(_: Scalar, value: Value) -> Mapping:
    return _mapping("variants: {small: {width: 16}}")(value)


def _tensor(key: Scalar, value: Value) -> Tensor:
    if key.text != "input":
        check_name(key.text, key.span(), "tensor")
    return read_tensor(value)


def _blocks(value: Value) -> dict[str, Block]:
    read_all = _table("blocks: {conv(F): [CONV3-F, BN, RELU]}", read_block)(value)
    findings = Findings()
    found: dict[str, Block] = {}
    for one in read_all.values():
        with findings:
            if one.name in found:
                line = found[one.name].place.span.line
                message = f"the block {one.name} is already defined in line {line}"
                raise ArchspecError("duplicate-key", message, one.place.span, "give one of them another name")
            found[one.name] = one
    findings.raise_any()
    return found


class Document(BaseModel):
    """One spec as it is written: every part parsed, nothing evaluated."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    name: Annotated[str, Reads(_text, "text", "What the network is called.")]
    description: Annotated[str, Reads(_text, "text", "What the network is.")] = ""
    source: Annotated[
        str | dict[str, str],
        Reads(_source, "source", "Where the architecture is published: a text, or one for every variant."),
    ] = ""
    input: Annotated[
        dict[str, InputShape],
        Reads(read_inputs, "input", "The input: its shape, spatial sizes before channels, or several by name."),
    ]
    vars: Annotated[
        dict[str, Value],
        Reads(
            _table("vars: {width: 64}", _variable),
            "variables",
            "Variables by name. A text that starts with = is an expression over the others.",
        ),
    ] = {}
    variants: Annotated[
        dict[str, Mapping],
        Reads(
            _table("variants: {small: {width: 16}}", _variant),
            "variants",
            "Variants by name: the variables that each sets otherwise.",
        ),
    ] = {}
    defaults: Annotated[
        tuple[Thing, ...],
        Reads(read_defaults, "defaults", "Layers with the options that hold where an item gives none."),
    ] = ()
    blocks: Annotated[
        dict[str, Block],
        Reads(_blocks, "blocks", "Parts of the network that are used by name: signatures with their bodies."),
    ] = {}
    layers: Annotated[Sequence, Reads(sequence, "sequence", "The network, from its first input.")]
    outputs: Annotated[
        tuple[Output, ...],
        Reads(read_outputs, "outputs", "The points that are outputs; without it the end of the layers."),
    ] = ()
    training_outputs: Annotated[
        tuple[Output, ...],
        Reads(read_outputs, "outputs", "The points that only training needs; their cost is counted apart."),
    ] = ()
    tensors: Annotated[
        dict[str, Tensor],
        Reads(
            _table("tensors: {k: [[1, 0], [0, 1]]}", _tensor),
            "tensors",
            "Numbers by name: weights of layers (w=, b=), or an input's value under its name.",
        ),
    ] = {}
    expect: Annotated[
        Mapping | None,
        Reads(
            _mapping("expect: {parameters: 2483, macs: ~ 0.25M}"),
            "expect",
            "Figures that the network must have, of all variants or of each by its name.",
        ),
    ] = None


def parse_document(text: str | bytes, name: str = "<string>") -> Document:
    """Read one spec; raises ArchspecError with every independent finding.

    >>> parse_document("name: tiny\\ninput: 8x8x3\\nlayers: CONV3-4, GAP").name
    'tiny'
    """
    value = read(text, name)
    if not isinstance(value, Mapping):
        what = "a list" if isinstance(value, Listing) else "text"
        raise ArchspecError(
            "not-a-spec",
            f"a spec is a mapping, and here is {what}",
            value.span(),
            "start with name:, input: and layers:",
        )
    fields = {key.text: item for key, item in value.items}
    try:
        return Document.model_validate(fields)
    except ValidationError as error:
        findings, problems = Findings(), error.errors(include_url=False)
        missing = [str(problem["loc"][0]) for problem in problems if problem["type"] == "missing"]
        findings.add(*_missing(missing, value))
        for problem in problems:
            findings.add(*_finding(problem, value))
        raise findings.error() from None


def _missing(keys: list[str], document: Mapping) -> Iterator[Diagnostic]:
    """One finding for all keys that a spec must have and this one has not."""
    if keys:
        first = document.items[0][0].span() if document.items else document.span()
        examples = {"name": "name: my-net", "input": "input: 28x28x1", "layers": "layers: CONV3-10, GAP"}
        message = f"the spec has no {' and no '.join(f'`{key}`' for key in keys)}"
        yield Diagnostic("missing-key", message, first, "add " + "\n".join(f"`{examples[key]}`" for key in keys))


def _finding(problem: Any, document: Mapping) -> Iterator[Diagnostic]:
    """One of pydantic's findings in the spec's own words."""
    key = str(problem["loc"][0])
    if problem["type"] == "archspec":
        yield from problem["ctx"]["findings"]
    elif problem["type"] != "missing":
        place = next(name for name, _ in document.items if name.text == key)
        keys = ", ".join(Document.model_fields)
        hint = did_you_mean(key, Document.model_fields) or f"the keys are {keys}"
        yield Diagnostic("unknown-key", f"a spec has no key `{key}`", place.span(), hint)
