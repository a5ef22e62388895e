"""What is shipped: the wheel and the sdist, the version, the set-up commands of the README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import archspec
from tests.command import call

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = sorted(init.parent.name for init in ROOT.glob("*/__init__.py"))
TEST_COMMAND = re.compile(r"^<!-- test command -->\n+```\w*\n(.+)\n```$", re.MULTILINE)


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that knows nothing of the source tree; a failure shows all it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sdist and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return out


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return next(dist.glob("*.whl"))


def files(*folders: str) -> set[str]:
    """Every file under some folders of the repository, without the caches of tools."""
    found = (path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    caches = re.compile(r"(^|/)(__pycache__|\.[a-z_]+)/")
    return {name for path in found if not caches.search(name := path.as_posix())}


def test_the_wheel_holds_the_packages_and_the_specs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert shipped == files(*PACKAGES) | {f"archspec/{name}" for name in files("specs")}
    assert {"archspec/py.typed", "archspec/specs/tutorial/cnn.yaml"} <= shipped


def test_the_sdist_holds_what_tests_need(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        shipped = {name.partition("/")[2] for name in archive.getnames()}
    texts = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "pyproject.toml", "Makefile", ".ci/run"}
    assert files(*PACKAGES, "specs", "tests", "docs") | texts <= shipped


def test_the_installed_wheel_finds_its_specs_by_name(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "env", cwd=tmp_path)
    scripts = tmp_path / "env" / "bin"
    run(scripts / "pip", "install", "--quiet", wheel, cwd=tmp_path)
    where = run(scripts / "python", "-c", "import archspec, sys; print(archspec.__file__, *sys.path)", cwd=tmp_path)
    assert where.startswith(str(tmp_path))
    assert str(ROOT) not in where
    assert "2,483" in run(scripts / "archspec", "table", "tutorial/cnn", cwd=tmp_path)


def test_one_version_everywhere() -> None:
    newest = re.search(r"^## (\d+\.\d+\.\d+)\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert PROJECT["project"]["version"] == archspec.__version__ == newest[1]


def test_every_package_is_shipped_and_under_contract() -> None:
    """A package that import-linter does not know would pass every contract."""
    assert set(PACKAGES) <= set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])
    assert sorted(PROJECT["tool"]["importlinter"]["root_packages"]) == PACKAGES


def test_ci_runs_the_test_command_of_the_readme(tmp_path: Path) -> None:
    (command,) = TEST_COMMAND.findall(README)
    assert command.endswith("tests/check.py")
    for name in (".ci", ".venv"):
        (tmp_path / name).mkdir()
    script = tmp_path / ".ci" / "run"
    script.write_bytes((ROOT / ".ci" / "run").read_bytes())
    (tmp_path / "README.md").write_text(README.replace(command, 'echo "in $(basename "$PWD")" && ls -A'))
    printed = run("bash", script, cwd=ROOT).splitlines()
    assert printed[1:] == [f"in {tmp_path.name}", ".ci", "README.md"]


def test_the_readme_shows_a_spec_and_its_table() -> None:
    (text,) = re.findall(r"^```yaml\n(.+?)^```$", README, re.MULTILINE | re.DOTALL)
    table = archspec.load("tutorial/cnn").to_markdown()
    assert archspec.parse(text).to_markdown() == table
    assert f"prints:\n\n{table}\n" in README


def test_the_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "{name: net, input: 8x8x1, vars: {width: 8}, variants: {small: {width: 4}}, layers: CONV3-width}"
    Path("net.yaml").write_text(text, encoding="utf-8")
    examples = re.findall(r"^    archspec (table net\.yaml .+?)(?:  .*)?$", README, re.MULTILINE)
    assert len(examples) == 4
    first, resized, columns, written = (call(*example.split()) for example in examples)
    assert {result.exit_code for result in (first, resized, columns, written)} == {0}
    assert "CONV3-64" in first.stdout
    assert "64 x 64 x 3" in resized.stdout
    assert columns.stdout.splitlines()[2].split() == ["layer", "parameters", "FLOPs"]
    assert written.stdout == ""
    assert Path("net.csv").read_text(encoding="utf-8").startswith("layer,parameters,activations,macs\n")
