"""Recipes: what they may hold, options over them, and what each mistake is told, at its place."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from archspec.errors import ArchspecError
from archspec.source import Scalar, read
from builders.training.recipe import READERS, Recipe, Running, Settings, option, read_recipe

WHOLE = """\
specs:
  - deep-relu
  - {spec: zoo/resnet, variant: resnet18, set: {classes: 10}, input: 64x64x3}
init: [he, 'xavier(gain=4)', zeros]
seeds: [3, 5]
overrides: {'fc*': 'normal(0.01)'}
data: digits
validation: 0.25
test: 0.1
augment: none
split_seed: 7
epochs: 3
batch: 32
optimizer: sgd
lr: 0.05
momentum: 0.9
weight_decay: 1e-4
schedule: cosine
evaluate: 10
threads: 2
jobs: 2
engine: dask
scheduler: tcp://localhost:8786
checkpoint: 2.5
orbit: shift=1
allow_leak: yes
output: runs/whole
"""


def recipe(text: str, **options: str) -> Recipe:
    return read_recipe(read(text, "recipe.yaml"), {key: option(key, value) for key, value in options.items()})


def test_every_key_is_read() -> None:
    found = recipe(WHOLE)
    assert [case.label for case in found.specs] == ["deep-relu", "resnet resnet18 classes=10 64x64x3"]
    assert found.init == ("he-normal", "xavier-normal(gain=4)", "zeros")
    assert (found.seeds, found.settings.overrides) == ((3, 5), (("fc*", "normal(0.01)"),))
    assert (found.settings.epochs, found.settings.steps, found.settings.lr) == (3, None, 0.05)
    assert found.running == Running(2, "dask", "tcp://localhost:8786", 2.5, "shift=1", True, "runs/whole")


def test_every_setting_has_a_key() -> None:
    names = [one.name for kind in (Settings, Running) for one in fields(kind)]
    assert sorted(READERS) == sorted([*names, "specs", "init", "seeds"])


def test_the_canonical_text_reads_as_the_same_recipe() -> None:
    for text in (WHOLE, "specs: deep-relu", "{specs: deep-relu, steps: 7, seeds: 2, overrides: {'conv*': zeros}}"):
        found = recipe(text)
        assert recipe(found.text).text == found.text
        assert recipe(found.text).hash == found.hash


def test_the_hash_is_that_of_what_numbers_depend_on() -> None:
    found = recipe(WHOLE)
    assert replace(found, running=Running(jobs=8)).hash == found.hash
    for key, value in {"lr": "0.1", "seeds": "1", "init": "zeros", "threads": "1", "data": "npz:a"}.items():
        assert recipe(WHOLE, **{key: value}).hash != found.hash


def test_options_come_before_the_recipe_and_steps_replace_epochs() -> None:
    found = recipe(WHOLE, steps="50", seeds="2", init="zeros,xavier(gain=1)")
    assert (found.settings.steps, found.settings.epochs) == (50, None)
    assert (found.seeds, found.init) == ((0, 1), ("zeros", "xavier-normal(gain=1)"))


def test_the_rate_hangs_on_the_optimizer() -> None:
    assert [recipe(f"{{specs: a, optimizer: {name}}}").settings.lr for name in ("sgd", "adam")] == [0.1, 1e-3]


ERRORS = [
    (
        "specs: deep-relu\nlearning: 0.1\nbatchs: 3",
        "recipe.yaml:2:1: error[unknown-key]: there is no key `learning` here\n"
        "  2 | learning: 0.1\n    | ^^^^^^^^\n"
        "  help: the keys are " + ", ".join(READERS) + "\n\n"
        "recipe.yaml:3:1: error[unknown-key]: there is no key `batchs` here\n"
        "  3 | batchs: 3\n    | ^^^^^^\n  help: did you mean batch?",
    ),
    (
        "specs: deep-relu\noptimizer: adma\nlr: fast",
        "recipe.yaml:2:12: error[recipe-value]: expected one of sgd, adam, adamw, found `adma`\n"
        "  2 | optimizer: adma\n    |            ^^^^\n  help: did you mean adam?\n\n"
        "recipe.yaml:3:5: error[recipe-value]: expected a number above 0, found `fast`\n"
        "  3 | lr: fast\n    |     ^^^^\n  help: lr: 0.001",
    ),
    (
        "specs: deep-relu\ninit: [he, heh]",
        "recipe.yaml:2:12: error[unknown-scheme]: there is no initialisation scheme `heh`\n"
        "  2 | init: [he, heh]\n    |            ^^^\n  help: did you mean he?",
    ),
    (
        "specs: deep-relu\nsteps: 5\nepochs: 2",
        "recipe.yaml:3:9: error[recipe-conflict]: the training ends after `steps`, or after `epochs`\n"
        "  3 | epochs: 2\n    |         ^\n  help: leave one of the two out",
    ),
    (
        "lr: 0.1",
        "recipe.yaml:1:1: error[missing-key]: a recipe names its networks under `specs`\n"
        "  1 | lr: 0.1\n    | ^^^^^^^\n  help: specs: [deep-relu]",
    ),
    (
        "[deep-relu]",
        "recipe.yaml:1:1: error[not-a-recipe]: a recipe is a table of what to train and how\n"
        "  1 | [deep-relu]\n    | ^^^^^^^^^^^\n  help: specs: [deep-relu]",
    ),
]


@pytest.mark.parametrize(
    ("text", "message"), ERRORS, ids=[message.split("[")[1].split("]")[0] for _, message in ERRORS]
)
def test_mistakes_are_told_at_their_place(text: str, message: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        recipe(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds: 0", "a number of seeds from 1 to 10000, or a list of seeds, found `0`"),
        ("seeds: [1, 1]", "`1` stands twice"),
        ("validation: 1", "a number above 0 and below 1, found `1`"),
        ("test: -0.1", "a number from 0 below 1, found `-0.1`"),
        ("steps: 1.5", "a whole number from 1, found `1.5`"),
        ("batch: yes", "a whole number from 1, found `yes`"),
        ("betas: 0.9", "two numbers from 0 to 1, found `0.9`"),
        ("data: [a]", "a text, found a list"),
        ("data: ''", "a text, found nothing"),
        ("allow_leak: maybe", "yes or no, found `maybe`"),
        ("overrides: [a]", "a table, found a list"),
        ("init: []", "at least one value, found a list"),
        ("specs: [a, a]", "`a` stands twice"),
        ("momentum: 0.9", "adam has no momentum"),
        ("{optimizer: sgd, betas: [0.9, 0.99]}", "sgd has no betas"),
        ("overrides: 'fc=zeros, fc=he'", "`fc` stands twice"),
        ("threads: 99999999999", "a whole number from 1 to 1024, found `99999999999`"),
        ("scheduler: tcp://a:1", "a scheduler is for the engine dask"),
        ("engine: dask", "the engine dask needs the address of a scheduler"),
        ("{validation: 0.5, test: 0.5}", "validation and test leave nothing to train on"),
        ("specs: [a/net.yaml, b/net.yaml]", "two networks would both be called `net`"),
        ("specs: {variant: a}", "this network has no `spec`"),
    ],
)
def test_values_that_are_none_are_told_with_what_is_wanted(text: str, message: str) -> None:
    whole = text if "specs" in text else f"{text[:-1]}, specs: deep-relu}}" if text[0] == "{" else f"{text}\nspecs: a"
    with pytest.raises(ArchspecError) as caught:
        recipe(whole)
    assert message in caught.value.diagnostics[0].message
    assert caught.value.code in ("recipe-value", "recipe-conflict", "missing-key")
    assert caught.value.span is not None


@pytest.mark.parametrize("key", READERS)
def test_every_key_shows_how_it_is_written(key: str) -> None:
    wrong = "{specs: a, " * (key != "specs") + f"{key}: [[]]" + "}" * (key != "specs")
    with pytest.raises(ArchspecError) as caught:
        recipe(wrong)
    hint = caught.value.hint
    assert hint is not None
    assert hint.startswith(f"{key}: ")
    READERS[key](Scalar.of(hint.removeprefix(f"{key}: ").split(", or ")[0]))


def test_a_mistake_in_an_option_is_shown_there() -> None:
    with pytest.raises(ArchspecError) as caught:
        read_recipe(None, {"specs": Scalar.of("a"), "init": option("init", "he, xavier(gian=1)")})
    assert str(caught.value.span) == "--init:1:5"
