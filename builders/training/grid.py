"""Where trials are run: in processes of this machine, or on a dask cluster. Results come as they are ready."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType
from typing import Any

from archspec.errors import ArchspecError
from builders.training.board import Board
from builders.training.recipe import Running
from builders.training.signals import handling
from builders.training.trial import Post, Result, Trial, run_trial

ATTEMPTS = 3  # after processes that were killed, without a trial finished between
PATIENCE = 0.5  # seconds between looks at whether to stop
ANSWER = 10  # seconds that a scheduler has to answer


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
        for result in _processes(list(left.values()), running.jobs, board):
            del left[result.key]
            yield result
        lost = lost + 1 if len(left) == before else 0
    if left and not board.stopped:
        message = f"processes were killed again and again, and {len(left)} trials are left: memory may be short"
        raise ArchspecError("worker-lost", message, hint="run the same command again with fewer --jobs")


def _processes(tasks: Sequence[tuple[Trial, Post]], jobs: int, board: Board) -> Iterator[Result]:
    """Results until all are there, or until a process is killed.

    Processes are started deaf to Ctrl-C, which reaches them before they are ready for it: this one tells them to stop.
    """
    import joblib  # type: ignore[import-untyped]
    from joblib.externals.loky import process_executor as loky  # type: ignore[import-untyped]

    threads = tasks[0][0].settings.threads
    several = {"backend": "loky", "inner_max_num_threads": threads} if jobs > 1 else {"backend": "sequential"}
    with joblib.parallel_config(**several):
        parallel = joblib.Parallel(n_jobs=min(jobs, len(tasks)), return_as="generator_unordered", batch_size=1)
        with handling({signal.SIGINT: signal.SIG_IGN}):
            results = parallel(joblib.delayed(run_trial)(trial, post) for trial, post in tasks)
        try:
            yield from results
        except loky.BrokenProcessPool as error:
            if not board.stopped and not isinstance(error, loky.TerminatedWorkerError):
                raise


def _cluster(trials: Sequence[Trial], running: Running, board: Board) -> Iterator[Result]:
    """Results from the workers of a dask scheduler, which gives the trials of a killed worker to another."""
    from distributed import CancelledError, Client, KilledWorker, wait

    try:
        client = Client(running.scheduler, timeout=ANSWER, set_as_default=False)  # type: ignore[no-untyped-call]
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
                    _manned(client, running.scheduler)
                    continue
                yield from (future.result() for future in ready)
        except CancelledError:
            message = f"the dask scheduler at {running.scheduler} is gone"
            raise ArchspecError("scheduler", message, hint="the same command goes on when it is back") from None
        except (KilledWorker, ImportError, OSError, RuntimeError) as error:
            message = f"the cluster's workers cannot run a trial: {error.__cause__ or error}"
            hint = "the same archspec-nn[train,cluster] on scheduler and workers, and memory; their logs say more"
            raise ArchspecError("worker-lost", message, hint=hint) from None
        finally:
            client.cancel(list(pending))  # type: ignore[no-untyped-call]


def _manned(client: Any, address: str | None) -> None:
    """Raise ArchspecError where the scheduler has no workers for a while: it would wait for them for ever."""
    try:
        client.wait_for_workers(1, ANSWER)
    except TimeoutError:
        message, hint = f"the dask scheduler at {address} has no workers", f"dask worker {address} --nthreads 1"
        raise ArchspecError("scheduler", message, hint=hint) from None


def stopping(board: Board) -> AbstractContextManager[None]:
    """Have the first Ctrl-C, or SIGTERM, stop the trials behind their steps; the second Ctrl-C interrupts."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        board.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    return handling({signal.SIGINT: stop, signal.SIGTERM: stop})
