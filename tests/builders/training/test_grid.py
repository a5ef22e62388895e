"""Grids of trials: the same numbers in any number of processes, on a cluster, stopped, torn or begun again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import torch
from joblib.externals.loky import BrokenProcessPool  # type: ignore[import-untyped]
from torch.utils.data import Dataset, TensorDataset

from archspec.errors import ArchspecError
from builders.training import grid, trial
from builders.training.board import Board
from builders.training.folder import Folder
from builders.training.loop import STOPPED
from builders.training.study import Study, train
from tests.builders.training.small import TINY, curves, quiet, recipe, run

INITS = {"init": "he,zeros", "seeds": 2}


def lines(study: Study) -> list[str]:
    return (study.folder / "trials.jsonl").read_text().splitlines()


def test_the_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    one, two = run(tmp_path, "one", **INITS), run(tmp_path, "two", jobs=2, **INITS)
    assert curves(one) == curves(two)
    assert len(one.results) == len(lines(two)) == 4
    for name in ("metrics.csv", "summary.csv", "differences.csv", "summary.md"):
        assert (one.folder / name).read_text() == (two.folder / name).read_text()


def test_the_threads_are_those_of_the_recipe_whatever_the_caller_has(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        one = run(tmp_path, "one")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert curves(one) == curves(run(tmp_path, "two"))


def test_the_random_state_of_the_caller_stays(tmp_path: Path) -> None:
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    run(tmp_path, "one")
    assert torch.equal(torch.rand(1), wanted)


def test_the_folder_says_what_was_run(tmp_path: Path) -> None:
    study = run(tmp_path, "one")
    assert (study.folder / "specs" / "tiny.yaml").read_text() == (tmp_path / "tiny.yaml").read_text()
    environment = json.loads((study.folder / "environment.json").read_text())
    assert environment["packages"]["torch"] == torch.__version__.split("+")[0]
    assert environment["threads of a trial"] == 1
    assert environment["data"]["tiny"]["train"] == 1078
    written = (study.folder / "recipe.yaml").read_text() + json.dumps(environment)
    assert str(Path.home()) not in written.replace(str(tmp_path), "")
    header, first, *rest = (study.folder / "metrics.csv").read_text().splitlines()
    assert header == "spec,init,seed,step,loss,accuracy,gradient_norm,validation_loss,validation_accuracy"
    assert first.startswith("tiny,he-normal,0,0,,,,")
    assert len(rest) == 20


# -- begun again -------------------------------------------------------------------------------------------------------


def test_finished_trials_are_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(tmp_path, "one", **INITS)
    monkeypatch.setattr(grid, "run_trial", None)
    assert curves(run(tmp_path, "one", **INITS)) == curves(first)
    monkeypatch.undo()
    more = run(tmp_path, "one", init="he,zeros,xavier", seeds=2)
    assert curves(more)[:4] == curves(first)
    assert (len(more.results), len(lines(more))) == (6, 6)


def test_a_torn_last_line_counts_as_none(tmp_path: Path) -> None:
    first = run(tmp_path, "one", **INITS)
    path = first.folder / "trials.jsonl"
    whole = path.read_bytes()
    for torn in (whole[:-1], whole[:-200], whole[:-1] + b'\n{"key": "x"', whole + b"\0\0", whole + b"nonsense\n"):
        path.write_bytes(torn)
        again = run(tmp_path, "one", **INITS)
        assert curves(again) == curves(first)
        kept = [json.loads(line)["key"] for line in lines(again) if line.startswith("{")]
        assert len(kept) == len(set(kept)) == 4


def test_other_settings_are_refused_where_trials_are(tmp_path: Path) -> None:
    run(tmp_path, "one")
    with pytest.raises(ArchspecError) as caught:
        run(tmp_path, "one", lr="0.5")
    assert caught.value.code == "run-differs"
    message = caught.value.diagnostics[0].message
    assert message == f"{tmp_path / 'one'} holds trials of other settings: lr is 0.001 there, and 0.5 here"
    assert str(caught.value.span) == "--lr:1:1"


def test_other_data_is_refused_where_trials_are(tmp_path: Path) -> None:
    train(recipe(tmp_path), tmp_path / "one", quiet, data=dataset(0))
    with pytest.raises(ArchspecError) as caught:
        train(recipe(tmp_path), tmp_path / "one", quiet, data=dataset(1))
    assert caught.value.code == "run-differs"
    assert caught.value.diagnostics[0].message == f"{tmp_path / 'one'} holds trials of tiny with other data"


def dataset(seed: int) -> Dataset[tuple[torch.Tensor, ...]]:
    inputs = torch.rand(200, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    return TensorDataset(inputs, torch.arange(200) % 10)


def test_a_dataset_of_python_is_trained_on_in_other_processes_too(tmp_path: Path) -> None:
    one = train(recipe(tmp_path, seeds=2), tmp_path / "one", quiet, data=dataset(0))
    two = train(recipe(tmp_path, seeds=2, jobs=2), tmp_path / "two", quiet, data=dataset(0))
    assert curves(one) == curves(two)
    assert "given in Python" in (two.folder / "recipe.yaml").read_text()


def test_one_network_under_two_names_is_trained_once_and_told_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(TINY, encoding="utf-8")
    study = run(tmp_path, "one", specs=f"{tmp_path / 'a.yaml'},{tmp_path / 'b.yaml'}", seeds=2)
    assert [(one.label, one.seed) for one in study.results] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert (study.left, len(lines(study))) == (0, 2)


def test_a_full_disk_is_told_and_the_next_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trial, "write_checkpoint", full)
    with pytest.raises(ArchspecError) as caught:
        run(tmp_path, "one", checkpoint=0)
    monkeypatch.undo()
    assert caught.value.code == "unwritable"
    assert caught.value.diagnostics[0].message == f"cannot use {tmp_path / 'one'}: No space left on device"
    assert run(tmp_path, "one", checkpoint=0).left == 0


def test_a_second_process_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with Folder(tmp_path / "one").locked(), pytest.raises(ArchspecError) as caught:
        run(tmp_path, "one")
    assert caught.value.code == "run-locked"
    assert run(tmp_path, "one").left == 0


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchspecError) as caught:
        run(tmp_path, "file")
    assert caught.value.code == "unwritable"


# -- stopped and killed ------------------------------------------------------------------------------------------------


def test_ctrl_c_stops_behind_a_step_and_the_next_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(tmp_path, "whole", **INITS)
    told = Board.tell

    def interrupt(board: Board, place: int, steps: int) -> None:
        told(board, place, steps)
        if (place, steps) == (1, 7):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Board, "tell", interrupt)
    study = run(tmp_path, "one", **INITS)
    monkeypatch.undo()
    assert (len(study.results), study.left) == (1, 3)
    assert [path.name for path in (study.folder / "checkpoints").iterdir()] == [
        one.key for one in trial_list(tmp_path)[1:2]
    ]
    assert curves(run(tmp_path, "one", **INITS)) == curves(whole)


def test_a_trial_that_is_to_stop_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Board.create(tmp_path / trial.PROGRESS, 1).stop()
    monkeypatch.setattr(trial, "_begun", None)
    found = trial.run_trial(trial_list(tmp_path)[0], trial.Post(tmp_path, 0, os.getpid(), 1.0))
    assert found.status == STOPPED


def test_a_process_whose_study_was_killed_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(code: int) -> None:
        raise SystemExit(code)

    Board.create(tmp_path / trial.PROGRESS, 1)
    monkeypatch.setattr(os, "_exit", leave)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with pytest.raises(SystemExit):
        trial.run_trial(trial_list(tmp_path)[0], trial.Post(tmp_path, 0, gone.pid, 1.0))


def test_processes_are_started_deaf_and_their_end_is_no_error_when_all_should_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, heard = Board.create(tmp_path / "board", 1), list[object]()
    before = signal.getsignal(signal.SIGINT)

    def broken() -> Iterator[trial.Result]:
        raise BrokenProcessPool
        yield

    class Pool:
        def __init__(self, **_: object) -> None:
            pass

        def __call__(self, _: object) -> Iterator[trial.Result]:
            heard.append(signal.getsignal(signal.SIGINT))
            return broken()

    monkeypatch.setattr("joblib.Parallel", Pool)
    tasks = [(one, trial.Post(tmp_path, 0, os.getpid(), 1.0)) for one in trial_list(tmp_path)]
    with pytest.raises(BrokenProcessPool):
        list(grid._processes(tasks, 2, board))
    board.stop()
    assert list(grid._processes(tasks, 2, board)) == []
    assert heard == [signal.SIG_IGN] * 2
    assert signal.getsignal(signal.SIGINT) == before


def trial_list(folder: Path) -> list[trial.Trial]:
    from builders.training.study import trials_of

    return trials_of(recipe(folder, **INITS))


@pytest.mark.prove
def test_a_worker_that_is_killed_costs_no_trial(tmp_path: Path) -> None:
    whole = run(tmp_path, "whole", seeds=3, steps=300)
    killed: list[int] = []

    def kill() -> None:
        while not list((tmp_path / "one" / "checkpoints").glob("[!.]*")):
            time.sleep(0.01)
        killed.append(max(workers(os.getpid())))
        os.kill(killed[0], signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    study = run(tmp_path, "one", seeds=3, steps=300, jobs=2, checkpoint=0)
    assert len(killed) == 1
    assert curves(study) == curves(whole)
    assert len(lines(study)) == 3


def workers(parent: int) -> list[int]:
    """The processes that run trials for this one."""
    asked = ["ps", "-o", "pid=,args=", "--ppid", str(parent)]
    found = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return [int(line.split()[0]) for line in found.splitlines() if "popen_loky" in line]


def test_workers_that_die_again_and_again_end_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "_processes", lambda *_: iter(()))
    with pytest.raises(ArchspecError) as caught:
        run(tmp_path, "one", seeds=2)
    assert caught.value.code == "worker-lost"
    assert "2 trials are left" in str(caught.value)


def test_a_trial_that_fails_is_told_and_the_others_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = trial._begun

    def fail(one: trial.Trial) -> object:
        if one.seed == 1:
            raise ArchspecError("run-time", "a layer failed")
        return begun(one)

    monkeypatch.setattr(trial, "_begun", fail)
    study = run(tmp_path, "one", seeds=3)
    assert [one.seed for one in study.results] == [0, 2]
    assert [(one.seed, one.fault) for one in study.failed] == [(1, "error[run-time]: a layer failed")]
    assert (study.left, len(lines(study))) == (0, 2)


# -- dask --------------------------------------------------------------------------------------------------------------


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A dask scheduler and workers, each a process of its own: the address, and the workers."""
    dask, place = str(Path(sys.executable).parent / "dask"), folder / "scheduler.json"
    common = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": Path(__file__).parents[3]}
    with ExitStack() as stack:

        def begin(*arguments: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen([dask, *arguments], **common)  # type: ignore[call-overload]
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process  # type: ignore[no-any-return]

        begin("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(place))
        while not place.exists():
            time.sleep(0.05)
        address = json.loads(place.read_text())["address"]
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder / "dask"))
        yield address, [begin("worker", address, *options) for _ in range(workers)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_worker_killed_under_dask_costs_no_trial_and_doubles_none(tmp_path: Path) -> None:
    settings = {"init": "he,zeros", "seeds": 3, "steps": 120}
    whole = run(tmp_path, "whole", **settings)
    place = tmp_path / "one" / "trials.jsonl"
    with cluster(tmp_path, 2) as (address, workers):

        def kill() -> None:
            while not place.exists():
                time.sleep(0.01)
            time.sleep(0.2)
            workers[0].kill()

        killer = threading.Thread(target=kill)
        killer.start()
        study = run(tmp_path, "one", engine="dask", scheduler=address, **settings)
        killer.join()
        assert workers[0].wait() == -9
    assert curves(study) == curves(whole)
    keys = [json.loads(line)["key"] for line in lines(study)]
    assert len(keys) == len(set(keys)) == 6


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_scheduler_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArchspecError) as caught:
        run(tmp_path, "one", engine="dask", scheduler="nonsense://127.0.0.1:1")
    assert caught.value.code == "scheduler"
