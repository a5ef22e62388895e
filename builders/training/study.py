"""A study from its recipe to its results: networks, data and audit are checked first, then all trials are run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from archspec import bundle
from archspec.choices import Choices
from archspec.document import parse_document
from archspec.errors import ArchspecError
from archspec.spec import build as elaborated
from builders.data import Prepared
from builders.data.prepare import Data
from builders.training.board import Board
from builders.training.cases import Case
from builders.training.checks import Say, checked
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
    place.usable()
    if data is not None:
        recipe = replace(recipe, settings=replace(recipe.settings, data=UNNAMED))
    trials = trials_of(recipe) if data is None else _given(trials_of(recipe), data)
    clean = place.read(AUDITS)
    parts = checked(recipe, trials, clean, say)
    with place.locked():
        place.adopt(recipe)
        place.write(AUDITS, json.dumps(clean, indent=2) + "\n")
        _environment(place, trials, parts, say)
        failed = _run(recipe, place, trials, parts, say, shown)
        known = place.results()
        results = tuple(replace(known[trial.key], label=trial.label) for trial in trials if trial.key in known)
        if results:
            write_results(place, results)
    ended = {*known, *(one.key for one in failed)}
    return Study(recipe, place.path, results, tuple(failed), sum(trial.key not in ended for trial in trials))


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
        chosen = case.choices
        choices = Choices(chosen.variant or bundled, chosen.variables, chosen.inputs, chosen.limit)
        document = parse_document(raw, name)
        elaborated(document, choices)
    except ArchspecError as error:
        raise recipe.at("specs", error) from None
    return document.layers.place.span.source.text, Path(name).name, json.dumps(choices.to_dict())


def _run(
    recipe: Recipe, folder: Folder, trials: list[Trial], data: dict[str, Prepared], say: Say, shown: Shown | None
) -> list[Result]:
    """Run what is left, keep what is finished; the results of trials that failed."""
    known = folder.results()
    folder.sweep(trial for trial in trials if trial.key in known)
    todo = list({trial.key: trial for trial in trials if trial.key not in known}.values())
    if finished := sum(trial.key in known for trial in trials):
        say(f"{finished} of {len(trials)} trials are finished already")
    board = Board.create(folder.path / PROGRESS, len(todo))
    lengths = [recipe.settings.steps_on(len(data[trial.label].train)) for trial in todo]
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
                board.end(place, lengths[place], lengths[place] - result.curves.steps)
                pace.ended += 1
    return failed


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
