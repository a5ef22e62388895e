"""Checkpoints: whole or not there, and a training that is killed at any moment ends with the same curve."""

from __future__ import annotations

import multiprocessing
import random
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils.data import Dataset

from builders.data import Prepared, Stored
from builders.training.checkpoint import resume, write_checkpoint
from builders.training.loop import STOPPED, Training
from builders.training.recipe import Recipe, Settings
from builders.training.study import train
from builders.training.trial import checkpoint_of
from tests.builders.training.small import curves, quiet, recipe, run
from tests.builders.training.test_loop import PLAIN, items, training

MODES = [Settings(steps=20, evaluate=4, batch=16), Settings(steps=20, batch=16, optimizer="adamw", schedule="cosine")]
MODES += [Settings(steps=20, batch=16, optimizer="sgd", lr=0.1, momentum=momentum) for momentum in (0.0, 0.9)]
RANDOM = PLAIN.replace("RELU", "BN, RELU, DROPOUT")


class Inputs(Dataset[Tensor]):
    def __init__(self, inputs: Tensor) -> None:
        self.inputs = inputs

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> Tensor:
        return self.inputs[index]


def fresh(settings: Settings) -> Training:
    return training(settings, RANDOM)


def stopped(settings: Settings, at: int) -> Training:
    one = fresh(settings)
    assert one.run(lambda one: one.curves.steps == at) == STOPPED
    return one


@pytest.mark.parametrize("settings", MODES, ids=lambda one: f"{one.optimizer} {one.momentum}")
@pytest.mark.parametrize("at", [1, 7, 19])
def test_a_training_that_goes_on_takes_the_same_steps(settings: Settings, at: int, tmp_path: Path) -> None:
    whole = fresh(settings)
    whole.run(lambda _: False)
    write_checkpoint(tmp_path / "one", stopped(settings, at), "key")
    torch.manual_seed(999)
    other = training(settings, RANDOM, seed=0)
    torch.rand(3)
    assert resume(tmp_path / "one", other, "key")
    other.run(lambda _: False)
    assert str(other.curves) == str(whole.curves)
    for one, again in zip(whole.network.state_dict().values(), other.network.state_dict().values(), strict=True):
        assert torch.equal(one, again)


def test_data_behind_a_loader_draws_none_of_the_training_s_random_numbers(tmp_path: Path) -> None:
    parts = [Stored(Inputs(one.inputs), one.labels, one.sources) for one in (items(40, 0), items(20, 1))]
    data, settings = Prepared(parts[0], parts[1], parts[1], None, ("a", "b", "c"), ()), MODES[0]
    whole = training(settings, RANDOM, data=data)
    whole.run(lambda _: False)
    part = training(settings, RANDOM, data=data)
    part.run(lambda one: one.curves.steps == 7)  # in the middle of an epoch
    write_checkpoint(tmp_path / "one", part, "key")
    other = training(settings, RANDOM, data=data)
    assert resume(tmp_path / "one", other, "key")
    other.run(lambda _: False)
    assert str(other.curves) == str(whole.curves)


def test_what_is_not_whole_counts_as_none(tmp_path: Path) -> None:
    path, settings = tmp_path / "one", MODES[0]
    write_checkpoint(path, stopped(settings, 3), "key")
    content = path.read_bytes()
    flipped = bytes([content[-9] ^ 1])
    spoilt = [
        b"",
        content[:40],
        content[:-1],
        content[:-9] + flipped + content[-8:],
        content.replace(b" 1\n", b" 2\n", 1),
    ]
    for damaged in spoilt:
        path.write_bytes(damaged)
        one = fresh(settings)
        assert not resume(path, one, "key")
        assert one.curves.steps == 0
    path.write_bytes(content)
    assert not resume(path, fresh(settings), "another key")
    assert not resume(tmp_path / "none", fresh(settings), "key")
    assert resume(path, fresh(settings), "key")


def test_a_write_that_fails_leaves_the_checkpoint_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, settings = tmp_path / "one", MODES[0]
    write_checkpoint(path, stopped(settings, 3), "key")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_checkpoint(path, stopped(settings, 9), "key")
    monkeypatch.undo()
    one = fresh(settings)
    assert resume(path, one, "key")
    assert one.curves.steps == 3
    assert [file.name for file in tmp_path.iterdir()] == ["one"]


# -- kill -9 -----------------------------------------------------------------------------------------------------------

CONTEXT = multiprocessing.get_context("forkserver")  # processes of their own, torch imported once for all of them


def attempt(asked: Recipe, folder: Path) -> None:
    torch.set_num_threads(1)
    train(asked, folder, quiet)


def killed(asked: Recipe, folder: Path, after: float) -> bool:
    """Whether a process that trains was killed, so many seconds after its first new checkpoint, before it was done."""
    process = CONTEXT.Process(target=attempt, args=(asked, folder))
    before = written(folder)
    process.start()
    while process.is_alive() and written(folder) == before:
        time.sleep(0.001)
    time.sleep(after)
    process.kill()
    process.join()
    assert process.exitcode in (0, -9)
    return process.exitcode == -9


def written(folder: Path) -> list[tuple[str, int]]:
    """The checkpoints of a folder with the times of their writing."""
    found = []
    for path in (folder / "checkpoints").glob("[!.]*"):
        try:
            found.append((path.name, path.stat().st_mtime_ns))
        except FileNotFoundError:
            continue
    return found


def prove_kills(folder: Path, wanted: int, steps: int) -> None:
    """Kill a study whose every step writes a checkpoint, again and again; it ends with the curves of one left alone."""
    CONTEXT.set_forkserver_preload(["builders.training.study", "sklearn.datasets", "joblib"])
    chance = random.Random(0)
    undisturbed = run(folder, "undisturbed", steps=steps, seeds=2)
    asked, place = recipe(folder, steps=steps, seeds=2, checkpoint=0), folder / "killed"
    kills, drafts = 0, 0
    while kills < wanted and killed(asked, place, chance.uniform(0, 0.15)):
        kills += 1
        drafts += len(list((place / "checkpoints").glob(".*")))
    assert kills == wanted, "the study ended before it was killed often enough"
    again = train(asked, place, quiet)
    assert curves(again) == curves(undisturbed)
    assert list((place / "checkpoints").iterdir()) == []
    print(f"killed {kills} times, {drafts} times while a checkpoint was written")


def test_a_study_killed_at_three_moments_ends_with_the_same_curves(tmp_path: Path) -> None:
    prove_kills(tmp_path, 3, steps=60)


@pytest.mark.prove
def test_a_study_killed_at_twenty_moments_ends_with_the_same_curves(tmp_path: Path) -> None:
    prove_kills(tmp_path, 20, steps=600)


def test_a_finished_trial_has_no_checkpoint(tmp_path: Path) -> None:
    study = run(tmp_path, "one", checkpoint=0)
    assert study.left == 0
    assert not checkpoint_of(study.folder, study.results[0].key).exists()
