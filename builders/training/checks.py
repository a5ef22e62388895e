"""What is checked before the first trial: networks, data, a first step, and the audit for leaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from archspec.errors import ArchspecError
from archspec.spec import Spec
from builders.build import build
from builders.data import Items, Prepared, audit
from builders.data.orbit import parse_orbit
from builders.initialize import initialize
from builders.network import Network
from builders.training.environment import fingerprint
from builders.training.recipe import Recipe
from builders.training.trial import Trial

DECIDES = {"split": "validation", "augment": "augment"}  # the key that an error belongs to, if not `data`
Say = Callable[[str], None]


def checked(recipe: Recipe, trials: Sequence[Trial], clean: dict[str, str], say: Say) -> dict[str, Prepared]:
    """The data of each network by its label, audited; raises ArchspecError where something does not fit."""
    found: dict[str, Prepared] = {}
    try:
        parse_orbit(recipe.running.orbit)
    except ArchspecError as error:
        raise recipe.at("orbit", error) from None
    for trial in {trial.label: trial for trial in trials}.values():
        _trainable(trial.spec())
        try:
            found[trial.label] = data = trial.data()
        except ArchspecError as error:
            raise recipe.at(DECIDES.get(error.code, "data"), error) from None
        for line in data.said:
            say(f"{trial.label}: {line}")
        _begins(recipe, trial, data)
        _audited(recipe, trial.label, data, clean, say)
    return found


def _audited(recipe: Recipe, label: str, data: Prepared, clean: dict[str, str], say: Say) -> None:
    """Raise ArchspecError where parts hold copies of each other, unless the recipe goes on.

    `clean` holds the audits of data that was found to be clean, and is added to. Data that is not in memory is audited
    anew: no hash says that it is the same.
    """
    key = f"{fingerprint(data)['sha256']} {recipe.running.orbit}"
    if key in clean:
        say(f"{label}: leak audit of the same data before: clean")
        return
    leaks = audit(data.train, data.validation, data.test, orbit=recipe.running.orbit)
    say(f"{label}: {leaks}")
    if not leaks.findings:
        if isinstance(data.train, Items):
            clean[key] = str(leaks)
    elif recipe.running.allow_leak:
        say(f"{label}: trained in spite of the leak; accuracies on copies say nothing of new data")
    else:
        leaks.raise_any()


def _begins(recipe: Recipe, trial: Trial, data: Prepared) -> None:
    """Raise ArchspecError where the network cannot be initialised, or cannot take a step on its data."""
    inputs, _ = next(data.train.batches(2))
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        network = build(trial.spec())
        for scheme in recipe.init:
            try:
                initialize(network, scheme, 0, dict(recipe.settings.overrides), batch=inputs)
            except ArchspecError as error:
                raise recipe.at("overrides" if error.code == "unmatched-pattern" else "init", error) from None
        network(inputs)
        if len(data.train) % recipe.settings.batch == 1 or recipe.settings.batch == 1:
            _takes_one(recipe, network, inputs[:1])


def _takes_one(recipe: Recipe, network: Network, inputs: Tensor) -> None:
    """Raise ArchspecError where the network, as those with BN, cannot train on a batch of one item."""
    try:
        network(inputs)
    except ArchspecError as error:
        message = f"the last batch of an epoch is a single item: {error.diagnostics[0].message}"
        raise recipe.at("batch", ArchspecError("recipe-value", message, hint="another size of batches")) from None


def _trainable(spec: Spec) -> None:
    """Raise ArchspecError unless the network reads one input and gives one vector, a logit for each class."""
    first, *more = spec.layers.inputs.values()
    if more:
        message = f"{spec.title} reads {1 + len(more)} inputs, and the items of a data set are one each"
        raise ArchspecError("untrainable", message, more[0].span, "give the network one input")
    outputs, extra = spec.layers.outputs.values(), spec.layers.training_outputs.values()
    first, *more = ends = [*outputs, *extra]
    vectors = first.shape.channels and not any(node.shape.spatial for node in ends)
    if len(outputs) != 1 or not vectors or any(node.shape != first.shape for node in more):
        given = ", ".join(str(node.shape) for node in ends)
        message = f"{spec.title} gives {given}: training takes one vector, a logit for each class"
        raise ArchspecError("untrainable", message, first.span, "end in one: GAP, FC-10")
    if squashed := next((node for node in ends if node.layer.distribution), None):
        message = f"{spec.title} ends in {squashed.layer}, and so does the loss: cross-entropy takes logits"
        hint = f"leave {squashed.layer} out: the class with the largest logit is that with the largest probability"
        raise ArchspecError("untrainable", message, squashed.span, hint)
