"""What the tests of all families ask of a layer."""

from __future__ import annotations

import pytest

from archspec.layers import Layer, Shape, ShapeError


def failure(layer: Layer, *inputs: Shape) -> tuple[str, str, str | None, str | None]:
    """Code, message, hint and field of the error that these inputs raise."""
    with pytest.raises(ShapeError) as caught:
        layer.output_shape(*inputs)
    found = caught.value.diagnostics[0]
    return found.code, found.message, found.hint, caught.value.field


def counts(layer: Layer, shape: Shape) -> dict[str, str]:
    """The formula of every weight."""
    return {name: str(weight.count) for name, weight in layer.weights(shape).items()}


IDS = Shape((16,), None)


def refusal_of_ids(layer: Layer) -> tuple[str, str, str | None, str | None]:
    """The error of a layer that needs channels and is given token ids."""
    return "token-ids", f"{layer} computes with numbers, and here are 16 ids", "embed the ids first", None
