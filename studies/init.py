"""Nine convolutions with ReLU and with sigmoid under zeros, Xavier and He: which curve belongs to which scheme.

Each scheme sees the same batches for the same seed, so that schemes are compared in pairs (Glorot & Bengio 2010, He et
al. 2015). A scheme leads where its validation accuracy, averaged over all evaluations of the training, is higher.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import nan
from pathlib import Path
from statistics import fmean

import torch

from archspec.source import read
from builders.data import prepare
from builders.training.cases import Case
from builders.training.recipe import Recipe, read_recipe
from builders.training.study import train
from builders.training.summary import groups
from builders.training.trial import Result
from studies.claims import Claim, at_most, leads
from studies.study import Outcome, Study
from visualize.curves import Axis, Figure, Series, lines

ZEROS, XAVIER, EXTENDED, HE = "zeros", "Xavier", "Xavier with gain 4", "He"
NAMES = {
    "zeros": ZEROS,
    "xavier-normal": XAVIER,
    "xavier-normal(gain=1)": XAVIER,
    "xavier-normal(gain=4)": EXTENDED,
    "he-normal": HE,
}
TITLES = {"relu": "ReLU", "sigmoid": "sigmoid"}
ORDERINGS = (
    ("relu", HE, XAVIER),
    ("relu", XAVIER, ZEROS),
    ("sigmoid", EXTENDED, HE),
    ("sigmoid", EXTENDED, XAVIER),
    ("sigmoid", HE, XAVIER),
    ("sigmoid", HE, ZEROS),
)
Runs = Mapping[str, Sequence[Result]]  # by the name of a scheme, a result for each seed


def run(study: Study) -> Outcome:
    """Train both networks under every scheme and seed: zeros at chance, orderings as paired differences."""
    chance = _chance(study)
    with study.place() as place:
        found = {name: _trained(study, name, place) for name in TITLES}
    claims = [*_zeros(found, chance), *_orderings(found)]
    return Outcome(claims, {"curves": _figure(found)}, {"curves": _rows(found)})


def _trained(study: Study, name: str, place: Path) -> Runs:
    study.say(f"init: {TITLES[name]}")
    found = train(_recipe(study, name), place / name, say=study.say, shown=study.progress)
    return {_called(name, scheme): group for (_, scheme), group in groups(found.results).items()}


def _called(name: str, scheme: str) -> str:
    """What claims and curves call a scheme; Xavier without a gain takes the activation's, 4 for sigmoid."""
    return EXTENDED if (name, scheme) == ("sigmoid", "xavier-normal") else NAMES.get(scheme, scheme)


def _recipe(study: Study, name: str) -> Recipe:
    count = study.count(f"{name}_seeds", 2)
    options = {
        "init": str([str(one) for one in study.listing(f"{name}_init")]),
        "seeds": str([study.seed * count + seed for seed in range(count)]),
        "steps": str(study.count(f"{name}_steps")),
        "lr": str(study.number("lr", above=0)),
        "jobs": str(study.jobs),
    }
    given = {key: read(text, key) for key, text in options.items()}
    return read_recipe(study.text.recipe, given, (Case(f"deep-{name}"),))


def _chance(study: Study) -> float:
    """The largest share of a class in the validation part: what an answer that is always the same can reach."""
    labels = prepare("digits", study.spec("relu")).validation.labels
    return float(torch.bincount(labels).max()) / len(labels)


def _zeros(found: Mapping[str, Runs], chance: float) -> Iterator[Claim]:
    for name, runs in found.items():
        if ZEROS not in runs:
            continue
        best = max(one.curves.best() for one in runs[ZEROS])
        statement = f"{TITLES[name]}: zeros stays at chance, the largest class's share"
        yield at_most(statement, chance, best, "best of all evaluations")


def _orderings(found: Mapping[str, Runs]) -> Iterator[Claim]:
    """Who leads whom, of the schemes that were trained."""
    for name, first, second in ORDERINGS:
        runs = found[name]
        if first in runs and second in runs:
            pairs = zip(runs[first], runs[second], strict=True)
            statement = f"{TITLES[name]}: {first} leads {second}, mean validation accuracy"
            yield leads(statement, [_mean(one) - _mean(other) for one, other in pairs])


def _mean(result: Result) -> float:
    """Validation accuracy over all evaluations; NaN, which no claim holds for, where the training diverged."""
    accuracies = result.curves.validation_accuracy
    return fmean(accuracies) if result.fault is None else nan


def _figure(found: Mapping[str, Runs]) -> Figure:
    series = [
        Series(scheme, group[0].curves.evaluated, [one.curves.validation_accuracy for one in group], TITLES[name])
        for name, runs in found.items()
        for scheme, group in runs.items()
    ]
    y = Axis("validation accuracy", None, low=0, high=1)
    return lines(series, Axis("step", None), y, title="Nine convolutions on 8x8 digits, Adam")


def _rows(found: Mapping[str, Runs]) -> list[dict[str, object]]:
    return [
        {"network": name, "init": scheme, "seed": one.seed, "step": int(step), "validation_accuracy": accuracy}
        for name, runs in found.items()
        for scheme, group in runs.items()
        for one in group
        for step, accuracy in zip(one.curves.evaluated, one.curves.validation_accuracy, strict=True)
    ]
