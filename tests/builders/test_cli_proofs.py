"""The commands verify and run: what they refuse before they begin, and how they go on after a spec with errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders.proofs.claim import Claim
from builders.verify import Verification, Verifier
from tests.command import call, failure, printed

VARIED = "{name: v, vars: {F: 1}, input: 2, layers: FC-F, variants: {one: {}, two: {F: 2}}}"
BAD = "{name: bad, input: 2, layers: FCC-1}"


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The networks that a command verifies, each with the memory that it may take; the proofs are left out."""
    found: list[tuple[str, int]] = []

    def verified(verifier: Verifier, spec: Any, progress: Callable[[str], None]) -> Verification:
        progress("parameters")
        found.append((spec.title, verifier.budget))
        claim = Claim("network", "parameters", spec.analyze().parameters, spec.analyze().parameters)
        return Verification(spec.title, (claim,), (), 0.0)

    monkeypatch.setattr(Verifier, "verify", verified)
    return found


# -- verify: what is asked for -----------------------------------------------------------------------------------------


def test_memory_may_be_without_limit(ran: list[tuple[str, int]]) -> None:
    for memory in ("inf", "1e300", "0.5"):
        printed("verify", "tutorial/cnn", "--memory", memory)
    assert [budget > 1 << 60 for _, budget in ran] == [True, True, False]
    assert ran[-1] == ("tutorial-cnn", 1 << 29)


def test_memory_that_is_no_number_is_refused(ran: list[tuple[str, int]]) -> None:
    code, lines = failure("verify", "tutorial/cnn", "--memory", "nan")
    assert (code, lines[-1]) == (2, "Error: Invalid value for '--memory': nan is no limit.")
    assert not ran


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("none/x", "No such file or directory"),
        (".", "Is a directory"),
        ("file/x", "Not a directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_place_that_cannot_be_written_is_named_first(
    place: str, why: str, ran: list[tuple[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    assert failure("verify", "tutorial/cnn", "-o", place) == (
        2,
        [f"error[unwritable]: cannot write {place}: {why}", "  help: choose another file with -o"],
    )
    assert not ran


def test_the_place_is_left_as_it_was_until_all_is_proved(ran: list[tuple[str, int]], tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.write_text("old")
    assert call("verify", "-", "-o", str(output), text=BAD).exit_code == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
    assert printed("verify", "tutorial/cnn", "-o", str(output)) == ""
    assert output.read_text().startswith("tutorial-cnn\n")
    assert printed("verify", "tutorial/cnn", "-o", "/dev/null") == ""
    assert len(ran) == 2


def test_the_help_says_what_meta_leaves_out() -> None:
    text = " ".join(printed("verify", "--help").split())
    assert "No pass of the whole network on real numbers: torch's device meta instead." in text
    assert "takes no memory" not in text


# -- verify: several specs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "code", "said"), [("bad.yaml", 1, "unknown-layer"), ("none.yaml", 2, "unreadable")])
def test_a_spec_with_errors_does_not_keep_others_from_being_verified(
    name: str, code: int, said: str, ran: list[tuple[str, int]], tmp_path: Path
) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    result = call("verify", str(tmp_path / name), "tutorial/cnn", "--format", "json")
    found = json.loads(result.stdout)
    assert (result.exit_code, f"error[{said}]" in result.stderr) == (code, True)
    assert [network["name"] for network in found["networks"]] == ["tutorial-cnn"] == [title for title, _ in ran]
    assert [error["code"] for error in found["errors"]] == [said]
    assert found["total"].endswith("; 1 more could not be run")


def test_a_variant_that_a_spec_lacks_is_asked_for_of_the_others(ran: list[tuple[str, int]]) -> None:
    result = call("verify", "tutorial/cnn", "-", "--variant", "two", text=VARIED)
    assert (result.exit_code, "error[unknown-variant]" in result.stderr) == (2, True)
    assert [title for title, _ in ran] == ["v (two)"]


def test_nothing_is_said_to_hold_where_nothing_ran() -> None:
    code, lines = failure("verify", "-", text=BAD)
    assert (code, lines[0]) == (1, "<stdin>:1:31: error[unknown-layer]: there is no layer `FCC`")
    assert json.loads(call("verify", "-", "--format", "json", text=BAD).stdout)["networks"] == []


def test_standard_input_is_verified_in_all_variants(ran: list[tuple[str, int]]) -> None:
    assert printed("verify", "-", text=VARIED).splitlines()[-1].startswith("2 networks: 2 numbers held")
    assert [title for title, _ in ran] == ["v (one)", "v (two)"]
    printed("verify", "-", "--variant", "two", text=VARIED)
    assert [title for title, _ in ran[2:]] == ["v (two)"]


def test_standard_input_is_named_once(ran: list[tuple[str, int]]) -> None:
    code, lines = failure("verify", "-", "-", text=VARIED)
    assert (code, lines[-1]) == (2, "Error: standard input is read once: name - once")
    assert not ran


# -- run ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", ["9" * 23, str(1 << 63), str(-(1 << 63) - 1)])
def test_a_seed_has_64_bits(seed: str) -> None:
    code, lines = failure("run", "dilated_sum", "--seed", seed)
    assert code == 2
    assert lines == [f"error[seed]: a seed cannot be {seed}", "  help: give a whole number from -2**63 to 2**63 - 1"]
    assert printed("run", "dilated_sum", "--seed", str(-(1 << 63))) == printed("run", "dilated_sum")


def test_json_writes_numbers_that_are_not_finite_as_text() -> None:
    tensors = "{input: [1e300, -1e300, 0], huge: [[1e30, 0, 0], [0, 1e30, 0], [0, 0, 1]]}"
    spec = f"{{name: i, input: 3, layers: FC-3 w=huge nobias, tensors: {tensors}}}"

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    found = json.loads(printed("run", "-", "--format", "json", text=spec), parse_constant=refuse)
    assert found["layers"][0]["output"] == [1e300, -1e300, 0.0]
    assert found["layers"][1]["output"] == ["inf", "-inf", 0.0]
