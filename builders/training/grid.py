"""Where trials are run: in processes of this machine, or on a dask cluster. Results come as they are ready."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from archspec.errors import ArchspecError
from builders.training.board import Board
from builders.training.recipe import Running
from builders.training.trial import Post, Result, Trial, run_trial

ATTEMPTS = 3  # after processes that were killed, without a trial finished between
PATIENCE = 0.5  # seconds between looks at whether to stop


def run_grid(trials: Sequence[Trial], folder: Path, running: Running, board: Board) -> Iterator[Result]:
    """The result of each trial, in any order; none twice. Raises ArchspecError where no worker is left.

    A trial whose process is killed runs again: from its checkpoint in another process of this machine; from the start
    on another worker of a cluster, which shares no folder with this machine.
    """
    if running.engine == "dask":
        yield from _cluster(trials, running, board)
        return
    left = {
        trial.key: (trial, Post(folder, place, os.getpid(), running.checkpoint)) for place, trial in enumerate(trials)
    }
    lost = 0
    while left and lost < ATTEMPTS and not board.stopped:
        before = len(left)
        for result in _processes(list(left.values()), running.jobs):
            del left[result.key]
            yield result
        lost = lost + 1 if len(left) == before else 0
    if left and not board.stopped:
        message = f"processes were killed again and again, and {len(left)} trials are left: memory may be short"
        raise ArchspecError("worker-lost", message, hint="run the same command again with fewer --jobs")


def _processes(tasks: Sequence[tuple[Trial, Post]], jobs: int) -> Iterator[Result]:
    """Results until all are there, or until a process is killed."""
    import joblib  # type: ignore[import-untyped]
    from joblib.externals.loky.process_executor import TerminatedWorkerError  # type: ignore[import-untyped]

    threads = tasks[0][0].settings.threads
    several = {"backend": "loky", "inner_max_num_threads": threads} if jobs > 1 else {"backend": "sequential"}
    with joblib.parallel_config(**several):
        parallel = joblib.Parallel(n_jobs=min(jobs, len(tasks)), return_as="generator_unordered", batch_size=1)
        try:
            yield from parallel(joblib.delayed(run_trial)(trial, post) for trial, post in tasks)
        except TerminatedWorkerError:
            return


def _cluster(trials: Sequence[Trial], running: Running, board: Board) -> Iterator[Result]:
    """Results from the workers of a dask scheduler, which gives the trials of a killed worker to another."""
    from distributed import Client, KilledWorker, wait

    try:
        client = Client(running.scheduler, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        message = f"no dask scheduler answers at {running.scheduler}: {error}"
        raise ArchspecError("scheduler", message, hint="give the address that `dask scheduler` prints") from None
    with client, client.as_current():
        pending = {client.submit(run_trial, trial, key=f"archspec-{trial.key}") for trial in trials}
        try:
            while pending and not board.stopped:
                try:
                    ready, pending = wait(pending, PATIENCE, "FIRST_COMPLETED")  # type: ignore[no-untyped-call]
                except TimeoutError:
                    continue
                yield from (future.result() for future in ready)
        except KilledWorker as error:
            message = f"the cluster's workers die of a trial: {error}"
            raise ArchspecError("worker-lost", message, hint="look at the workers' memory") from None
        finally:
            client.cancel(list(pending))  # type: ignore[no-untyped-call]


@contextmanager
def stopping(board: Board) -> Iterator[None]:
    """Have the first Ctrl-C, or SIGTERM, stop the trials behind their steps; the second Ctrl-C interrupts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        board.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
