"""Running the command line: as a process of its own, and within the test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from archspec.cli import main

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-c", "from archspec.cli import main; main(prog_name='archspec')"]


def environment(**more: str) -> dict[str, str]:
    """The environment of a process: this one's, without what changes the look of its output."""
    looks = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHONIOENCODING", "_ARCHSPEC_COMPLETE")
    kept = {name: value for name, value in os.environ.items() if name not in looks}
    return {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **more}


def process(*arguments: str, text: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """A run of the command in a process of its own."""
    return subprocess.run(
        [*COMMAND, *arguments], input=text, env=environment(**more), capture_output=True, text=True, check=False
    )


def call(*arguments: str, text: str = "") -> Result:
    """A run of the command within the test; an exception that it lets through fails the test."""
    return CliRunner().invoke(main, arguments, input=text, prog_name="archspec", catch_exceptions=False)


def printed(*arguments: str, text: str = "") -> str:
    """What a successful run prints on standard output."""
    result = call(*arguments, text=text)
    assert result.exit_code == 0, result.output
    return result.stdout


def failure(*arguments: str, text: str = "") -> tuple[int, list[str]]:
    """The exit code of a run that prints nothing on standard output, and the lines of its error."""
    result = call(*arguments, text=text)
    assert result.stdout == ""
    return result.exit_code, result.stderr.splitlines()
