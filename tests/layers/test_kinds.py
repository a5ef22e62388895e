"""The door to the known kinds: by name, by merge key, by flag; and what makes other distributions be asked."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest

from archspec.layers import (
    Family,
    Shape,
    absent_name,
    find_kind,
    find_merge,
    kinds,
    merge_keys,
    register,
    registry,
    transparent_name,
)
from archspec.layers.base import Pointwise
from archspec.layers.merge import Merge


class Max(Merge):
    """The largest of each number."""

    template = "MAX"
    merge_key = "max"

    def fits(self, one: Shape, other: Shape) -> bool:
        return one == other

    def join(self, one: Shape, other: Shape) -> Shape:  # noqa: ARG002
        return one

    def remedy(self, one: Shape, other: Shape) -> str:  # noqa: ARG002
        return "make them equal"


@pytest.fixture
def loaded() -> Iterator[list[str]]:
    """The entry points that were loaded; the first one brings MAX along."""
    names: list[str] = []

    def load() -> None:
        names.append("toy")
        register(Max)

    point = mock.Mock(load=load)
    kinds._load.cache_clear()
    with mock.patch("importlib.metadata.entry_points", return_value=[point]), mock.patch.dict(registry):
        yield names
    kinds._load.cache_clear()


def test_a_kind_is_found_by_its_name_and_its_merge_key() -> None:
    assert find_kind("ADD") is find_merge("add") is registry["ADD"]
    assert set(merge_keys()) == {"add", "concat", "mul"}
    assert find_kind("NOSUCH") is find_merge("nosuch") is None


def test_names_of_the_kinds_that_make_no_node() -> None:
    assert (absent_name(), transparent_name()) == ("NONE", "IDENTITY")


def test_what_is_known_loads_nothing(loaded: list[str]) -> None:
    assert find_kind("CONV") is not None
    assert find_merge("mul") is not None
    assert find_kind("skip") is find_kind("act_2") is find_kind("RELU, BN") is None  # no kind can have such a name
    assert loaded == []


@pytest.mark.parametrize("ask", [lambda: find_kind("MAX"), lambda: find_merge("max")])
def test_what_is_not_known_is_looked_for_once(ask: mock.Mock, loaded: list[str]) -> None:
    assert ask() is Max
    assert find_kind("NOSUCH") is find_merge("nosuch") is None
    assert "max" in merge_keys()
    assert loaded == ["toy"]


def test_a_merge_key_belongs_to_one_kind() -> None:
    class Other(Max):
        template = "OTHER"
        merge_key = "add"

    with pytest.raises(ValueError, match=r"^the key `add` is already the layer kind archspec\.layers\.merge\.Add$"):
        register(Other)
    assert "OTHER" not in registry


def test_how_a_kind_is_written() -> None:
    forms = {name: (kind.notation.form, kind.notation.example) for name, kind in registry.items()}
    assert forms["CONV"] == ("CONVk-n", "CONV3-64")
    assert (forms["POOL"], forms["FC"], forms["BN"]) == (("POOLk", "POOL3"), ("FC-n", "FC-64"), ("BN", "BN"))


def test_a_kind_from_a_base_class_still_states_every_fact() -> None:
    with pytest.raises(TypeError, match=r"^layer kind Half lacks macs, output_shape, weights, storage: every kind"):

        class Half(Pointwise):
            template = "HALF"
            family = Family.RESHAPE
