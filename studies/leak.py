"""A leaking pipeline beside the right one: the same digits, augmented and then split, or split and then augmented.

Copies of one image on both sides make a validation part that says nothing of new images (Kapoor & Narayanan 2023). Each
repetition draws other originals; both pipelines and their test part see the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset, random_split

from archspec.errors import ArchspecError
from archspec.source import read
from builders.data import audit, prepare
from builders.data.augment import parse_augment
from builders.training.cases import Case
from builders.training.recipe import Recipe, read_recipe
from builders.training.study import train
from studies.claims import Claim, equal, interval, leads, sampled
from studies.study import Outcome, Study
from visualize.curves import Axis, Bar, Figure, bars

PARTS = ("training", "validation", "test")
Pair = tuple[Tensor, Tensor]  # images (N, 1, 8, 8) and labels (N,)
Parts = tuple[Dataset[Any], Dataset[Any], Dataset[Any]]


@dataclass(frozen=True)
class Measured:
    """One pipeline in one repetition: accuracies by part, what the audit found, what became of training at first."""

    pipeline: str
    repetition: int
    accuracy: dict[str, float]
    leaks: int
    refused: str

    def gap(self) -> float:
        """How much better validation looks than test is."""
        return self.accuracy["validation"] - self.accuracy["test"]


def run(study: Study) -> Outcome:
    """Both pipelines on the same digits, again and again; the gap between validation and test, and the audit."""
    originals = _digits(study)
    _sizes(study, len(originals[1]))
    with study.place() as place:
        path = place / "mlp.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(study.spec("mlp").source.text, encoding="utf-8")
        found = [
            _measured(study, path, name, repetition, pipeline(study, originals, repetition))
            for repetition in range(study.count("repetitions", 2))
            for name, pipeline in PIPELINES.items()
        ]
    rows = [
        {"pipeline": one.pipeline, "repetition": one.repetition, **one.accuracy, "leaks": one.leaks} for one in found
    ]
    return Outcome(list(_claims(study, found)), {"accuracies": _figure(found)}, {"accuracies": rows})


def _sizes(study: Study, known: int) -> None:
    """Raises ArchspecError where there are fewer digits than are asked for, or none to train on or to validate with."""
    count, share = study.count("originals", 10), study.number("validation", above=0)
    if not 0 < round(share * count) < count:
        message = f"{share:g} of {count} originals leaves none to train on, or none to validate with"
        raise ArchspecError("study-parameter", message, hint="--set validation=0.4")
    if (asked := count + study.count("test", 10)) > known:
        message = f"leak has {known} digits, and originals and test ask for {asked}"
        raise ArchspecError("study-parameter", message, hint="--set originals=100 and --set test=400")


def leaky(study: Study, originals: Pair, repetition: int) -> Parts:
    """Augment first, and split afterwards: copies of one image fall on both sides."""
    chosen, test, numbers = _drawn(study, originals, repetition)
    copies = TensorDataset(*_augmented(study, chosen, numbers))
    share = study.number("validation", above=0)
    kept, held = random_split(copies, [1 - share, share], numbers)
    return kept, held, TensorDataset(*test)


def right(study: Study, originals: Pair, repetition: int) -> Parts:
    """Split first, and augment the training part alone."""
    (images, labels), test, numbers = _drawn(study, originals, repetition)
    held = round(study.number("validation", above=0) * len(labels))
    copies = TensorDataset(*_augmented(study, (images[held:], labels[held:]), numbers))
    return copies, TensorDataset(images[:held], labels[:held]), TensorDataset(*test)


PIPELINES: dict[str, Callable[[Study, Pair, int], Parts]] = {"augment, then split": leaky, "split, then augment": right}
LEAKY, RIGHT = PIPELINES


def _digits(study: Study) -> Pair:
    parts = prepare("digits", study.spec("mlp"))
    three = [part.load() if hasattr(part, "load") else part for part in (parts.train, parts.validation, parts.test)]
    return torch.cat([one.inputs for one in three]), torch.cat([one.labels for one in three])


def _drawn(study: Study, originals: Pair, repetition: int) -> tuple[Pair, Pair, torch.Generator]:
    """The originals of a repetition, the others as its test part, and random numbers for what follows."""
    numbers = torch.Generator().manual_seed(1000 * study.seed + repetition)
    images, labels = originals
    order, count = torch.randperm(len(labels), generator=numbers), study.count("originals", 10)
    own, other = order[:count], order[count : count + study.count("test", 10)]
    return (images[own], labels[own]), (images[other], labels[other]), numbers


def _augmented(study: Study, originals: Pair, numbers: torch.Generator) -> Pair:
    images, labels = originals
    augment, copies = parse_augment(str(study.values.find("augment"))), study.count("copies")
    return torch.cat([augment(images, numbers) for _ in range(copies)]), labels.repeat(copies)


def _measured(study: Study, path: Path, name: str, repetition: int, parts: Parts) -> Measured:
    """Audit and train; where the audit stops the training, train in spite of it."""
    study.say(f"leak: {name}, repetition {repetition + 1} of {study.count('repetitions')}")
    found, refused = audit(*parts[:2], orbit=str(study.values.find("orbit"))), ""
    folder = path.parent / f"{'leaky' if name == LEAKY else 'right'}-{repetition}"
    try:
        accuracy = _trained(study, path, folder, repetition, parts, allow=False)
    except ArchspecError as error:
        refused = error.code
        accuracy = _trained(study, path, folder, repetition, parts, allow=True)
    return Measured(name, repetition, accuracy, found.total, refused)


def _trained(study: Study, path: Path, folder: Path, repetition: int, parts: Parts, allow: bool) -> dict[str, float]:
    recipe = _recipe(study, path, repetition, allow)
    (result,) = train(recipe, folder, say=lambda _: None, data=parts).results
    curves = result.curves
    last = curves.accuracy[-20:]
    return dict(zip(PARTS, (fmean(last), curves.final(), result.test), strict=True))


def _recipe(study: Study, path: Path, repetition: int, allow: bool) -> Recipe:
    options = {
        "seeds": f"[{repetition}]",
        "steps": str(study.count("steps")),
        "orbit": str(study.values.find("orbit")),
        "allow_leak": "yes" if allow else "no",
    }
    return read_recipe(study.text.recipe, {key: read(text, key) for key, text in options.items()}, (Case(str(path)),))


def _claims(study: Study, found: Sequence[Measured]) -> Iterator[Claim]:
    leaking, clean = ([one for one in found if one.pipeline == name] for name in (LEAKY, RIGHT))
    yield leads(f"{LEAKY}: validation - test accuracy", [one.gap() for one in leaking])
    yield _unbiased(study, clean)
    count = f"{len(leaking)} of {len(leaking)}"
    for name, runs, wanted in ((LEAKY, leaking, count), (RIGHT, clean, f"0 of {len(clean)}")):
        audited = sum(one.leaks > 0 for one in runs)
        yield equal(f"{name}: repetitions in which the audit finds copies", wanted, f"{audited} of {len(runs)}")
        refused = sum(one.refused == "leak" for one in runs)
        yield equal(f"{name}: trainings that `leak` stops", wanted, f"{refused} of {len(runs)}")


def _unbiased(study: Study, clean: Sequence[Measured]) -> Claim:
    """Validation and test digits are drawn alike: their shares differ with variance p (1 - p) (1 / n + 1 / m)."""
    right = fmean(one.accuracy["test"] for one in clean)
    validated = round(study.number("validation") * study.count("originals")) * len(clean)
    tested = study.count("test") * len(clean)
    error = sqrt(right * (1 - right) * (1 / validated + 1 / tested))
    gap = fmean(one.gap() for one in clean)
    return sampled(f"{RIGHT}: validation - test accuracy", 0.0, gap, error, f"{validated} validation digits")


def _figure(found: Sequence[Measured]) -> Figure:
    drawn = []
    for name in PIPELINES:
        for part in PARTS:
            values = [one.accuracy[part] for one in found if one.pipeline == name]
            mean, half = interval(values, 0.95)
            drawn.append(Bar(part, mean, name, mean - half, mean + half))
    title = "Accuracy where copies leak, and where they do not (lines: 95 % intervals)"
    return bars(drawn, Axis("part", None), Axis("accuracy", None, low=0), title=title)
