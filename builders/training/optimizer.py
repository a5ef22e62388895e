"""The optimizer of a recipe, and what its learning rate is at every step."""

from __future__ import annotations

import math
from collections.abc import Iterable

from torch import nn, optim

from builders.training.recipe import Settings


def optimizer(parameters: Iterable[nn.Parameter], settings: Settings) -> optim.Optimizer:
    """SGD with momentum, Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019), as torch has them."""
    rate, decay = settings.lr, settings.weight_decay
    if settings.optimizer == "sgd":
        return optim.SGD(parameters, rate, momentum=settings.momentum, weight_decay=decay)
    kind = optim.Adam if settings.optimizer == "adam" else optim.AdamW
    return kind(parameters, rate, betas=settings.betas, weight_decay=decay)


def rate(settings: Settings, step: int, steps: int) -> float:
    """The learning rate of step 1, 2, ... of `steps`.

    cosine: lr/2 (1 + cos(pi (step - 1) / steps)) (Loshchilov & Hutter 2017); step: a tenth behind one half of the
    steps, and a hundredth behind three quarters (as He et al. 2016 do).

    >>> [rate(Settings(lr=1.0, schedule="step"), step, 8) for step in (1, 5, 7)]
    [1.0, 0.1, 0.01]
    """
    done = (step - 1) / steps
    if settings.schedule == "cosine":
        return settings.lr * (1 + math.cos(math.pi * done)) / 2
    if settings.schedule == "step":
        return settings.lr * (0.01 if done >= 0.75 else 0.1 if done >= 0.5 else 1.0)
    return settings.lr
