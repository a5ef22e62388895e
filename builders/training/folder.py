"""The folder of a study: its lock, its finished trials one per line, and the files that say what was run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from archspec.errors import ArchspecError
from archspec.files import replacing
from archspec.source import read
from builders.training.checkpoint import sync_folder
from builders.training.recipe import Recipe, plain_settings, read_recipe
from builders.training.trial import Result, Trial, checkpoint_of

TRIALS, RECIPE, LOCK = "trials.jsonl", "recipe.yaml", "lock"


class Folder:
    """A study's folder, held by one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def usable(self) -> None:
        """Raise ArchspecError where no such folder can be made, before anything that takes long."""
        there = next(path for path in (self.path, *self.path.absolute().parents) if path.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            what = "is no folder" if not there.is_dir() else "cannot be written to"
            message = f"cannot use {self.path}: {'it' if there == self.path else there} {what}"
            raise ArchspecError("unwritable", message, hint="choose another folder with -o")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder and hold it while the block runs; raises ArchspecError where another process does.

        The system frees the lock when the process ends, however it ends. An OSError of the block is raised as one too.
        """
        try:
            (self.path / "checkpoints").mkdir(parents=True, exist_ok=True)
            with (self.path / LOCK).open("a+b") as file:
                self._hold(file.fileno())
                yield
        except OSError as error:
            message = f"cannot use {error.filename or self.path}: {error.strerror or error}"
            hint = "make room and run the same command again, or choose another folder with -o"
            raise ArchspecError("unwritable", message, hint=hint) from None

    def _hold(self, handle: int) -> None:
        try:
            _lock(handle)
        except OSError:
            message = f"another process trains in {self.path}"
            raise ArchspecError("run-locked", message, hint="wait for it, or choose another folder with -o") from None

    def adopt(self, recipe: Recipe) -> None:
        """Keep the recipe; raises ArchspecError where the folder holds trials under other settings.

        Networks, initialisations and seeds may be others: their trials are added.
        """
        path = self.path / RECIPE
        if path.exists() and self.begun():
            before = plain_settings(read_recipe(read(path.read_bytes(), str(path))).settings)
            now = plain_settings(recipe.settings)
            keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
            if keys:
                key = keys[0]
                message = f"{self.path} holds trials of other settings: {key} is {_said(before, key)} there"
                hint = "choose another folder with -o, or delete this one"
                error = ArchspecError("run-differs", f"{message}, and {_said(now, key)} here", hint=hint)
                raise recipe.at(key, error)
        self.write(RECIPE, replace(recipe, running=replace(recipe.running, output=None)).text)

    def begun(self) -> bool:
        """Whether a trial is finished, or has a checkpoint."""
        return bool(self.results()) or any((self.path / "checkpoints").glob("[!.]*"))

    def results(self) -> dict[str, Result]:
        """The finished trials by key. A line that is torn, or is none of ours, counts as none."""
        path = self.path / TRIALS
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        found = {}
        for line in lines:
            try:
                result = Result.from_dict(json.loads(line))
            except (ValueError, LookupError, TypeError, AttributeError):
                continue
            found[result.key] = result
        return found

    def append(self, result: Result, trial: Trial) -> None:
        """Add a finished trial, on disk when this returns; its checkpoint is no longer needed."""
        path = self.path / TRIALS
        with path.open("ab") as file:
            file.write(json.dumps(result.to_dict(), allow_nan=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.path)
        checkpoint_of(self.path, trial.key).unlink(missing_ok=True)

    def sweep(self, trials: Iterable[Trial]) -> None:
        """Delete what a process that was killed left: drafts, checkpoints of these finished trials, a torn line."""
        path = self.path / TRIALS
        if path.exists():
            with path.open("r+b") as file:
                file.truncate(file.read().rfind(b"\n") + 1)
        for draft in (self.path / "checkpoints").glob(".*"):
            draft.unlink(missing_ok=True)
        for trial in trials:
            checkpoint_of(self.path, trial.key).unlink(missing_ok=True)

    def read(self, name: str) -> dict[str, Any]:
        """What a JSON file holds; nothing where there is none, or it was spoilt."""
        try:
            found = json.loads((self.path / name).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, name: str, content: str) -> None:
        """Write a text file whole."""
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as draft:
            draft.write_text(content, encoding="utf-8")


def _said(settings: dict[str, object], key: str) -> str:
    return str(settings.get(key, "not given"))


def _lock(handle: int) -> None:
    """Take the lock of an open file, or raise OSError at once."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
