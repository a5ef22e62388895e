"""A study from its recipe to its results: networks, data and audit are checked first, then all trials are run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from archspec import bundle
from archspec.choices import Choices
from archspec.document import parse_document
from archspec.errors import ArchspecError
from archspec.spec import Spec
from archspec.spec import build as elaborated
from builders.build import build
from builders.data import Items, Prepared, audit
from builders.data.prepare import Data
from builders.initialize import initialize
from builders.training.board import Board
from builders.training.cases import Case
from builders.training.environment import environment, fingerprint
from builders.training.folder import Folder
from builders.training.grid import run_grid, stopping
from builders.training.loop import STOPPED
from builders.training.progress import Pace
from builders.training.recipe import Recipe
from builders.training.results import write_results
from builders.training.trial import FAILED, PROGRESS, Result, Trial, prepared

ENVIRONMENT, AUDITS = "environment.json", "audits.json"
UNNAMED = "given in Python"
DECIDES = {"split": "validation", "augment": "augment"}  # the key that an error belongs to, if not `data`
Say = Callable[[str], None]
Shown = Callable[[Pace], AbstractContextManager[None]]


@dataclass(frozen=True)
class Study:
    """What became of a study: results in the order of the recipe, trials that failed, trials that are left."""

    recipe: Recipe
    folder: Path
    results: tuple[Result, ...]
    failed: tuple[Result, ...]
    left: int


def train(
    recipe: Recipe, folder: str | Path, say: Say = print, shown: Shown | None = None, *, data: Data | None = None
) -> Study:
    """Run the trials of a recipe that the folder does not hold yet, and write what all of them found.

    Everything is checked before the first trial: networks, data, and the audit for leaks. Killed at any moment and
    called again, it ends with the same numbers. `data` takes the place of the recipe's: a torch Dataset, or two or
    three that are split already. Raises ArchspecError.
    """
    place = Folder(Path(folder))
    if data is not None:
        recipe = replace(recipe, settings=replace(recipe.settings, data=UNNAMED))
    trials = trials_of(recipe) if data is None else _given(trials_of(recipe), data)
    clean = place.read(AUDITS)
    parts = _checked(recipe, trials, clean, say)
    with place.locked():
        place.adopt(recipe)
        place.write(AUDITS, json.dumps(clean, indent=2) + "\n")
        _environment(place, trials, parts, say)
        failed = _run(recipe, place, trials, parts, say, shown)
        known = place.results()
        results = tuple(known[trial.key] for trial in trials if trial.key in known)
        if results:
            write_results(place, results)
    return Study(recipe, place.path, results, tuple(failed), len(trials) - len(results) - len(failed))


def trials_of(recipe: Recipe) -> list[Trial]:
    """Every network under every initialisation and seed; raises ArchspecError for what cannot be read."""
    found = []
    for case in recipe.specs:
        text, name, choices = _read(recipe, case)
        for scheme in recipe.init:
            found += [Trial(case.label, name, text, choices, scheme, seed, recipe.settings) for seed in recipe.seeds]
    return found


def _given(trials: Sequence[Trial], data: Data) -> list[Trial]:
    """The trials with data that a caller gives, prepared once for each network."""
    parts: dict[str, Prepared] = {}
    for trial in trials:
        if trial.label not in parts:
            parts[trial.label] = prepared(data, trial.spec(), trial.settings)
    return [replace(trial, prepared=parts[trial.label]) for trial in trials]


def _read(recipe: Recipe, case: Case) -> tuple[str, str, str]:
    """The text of a spec, its name and the choices; elaborated once, so that its errors come first."""
    try:
        raw, name, bundled = bundle.read_spec(case.spec)
    except ArchspecError as error:
        raise recipe.at("specs", error) from None
    chosen = case.choices
    choices = Choices(chosen.variant or bundled, chosen.variables, chosen.inputs, chosen.limit)
    document = parse_document(raw, name)
    elaborated(document, choices)
    return document.layers.place.span.source.text, Path(name).name, json.dumps(choices.to_dict())


def _checked(recipe: Recipe, trials: Sequence[Trial], clean: dict[str, str], say: Say) -> dict[str, Prepared]:
    """The data of each network by its label, audited; raises ArchspecError where something does not fit."""
    found: dict[str, Prepared] = {}
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
    try:
        leaks = audit(data.train, data.validation, data.test, orbit=recipe.running.orbit)
    except ArchspecError as error:
        raise recipe.at("orbit", error) from None
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


def _trainable(spec: Spec) -> None:
    """Raise ArchspecError unless the network reads one input and gives one vector, a number for each class."""
    inputs, outputs = spec.layers.inputs, list(spec.layers.outputs.values())
    if len(inputs) == 1 and len(outputs) == 1 and not outputs[0].shape.spatial and outputs[0].shape.channels:
        return
    given = ", ".join(str(node.shape) for node in outputs)
    message = f"{spec.title} reads {len(inputs)} input(s) and gives {given}: training takes one input to one vector"
    hint = "end in a vector with one number for each class: GAP, FC-10"
    raise ArchspecError("untrainable", message, outputs[0].span, hint)


def _run(
    recipe: Recipe, folder: Folder, trials: list[Trial], data: dict[str, Prepared], say: Say, shown: Shown | None
) -> list[Result]:
    """Run what is left, keep what is finished; the results of trials that failed."""
    known = folder.results()
    folder.sweep(trial for trial in trials if trial.key in known)
    todo = [trial for trial in trials if trial.key not in known]
    if known and len(todo) < len(trials):
        say(f"{len(trials) - len(todo)} of {len(trials)} trials are finished already")
    board = Board.create(folder.path / PROGRESS, len(todo))
    lengths = [_steps(recipe, data[trial.label]) for trial in todo]
    pace, failed = Pace(board, sum(lengths), len(todo)), list[Result]()
    places = {trial.key: place for place, trial in enumerate(todo)}
    with stopping(board), shown(pace) if shown and todo else nullcontext():
        for result in run_grid(todo, folder.path, recipe.running, board) if todo else ():
            place = places[result.key]
            if result.status == FAILED:
                failed.append(result)
            elif result.status != STOPPED:
                folder.append(result, todo[place])
            if result.status != STOPPED:
                board.tell(place, lengths[place])
                pace.ended += 1
    return failed


def _steps(recipe: Recipe, data: Prepared) -> int:
    settings = recipe.settings
    return settings.steps or (settings.epochs or 1) * -(-len(data.train) // settings.batch)


def _environment(folder: Folder, trials: Sequence[Trial], data: dict[str, Prepared], say: Say) -> None:
    """Keep specs, versions and the data's hash; say so, or refuse, where the folder's trials had others."""
    now = environment(trials[0].settings.threads)
    now["data"] = {label: fingerprint(parts) for label, parts in data.items()}
    before = (folder.read(ENVIRONMENT) if folder.begun() else {}) or now
    for label, parts in now["data"].items():
        if before.get("data", {}).get(label, parts) != parts:
            message = f"{folder.path} holds trials of {label} with other data"
            raise ArchspecError("run-differs", message, hint="choose another folder with -o, or delete this one")
    other = [key for key in now if key != "data" and before.get(key) != now[key]]
    if other:
        say(
            f"some trials ran under another environment ({', '.join(other)}): their numbers may differ in the last bits"
        )
    now["data"] = {**before.get("data", {}), **now["data"]}
    folder.write(ENVIRONMENT, json.dumps(now, indent=2) + "\n")
    for trial in trials:
        folder.write(f"specs/{trial.label.replace('/', '-')}.yaml", trial.text)
