"""Small studies for the tests: a network of four layers that draws random numbers and keeps statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archspec.source import Scalar
from builders.training.recipe import Recipe, read_recipe
from builders.training.study import Study, train

TINY = "{name: tiny, input: 8x8x1, layers: [CONV3-4, BN, RELU, DROPOUT, POOL4, FLATTEN, FC-10]}"


def recipe(folder: Path, **values: object) -> Recipe:
    """A recipe for the tiny network, with values as the command line gives them."""
    spec = folder / "tiny.yaml"
    spec.write_text(TINY, encoding="utf-8")
    given = {"specs": spec, "steps": 20, "evaluate": 5, "orbit": "none"} | values
    return read_recipe(None, {key: Scalar.of(str(value), f"--{key}") for key, value in given.items()})


def quiet(_: str) -> None:
    """Says nothing."""


def run(folder: Path, name: str, **values: object) -> Study:
    """A study of the tiny network in a folder of this name."""
    return train(recipe(folder, **values), folder / name, quiet)


def curves(study: Study) -> list[tuple[str, str, int, dict[str, Any], str]]:
    """All numbers of a study, to be compared bit by bit."""
    return [
        (one.label, one.scheme, one.seed, one.curves.to_dict(), f"{one.status} {one.test}") for one in study.results
    ]
