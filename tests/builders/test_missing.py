"""Without torch archspec's core works, and what needs torch says how to get it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.command import ROOT, environment

HIDDEN = "import sys; sys.modules['{name}'] = None; "


def python(code: str, hidden: str) -> subprocess.CompletedProcess[str]:
    """A process in which a package is not installed."""
    command = [sys.executable, "-c", HIDDEN.format(name=hidden) + code]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "hidden"), [("build", "torch"), ("verify", "torch"), ("run", "numpy"), ("save", "safetensors")]
)
def test_the_python_names_say_what_is_missing(name: str, hidden: str) -> None:
    done = python(f"import archspec; archspec.{name}", hidden)
    assert f"error[missing-package]: archspec.{name} needs the package {hidden}, which is not installed" in done.stderr
    assert "pip install 'archspec-nn[torch]'" in done.stderr


@pytest.mark.parametrize("command", ["verify", "run"])
def test_the_commands_say_what_is_missing(command: str) -> None:
    done = python(f"from archspec.cli import main; main(['{command}', 'tutorial/cnn'])", "torch")
    assert done.returncode == 2
    assert done.stderr == (
        f"error[missing-package]: archspec {command} needs the package torch, which is not installed\n"
        "  help: pip install 'archspec-nn[torch]'\n"
    )


def test_tables_need_no_torch() -> None:
    done = python("from archspec.cli import main; main(['table', 'tutorial/cnn'])", "torch")
    assert (done.returncode, "2,483" in done.stdout) == (0, True)
