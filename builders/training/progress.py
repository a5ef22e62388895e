"""How far a study is, on standard error: a bar where a terminal shows it, else a line from time to time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from builders.training.board import Board

OFTEN, SELDOM = 0.25, 30.0  # seconds between looks for a bar, and between lines


class Pace:
    """The steps of a study, and the time left at the pace that was measured over all trials since the start."""

    def __init__(self, board: Board, total: int, trials: int, ended: int = 0) -> None:
        self.board, self.total, self.trials, self.ended = board, total, trials, ended
        self._start = time.monotonic()

    def text(self) -> str:
        """Trials, steps a second, time left at this pace; or that a stop was asked for."""
        done, taken = self.board.steps()
        pace = taken / max(time.monotonic() - self._start, 1e-9)
        left = f", {_time((self.total - done) / pace)} left" if taken else ""
        if self.board.stopped:
            left = ", stopping"
        return f"{self.ended}/{self.trials} trials, {done:,}/{self.total:,} steps, {pace:.0f} steps/s{left}"


@contextmanager
def shown(pace: Pace) -> Iterator[None]:
    """Show the pace while the block runs."""
    console = Console(stderr=True)
    end = threading.Event()
    drawn = BarColumn(bar_width=20), TextColumn("{task.description}")
    with Progress(*drawn, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=pace.total)

        def follow() -> None:
            while not end.wait(OFTEN if console.is_terminal else SELDOM):
                bar.update(task, completed=pace.board.steps()[0], description=pace.text())
                if not console.is_terminal:
                    console.print(pace.text(), highlight=False, soft_wrap=True)

        follower = threading.Thread(target=follow, daemon=True)
        follower.start()
        try:
            yield
        finally:
            end.set()
            follower.join()
            bar.update(task, completed=pace.board.steps()[0], description=pace.text())


def _time(seconds: float) -> str:
    """Seconds, minutes or hours.

    >>> _time(42), _time(200), _time(9000)
    ('42 s', '3 min 20 s', '2 h 30 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
