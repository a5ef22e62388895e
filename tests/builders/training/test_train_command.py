"""The command train: recipes and options, what it refuses before it begins, what it prints and writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archspec.cli.opening import WIDTH
from archspec.cli.train import OPTIONS, curves, train
from archspec.errors import ArchspecError
from builders.training.loop import DIVERGED
from builders.training.recipe import READERS
from builders.training.trial import Trial
from tests.builders.training.small import TINY, run

Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command, run within the test in a folder that holds the tiny network."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")

    def run_command(*arguments: str) -> Result:
        from archspec.cli import main

        if "train" not in main.commands:
            main.add_command(train)
        return CliRunner().invoke(main, ["train", *arguments], prog_name="archspec", catch_exceptions=False)

    return run_command


def test_a_study_prints_its_tables_and_writes_its_folder(call: Call, tmp_path: Path) -> None:
    result = call("tiny.yaml", "--init", "he,zeros", "--seeds", "2", "--steps", "20", "--orbit", "none")
    assert result.exit_code == 0, result.output
    folder = tmp_path / "runs" / "tiny"
    assert result.stdout.startswith("runs/tiny\n")
    assert "paired differences" in result.stdout
    assert "he-normal - zeros" in result.stdout
    assert "tiny: leak audit" in result.stderr
    for name in ("curves.svg", "curves.png", "curves.html", "metrics.csv", "summary.csv", "recipe.yaml"):
        assert (folder / name).stat().st_size > 100
    again = call("tiny.yaml", "--init", "he,zeros", "--seeds", "2", "--steps", "20", "--orbit", "none")
    assert again.stdout == result.stdout
    assert "4 of 4 trials are finished already" in again.stderr


def test_a_recipe_gives_what_its_options_give(call: Call, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("{specs: tiny.yaml, init: he, steps: 10, seeds: 3, orbit: none, output: a}")
    assert call("study.yaml", "--seeds", "1").exit_code == 0
    assert call("tiny.yaml", "--steps", "10", "--orbit", "none", "-o", "b").exit_code == 0
    assert (tmp_path / "a" / "metrics.csv").read_text() == (tmp_path / "b" / "metrics.csv").read_text()


def test_the_figure_has_a_panel_for_each_network_and_gaps_where_a_trial_diverged(tmp_path: Path) -> None:
    one = run(tmp_path, "one", seeds=2).results
    short = replace(one[1].curves, evaluated=[0.0, 5.0], validation_accuracy=[0.1, 0.2])
    other = [replace(one[0], label="other"), replace(one[1], label="other", status=DIVERGED, curves=short)]
    text = curves([*one, *other], "Training").svg()
    assert all(word in text for word in (">tiny<", ">other<", ">validation accuracy<"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nosuch"], 2, "error[unknown-spec]"),
        (["tiny.yaml", "--lr", "fast"], 2, "--lr:1:1: error[recipe-value]: expected a number above 0, found `fast`"),
        (["tiny.yaml", "--steps", "3", "--epochs", "1"], 2, "error[recipe-conflict]"),
        (["tiny.yaml", "--init", "hee"], 2, "--init:1:1: error[unknown-scheme]"),
        (["tiny.yaml", "--engine", "dask"], 2, "needs the address of a scheduler"),
        (["tiny.yaml", "--overrides", "nosuch=zeros"], 2, "error[unmatched-pattern]"),
        (["tiny.yaml", "--data", "nosuch"], 2, "--data:1:1: error["),
        (["tiny.yaml", "--orbit", "nosuch=1"], 2, "--orbit:1:1: error["),
        (["tiny.yaml", "tiny.yaml"], 2, "two networks would both be called `tiny`"),
        (["study.yaml"], 1, "study.yaml:1:2: error[unknown-key]: there is no key `spec` here"),
        (["tiny.yaml", "study.yaml"], 2, "a recipe stands alone"),
        (["study.yaml", "--variant", "a"], 2, "a recipe chooses variant, set and input"),
        (["map.yaml"], 1, "error[untrainable]: map gives 8 x 8 x 4"),
        (["soft.yaml"], 1, "error[untrainable]: soft ends in SOFTMAX, and so does the loss"),
        (["normed.yaml", "--batch", "1077"], 2, "--batch:1:1: error[recipe-value]: the last batch of an epoch is a"),
        (["bad.yaml"], 1, "error[unknown-layer]"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_runs(
    call: Call, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "study.yaml").write_text("{spec: tiny.yaml}")
    (tmp_path / "map.yaml").write_text("{name: map, input: 8x8x1, layers: CONV3-4}")
    (tmp_path / "soft.yaml").write_text("{name: soft, input: 8x8x1, layers: [FLATTEN, FC-10, SOFTMAX]}")
    (tmp_path / "normed.yaml").write_text("{name: normed, input: 8x8x1, layers: [FLATTEN, FC-10, BN]}")
    (tmp_path / "bad.yaml").write_text("{name: bad, input: 8x8x1, layers: CONVV3-4}")
    result = call(*arguments)
    assert words in result.stderr
    assert (result.exit_code, result.stdout) == (code, "")
    assert not (tmp_path / "runs").exists()


def test_a_leak_stops_the_study_unless_it_is_allowed(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = Trial.data
    monkeypatch.setattr(Trial, "data", lambda one: replace(prepare(one), validation=prepare(one).train))
    common = ("tiny.yaml", "--steps", "5", "--orbit", "none")
    refused = call(*common)
    assert (refused.exit_code, (tmp_path / "runs").exists()) == (2, False)
    assert "error[leak]" in refused.stderr
    allowed = call(*common, "--allow-leak")
    assert allowed.exit_code == 0
    assert "trained in spite of the leak" in allowed.stderr


def test_a_trial_that_fails_for_a_reason_in_its_spec_ends_with_1(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> object:
        raise ArchspecError("run-time", "a layer failed")

    monkeypatch.setattr("builders.training.trial._begun", fail)
    result = call("tiny.yaml", "--steps", "5", "--orbit", "none")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "tiny, he-normal, seed 0: error[run-time]: a layer failed" in result.stderr


def test_every_key_of_a_recipe_is_an_option() -> None:
    assert {*OPTIONS, "specs", "allow_leak", "output"} == set(READERS)


def test_help_fits_its_width(call: Call) -> None:
    assert max(map(len, call("--help").stdout.splitlines())) <= WIDTH


def test_progress_tells_trials_steps_and_time(tmp_path: Path) -> None:
    from builders.training.board import Board
    from builders.training.progress import Pace

    board = Board.create(tmp_path / "board", 2)
    pace = Pace(board, 1000, 2)
    pace._start -= 10
    assert pace.text() == "0/2 trials, 0/1,000 steps, 0 steps/s"
    board.begin(0, 300)
    board.tell(0, 400)
    board.begin(1, 0)
    board.tell(1, 100)
    assert pace.text() == "0/2 trials, 500/1,000 steps, 20 steps/s, 25 s left"
    board.end(1, 300, 150)
    assert pace.text().startswith("0/2 trials, 700/1,000 steps, 25 steps/s")
    assert not board.stopped
    Board(tmp_path / "board").stop()
    assert board.stopped
    assert pace.text().endswith("stopping")
