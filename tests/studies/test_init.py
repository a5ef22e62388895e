"""The study `init`: zeros at chance, the orderings of the schemes, and that each of these claims can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archspec import ArchspecError
from studies import init
from studies.claims import FAILS, HOLDS
from studies.document import find
from studies.init import EXTENDED, HE, XAVIER, ZEROS, Runs
from studies.study import Study

CHANCE = 0.11


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return Study.of(find("init"), quick=True, folder=tmp_path_factory.mktemp("init"))


@pytest.fixture(scope="module")
def found(study: Study) -> dict[str, Runs]:
    """The trainings of a quick run, once for all tests."""
    with study.place() as place:
        return {name: init._trained(study, name, place) for name in init.TITLES}


def verdicts(found: dict[str, Runs]) -> dict[str, str]:
    return {one.statement: one.verdict for one in (*init._zeros(found, CHANCE), *init._orderings(found))}


@pytest.mark.usefixtures("found")
def test_all_claims_hold(study: Study) -> None:
    outcome = init.run(study)  # every trial is finished: nothing is trained again
    assert [one.statement for one in outcome.claims if one.verdict == FAILS] == []
    assert len(outcome.claims) == 5
    assert {row["seed"] for row in outcome.numbers["curves"]} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("network", "first", "second", "statement"),
    [
        ("relu", HE, XAVIER, "ReLU: He leads Xavier, mean validation accuracy"),
        ("relu", XAVIER, ZEROS, "ReLU: Xavier leads zeros, mean validation accuracy"),
        ("sigmoid", EXTENDED, XAVIER, "sigmoid: Xavier with gain 4 leads Xavier, mean validation accuracy"),
    ],
)
def test_schemes_that_change_places_fail(
    found: dict[str, Runs], network: str, first: str, second: str, statement: str
) -> None:
    assert verdicts(found)[statement] == HOLDS
    runs = dict(found[network])
    runs[first], runs[second] = runs[second], runs[first]
    assert verdicts({**found, network: runs})[statement] == FAILS


def test_zeros_that_learn_fail(found: dict[str, Runs]) -> None:
    for name, title in init.TITLES.items():
        statement = f"{title}: zeros stays at chance, the largest class's share"
        assert verdicts(found)[statement] == HOLDS
        learnt = {**found[name], ZEROS: found["sigmoid"][EXTENDED]}
        assert verdicts({**found, name: learnt})[statement] == FAILS


def test_a_training_that_diverged_supports_no_claim(found: dict[str, Runs]) -> None:
    broken = [replace(one, fault="infinities") for one in found["relu"][HE]]
    assert (
        verdicts({**found, "relu": {**found["relu"], HE: broken}})["ReLU: He leads Xavier, mean validation accuracy"]
        == FAILS
    )


@pytest.mark.parametrize(
    ("network", "scheme", "name"),
    [
        ("relu", "xavier-normal", XAVIER),
        ("sigmoid", "xavier-normal", EXTENDED),
        ("sigmoid", "xavier-normal(gain=1)", XAVIER),
        ("sigmoid", "normal(0.1)", "normal(0.1)"),
    ],
)
def test_xavier_is_called_by_the_gain_that_it_has(network: str, scheme: str, name: str) -> None:
    assert init._called(network, scheme) == name


@pytest.mark.parametrize("wrong", [{"relu_seeds": 1}, {"lr": 0}, {"relu_steps": 0.5}, {"relu_init": "he"}])
def test_wrong_parameters(wrong: dict[str, object]) -> None:
    with pytest.raises(ArchspecError) as caught:
        init.run(Study.of(find("init"), wrong))
    assert caught.value.code == "study-parameter"


@pytest.mark.prove
def test_every_ordering_holds_in_the_whole_study() -> None:
    outcome = init.run(Study.of(find("init"), jobs=2))
    assert [one.statement for one in outcome.claims if one.verdict == FAILS] == []
    assert len(outcome.claims) == 8
