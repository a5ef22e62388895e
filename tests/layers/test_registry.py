from __future__ import annotations

import pytest

from archspec.layers import Layer, registry


@pytest.mark.parametrize("kind", registry.values(), ids=registry)
def test_every_kind_prints_and_is_documented(kind: type[Layer]) -> None:
    required = {name: 1 for name, field in kind.model_fields.items() if field.is_required()}
    printed = str(kind.model_validate(required))
    assert printed.startswith(kind.notation.name)
    assert printed.count("1") >= len(required)  # nothing that must be written is lost
    assert kind.__doc__


@pytest.mark.parametrize("kind", registry.values(), ids=registry)
def test_every_field_has_its_place_in_the_notation(kind: type[Layer]) -> None:
    notation = kind.notation
    placed = {notation.kernel, notation.amount, *(option.field for option in notation.options.values())}
    assert set(kind.model_fields) <= placed
