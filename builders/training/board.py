"""What the processes of a study tell each other: how far each trial is, and that all should stop."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

ENTRY = struct.Struct("<qq")  # the steps that a trial had when it was begun here, and those that it has now


class Board:
    """A small file in the memory of all processes: a flag to stop, then the steps of each trial."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 0)

    @classmethod
    def create(cls, path: Path, trials: int) -> Board:
        """A new board; the processes of an earlier run keep theirs."""
        path.unlink(missing_ok=True)
        path.write_bytes(bytes(ENTRY.size * (trials + 1)))
        return cls(path)

    @property
    def stopped(self) -> bool:
        return self._shared[0] != 0

    def stop(self) -> None:
        """Have every trial stop behind its step."""
        self._shared[0] = 1

    def begin(self, trial: int, steps: int) -> None:
        """A trial begins, or goes on, behind so many steps."""
        ENTRY.pack_into(self._shared, ENTRY.size * (trial + 1), steps, steps)

    def tell(self, trial: int, steps: int) -> None:
        """A trial has taken so many steps."""
        begun, _ = ENTRY.unpack_from(self._shared, ENTRY.size * (trial + 1))
        ENTRY.pack_into(self._shared, ENTRY.size * (trial + 1), begun, steps)

    def end(self, trial: int, steps: int, skipped: int) -> None:
        """A trial of so many steps has ended; those that it skipped were not taken."""
        begun, _ = ENTRY.unpack_from(self._shared, ENTRY.size * (trial + 1))
        ENTRY.pack_into(self._shared, ENTRY.size * (trial + 1), min(begun + skipped, steps), steps)

    def steps(self) -> tuple[int, int]:
        """The steps of all trials, and those among them that were taken since this board was made."""
        entries = list(ENTRY.iter_unpack(self._shared[ENTRY.size :]))
        return sum(now for _, now in entries), sum(now - begun for begun, now in entries)
