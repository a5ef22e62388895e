"""The JSON Schema: whatever the language accepts it accepts, and it complains where a key or a type is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given

from archspec import bundle, parse
from archspec.checking import check_spec
from archspec.cli.schema import schema as command
from archspec.document import Document
from archspec.errors import ArchspecError
from archspec.expectations import METRICS
from archspec.layers import Layer, Shape, merge_keys, registry
from archspec.layers.merge import Merge
from archspec.schema import json_schema
from archspec.source import plain, read
from archspec.structure import OWN_KEYS
from tests.strategies import NETWORKS, mutated
from tests.test_docs import EXAMPLES

Validator: Any = import_module("jsonschema").Draft202012Validator
Older: Any = import_module("jsonschema").Draft7Validator  # all that many editors know
SCHEMA = json_schema()
HEADER = "name: a\ninput: 8x8x4\n"


def complaints(text: str | bytes) -> list[str]:
    """Where the schema finds fault with a spec."""
    value = plain(read(text))
    found = sorted(error.json_path for error in Validator(SCHEMA).iter_errors(value))
    assert sorted(error.json_path for error in Older(SCHEMA).iter_errors(value)) == found
    return found


def references(schema: object) -> Iterator[str]:
    """Every definition that something refers to."""
    if isinstance(schema, dict):
        yield from [schema["$ref"].removeprefix("#/$defs/")] if "$ref" in schema else []
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from references(inner)


def test_it_is_a_schema_of_the_draft_and_every_definition_is_used() -> None:
    Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Validator.META_SCHEMA["$id"]
    assert set(references(SCHEMA)) == set(SCHEMA["$defs"])


def test_every_key_is_there_with_a_description() -> None:
    assert list(SCHEMA["properties"]) == list(Document.model_fields)
    assert SCHEMA["required"] == ["name", "input", "layers"]
    assert [key for key, found in SCHEMA["properties"].items() if not found["description"].endswith(".")] == []
    metrics = SCHEMA["$defs"]["metrics"]
    assert (*metrics["properties"],) == METRICS
    assert set(metrics["patternProperties"]) == {"^shape@.+", "^receptive_field@.+"}


def test_every_layer_stands_in_the_description_of_items() -> None:
    described = SCHEMA["$defs"]["items"]["description"]
    forms = {kind.notation.form for kind in registry.values() if not kind.merge_key}
    assert forms <= set(described.replace(".", " ").split())
    assert described.endswith("UPCONVk-n UPSAMPLE-n.")


def test_every_merge_has_its_key_and_says_what_it_does() -> None:
    keys = SCHEMA["$defs"]["structure"]["properties"]
    assert {*merge_keys(), *OWN_KEYS} == set(keys)
    assert keys["add"]["description"].startswith("The sum of equal shapes")


def test_a_merge_of_a_registered_kind_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    class Most(Merge):
        """The larger of two."""

        template = "MOST"
        merge_key = "most"

        def fits(self, one: Shape, other: Shape) -> bool:
            return one == other

        def join(self, one: Shape, other: Shape) -> Shape:  # noqa: ARG002
            return one

        def remedy(self, one: Shape, other: Shape) -> str:
            return f"{one} {other}"

    kind: type[Layer] = Most
    assert "most" not in SCHEMA["$defs"]["structure"]["properties"]
    monkeypatch.setitem(registry, "MOST", kind)
    keys = json_schema()["$defs"]["structure"]["properties"]
    assert keys["most"]["description"].startswith("The larger of two. The branches start here:")


# -- what it accepts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", bundle.files().values(), ids=bundle.files())
def test_bundled_specs_are_accepted(path: Path) -> None:
    assert complaints(path.read_bytes()) == []


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_documented_examples_are_accepted(text: str) -> None:
    assert complaints(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "{name: 7, description: yes, source: {a: 1.5}, input: 784, layers: [[RELU]], variants: {a: {}}}",
        "{name: a, input: {length: =n, channels: 3}, vars: {n: 4, t: {F: [1, '=n']}}, layers: {each: t, layers: RELU}}",
        "{name: a, input: {input: 1024 ids, x: {time: 1, height: 2, width: 2, channels: 3}}, layers: RELU}",
        "{name: a, input: 4, blocks: {b: RELU, ' c ( F , k = (1 + 2) ) ': [RELU]}, layers: b}",
        "{name: a, input: 4, layers: RELU, defaults: [[BN eps=1], FC nobias], vars: {F: , G: null, H1: [a, [1x7]]}}",
        "{name: a, input: 4, layers: [{if: true, then: RELU}, {if: 1, then: RELU, else: {a: {b: [RELU]}}}]}",
        "{name: a, input: 4, layers: RELU as e, outputs: ['e, f if yes'], training_outputs: e}",
        "{name: a, input: 4, layers: RELU, tensors: {input: [1, 2.5], k: 1}}",
        "{name: a, input: 4, layers: RELU, expect: {macs: 1e3, shape@e: 4, flops: < 1.5 G}}",
        "{name: a, input: 4, layers: RELU, expect: {other: {shape: 4 ids, receptive_field: 3x1/3/2/-1, macs: ~ 1}}}",
    ],
)
def test_it_is_as_permissive_as_the_language(text: str) -> None:
    assert complaints(text) == []


@given(NETWORKS)
def test_every_network_is_accepted(text: str) -> None:
    assert complaints(text) == []


@given(mutated())
def test_whatever_can_be_built_is_accepted(text: str) -> None:
    try:
        parse(text)
    except ArchspecError:
        return
    assert complaints(text) == []


# -- what it refuses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("layer: RELU", "$"),
        ("[a]", "$"),
        (HEADER + "layers: RELU\nlayer: RELU", "$"),
        (HEADER + "layers: RELU\nname2: [a]", "$"),
        ("name: [a]\ninput: 4\nlayers: RELU", "$.name"),
        ("name: \ninput: 4\nlayers: RELU", "$.name"),
        ("name: null\ninput: 4\nlayers: RELU", "$.name"),
        (HEADER + "layers: RELU\ndescription: ~", "$.description"),
        ("name: a\ninput: [4, 4]\nlayers: RELU", "$.input"),
        ("name: a\ninput: 4.5\nlayers: RELU", "$.input"),
        ("name: a\ninput: {height: 4, channels: 3}\nlayers: RELU", "$.input"),
        ("name: a\ninput: {2a: 4}\nlayers: RELU", "$.input"),
        (HEADER + "layers: 3", "$.layers"),
        (HEADER + "layers: []", "$.layers"),
        (HEADER + "layers: ", "$.layers"),
        (HEADER + "layers: [{add: RELU}]", "$.layers"),
        (HEADER + "layers: {add: [RELU], layers: RELU}", "$.layers"),
        (HEADER + "layers: {each: {F: [1]}}", "$.layers"),
        (HEADER + "layers: {each: [1], layers: RELU}", "$.layers"),
        (HEADER + "layers: {if: a, else: RELU}", "$.layers"),
        (HEADER + "layers: {stem: }", "$.layers"),
        (HEADER + "layers: {not-a-name: RELU}", "$.layers"),
        (HEADER + "layers: RELU\nvars: [a]", "$.vars"),
        (HEADER + "layers: RELU\nvars: {C: 3}", "$.vars"),
        (HEADER + "layers: RELU\nvariants: {a: 3}", "$.variants.a"),
        (HEADER + "layers: RELU\ndefaults: {CONV: nobias}", "$.defaults"),
        (HEADER + "layers: RELU\nblocks: {CONV(F): RELU}", "$.blocks"),
        (HEADER + "layers: RELU\nblocks: {conv(F: RELU}", "$.blocks"),
        (HEADER + "layers: RELU\nblocks: {if: RELU}", "$.blocks"),
        (HEADER + "layers: RELU\nblocks: {x(F): RELU}", "$.blocks"),
        (HEADER + "layers: RELU\noutputs: {a: b}", "$.outputs"),
        (HEADER + "layers: RELU\ntensors: {k: [a]}", "$.tensors.k"),
        (HEADER + "layers: RELU\nexpect: {parameter: 3}", "$.expect.parameter"),
        (HEADER + "layers: RELU\nexpect: {parameters: many}", "$.expect.parameters"),
        (HEADER + "layers: RELU\nexpect: {receptive_field: 1}", "$.expect.receptive_field"),
        (HEADER + "layers: RELU\nexpect: {macs@a: 3}", "$.expect['macs@a']"),
        (HEADER + "layers: RELU\nexpect: {small: {shapes: 3}}", "$.expect.small"),
    ],
)
def test_broken_documents_are_refused_where_they_are_broken(text: str, where: str) -> None:
    assert set(complaints(text)) == {where}
    assert [error for verdict in check_spec(text.encode(), "a") for error in verdict.errors] != []


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_prints_it_or_writes_it_to_a_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, catch_exceptions=False)
    assert json.loads(result.stdout) == SCHEMA
    path = tmp_path / "archspec.schema.json"
    assert CliRunner().invoke(command, ["-o", str(path)], catch_exceptions=False).stdout == ""
    assert path.read_text(encoding="utf-8") == result.stdout
