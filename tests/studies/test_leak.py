"""The study `leak`: both pipelines are told apart, and an experiment that is broken fails its claims."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archspec import ArchspecError
from studies import leak
from studies.claims import FAILS
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


def test_a_first_pipeline_that_splits_first_does_not_leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(leak.PIPELINES, leak.LEAKY, leak.right)
    found = failing(outcome(tmp_path))
    assert "augment, then split: repetitions in which the audit finds copies" in found
    assert "augment, then split: trainings that `leak` stops" in found


def test_a_second_pipeline_that_augments_first_leaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(leak.PIPELINES, leak.RIGHT, leak.leaky)
    found = failing(outcome(tmp_path, repetitions=10))
    assert "split, then augment: repetitions in which the audit finds copies" in found
    assert "split, then augment: trainings that `leak` stops" in found
    assert "split, then augment: validation - test accuracy" in found


@pytest.mark.parametrize("wrong", [{"repetitions": 1}, {"validation": 0}, {"originals": "many"}, {"copies": 1.5}])
def test_wrong_parameters(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ArchspecError) as caught:
        outcome(tmp_path, **wrong)
    assert caught.value.code == "study-parameter"
