"""Finding a dot program, and running it: the one that the user names, the system's, or graphviz-pure's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archspec.errors import ArchspecError

VARIABLE = "ARCHSPEC_DOT"
PURE = "graphviz-pure"  # a wheel with a dot program inside; it writes no pdf
PATIENCE = 120.0  # seconds
WHOLE = {"svg": (b"<svg", b"</svg>"), "png": (b"\x89PNG", b"IEND"), "pdf": (b"%PDF", b"%%EOF")}  # starts and ends
INSTALL = f"install Graphviz (apt install graphviz, brew install graphviz), or pip install {PURE}"


@dataclass(frozen=True, slots=True)
class Program:
    """A dot program; `pure` is the one that comes with the Python package."""

    path: str
    pure: bool = False


def find(chosen: str | os.PathLike[str] | None = None) -> Program:
    """The program to use: `chosen`, ARCHSPEC_DOT, `dot` on the path, graphviz-pure's; raises ArchspecError if none."""
    named = os.fspath(chosen) if chosen else os.environ.get(VARIABLE)
    if named:
        path = shutil.which(named)
        if path is None:
            message = f"there is no program {named}"
            raise ArchspecError("no-dot", message, hint=f"name a dot program with --dot or {VARIABLE}, or neither")
        return Program(path)
    system = shutil.which("dot")
    if system is not None:
        return Program(system)
    pure = next((found for folder in _scripts() if (found := shutil.which(PURE, path=folder))), None)
    if pure is None:
        raise ArchspecError("no-dot", "no dot program is installed that could draw", hint=INSTALL)
    return Program(pure, pure=True)


def _scripts() -> Iterator[str]:
    """The folders in which this Python's packages put their programs, those on the path last."""
    yield str(Path(sys.executable).parent)
    yield sysconfig.get_path("scripts")
    yield sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    yield os.environ.get("PATH", os.defpath)


def render(source: str, form: str, program: Program, *options: str, patience: float = PATIENCE) -> bytes:
    """Run a dot source through a program; raises ArchspecError with the program's own words where it fails."""
    if program.pure and form == "pdf":
        message = f"{PURE}, the only dot program here, writes no pdf"
        raise ArchspecError("no-pdf", message, hint="install Graphviz (apt install graphviz), or write svg")
    command = [program.path, "-Kdot", f"-T{form}", *options]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        raise _failed(program, f"did not finish in {patience:g} seconds") from None
    except OSError as error:
        raise _failed(program, f"cannot be run: {error.strerror or error}") from None
    if done.returncode or not all(mark in done.stdout for mark in WHOLE[form]):
        what = f"failed with code {done.returncode}" if done.returncode else f"drew no {form}"
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise _failed(program, f"{what}: {' / '.join(said[-3:]) or 'no word why'}")
    return done.stdout


def _failed(program: Program, what: str) -> ArchspecError:
    hint = f"fold more with --depth, or name another dot program with --dot or {VARIABLE}"
    return ArchspecError("dot-failed", f"{program.path} {what}", hint=hint)
