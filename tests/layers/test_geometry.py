from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from archspec.layers.convolution import Conv, UpConv


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (3, (3,)),
        (3.0, (3,)),
        ((1, 7), (1, 7)),
        ([1, 7], (1, 7)),
        ((0, (1, 2)), (0, (1, 2))),
        ([[1, 2]], ((1, 2),)),
        ("same", "same"),
    ],
)
def test_padding(written: object, kept: object) -> None:
    assert Conv.model_validate({"kernel": 3, "filters": 8, "padding": written}).padding == kept


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        (Conv, "kernel", 0, "at least 1, found 0"),
        (Conv, "kernel", (3, -1), "at least 1, found -1"),
        (Conv, "kernel", 2.5, "a whole number, found 2.5"),
        (Conv, "kernel", True, "a whole number, found True"),
        (Conv, "kernel", "same", "a whole number, found 'same'"),
        (Conv, "kernel", ((1, 2),), "a whole number, found (1, 2)"),
        (Conv, "padding", -1, "at least 0, found -1"),
        (Conv, "padding", ((1, -2), 1), "at least 0, found -2"),
        (Conv, "padding", ((1, 2, 3),), "a whole number or same or valid, found (1, 2, 3)"),
        (Conv, "padding", "full", "a whole number or same or valid, found 'full'"),
        (UpConv, "padding", float("inf"), "a whole number, found inf"),
    ],
)
def test_one_mistake_makes_one_error(kind: type[Conv | UpConv], field: str, value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate({"kernel": 3, "filters": 8, field: value})
    assert [(error["loc"], error["msg"]) for error in caught.value.errors()] == [((field,), message)]


def test_the_words_of_the_padding_are_known_to_the_notation() -> None:
    assert Conv.notation.options["p"].words == {"same", "valid"}
