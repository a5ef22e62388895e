"""A user's own layer kind, from class and builder to a module that runs: the example of docs/extending.md, installed as
a package beside archspec, in processes of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import ROOT, environment, process
from tests.installed import install_kinds

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
EXAMPLE = "".join(re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
SPEC = re.search(r"`(\{name: .*\})`", PAGE)
BUILT = """
import archspec
import torch

model = archspec.build("a.yaml").double().eval()
x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
hidden = model.conv1(x).relu().square() * 0.5
assert torch.allclose(model(x), torch.nn.functional.softsign(hidden.mean((2, 3), keepdim=True)))
print(list(model.state_dict()))
print(torch.nn.functional.softsign in {node.target for node in model.graph.nodes})
model.sqrelu1.weight.data.zero_()
print(model(x).abs().max().item(), archspec.load("a.yaml").analyze().totals.parameters)
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with the spec and an installed distribution that names the example in its entry points."""
    assert SPEC is not None
    (tmp_path / "a.yaml").write_text(SPEC[1], encoding="utf-8")
    install_kinds(tmp_path, EXAMPLE)
    return tmp_path


def python(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    """A run of some Python in the folder, with its distribution installed."""
    known = environment(PYTHONPATH=f"{site}:{ROOT}")
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=site, env=known, capture_output=True, text=True, check=False
    )


def test_the_example_of_the_page_is_built_and_runs(site: Path) -> None:
    done = python(site, BUILT)
    names = re.search(r"^>>> list\(model\.state_dict\(\)\)\n(.*)$", PAGE, re.MULTILINE)
    assert names is not None
    assert (done.stdout, done.stderr) == (f"{names[1]}\nTrue\n0.0 116\n", "")


def test_its_tables_are_those_of_any_kind(site: Path) -> None:
    done = process("table", str(site / "a.yaml"), "--columns", "layer,parameters", PYTHONPATH=f"{site}:{ROOT}")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert (["SQRELU", "init=0.5", "4"] in rows, done.stderr) == (True, "")


def test_a_kind_without_builder_is_named_where_it_stands(site: Path) -> None:
    (site / "toy_kinds.py").write_text(EXAMPLE.replace("@archspec.builder(SquaredRelu)\n", ""), encoding="utf-8")
    done = python(site, 'import archspec\ntry: archspec.build("a.yaml")\nexcept archspec.ArchspecError as e: print(e)')
    text = (site / "a.yaml").read_text(encoding="utf-8")
    assert done.stdout == (
        f"a.yaml:1:{text.index('SQRELU') + 1}: error[no-builder]: "
        "no builder makes a torch module of the layer kind SQRELU\n"
        f"  1 | {text}\n"
        f"    | {' ' * text.index('SQRELU')}{'^' * len('SQRELU init=0.5')}\n"
        "  help: register a function with @archspec.builder(SquaredRelu): docs/extending.md\n"
    )
