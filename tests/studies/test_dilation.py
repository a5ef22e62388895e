"""The study `dilation`: it holds, and every one of its claims fails where the experiment is another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from archspec import bundle
from archspec.errors import ArchspecError
from studies import dilation
from studies.document import parse
from studies.study import Outcome, Study

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = bundle.studies()["dilation"].read_text(encoding="utf-8")
SUMS = "tensors: {input: [[1, 2, 3], [4, 5, 6], [7, 8, 9]], ones: [[1, 1], [1, 1]]}"


def outcome(old: str = "", new: str = "", settings: dict[str, object] | None = None) -> Outcome:
    """What the study finds where its text is changed."""
    assert not old or TEXT.count(old) == 1
    return dilation.run(Study.of(parse(TEXT.replace(old, new) if old else TEXT), settings))


def failing(found: Outcome) -> list[str]:
    return [claim.statement for claim in found.claims if not claim.holds]


def test_the_study_holds() -> None:
    found = outcome()
    assert failing(found) == []
    page = (ROOT / "docs" / "studies" / "dilation.md").read_text(encoding="utf-8")
    assert [claim.statement for claim in found.claims if f"| {claim.statement} |" not in page] == []
    assert set(found.figures) == {"pair", "gridded", "hybrid"}
    assert found.numbers["spans"][-1] == {
        "K": 5, "d": 3, "formula": 13, "analysed": 13, "measured": 13, "taps": "0 3 6 9 12",
    }  # fmt: skip


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take longer than claims."""
    monkeypatch.setattr(dilation, "PICTURES", ())


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        (
            "dilated_sum",
            f"{{input: 3x3x1, layers: CONV2-1 p0 nobias w=ones, {SUMS}}}",
            ["rows 1 2 3, 4 5 6, 7 8 9: shape", "rows 1 2 3, 4 5 6, 7 8 9: 1 + 3 + 7 + 9"],
        ),
        (
            "dilated_sum",
            f"{{input: 3x3x1, layers: CONV2-1 p0 d2 nobias w=ones, {SUMS.replace('9', '8')}}}",
            ["rows 1 2 3, 4 5 6, 7 8 9: 1 + 3 + 7 + 9"],
        ),
        ("p0 d=d", "p0 d=1", ["1 positions: analysed", "1 positions: measured", "d (K - 1): measured"]),
        ("pair: dilated", "pair: {input: 9x9x1, layers: CONV3-1 p0 d2 x2}", ["= 2: analysed", "= 2: measured"]),
        ("[CONV3-1 p0, CONV3-1 p0]", "[CONV3-1 p0, CONV3-1 p0 d2]", ["then 3x3 d = 1: measured"]),
        ("gridded: gridded", "gridded: hybrid", ["d = 2, 2, 2 read, of those 169: measured"]),
        ("hybrid: hybrid", "hybrid: gridded", ["d = 1, 2, 3 read, of those 169: measured"]),
        (
            "hybrid: hybrid",
            "hybrid: {input: 21x21x1, layers: CONV3-1 d2}",
            ["d = 1, 2, 3 span: measured", "d = 1, 2, 3 read, of those 169: measured"],
        ),
    ],
)
def test_another_network_fails_its_claims_alone(old: str, new: str, statements: list[str]) -> None:
    found = failing(outcome(old, new, {"kernels": [2], "dilations": [2]}))
    assert len(found) == len(statements)
    assert all(one.endswith(end) for one, end in zip(found, statements, strict=True))


@pytest.mark.usefixtures("undrawn")
def test_an_analysis_that_is_wrong_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dilation, "_analysed", lambda _: (8, 8))
    found = failing(outcome(settings={"kernels": [2], "dilations": [2]}))
    assert len(found) == 2
    assert all(one.endswith(": analysed") for one in found)


@pytest.mark.usefixtures("undrawn")
def test_a_tap_that_reads_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dilation, "_taps", lambda _: [0, 2])
    assert failing(outcome(settings={"kernels": [3], "dilations": [1]})) == [
        "its taps stand at 0, d, 2d, ..., d (K - 1): measured"
    ]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"kernels": 3}, "study-parameter"),
        ({"kernels": []}, "study-parameter"),
        ({"dilations": [0]}, "study-parameter"),
        ({"dilations": [1.5]}, "study-parameter"),
        ({"dilations": [40]}, "window-too-large"),
        ({"dilation": [1]}, "unknown-variable"),
    ],
)
def test_parameters_that_make_no_experiment(settings: dict[str, object], code: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        outcome(settings=settings)
    assert caught.value.code == code
