"""The training loop: what a hand-written loop in torch does, and numbers beside it that cost no further operation."""

from __future__ import annotations

import ctypes
import hashlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils import get_total_norm

from archspec.spec import Spec
from builders.data import Items, Prepared, Stored
from builders.network import Network
from builders.training.curves import Curves
from builders.training.divergence import first_bad_layer
from builders.training.optimizer import optimizer, rate
from builders.training.recipe import Settings

AUXILIARY = 0.3  # what the loss of a training output counts (Szegedy et al. 2015)
EVALUATED = 1000  # examples at once
NUMBERS: dict[torch.dtype, tuple[Any, Any]] = {
    torch.float32: (ctypes.c_float, np.float32),
    torch.int64: (ctypes.c_int64, np.int64),
}
DONE, DIVERGED, STOPPED = "done", "diverged", "stopped"


def derived(*parts: object) -> int:
    """A seed of 63 bits that any other part makes another.

    >>> derived("batches", 0, 1) == derived("batches", 0, 1) != derived("batches", 1, 0)
    True
    """
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


class Training:
    """One network in training: cross-entropy of its output (N, classes), batches shuffled anew in every epoch.

    Order and augmentation of the batches hang on the seed and the number of the epoch or step alone, so that every
    network and initialisation of a seed sees the same batches, and a training that is taken up again sees those that it
    would have seen. The network is changed in place; random layers read torch's global generator.
    """

    def __init__(self, network: Network, spec: Spec, data: Prepared, settings: Settings, seed: int) -> None:
        self.network, self.spec, self.data, self.settings, self.seed = network.train(), spec, data, settings, seed
        self.optimizer = optimizer(network.parameters(), settings)
        self.curves = Curves()
        self.epoch_steps = -(-len(data.train) // settings.batch)
        self.steps = settings.steps_on(len(data.train))
        self.fault: str | None = None  # the layer at which it diverged

    def run(self, watch: Callable[[Training], bool]) -> str:
        """Train to the end, DONE; or until a loss is no number, DIVERGED; or until `watch` says so, STOPPED.

        `watch` is called behind every step and its evaluation.
        """
        if not self.curves.evaluated:
            self.evaluate()
        for inputs, labels in self._batches():
            if not self._step(inputs, labels):
                return DIVERGED
            done = self.curves.steps
            due = done % self.settings.evaluate == 0 or done == self.steps
            if due and not self.evaluate():
                self.fault = first_bad_layer(self.network, self.spec, inputs)
                return DIVERGED
            if watch(self):
                return STOPPED
        return DONE

    def evaluate(self) -> bool:
        """Note loss and accuracy on the validation part, and the norm of the gradients; False where the loss is NaN."""
        loss, accuracy = self.measure(self.data.validation)
        gradients = [weight.grad for weight in self.network.parameters() if weight.grad is not None]
        self.curves.evaluated.append(float(self.curves.steps))
        self.curves.gradient_norm.append(get_total_norm(gradients).item() if gradients else math.nan)
        self.curves.validation_loss.append(loss)
        self.curves.validation_accuracy.append(accuracy)
        return not math.isnan(loss) or not len(self.data.validation)

    def measure(self, items: Items | Stored) -> tuple[float, float]:
        """Mean cross-entropy (nats) and accuracy in evaluation mode; NaN where there are no items."""
        if not len(items):
            return math.nan, math.nan
        loss, right = 0.0, 0
        self.network.eval()
        with torch.no_grad():
            for inputs, labels in items.batches(EVALUATED):
                logits = _outputs(self.network(inputs))[0]
                loss += cross_entropy(logits, labels, reduction="sum").item()
                right += int((logits.argmax(1) == labels).sum())
        self.network.train()
        return loss / len(items), right / len(items)

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches from where the curves end to the last step."""
        augment = self.data.augment
        while self.curves.steps < self.steps:
            epoch, start = divmod(self.curves.steps, self.epoch_steps)
            order = torch.Generator().manual_seed(derived("batches", self.seed, epoch))
            for inputs, labels in self.data.train.batches(self.settings.batch, order, start):
                if augment:
                    numbers = torch.Generator().manual_seed(derived("augment", self.seed, self.curves.steps))
                    inputs = augment(inputs, numbers)
                yield inputs, labels
                if self.curves.steps == self.steps:
                    return

    def _step(self, inputs: Tensor, labels: Tensor) -> bool:
        """One step; False where the loss is no number: the weights are then as they were before the step."""
        self.optimizer.zero_grad()
        logits, *extra = _outputs(self.network(inputs))
        loss = cross_entropy(logits, labels)
        for output in extra:
            loss = loss + AUXILIARY * cross_entropy(output, labels)
        number = float(_memory(loss))
        self.curves.loss.append(number)
        chosen = _memory(logits).argmax(1)
        self.curves.accuracy.append(float((chosen == _memory(labels)).mean()))
        if not math.isfinite(number):
            self.fault = first_bad_layer(self.network, self.spec, inputs)
            return False
        loss.backward()  # type: ignore[no-untyped-call]
        if self.settings.schedule:
            for group in self.optimizer.param_groups:
                group["lr"] = rate(self.settings, self.curves.steps, self.steps)
        self.optimizer.step()
        return True


def _outputs(found: Any) -> list[Tensor]:
    """The output, and behind it those of training."""
    return [value for value in found.values() if value is not None] if isinstance(found, dict) else [found]


def _memory(tensor: Tensor) -> np.ndarray[Any, Any]:
    """The numbers of a tensor where they lie: no operation is issued, as `item`, `argmax` and `detach` would.

    They are valid while the tensor is. One whose numbers do not lie in order is worth an operation.
    """
    if not tensor.is_contiguous():
        return tensor.detach().numpy()
    kind, number = NUMBERS[tensor.dtype]
    return np.frombuffer((kind * tensor.numel()).from_address(tensor.data_ptr()), number).reshape(tensor.shape)
