"""The study `fir-filter`: it holds for other filters too, and every one of its claims fails where it is not true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter  # type: ignore[import-untyped]

from archspec import bundle
from archspec.errors import ArchspecError
from studies import fir_filter
from studies.document import find, parse
from studies.fir_filter import respond
from studies.fir_filter_signals import SAMPLES, WINDOW, Problem, Signal
from studies.study import Outcome, Study

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = bundle.studies()["fir-filter"].read_text(encoding="utf-8")
NUMPY = "CONV flip with the kernel h gives numpy.convolve(x, h)"
RECURSION = "y[n] = a y[n - 1] + x[n]: cutting h at 19 taps loses nothing here"
BEFORE, RISING, FALLING = (
    "n < 0: y[n] = 0",
    "0 <= n < L - 1: y[n] = (1 - a^(n + 1)) / (1 - a)",
    "n >= L - 1: y[n] = a^(n - L + 1) (1 - a^L) / (1 - a)",
)
HALF = "a = 1/2: y[n] = 0, then 2 - (1/2)^n, then (1/2)^n (2^L - 1)"
REVERSED = "CONV with h written from its end to its start: the same y"
CORRELATION = "CONV with h as it is: sum_i x[n + i] h[i], the correlation"
DIFFERS = "the correlation differs from y at some n, however it is delayed"
IMPULSE, AHEAD = "the response to an impulse at n = 0 is h[n]", "the same without the flip: h[-n]"
RANDOM = "2 random kernels: reversed and correlated is convolved"
SHIFTED, NOISE = "the response to x[n - 5] is y[n - 5]", "the same for noise, a random kernel and delays of 0 to 18"
LEARNT = "CONV without flip, fitted to noise * h, learns h reversed"
ALL = [NUMPY, RECURSION, BEFORE, RISING, FALLING, HALF, REVERSED, CORRELATION, DIFFERS, IMPULSE, AHEAD, RANDOM]
ALL += [SHIFTED, NOISE, LEARNT]


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take longer than claims."""
    monkeypatch.setattr(fir_filter, "_figure", lambda _: None)


def outcome(text: str = TEXT, settings: dict[str, object] | None = None, seed: int = 0) -> Outcome:
    """What the study finds with two random kernels."""
    return fir_filter.run(Study.of(parse(text), {"kernels": 2, **(settings or {})}, seed=seed))


def failing(found: Outcome) -> list[str]:
    return [claim.statement for claim in found.claims if not claim.holds]


def test_the_study_holds() -> None:
    found = outcome()
    assert [claim.statement for claim in found.claims] == ALL
    assert failing(found) == []
    page = (ROOT / "docs" / "studies" / "fir-filter.md").read_text(encoding="utf-8")
    assert [one for one in ALL if f"| {one.replace('2 random', '60 random')} |" not in page] == []
    signals = found.numbers["signals"]
    assert set(found.figures) == {"signals"}
    assert [row["n"] for row in signals] == list(range(-6, 13))
    wanted = [0] * 6 + [1, 1.5, 1.75, 1.875, 1.9375] + [31 / 2**n for n in range(5, 13)]
    assert [row["y[n]"] for row in signals] == wanted
    assert [row["response to x[n - 5]"] for row in signals] == [0] * 5 + wanted[:-5]


@pytest.mark.parametrize(
    "settings",
    [
        {"length": 2, "shift": -6},
        {"length": 12, "shift": 12},
        {"decay": 0.99},
        {"decay": -0.99, "shift": -1},
        {"decay": 0.01},
    ],
)
def test_other_filters_hold_too(settings: dict[str, object]) -> None:
    assert failing(outcome(settings=settings, seed=5)) == []


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        ("causal nobias flip w=h", "causal nobias w=h", [NUMPY, RECURSION, RISING, FALLING, HALF, REVERSED, IMPULSE]),
        ("causal nobias flip w=h", "causal pad=replicate nobias flip w=h", [NOISE]),
        ("w=backwards", "w=h", [REVERSED, RANDOM]),
        ("w=backwards", "flip w=backwards", [REVERSED, RANDOM]),
        ("p0:(taps-1) nobias w=h", "p0:(taps-1) nobias flip w=h", [CORRELATION, AHEAD]),
        ("p0:(taps-1) nobias w=h", "causal nobias flip w=h", [CORRELATION, DIFFERS, AHEAD]),
        ("causal nobias\n", "causal nobias flip\n", [LEARNT]),
        ("taps: 8}", "taps: 8}\n    defaults: CONV d2", [LEARNT]),
    ],
)
def test_other_layers_fail_their_claims_alone(old: str, new: str, statements: list[str]) -> None:
    assert TEXT.count(old) == 1
    assert failing(outcome(TEXT.replace(old, new))) == statements


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("n", "statement"), [(-1, BEFORE), (0, RISING), (3, RISING), (4, FALLING), (12, FALLING)])
def test_a_closed_form_that_is_wrong_in_one_case_fails_there(
    n: int, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right: Callable[[Problem], Signal] = vars(Problem)["y"].fget
    monkeypatch.setattr(Problem, "y", property(lambda problem: right(problem) + 1e-9 * (n == WINDOW)))
    assert failing(outcome()) == [statement]


@pytest.mark.usefixtures("undrawn")
def test_a_recursion_of_another_decay_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fir_filter, "lfilter", lambda b, a, x: lfilter(b, [a[0], a[1] * (1 + 1e-9)], x))
    assert failing(outcome()) == [RECURSION]


@pytest.mark.usefixtures("undrawn")
def test_a_layer_that_answers_otherwise_to_what_comes_later_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def drifting(study: Study, h: Signal, signals: Signal) -> dict[str, Signal]:
        found = respond(study, h, signals)
        found["convolution"][1:2] *= 1 + 1e-9 * np.arange(signals.shape[1])
        return found

    monkeypatch.setattr(fir_filter, "respond", drifting)
    assert failing(outcome()) == [SHIFTED, NOISE]


@pytest.mark.usefixtures("undrawn")
def test_a_kernel_that_is_cut_too_early_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ten taps the response to a rectangle of five samples is wrong from n = 10."""
    right = respond
    cut = np.arange(SAMPLES) < 10

    def short(study: Study, h: Signal, signals: Signal) -> dict[str, Signal]:
        return right(study, h * cut if len(h) == len(cut) else h, signals)

    monkeypatch.setattr(fir_filter, "respond", short)
    found = failing(outcome())
    assert {NUMPY, RECURSION, FALLING, HALF, IMPULSE} <= set(found)
    assert not {BEFORE, RISING, SHIFTED, NOISE} & set(found)


@pytest.mark.parametrize(
    "settings",
    [
        {"length": 1},
        {"length": 13},
        {"length": 2.5},
        {"decay": 0},
        {"decay": 1},
        {"decay": "half"},
        {"shift": 0},
        {"shift": 13},
        {"shift": -7},
        {"kernels": 0},
    ],
)
def test_parameters_that_make_no_experiment(settings: dict[str, object]) -> None:
    with pytest.raises(ArchspecError) as caught:
        outcome(settings=settings)
    assert caught.value.code == "study-parameter"


@pytest.mark.prove
def test_twenty_seeds_hold() -> None:
    """Every tolerance is a bound on rounding, so that no seed may fail."""
    for seed in range(1, 21):
        assert failing(fir_filter.run(Study.of(find("fir-filter"), seed=seed))) == []
