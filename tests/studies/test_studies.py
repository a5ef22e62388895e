"""Studies as such: claims, the documents of studies, running and keeping them, and the command."""

from __future__ import annotations

import csv
import json
import math
import re
from importlib import import_module
from pathlib import Path
from textwrap import indent

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from archspec import bundle
from archspec.errors import ArchspecError
from studies import claims, dilation, document, running
from studies.claims import Claim, above, alike, at_most, below, equal, leads, near, sampled
from studies.study import Outcome, Study
from tests.command import call, failure, printed, process
from visualize.curves import Axis, Series, stems

ROOT = Path(__file__).resolve().parent.parent.parent
NAN, INF = math.nan, math.inf
TINY = """
study: tiny
title: A tiny study
parameters: {n: 2, sizes: [1, 2], double: =2*n}
quick: {n: 1}
networks:
  one: {input: 8x8x1, vars: {n: 3, F: 4}, layers: CONV(n)-F p0}
  two: cnn
"""


def code(text: str, *parts: str) -> str:
    """The code of the error that a study's text gives; its message and help hold these parts."""
    with pytest.raises(ArchspecError) as caught:
        document.parse(text, "study.yaml")
    assert all(part in str(caught.value) for part in parts)
    return caught.value.code


def tiny(**settings: object) -> Study:
    return Study.of(document.parse(TINY), settings)


# -- claims ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (equal("a", 3, 3), equal("a", 3, 4)),
        (equal("a", "7 x 7", "7 x 7"), equal("a", "7 x 7", "5 x 5")),
        (alike("a", [1, 2], [1, 2]), alike("a", [1, 2], [1, 3])),
        (near("a", 1, 1.01, 0.01 + 1e-9, ""), near("a", 1, 1.02, 0.01, "")),
        (near("a", [1, 2], [1, 2.1], [0, 0.2], ""), near("a", [1, 2], [1.1, 2], [0, 0.2], "")),
        (near("a", 0.5, 0.5, 0, ""), near("a", 0.5, math.nextafter(0.5, 1), 0, "")),
        (above("a", 1, 1.1), above("a", 1, 1)),
        (below("a", 1, 0.9), below("a", 1, 1)),
        (at_most("a", 1, 1), at_most("a", 1, math.nextafter(1, 2))),
        (leads("a", [2, 2.5, 3]), leads("a", [1, 2, 30])),
        (leads("a", [0.01, 0.01]), leads("a", [0, 0.0])),
        (sampled("a", 0, 3.8, 1, ""), sampled("a", 0, 4, 1, "")),
        (sampled("a", [0] * 10, [4.3] * 10, 1.0, ""), sampled("a", [0] * 10, [0] * 9 + [4.5], 1.0, "")),
    ],
)
def test_every_kind_of_claim_can_hold_and_fail(right: Claim, wrong: Claim) -> None:
    assert (right.verdict, wrong.verdict) == ("HOLDS", "FAILS")


@pytest.mark.parametrize(
    "claim",
    [
        equal("a", NAN, NAN),
        alike("a", [NAN], [float("nan")]),
        alike("a", [], []),
        near("a", NAN, NAN, 1, ""),
        near("a", 1, NAN, 1, ""),
        near("a", [1, 1], [1, NAN], 1, ""),
        near("a", 1, 1, NAN, ""),
        near("a", 1, 2, INF, ""),
        near("a", INF, INF, 1, ""),
        above("a", 1, NAN),
        above("a", NAN, 1),
        below("a", 1, NAN),
        below("a", NAN, 1),
        at_most("a", NAN, 1),
        at_most("a", 1, NAN),
        leads("a", [1, NAN]),
        sampled("a", 0, NAN, 1, ""),
        sampled("a", 0, 0, NAN, ""),
        sampled("a", [0, 0], [NAN, 0], [1, 1], ""),
    ],
)
def test_what_is_no_number_and_what_was_never_measured_fails(claim: Claim) -> None:
    assert claim.verdict == "FAILS"


def test_a_claim_shows_the_pair_that_is_farthest_apart_in_its_own_tolerance() -> None:
    claim = near("a", [1, 2, 3], [1.2, 2.1, 3], [1, 0.1, 1], "by hand")
    assert (claim.predicted, claim.measured, claim.tolerance) == (2, 2.1, 0.1)
    assert near("a", [0, 5, 1], [0, 5, 1], 0.1, "").predicted == 5


def test_the_interval_of_a_mean_is_student_s() -> None:
    values = [0.1, 0.3, 0.2, 0.6]
    found = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    mean, half = claims.interval(values, 0.95)
    assert (mean - half, mean + half) == pytest.approx((found.low, found.high))


def test_a_claim_shows_the_first_pair_that_is_not_alike() -> None:
    claim = alike("a", [1, 2, 3], [1, 5, 6])
    assert (claim.predicted, claim.measured) == ("all 3; 2", "1 of 3 agree; 5")


def test_lists_of_other_lengths_are_no_claim() -> None:
    with pytest.raises(ValueError, match="zip"):
        alike("a", [1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="zip"):
        near("a", [1, 2, 3], [1, 2], 0.1, "")


def test_the_factor_of_many_means_holds_all_of_them_with_the_level() -> None:
    """(1 - p)^k >= level for the probability p that one of k independent normal means lies outside."""
    for count in (1, 10, 1000):
        outside = math.erfc(claims.quantile(0.99, count) / math.sqrt(2))
        assert 0.99 <= (1 - outside) ** count < 0.9905


def test_the_level_is_kept_by_true_statements_and_not_by_false_ones() -> None:
    means = np.random.default_rng(0).normal(size=(2000, 5))
    held = sum(sampled("a", [0] * 5, row.tolist(), [1] * 5, "", level=0.9).holds for row in means)
    assert 0.9 - 4 * 0.0067 < held / 2000 < 0.93
    assert not sampled("a", [0] * 5, [0, 0, 3, 0, 0], [1] * 5, "", level=0.9).holds


def test_the_table_of_claims_counts_those_that_fail() -> None:
    found = claims.table([equal("one", 1000, 1000), near("two", 0.5, 2 / 3, 0.1, "a grid"), above("three", 1, 2, "b")])
    assert found.titles == ("claim", "predicted", "measured", "tolerance", "verdict")
    assert found.rows == (
        ("one", "1,000", "1,000", "", "HOLDS"),
        ("two", "0.5", "0.666667", "+- 0.1 (a grid)", "FAILS"),
        ("three", "> 1", "2", "b", "HOLDS"),
    )
    assert found.notes == ("1 of 3 claims fail",)
    assert claims.table([equal("one", 1, 1)]).notes == ("all 1 claims hold",)


def test_claims_are_json_even_of_numpy_and_without_a_number() -> None:
    made = [equal("a", 1.0, NAN), above("b", 0, np.float64(1)), near("c", np.ones(2).tolist(), [1, INF], 1, "d")]
    read = json.loads(json.dumps([one.to_dict() for one in made], allow_nan=False))
    assert [one["verdict"] for one in read] == ["FAILS", "HOLDS", "FAILS"]
    assert (read[0]["measured"], read[1]["measured"], read[2]["measured"]) == ("nan", 1.0, "inf")


# -- documents ---------------------------------------------------------------------------------------------------------


def test_what_is_wrong_with_a_study() -> None:
    assert code("[1, 2]", "a study is a mapping", "study.yaml:1:1") == "not-a-study"
    assert code("{study: a, titel: b}", "a study has no key `titel`", "study.yaml:1:12", "title") == "unknown-key"
    assert code("study: a", "a study has a text under `title`", "title: ...") == "missing-key"
    assert code("{study: a, title: [b]}", "title", "study.yaml:1:19") == "missing-key"
    assert code("{study: '', title: b}", "`study`") == "missing-key"
    assert code("{study: a, title: b, parameters: 3}", "study.yaml:1:34") == "not-a-mapping"
    assert code("{study: a, study: b}") == "duplicate-key"


def test_every_key_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ArchspecError) as caught:
        document.parse("{study: a, title: b, network: {}, parameter: {}}")
    assert [one.hint for one in caught.value.diagnostics] == ["did you mean networks?", "did you mean parameters?"]


def test_a_study_that_is_not_there() -> None:
    with pytest.raises(ArchspecError) as caught:
        document.find("dilaton")
    assert str(caught.value) == (
        "error[unknown-study]: there is no study called `dilaton`\n  help: did you mean dilation?"
    )
    with pytest.raises(ArchspecError, match="the studies are dilation, dimensions"):
        document.find("qqqqqqqq")


def test_parameters_are_set_by_the_quick_run_and_then_by_the_user() -> None:
    text = document.parse(TINY)
    assert [tiny().count(name) for name in ("n", "double")] == [2, 4]
    assert Study.of(text, quick=True).count("double") == 2
    assert Study.of(text, {"n": 5}, quick=True).count("double") == 10


@pytest.mark.parametrize("text", [TINY.replace("{n: 1}", "{m: 1}"), TINY])
def test_a_parameter_that_the_study_has_not(text: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        Study.of(document.parse(text), {"m": 1} if text == TINY else {}, quick=True)
    assert caught.value.code == "unknown-variable"


def test_networks_take_the_parameters_of_their_names_and_what_they_are_given() -> None:
    study = tiny(n=2)
    (node,) = study.spec("one", F=7).layers.outputs.values()
    assert str(node.shape) == "7 x 7 x 7"
    assert study.spec("two").name == "tutorial-cnn"
    assert sum(weight.numel() for weight in study.build("one", n=1, F=1).parameters()) == 2


def test_an_error_in_a_network_stands_where_the_study_has_it() -> None:
    text = TINY.replace("CONV(n)-F", "CONVX(n)-F")
    line = 1 + text[: text.index("CONVX")].count("\n")
    with pytest.raises(ArchspecError) as caught:
        Study.of(document.parse(text, "tiny.yaml")).spec("one")
    assert f"tiny.yaml:{line}:" in str(caught.value)
    assert caught.value.code == "unknown-layer"


@pytest.mark.parametrize(
    ("settings", "ask"),
    [
        ({"n": "two"}, lambda study: study.number("n")),
        ({"sizes": True}, lambda study: study.number("sizes")),
        ({"n": -1}, lambda study: study.number("n", 0)),
        ({"n": 0}, lambda study: study.number("n", above=0)),
        ({"n": 1e-9}, lambda study: study.number("n")),
        ({"n": -1e9}, lambda study: study.number("n")),
        ({"n": 1.5}, lambda study: study.count("n")),
        ({"n": 0}, lambda study: study.count("n")),
        ({"sizes": 1}, lambda study: study.counts("sizes")),
        ({"sizes": []}, lambda study: study.counts("sizes")),
        ({"sizes": [1, 0]}, lambda study: study.counts("sizes")),
        ({"sizes": []}, lambda study: study.numbers("sizes")),
        ({"sizes": ["a"]}, lambda study: study.numbers("sizes")),
        ({"sizes": [1, -1]}, lambda study: study.numbers("sizes", 0)),
    ],
)
def test_a_parameter_of_another_kind(settings: dict[str, object], ask: object) -> None:
    assert callable(ask)
    with pytest.raises(ArchspecError) as caught:
        ask(tiny(**settings))
    assert caught.value.code == "study-parameter"
    assert f"the parameter {next(iter(settings))} of tiny is" in str(caught.value)


# -- running and keeping -----------------------------------------------------------------------------------------------


def kept(folder: Path, outcome: Outcome) -> set[str]:
    running.keep(outcome, "A title", folder)
    return {path.name for path in folder.iterdir()}


def test_everything_is_kept(tmp_path: Path) -> None:
    figure = stems([Series("a", [1, 2], [3, 4])], Axis("n", None), Axis("value", None))
    rows: list[dict[str, object]] = [{"n": 1, "m": 0.5}, {"n": 2, "k": "a,b"}]
    outcome = Outcome([equal("a", 1, 1)], {"figure": figure}, {"rows": rows, "none": []})
    found = kept(tmp_path / "deep" / "down", outcome)
    assert found == {"claims.md", "claims.json", "figure.svg", "figure.png", "figure.html", "rows.csv", "none.csv"}
    folder = tmp_path / "deep" / "down"
    assert (folder / "claims.md").read_text().startswith("# A title\n\n| claim | predicted |")
    assert json.loads((folder / "claims.json").read_text())[0]["verdict"] == "HOLDS"
    with (folder / "rows.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"n": "1", "m": "0.5", "k": ""}, {"n": "2", "m": "", "k": "a,b"}]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArchspecError) as caught:
        running.keep(Outcome([]), "A title", tmp_path / "file" / "study")
    assert caught.value.code == "unwritable"


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def one_claim(monkeypatch: pytest.MonkeyPatch) -> list[Study]:
    """Every study finds one claim, which holds unless its seed is 13; the studies that ran."""
    ran: list[Study] = []

    def run(study: Study) -> Outcome:
        ran.append(study)
        return Outcome([equal(f"{study.name} has no unlucky seed", 1, 1 if study.seed != 13 else 2)])

    monkeypatch.setattr(running, "run", run)
    return ran


def test_the_exit_code_tells_whether_all_claims_hold(one_claim: list[Study], tmp_path: Path) -> None:
    result = call("study", "dilation", "-o", str(tmp_path))
    assert result.exit_code == 0
    assert result.stdout.startswith("dilation: Dilation puts gaps between a kernel's taps\n\nclaim ")
    assert "all 1 claims hold" in result.stdout
    assert result.stderr == f"tables, figures and numbers are in {tmp_path}\n"
    assert (tmp_path / "dilation" / "claims.md").is_file()
    failed = call("study", "dilation", "--seed", "13", "-o", str(tmp_path))
    assert (failed.exit_code, "1 of 1 claims fail" in failed.stdout) == (1, True)
    assert [study.seed for study in one_claim] == [0, 13]


def test_one_claim_of_many_studies_that_fails_fails_the_run(
    one_claim: list[Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = iter([1, 2] + [1] * 20)
    monkeypatch.setattr(running, "run", lambda _: Outcome([equal("a", 1, next(kinds))]))
    assert call("study", "dilation", "dimensions", "fir-filter", "-o", str(tmp_path)).exit_code == 1
    assert one_claim == []


def test_all_studies_run_once_each(one_claim: list[Study], tmp_path: Path) -> None:
    assert call("study", "--all", "--quick", "--jobs", "3", "-o", str(tmp_path)).exit_code == 0
    assert [study.name for study in one_claim] == list(bundle.studies())
    assert {study.jobs for study in one_claim} == {3}
    assert {path.name for path in tmp_path.iterdir()} == set(bundle.studies())
    assert call("study", "dilation", "dilation", "-o", str(tmp_path)).exit_code == 0
    assert [study.name for study in one_claim[len(bundle.studies()) :]] == ["dilation"]


def test_parameters_reach_the_study(one_claim: list[Study], tmp_path: Path) -> None:
    printed("study", "dilation", "--set", "kernels=[4]", "--set", "dilations=[7]", "-o", str(tmp_path))
    assert [study.counts(name) for study in one_claim for name in ("kernels", "dilations")] == [[4], [7]]


def test_json_is_all_of_standard_output(one_claim: list[Study], tmp_path: Path) -> None:
    out = printed("study", "dilation", "dimensions", "--format", "json", "-o", str(tmp_path))
    found = json.loads(out)
    assert list(found) == ["dilation", "dimensions"] == [study.name for study in one_claim]
    assert found["dilation"] == json.loads((tmp_path / "dilation" / "claims.json").read_text())
    assert set(found["dilation"][0]) == {
        "statement", "predicted", "measured", "holds", "tolerance", "basis", "verdict",
    }  # fmt: skip


def test_markdown_has_a_title_for_each_study(one_claim: list[Study], tmp_path: Path) -> None:
    lines = printed("study", "dilation", "dimensions", "--format", "markdown", "-o", str(tmp_path)).splitlines()
    assert [line for line in lines if line.startswith("#")] == [f"## {study.text.title}" for study in one_claim]
    assert sum(line.startswith("| --- ") for line in lines) == 2


def test_the_list_names_every_study_and_its_parameters() -> None:
    lines = printed("study", "--list").splitlines()
    assert [line.split()[0] for line in lines if line[0] != " "] == list(bundle.studies())
    assert f"{'dilation':16}Dilation puts gaps between a kernel's taps" in lines
    assert f"{'':16}kernels: [1, 2, 3, 5]" in lines


@pytest.mark.parametrize(
    ("arguments", "last"),
    [
        (["--all", "--set", "kernels=[3]"], "Error: --set is for one study"),
        (["dilation", "dimensions", "--set", "kernels=[3]"], "Error: --set is for one study"),
        (["--quick"], "Error: name a study, or give --all"),
        (["dilation", "--seed", "-1"], "Error: Invalid value for '--seed': -1 is not in the range x>=0."),
        (["dilation", "--set", "kernels"], "Error: Invalid value for '--set': 'kernels' is not name=value"),
        (["dilaton"], "  help: did you mean dilation?"),
        (["dilation", "--set", "kernel=[3]"], "  help: did you mean kernels?"),
        (["dilation", "--set", "kernels=[0]"], "  help: --set kernels=..."),
    ],
)
def test_a_request_that_is_wrong(arguments: list[str], last: str, tmp_path: Path) -> None:
    found, lines = failure("study", *arguments, "-o", str(tmp_path))
    assert (found, lines[-1]) == (2, last)


def test_a_folder_that_cannot_be_written_is_told_before_the_work(one_claim: list[Study], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found, lines = failure("study", "dilation", "-o", str(tmp_path / "file"))
    assert (found, lines[0].split(":")[0]) == (2, "error[unwritable]")
    assert one_claim == []


def test_bash_completes_studies() -> None:
    more = {"COMP_WORDS": "archspec study di", "COMP_CWORD": "2"}
    assert process(_ARCHSPEC_COMPLETE="bash_complete", **more).stdout == "plain,dilation\nplain,dimensions\n"


def test_a_study_runs_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dilation, "PICTURES", ("pair",))
    out = printed("study", "dilation", "--quick", "--set", "kernels=[2]", "-o", str(tmp_path))
    assert "all 12 claims hold" in out
    written = {path.name for path in (tmp_path / "dilation").iterdir()}
    assert {"claims.md", "claims.json", "pair.svg", "pair.png", "pair.html", "spans.csv"} <= written


# -- every study -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(bundle.studies()))
def test_a_study_has_a_module_a_test_and_a_page(name: str) -> None:
    text, module = document.find(name), name.replace("-", "_")
    assert text.name == name
    assert re.match(r"https://", text.source)
    assert callable(import_module(f"studies.{module}").run)
    assert (ROOT / "tests" / "studies" / f"test_{module}.py").is_file()
    page = (ROOT / "docs" / "studies" / f"{name}.md").read_text(encoding="utf-8")
    assert f"archspec study {name}" in page
    spec = bundle.studies()[name].read_text(encoding="utf-8")
    assert indent(spec, "    ").rstrip() in page, f"docs/studies/{name}.md shows another spec"
