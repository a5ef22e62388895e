"""Recipes: everything that a training takes, from a YAML file, from options of the command line, or from both."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from archspec import source
from archspec.errors import ArchspecError, Findings, Span
from archspec.source import Scalar, Value
from builders.training import values
from builders.training.cases import Case, case, known_keys
from builders.training.values import number, optional, several, table, text, whole, word, yes_or_no

RATES = {"sgd": 0.1, "adam": 1e-3, "adamw": 1e-3}
STEPS = 600
ORBIT = "shift=2,flip,rotate=10"


@dataclass(frozen=True)
class Settings:
    """What all trials of a study have in common, and what their numbers depend on."""

    overrides: tuple[tuple[str, str], ...] = ()
    data: str = "digits"
    validation: float = 0.2
    test: float = 0.2
    augment: str | None = None
    split_seed: int = 0
    epochs: int | None = None
    steps: int | None = STEPS
    batch: int = 64
    optimizer: str = "adam"
    lr: float = RATES["adam"]
    momentum: float = 0.0
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    schedule: str | None = None
    evaluate: int = 25
    threads: int = 1

    def steps_on(self, items: int) -> int:
        """How many steps a training on so many items takes."""
        return self.steps or (self.epochs or 1) * -(-items // self.batch)


@dataclass(frozen=True)
class Running:
    """How trials are run, which changes none of their numbers."""

    jobs: int = 1
    engine: str = "processes"
    scheduler: str | None = None
    checkpoint: float = 10.0  # seconds from one to the next
    orbit: str = ORBIT  # what the audit takes for a copy
    allow_leak: bool = False
    output: str | None = None


@dataclass(frozen=True)
class Recipe:
    """A study: networks times initialisations times seeds, and how each of these trials is trained.

    `text` is the recipe in one canonical form, `hash` the SHA-256 of what its numbers depend on.
    """

    specs: tuple[Case, ...]
    init: tuple[str, ...] = ("he-normal",)
    seeds: tuple[int, ...] = (0,)
    settings: Settings = field(default_factory=Settings)
    running: Running = field(default_factory=Running)
    places: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)

    @property
    def text(self) -> str:
        """YAML that reads as this recipe, every key written out."""
        return _written({**self.numbers(), **asdict(self.running)})

    @property
    def hash(self) -> str:
        return hashlib.sha256(_written(self.numbers()).encode()).hexdigest()

    def numbers(self) -> dict[str, Any]:
        """The part of the recipe that numbers depend on, as plain values."""
        specs = [case.to_dict() for case in self.specs]
        return {"specs": specs, "init": self.init, "seeds": self.seeds, **plain_settings(self.settings)}

    def at(self, key: str, error: ArchspecError) -> ArchspecError:
        """The error, at the place where the recipe has this key if it has no place of its own."""
        return error.at(self.places.get(key))


def plain_settings(settings: Settings) -> dict[str, Any]:
    """Settings as plain values; of steps and epochs the one that was chosen."""
    found = asdict(settings) | {"overrides": dict(settings.overrides)}
    del found["steps" if settings.steps is None else "epochs"]
    return found


def _written(found: Mapping[str, Any]) -> str:
    return "".join(f"{key}: {_value(value)}\n" for key, value in found.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def scheme(value: Value) -> str:
    """The canonical text of a scheme of initialisation."""
    from builders.initialize import parse_scheme

    found = text(value)
    try:
        return str(parse_scheme(found))
    except ArchspecError as error:
        raise error.at(value.span()) from None


READERS: dict[str, Callable[[Value], Any]] = {
    "specs": several(case),
    "init": several(scheme),
    "seeds": values.seeds,
    "overrides": table(scheme),
    "data": text,
    "validation": number(0, 1, above=True, below=True),
    "test": number(0, 1, below=True),
    "augment": optional(text),
    "split_seed": whole(0),
    "epochs": whole(1),
    "steps": whole(1),
    "batch": whole(1),
    "optimizer": word(*RATES),
    "lr": number(0, above=True),
    "momentum": number(0, 1, below=True),
    "weight_decay": number(0),
    "betas": values.betas,
    "schedule": optional(word("cosine", "step", "none")),
    "evaluate": whole(1),
    "threads": whole(1, 1024),
    "jobs": whole(1),
    "engine": word("processes", "dask"),
    "scheduler": optional(text),
    "checkpoint": number(0),
    "orbit": text,
    "allow_leak": yes_or_no,
    "output": optional(text),
}


EXAMPLES = {key: str(value) for key, value in {**vars(Settings()), **vars(Running())}.items()} | {
    "specs": "deep-relu, deep-sigmoid",
    "init": "he, xavier(gain=4), zeros",
    "seeds": "5",
    "overrides": "fc*=normal(0.01)",
    "epochs": "10",
    "betas": "0.9, 0.999",
    "allow_leak": "no",
    "augment": "shift=1",
    "schedule": "cosine",
    "scheduler": "tcp://host:8786",
    "output": "runs/init",
}


def read_recipe(
    document: Value | None, options: Mapping[str, Value] | None = None, cases: tuple[Case, ...] = ()
) -> Recipe:
    """The recipe of a YAML document, of options by key, or of both: options, and networks given as such, come first.

    Raises ArchspecError with all that is wrong.

    >>> recipe = read_recipe(source.read("{specs: tutorial/cnn, seeds: 3}"), {"steps": Scalar.of("50")})
    >>> recipe.seeds, recipe.settings.steps, recipe.settings.optimizer
    ((0, 1, 2), 50, 'adam')
    """
    given = dict(_entries(document)) if document is not None else {}
    for one, other in (("epochs", "steps"), ("steps", "epochs")):
        if options and one in options:
            given.pop(other, None)
    given |= options or {}
    found: dict[str, Any] = {"specs": cases} if cases else {}
    findings = Findings()
    for key, value in given.items():
        with findings:
            found[key] = _read(key, value)
    findings.raise_any()
    _agree(found, given)
    return _recipe(found, {key: value.span() for key, value in given.items()}, document)


def _read(key: str, value: Value) -> Any:
    """The value of a key; an error that has no remedy of its own shows how the key is written."""
    try:
        return READERS[key](value)
    except ArchspecError as error:
        name, example = value.span().source.name, EXAMPLES[key]
        hint = f"{name} {shlex.quote(example)}" if name.startswith("--") else f"{key}: {example}"
        raise ArchspecError.of(replace(one, hint=one.hint or hint) for one in error.diagnostics) from None


def _entries(document: Value) -> Iterable[tuple[str, Value]]:
    if not isinstance(document, source.Mapping):
        message = "a recipe is a table of what to train and how"
        raise ArchspecError("not-a-recipe", message, document.span(), "specs: [deep-relu]")
    known_keys(document, READERS)
    return ((key.text, value) for key, value in document.items)


def _agree(found: Mapping[str, Any], given: Mapping[str, Value]) -> None:
    """Raise ArchspecError where values exclude each other."""
    name, findings = found.get("optimizer", Settings.optimizer), Findings()
    for key, message, hint in _conflicts(name, {**vars(Settings()), **vars(Running()), **found}, found):
        with findings:
            raise ArchspecError("recipe-conflict", message, given[key].span() if key in given else None, hint)
    findings.raise_any()


def _conflicts(optimizer: str, every: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Key, message and remedy of what does not go together; `every` holds the values that were not given as well."""
    for key in ("betas",) if optimizer == "sgd" else ("momentum",):
        if every[key] != getattr(Settings, key):
            yield key, f"{optimizer} has no {key}", "leave it out, or choose another optimizer"
    if "steps" in found and "epochs" in found:
        yield "epochs", "the training ends after `steps`, or after `epochs`", "leave one of the two out"
    if every["scheduler"] and every["engine"] != "dask":
        yield "scheduler", "a scheduler is for the engine dask", "engine: dask"
    if every["engine"] == "dask" and not every["scheduler"]:
        yield "engine", "the engine dask needs the address of a scheduler", "scheduler: tcp://host:8786"
    if every["validation"] + every["test"] >= 1:
        key = "validation" if "validation" in found else "test"
        yield key, "validation and test leave nothing to train on", "shares whose sum is below 1"


def _recipe(found: dict[str, Any], places: Mapping[str, Span], document: Value | None) -> Recipe:
    if "specs" not in found:
        place = document.span() if document is not None else None
        raise ArchspecError("missing-key", "a recipe names its networks under `specs`", place, "specs: [deep-relu]")
    labels = [one.label for one in found["specs"]]
    if twice := next((label for label in labels if labels.count(label) > 1), None):
        message = f"two networks would both be called `{twice}`"
        raise ArchspecError("recipe-conflict", message, places.get("specs"), "leave one of the two out")
    found.setdefault("lr", RATES[found.get("optimizer", Settings.optimizer)])
    found |= {"steps": None} if "epochs" in found else {}

    def part(kind: type) -> dict[str, Any]:
        return {one.name: found[one.name] for one in fields(kind) if one.name in found}

    most = {key: found[key] for key in ("specs", "init", "seeds") if key in found}
    return Recipe(**most, settings=Settings(**part(Settings)), running=Running(**part(Running)), places=places)


def option(key: str, value: str) -> Scalar:
    """A value that the command line gives for a key."""
    return Scalar.of(value, f"--{key.replace('_', '-')}")
