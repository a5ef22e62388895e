"""Layer kinds that an installed distribution brings along, by the entry-point group `archspec.layers`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.command import ROOT, process
from tests.installed import install_kinds

KINDS = """
import archspec

print("loaded")


@archspec.register
class Twice(archspec.Elementwise):
    template = "TWICE-{times} [fast]"
    family = archspec.Family.ACTIVATION
    times: int
    fast: bool = False
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with an installed distribution `toy` that registers the kind TWICE."""
    install_kinds(tmp_path, KINDS)
    return tmp_path


def table(site: Path, layers: str, more: str = "") -> subprocess.CompletedProcess[str]:
    text = f"{{name: a, input: 8x8x4, {more} layers: [{layers}]}}"
    return process("table", "-", "--columns", "layer", text=text, PYTHONPATH=f"{site}:{ROOT}")


def test_a_kind_of_another_distribution_is_found(site: Path) -> None:
    result = table(site, "RELU, TWICE-2, TWICE-3 fast")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[:1] == ["loaded"]
    assert result.stdout.splitlines()[5:9] == ["Input", "RELU", "TWICE-2", "TWICE-3 fast"]


def test_it_is_found_from_defaults_and_variables_too(site: Path) -> None:
    assert table(site, "TWICE-3", "defaults: TWICE fast,").stdout.splitlines()[6] == "TWICE-3 fast"
    assert table(site, "act", "vars: {act: TWICE-4},").stdout.splitlines()[6] == "TWICE-4"


def test_nothing_is_loaded_where_every_kind_is_known(site: Path) -> None:
    assert "loaded" not in table(site, "CONV3-4, RELU, GAP").stdout


def test_its_names_are_suggested_and_its_errors_are_the_usual_ones(site: Path) -> None:
    wrong = table(site, "TWICE-2 fats")
    assert wrong.returncode == 1
    assert "error[unknown-option]: TWICE has no option `fats`" in wrong.stderr
    unknown = table(site, "THRICE-2")
    assert "error[unknown-layer]: there is no layer `THRICE`" in unknown.stderr


@pytest.mark.parametrize("fault", ["raise RuntimeError('not today')", "import nosuch_module"])
def test_a_distribution_that_fails_is_named(fault: str, site: Path) -> None:
    (site / "toy_kinds.py").write_text(fault, encoding="utf-8")
    result = table(site, "TWICE-2")
    assert "error[entry-point]: the layer kinds of `toy_kinds` cannot be loaded: " in result.stderr
    assert "help: mend or uninstall toy" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.returncode != 0


MERGES = """
import archspec
from archspec.layers.merge import Merge

print("loaded")


@archspec.register
class Sub(Merge):
    template = "SUB"
    merge_key = "sub"

    def fits(self, one, other):
        return one == other

    def join(self, one, other):
        return one

    def remedy(self, one, other):
        return "make them equal"
"""


def test_a_merge_key_of_another_distribution_is_no_stage(site: Path) -> None:
    (site / "toy_kinds.py").write_text(MERGES, encoding="utf-8")
    assert table(site, "{sub: [RELU, TANH]}").stdout.splitlines()[6:9] == ["RELU", "TANH", "SUB"]
    beside = table(site, "{sub: [RELU, TANH], head: GAP}")
    assert "error[unknown-key]: `head` cannot stand beside `sub`" in beside.stderr
    assert table(site, "{stem: [RELU, TANH]}, {body: GAP}").stdout.count("loaded") == 1
    assert "loaded" not in table(site, "{add: [RELU, TANH]}").stdout


def test_an_expression_may_name_its_kinds(site: Path) -> None:
    chosen = table(site, "RELU if act == TWICE else TANH", "vars: {act: TWICE},")
    assert (chosen.stderr, chosen.stdout.splitlines()[6]) == ("", "RELU")
    assert table(site, "act-3", "vars: {act: TWICE},").stdout.splitlines()[6] == "TWICE-3"
    assert "loaded" not in table(site, "CONV3-F, RELU if F == 4", "vars: {F: 4},").stdout
