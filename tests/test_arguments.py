"""What Python callers may give: values of every sort, and an ArchspecError for what makes no sense."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import archspec

NET = "{name: a, vars: {F: 4, n: [1, 2], rows: none}, variants: {wide: {F: 8}}, input: 28x28x1, layers: CONV3-F}"
TABLE = "{name: a, vars: {rows: none}, input: 8x8x1, layers: {each: rows, layers: CONV(k)-F}}"
parse: Callable[..., archspec.Spec] = archspec.parse  # whatever the types


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        ("14x14x3", "14 x 14 x 4"),
        ((14, 12, 3), "14 x 12 x 4"),
        ([14, 12, 3], "14 x 12 x 4"),
        ({"height": 14, "width": 12, "channels": 3}, "14 x 12 x 4"),
        ({"input": (14, 12, 3)}, "14 x 12 x 4"),
    ],
)
def test_input_shapes(given: Any, shape: str) -> None:
    assert str(list(parse(NET, input=given))[-1].shape) == shape


def test_a_vector_is_a_number() -> None:
    assert parse("{name: a, input: 3, layers: FC-2}", input=784).analyze().parameters == 784 * 2 + 2


@pytest.mark.parametrize(("value", "layer"), [(10, "CONV3-10"), (10.0, "CONV3-10"), ("=2*5", "CONV3-10")])
def test_variables(value: object, layer: str) -> None:
    assert str(list(parse(NET, F=value))[-1].layer) == layer


def test_a_variable_may_be_a_table() -> None:
    spec = parse(TABLE, rows={"k": [3, 1], "F": [4, 8]})
    assert [str(node.layer) for node in spec][1:] == ["CONV3-4", "CONV1-8"]


def test_variables_called_as_parameters_are() -> None:
    text = "{name: a, vars: {name: 3, text: 5}, input: 8x8x1, layers: CONV(text)-name}"
    assert str(list(parse(text, name=7, text=3))[-1].layer) == "CONV3-7"


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        ({"F": 10**5000}, "too-large"),
        ({"F": nested(100)}, "too-deep"),
        ({"F": object()}, "not-a-value"),
        ({"F": float("nan")}, "arithmetic"),
        ({"G": 3}, "unknown-variable"),
        ({"variant": "large"}, "unknown-variant"),
        ({"variant": 5}, "unknown-variant"),
        ({"limit": 0}, "count"),
        ({"limit": "5"}, "count"),
        ({"input": object()}, "not-a-value"),
        ({"input": "28x"}, "dimensions"),
        ({"input": {"hieght": 3, "width": 3, "channels": 1}}, "unknown-input"),
        ({"input": {"other": "3x3x1"}}, "unknown-input"),
    ],
)
def test_what_makes_no_sense_is_an_error(choices: dict[str, Any], code: str) -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        parse(NET, **choices)
    assert caught.value.code == code


@pytest.mark.parametrize("text", [5, None, Path("a"), ["a"]])
def test_a_spec_is_text(text: object) -> None:
    with pytest.raises(archspec.ArchspecError, match=r"error\[not-a-spec\]: a spec is text, and here is"):
        parse(text)


@pytest.mark.parametrize(
    "ask",
    [
        lambda spec: spec.to_dict(batch=0),
        lambda spec: spec.to_dict(batch="x"),
        lambda spec: spec.to_markdown(depth=0),
        lambda spec: spec.to_markdown(depth=-1),
    ],
)
def test_counts_start_at_one(ask: Callable[[archspec.Spec], object]) -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        ask(archspec.parse(NET))
    assert (caught.value.code, caught.value.hint) == ("count", "give a whole number from 1")


def test_a_node_by_name_or_number() -> None:
    spec = archspec.parse("{name: a, input: 8x8x1, layers: [CONV3-4 as first, RELU]}")
    assert spec.node("first") is spec.node(1) is spec.node("1")


def test_a_spec_prints_short() -> None:
    assert repr(archspec.parse(NET, variant="wide")) == "<Spec a (wide): 2 layers>"
