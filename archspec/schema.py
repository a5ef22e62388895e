"""The JSON Schema of the spec document: what an editor needs to complete, explain and check a spec as it is typed.

It states what YAML can tell: keys and the types of their values. What the texts say is for `archspec check`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any, TypeAlias

from pydantic.fields import FieldInfo

from archspec.declarations import AXIS_KEYS
from archspec.document import Document, Reads
from archspec.expectations import BOUND, FIGURES, NUMBERS
from archspec.layers import Layer, absent_name, find_merge, merge_keys, more_kinds, registry, transparent_name
from archspec.structure import KEYWORDS, OWN_KEYS, SIZES

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTITY = "urn:archspec-nn:spec"
NAME = "^(?!(?:{})$)[A-Za-z_][A-Za-z0-9_]*$"
NO_NAME = "a name is a letter, then letters, digits or _, and no word that has a meaning of its own"
NO_METRIC = "neither a metric nor a variant with its metrics"

_RESERVED = KEYWORDS | SIZES
SIGNATURE = rf"^\s*(?!(?:{'|'.join(sorted({*_RESERVED, 'x'}))})\s*(?:\(|$))[a-z][A-Za-z0-9_]*\s*(\([\s\S]*\)\s*)?$"
_ITEM: Schema = {"type": "string", "minLength": 1}


def json_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a spec: the fields of `Document`, the forms of their values as definitions.

    It knows the merges of every layer kind that is installed; raises ArchspecError where one cannot be loaded.

    >>> json_schema()["properties"]["layers"]["$ref"]
    '#/$defs/sequence'
    """
    more_kinds()
    fields = {name: _mark(field) for name, field in Document.model_fields.items()}
    return {
        "$schema": DIALECT,
        "$id": IDENTITY,
        "title": "archspec spec",
        "description": "A neural network, its variants and what is known about it.",
        **_mapping(
            {name: _ref(mark.form, mark.description) for name, mark in fields.items()},
            required=[name for name, field in Document.model_fields.items() if field.is_required()],
        ),
        "$defs": {**_texts(), **_inputs(), **_declared(), **_expected(), **_sequences()},
    }


def _mark(field: FieldInfo) -> Reads:
    """How a field is read and written."""
    return next(mark for mark in field.metadata if isinstance(mark, Reads))


def _ref(form: str, description: str | None = None) -> Schema:
    return {"$ref": f"#/$defs/{form}"} | ({"description": description} if description else {})


def _mapping(properties: Schema, required: Iterable[str] = ()) -> Schema:
    """A mapping with these keys and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(value: Schema) -> Schema:
    """A list with at least one of these."""
    return {"type": "array", "items": value, "minItems": 1}


def _named(value: Schema, reserved: Iterable[str], least: int = 0) -> Schema:
    """A mapping of names to values; a reserved word is no name."""
    names = {"pattern": NAME.format("|".join(sorted(reserved))), "errorMessage": NO_NAME}
    return {"type": "object", "propertyNames": names, "additionalProperties": value, "minProperties": least}


def _where(key: str, needed: Iterable[str], others: Iterable[str]) -> Schema:
    """Where a mapping has this key, it has those that are needed, and no others but these."""
    allowed = {"enum": [key, *needed, *others], "errorMessage": f"this cannot stand beside {key}"}
    return {"if": {"required": [key]}, "then": {"required": list(needed), "propertyNames": allowed}}


def _texts() -> Schema:
    """Values that are one scalar, or anything."""
    return {
        "text": {"type": ["string", "number", "boolean"]},
        "source": {"anyOf": [_ref("text"), {"type": "object", "additionalProperties": _ref("text")}]},
        "items": {
            "type": "string",
            "description": "Items separated by commas. A layer is written in capitals, with its kernel, its amount and "
            "its options: CONV3-64 s2. Blocks and variables stand in small letters: conv(64, k=3). Behind an item may "
            "stand x3 (repeats), as NAME, share TAG, if EXPR and else ITEM; from NAME continues at a point. "
            f"Layers: {' '.join(sorted(kind.notation.form for kind in registry.values() if not kind.merge_key))}.",
            "minLength": 1,
            "examples": ["CONV3-64 s2, BN, RELU", "(CONV3-64, RELU) x2", "GAP, FLATTEN, FC-10"],
        },
        "expression": {
            "type": ["string", "number", "boolean"],
            "description": "An expression over parameters, variables and the sizes here: C, H, W, L, T, N.",
            "examples": ["depth > 0", "C != F"],
        },
        "value": {
            "description": "A number, yes or no, none, text, dims such as 1x7, =EXPR, or a list or table of these.",
        },
    }


def _inputs() -> Schema:
    """Shapes of inputs: as text, as a number, by axis, or several by name."""
    size = {"type": ["integer", "string"], "description": "A size, or an expression over the variables.", "minimum": 1}
    sizes = dict.fromkeys(dict.fromkeys(chain(*AXIS_KEYS)), size)
    axes = {"anyOf": [{"required": list(names), "maxProperties": len(names)} for names in AXIS_KEYS]}
    one = [_ITEM, {"type": "integer", "minimum": 1}]
    several = _named(_ref("input_shape", "The shape of one input."), _RESERVED - {"input"}, 1)
    some_axis = {"anyOf": [{"required": [name]} for name in sizes]}
    return {
        "input_shape": {
            "description": "A shape: 28x28x1, 784, 1024 ids, (res)x(res)x3, or sizes by axis.",
            "anyOf": [*one, {**_mapping(sizes), **axes}],
            "examples": ["28x28x1", "(res)x(res)x3", "1024 ids", 784],
        },
        "input": {"anyOf": [*one, {**several, "properties": sizes, "if": some_axis, "then": axes}]},
    }


def _declared() -> Schema:
    """What else stands beside the layers: variables, defaults, blocks, outputs, tensors."""
    block = _ref("sequence", "A block: conv(F, k=3) and its body.")
    return {
        "variables": _named(_ref("value"), _RESERVED),
        "variants": {"type": "object", "additionalProperties": _named(_ref("value"), _RESERVED)},
        "defaults": {"anyOf": [_ITEM, _list(_ref("defaults"))], "examples": ["CONV nobias, BN eps=0.001"]},
        "blocks": {"type": "object", "patternProperties": {SIGNATURE: block}, "additionalProperties": False},
        "outputs": {"anyOf": [_ITEM, _list(_ITEM)], "examples": ["head", "aux if training"]},
        "tensors": _named(_ref("tensor"), _RESERVED - {"input"}),
        "tensor": {
            "description": "A nested list of numbers, all rows of one length.",
            "anyOf": [{"type": "number"}, _list(_ref("tensor"))],
        },
    }


def _expected() -> Schema:
    """The figures that a network must have."""
    number = {
        "description": "Exact (25.5M), a bound (<= 5M), or rounded to the digits written (~ 4.089G).",
        "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"^(?:{BOUND.pattern})$"}],
    }
    figures = {
        f"figure_{name}": {
            "description": f"Such as {figure.example}; {name}@POINT is that of a point.",
            "anyOf": [
                *([{"type": "integer", "minimum": 0}] if figure.form.fullmatch("1") else []),
                {"type": "string", "pattern": f"^(?:{figure.form.pattern})$"},
            ],
        }
        for name, figure in FIGURES.items()
    }
    metrics = {
        "type": "object",
        "properties": {**dict.fromkeys(NUMBERS, _ref("number")), **{name: _ref(f"figure_{name}") for name in FIGURES}},
        "patternProperties": {f"^{name}@.+": _ref(f"figure_{name}") for name in FIGURES},
    }
    return {
        "number": number,
        **figures,
        "metrics": {**metrics, "additionalProperties": False, "errorMessage": NO_METRIC},
        "expect": {**metrics, "additionalProperties": _ref("metrics", "What is expected of one variant.")},
    }


def _sequences() -> Schema:
    """Sequences and the mappings of which they are made."""
    rows = {
        "each": _ref("rows", "The rows of a table, for each of which the layers are written once."),
        "layers": _ref("sequence", "The layers of one row."),
    }
    return {
        "sequence": {
            "description": "Items as text, a list of sequences, or a mapping: branches, rows, a choice or stages.",
            "anyOf": [_ref("items"), _list(_ref("sequence")), _ref("structure")],
        },
        "structure": _structure(rows),
        "branches": {"anyOf": [_list(_ref("sequence")), _mapping(rows, rows)]},
        "rows": {
            "description": "Columns by name, a table as text, or an expression that gives a table.",
            "anyOf": [_ITEM, _named(_ref("value"), _RESERVED, 1)],
        },
    }


def _structure(rows: Schema) -> Schema:
    """A mapping in a sequence: stages, unless a key of it is reserved."""
    merges = {key: _ref("branches", _joins(key)) for key in merge_keys()}
    choice = {
        "if": _ref("expression", "An expression that chooses between two sequences."),
        "then": _ref("sequence", "The layers if the expression is true."),
        "else": _ref("sequence", "The layers if it is not."),
    }
    rules = [_where(key, (), ()) for key in merges]
    rules += [_where("each", ["layers"], ()), _where("layers", ["each"], ())]
    rules += [_where("if", ["then"], ["else"]), *(_where(key, ["if"], ["then", "else"]) for key in ("then", "else"))]
    stages = _named(_ref("sequence", "A stage: its end is a point."), _RESERVED - OWN_KEYS, 1)
    return {**stages, "properties": {**merges, **rows, **choice}, "allOf": rules}


def _joins(key: str) -> str:
    """What the merge of a key makes of its branches."""
    kind = find_merge(key)
    assert kind is not None
    return (
        f"{_summary(kind)} The branches start here: {transparent_name()} is the point itself, and a branch that ends "
        f"in {absent_name()} is left out."
    )


def _summary(kind: type[Layer]) -> str:
    """The first line of what is said of a kind."""
    return (kind.__doc__ or "").strip().split("\n", 1)[0]
