"""The study `dimensions`: it holds, and every one of its claims fails where a number of it is another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from archspec import bundle
from archspec.errors import ArchspecError
from archspec.spec import Spec
from studies import dimensions
from studies.document import parse
from studies.study import Outcome, Study

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = bundle.studies()["dimensions"].read_text(encoding="utf-8")
SMALL: dict[str, object] = {"kernels": [2, 3], "paddings": [0, 1], "strides": [2], "filters": [2], "channels": [3]}
SIZE, CHANNELS, WEIGHTS, BIASES = (
    "CONV: W' = floor((W - K + 2P) / S) + 1, likewise H'",
    "CONV: C' = F",
    "CONV: weights K x K x C x F",
    "CONV: biases F",
)
POOLED, KEPT, NOTHING = (
    "max pooling: W' = floor((W - K) / S) + 1, likewise H'",
    "max pooling: C' = C",
    "max pooling: no parameters",
)
TABLE, TOTAL = "row by row", "all its parameters"


def outcome(old: str = "", new: str = "", settings: dict[str, object] | None = None) -> Outcome:
    """What the study finds for a few sizes where its text is changed."""
    assert not old or TEXT.count(old) == 1
    text = parse(TEXT.replace(old, new) if old else TEXT)
    return dimensions.run(Study.of(text, {**SMALL, **(settings or {})}, quick=True))


def failing(found: Outcome) -> list[str]:
    return [claim.statement for claim in found.claims if not claim.holds]


def test_the_study_holds() -> None:
    found = dimensions.run(Study.of(parse(TEXT), quick=True))
    assert failing(found) == []
    assert [claim.statement for claim in found.claims[:7]] == [SIZE, CHANNELS, WEIGHTS, BIASES, POOLED, KEPT, NOTHING]
    assert found.claims[-1].measured == 2483
    page = (ROOT / "docs" / "studies" / "dimensions.md").read_text(encoding="utf-8")
    assert [claim.statement for claim in found.claims if f"| {claim.statement} |" not in page] == []


def test_the_rows_hold_numbers_worked_out_by_hand() -> None:
    """floor((14 - 3 + 2) / 2) + 1 = 7, floor((11 - 3 + 2) / 2) + 1 = 6, 3 x 3 x 3 x 2 = 54."""
    rows = outcome(settings={"kernels": [3], "paddings": [1]}).numbers["convolutions"]
    assert [row["by"] for row in rows] == ["formula", "archspec", "torch"]
    for row in rows:
        assert [row[key] for key in ("W'", "H'", "C'", "weights", "biases")] == [7, 6, 2, 54, 2]


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        ("p(P) s(S)", "p(P+1) s(S)", [SIZE]),
        ("p(P) s(S)", "p(P) s(S+1)", [SIZE]),
        ("p(P) s(S)", "p(P) s(S) nobias", [BIASES]),
        ("CONV(K)-filters", "CONV(K)-(filters+1)", [CHANNELS, WEIGHTS, BIASES]),
        ("POOL(K) s(S)", "POOL(K) s(S) ceil", [POOLED]),
        ("POOL(K) s(S)", "CONV(K)-channels s(S) p0", [NOTHING]),
    ],
)
def test_another_layer_fails_the_formulas_that_are_not_its_own(old: str, new: str, statements: list[str]) -> None:
    assert failing(outcome(old, new)) == statements


@pytest.mark.parametrize("side", ["_analysed", "_built"])
@pytest.mark.parametrize(
    ("key", "statements"),
    [
        ("W'", [SIZE, POOLED]),
        ("H'", [SIZE, POOLED]),
        ("C'", [CHANNELS, KEPT]),
        ("weights", [WEIGHTS, NOTHING]),
        ("biases", [BIASES, NOTHING]),
    ],
)
def test_a_number_that_is_off_by_one_on_either_side_fails(
    side: str, key: str, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    true = getattr(dimensions, side)

    def off(spec: Spec) -> dict[str, int]:
        found: dict[str, int] = true(spec)
        return {**found, key: found[key] + 1}

    monkeypatch.setattr(dimensions, side, off)
    assert failing(outcome(settings={"kernels": [2], "paddings": [0]})) == statements


@pytest.mark.parametrize(
    ("layers", "ends"),
    [
        ("CONV3-10, POOL2, CONV3-10, POOL2, FLATTEN, FC-4", [TABLE, "FC-3: parameters 490 x 3 + 3 = 1473", TOTAL]),
        ("CONV3-10, AVGPOOL2, CONV3-10, POOL2, FLATTEN, FC-3", [TABLE]),
        (
            "CONV3-10 nobias, POOL2, CONV3-10, POOL2, FLATTEN, FC-3",
            [TABLE, "CONV3-10: parameters 3 x 3 x 1 x 10 + 10 = 100", TOTAL],
        ),
    ],
)
def test_another_network_than_the_one_counted_by_hand(layers: str, ends: list[str]) -> None:
    found = failing(outcome("table: cnn", f"table: {{input: 28x28x1, layers: '{layers}'}}"))
    assert len(found) == len(ends)
    assert all(one.removesuffix("; activations").endswith(end) for one, end in zip(found, ends, strict=True))


def test_a_slip_by_hand_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tuple((layer, text.replace("490 x 3 + 3", "490 x 3"), shape) for layer, text, shape in dimensions.BY_HAND)
    monkeypatch.setattr(dimensions, "BY_HAND", wrong)
    assert [one.split(":")[0] for one in failing(outcome())] == [
        "the table of tutorial-cnn is the one by hand, row by row", "FC-3", TOTAL,
    ]  # fmt: skip


def test_the_numbers_of_a_claim_that_fails_name_the_sizes() -> None:
    claim = outcome("p(P) s(S)", "p(P+1) s(S)", {"kernels": [3], "paddings": [1]}).claims[0]
    assert claim.predicted == "all 4; K=3 P=1 S=2 F=2 C=3: W' = 7"
    assert claim.measured == "0 of 4 agree; K=3 P=1 S=2 F=2 C=3: W' = 8"


@pytest.mark.parametrize(
    "settings",
    [{"kernels": [0]}, {"kernels": 3}, {"paddings": [-1]}, {"strides": [0.5]}, {"width": 0}, {"kernels": [40]}],
)
def test_parameters_that_make_no_experiment(settings: dict[str, object]) -> None:
    with pytest.raises(ArchspecError) as caught:
        outcome(settings=settings)
    assert caught.value.code == "study-parameter"
