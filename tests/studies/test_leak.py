"""The study `leak`: both pipelines are told apart, and an experiment that is broken fails its claims."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archspec import ArchspecError
from studies import leak
from studies.claims import FAILS, HOLDS
from studies.document import find
from studies.running import run
from studies.study import Outcome, Study


def outcome(tmp_path: Path, seed: int = 0, **settings: Any) -> Outcome:
    return run(Study.of(find("leak"), settings, quick=True, seed=seed, folder=tmp_path))


def failing(found: Outcome) -> list[str]:
    return [one.statement for one in found.claims if one.verdict == FAILS]


def test_all_claims_hold(tmp_path: Path) -> None:
    found = outcome(tmp_path)
    assert failing(found) == []
    assert {row["pipeline"] for row in found.numbers["accuracies"]} == {leak.LEAKY, leak.RIGHT}


def test_pipelines_that_change_places_are_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(leak.PIPELINES, leak.LEAKY, leak.right)
    monkeypatch.setitem(leak.PIPELINES, leak.RIGHT, leak.leaky)
    found = failing(outcome(tmp_path, repetitions=2, steps=10))
    for name in leak.PIPELINES:
        assert f"{name}: repetitions in which the audit finds copies" in found
        assert f"{name}: trainings that `leak` stops" in found


def test_gaps_that_change_places_fail() -> None:
    study = Study.of(find("leak"), quick=True)
    high, level = (
        {"training": 1.0, "validation": 0.995, "test": 0.85},
        {"training": 1.0, "validation": 0.86, "test": 0.85},
    )
    for leaky, right, verdict in ((high, level, HOLDS), (level, high, FAILS)):
        pairs = ((leak.LEAKY, leaky), (leak.RIGHT, right))
        found = [
            leak.Measured(name, k, {**parts, "test": parts["test"] + 0.01 * (k % 2)}, 0, "")
            for k in range(6)
            for name, parts in pairs
        ]
        gaps = [one.verdict for one in leak._claims(study, found) if "test accuracy" in one.statement]
        assert gaps == [verdict, verdict]


@pytest.mark.parametrize(
    "wrong",
    [
        {"repetitions": 1},
        {"validation": 0},
        {"validation": 1.5},
        {"validation": 0.999},
        {"validation": 0.001},
        {"originals": "many"},
        {"originals": 1790},
        {"test": 5000},
        {"copies": 1.5},
    ],
)
def test_wrong_parameters(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ArchspecError) as caught:
        outcome(tmp_path, **wrong)
    assert caught.value.code == "study-parameter"
