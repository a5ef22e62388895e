"""What a training measures: columns of numbers, one entry for every step or for every evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass
class Curves:
    """The numbers of one training.

    `loss` (nats) and `accuracy` are those of the training batch, one for every step. The others have one entry for
    every evaluation, each behind the step that `evaluated` names: 0 is the network as it was initialised.
    `gradient_norm` is the Euclidean norm of all gradients of that step together; step 0 has none (NaN).
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    evaluated: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.loss)

    def final(self) -> float:
        """The validation accuracy behind the last step; NaN where there is no such evaluation."""
        complete = bool(self.evaluated) and self.evaluated[-1] == self.steps
        return self.validation_accuracy[-1] if complete else math.nan

    def best(self) -> float:
        """The highest validation accuracy."""
        return max(self.validation_accuracy, default=math.nan)

    def reached(self, share: float) -> int | None:
        """The first evaluated step whose validation accuracy is at least `share`."""
        pairs = zip(self.evaluated, self.validation_accuracy, strict=True)
        return next((int(step) for step, accuracy in pairs if accuracy >= share), None)

    def tensors(self) -> dict[str, Tensor]:
        """Every column as a tensor (n,) of float64."""
        return {name: torch.tensor(column, dtype=torch.float64) for name, column in asdict(self).items()}

    @classmethod
    def of(cls, columns: dict[str, Tensor]) -> Curves:
        """The curves that `tensors` gave."""
        return cls(**{name: column.tolist() for name, column in columns.items()})

    def to_dict(self) -> dict[str, list[float | None]]:
        """Plain values for JSON, to the last bit; what is not finite is null."""
        return {name: [v if math.isfinite(v) else None for v in column] for name, column in vars(self).items()}

    @classmethod
    def from_dict(cls, columns: Mapping[str, Sequence[float | None]]) -> Curves:
        """The curves that `to_dict` gave; null is NaN."""
        return cls(**{name: [math.nan if v is None else float(v) for v in column] for name, column in columns.items()})

    def rows(self) -> list[dict[str, Any]]:
        """A row for every step, with the numbers of its evaluation where there was one."""
        names = ("gradient_norm", "validation_loss", "validation_accuracy")
        columns = zip(*(getattr(self, name) for name in names), strict=True)
        pairs = zip(self.evaluated, columns, strict=True)
        found = {int(step): dict(zip(names, cells, strict=True)) for step, cells in pairs}
        batches = enumerate(zip(self.loss, self.accuracy, strict=True), 1)
        trained = {step: {"loss": loss, "accuracy": accuracy} for step, (loss, accuracy) in batches}
        steps = sorted({*found, *trained})
        return [{"step": step, **trained.get(step, {}), **found.get(step, {})} for step in steps]
