"""One trial: a network under one initialisation and one seed, trained in whatever process it finds itself in."""

from __future__ import annotations

import hashlib
import json
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from archspec.choices import Choices
from archspec.document import parse_document
from archspec.errors import ArchspecError
from archspec.spec import Spec
from archspec.spec import build as elaborated
from builders.build import build
from builders.data import Prepared, prepare
from builders.data.prepare import Data
from builders.initialize import initialize, parse_scheme
from builders.threads import threads
from builders.training.board import Board
from builders.training.checkpoint import resume, write_checkpoint
from builders.training.curves import Curves
from builders.training.loop import DONE, STOPPED, Training, derived
from builders.training.recipe import Settings, plain_settings
from builders.training.signals import handling

FAILED = "failed"
PROGRESS = "progress"  # the file of the board
FORMAT = 1
_alone = threading.Lock()  # trials share torch's random state and number of threads


@dataclass(frozen=True)
class Trial:
    """What one trial is made from; `key` names it by all that its numbers depend on."""

    label: str
    source: str
    text: str
    choices: str  # as JSON
    scheme: str
    seed: int
    settings: Settings
    prepared: Prepared | None = field(default=None, compare=False, repr=False)  # data that has no name

    @property
    def key(self) -> str:
        parts = (self.text, self.choices, self.scheme, self.seed, plain_settings(self.settings))
        return hashlib.sha256(json.dumps([FORMAT, *parts], sort_keys=True).encode()).hexdigest()[:20]

    def spec(self) -> Spec:
        return _spec(self.text, self.source, self.choices)

    def data(self) -> Prepared:
        """The data, split by the study's seed: the same in all trials of a network."""
        return self.prepared or _data(self.text, self.source, self.choices, self.settings)

    def __str__(self) -> str:
        return f"{self.label}, {self.scheme}, seed {self.seed}"


@dataclass(frozen=True)
class Result:
    """What became of a trial: DONE, DIVERGED, STOPPED or FAILED, its curves and the accuracy on the test part."""

    key: str
    label: str
    scheme: str
    seed: int
    status: str
    curves: Curves
    test: float
    seconds: float
    fault: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        test = None if math.isnan(self.test) else self.test
        return {**vars(self), "test": test, "seconds": round(self.seconds, 3), "curves": self.curves.to_dict()}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Result:
        """The result that `to_dict` wrote; raises LookupError, TypeError, ValueError or AttributeError for others."""
        test = math.nan if found["test"] is None else float(found["test"])
        return cls(**{**found, "curves": Curves.from_dict(found["curves"]), "test": test})


@dataclass(frozen=True)
class Post:
    """Where a trial tells how far it is and keeps its checkpoints: a folder, its place on the board there."""

    folder: Path
    place: int
    parent: int  # the process that asked for it
    checkpoint: float  # seconds from one to the next


def run_trial(trial: Trial, post: Post | None = None) -> Result:
    """Train; on from its checkpoint if there is one. An error in the spec or too little memory is a result, FAILED."""
    start = time.perf_counter()
    with _alone, _deaf(post), _machine(trial):
        watch = _Watch(post, trial.key) if post else None
        if watch and watch.ended():
            return _result(trial, STOPPED)
        try:
            training = _begun(trial)
            status = training.run(watch.over(training) if watch else lambda _: False)
        except (ArchspecError, RuntimeError, MemoryError) as error:
            return _result(trial, FAILED, fault=str(error) or type(error).__name__)
        test = training.measure(training.data.test)[1] if status == DONE else math.nan
    return _result(trial, status, training.curves, test, time.perf_counter() - start, training.fault)


def _result(
    trial: Trial,
    status: str,
    curves: Curves | None = None,
    test: float = math.nan,
    seconds: float = 0.0,
    fault: str | None = None,
) -> Result:
    names = trial.key, trial.label, trial.scheme, trial.seed
    return Result(*names, status, curves or Curves(), test, seconds, fault)


def _begun(trial: Trial) -> Training:
    """The network, initialised, with its data."""
    spec, data = trial.spec(), trial.data()
    network = build(spec)
    scheme = parse_scheme(trial.scheme)
    order = torch.Generator().manual_seed(derived("batches", trial.seed, 0))
    first = next(data.train.batches(trial.settings.batch, order))[0]
    initialize(network, scheme, trial.seed, dict(trial.settings.overrides), batch=first)
    torch.manual_seed(derived("layers", trial.seed))
    return Training(network, spec, data, trial.settings, trial.seed)


def checkpoint_of(folder: Path, key: str) -> Path:
    """Where a trial keeps its checkpoint."""
    return folder / "checkpoints" / key


class _Watch:
    """Tells the board of every step, and writes a checkpoint when it is time or when all should stop."""

    def __init__(self, post: Post, key: str) -> None:
        self._post, self._path, self._key = post, checkpoint_of(post.folder, key), key
        self._board = Board(post.folder / PROGRESS)
        self._written = time.monotonic()

    def over(self, training: Training) -> _Watch:
        """Take the training up at its checkpoint, if there is one, and tell where it begins."""
        resume(self._path, training, self._key)
        self._board.begin(self._post.place, training.curves.steps)
        return self

    def ended(self) -> bool:
        """Whether the study was stopped. Where its process is no more, nobody reads a result, and this one ends too."""
        if self._post.parent not in (os.getpid(), os.getppid()):
            os._exit(1)
        return self._board.stopped

    def __call__(self, training: Training) -> bool:
        self._board.tell(self._post.place, training.curves.steps)
        if training.curves.steps == training.steps:
            return False
        if self._board.stopped or time.monotonic() - self._written >= self._post.checkpoint:
            write_checkpoint(self._path, training, self._key)
            self._written = time.monotonic()
        return self.ended()


@contextmanager
def _machine(trial: Trial) -> Iterator[None]:
    """The number of threads that the recipe says, and a random state that the caller does not share."""
    with torch.random.fork_rng(devices=[]), threads(trial.settings.threads):
        yield


def _deaf(post: Post | None) -> AbstractContextManager[None]:
    """In a worker process, Ctrl-C is left to the process that shares the work out: it says when to stop."""
    if post is None or post.parent == os.getpid():
        return nullcontext()
    return handling({signal.SIGINT: signal.SIG_IGN})


@lru_cache(maxsize=16)
def _spec(text: str, source: str, choices: str) -> Spec:
    return elaborated(parse_document(text, source), Choices.from_dict(json.loads(choices)))


@lru_cache(maxsize=4)
def _data(text: str, source: str, choices: str, settings: Settings) -> Prepared:
    return prepared(settings.data, _spec(text, source, choices), settings)


def prepared(data: Data, spec: Spec, settings: Settings) -> Prepared:
    """The data as the settings split and augment it."""
    validation, test, augment = settings.validation, settings.test, settings.augment
    return prepare(data, spec, seed=settings.split_seed, validation=validation, test=test, augment=augment)
