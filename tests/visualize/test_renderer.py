"""Which dot program draws, and what is said where it cannot."""

from __future__ import annotations

import sys
import sysconfig
import time
from pathlib import Path

import pytest

from archspec import ArchspecError
from tests.visualize.drawing import PURE
from visualize.diagram import renderer
from visualize.diagram.renderer import VARIABLE, Program, find, render

SOURCE = 'digraph { a [label="x"]; a -> b }'


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without Graphviz, but for what Python's packages bring."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)


def program(folder: Path, *lines: str, name: str = "dot") -> Path:
    """A small program that runs some lines of shell."""
    path = folder / name
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return path


def delegating(folder: Path, name: str = "dot") -> Path:
    """A dot program that notes how it is called and lets graphviz-pure do the work."""
    return program(folder, f'echo "$@" >> "{folder}/calls"', f'exec "{PURE}" "$@"', name=name)


def failing(folder: Path, *lines: str) -> ArchspecError:
    with pytest.raises(ArchspecError) as failed:
        render(SOURCE, "svg", Program(str(program(folder, *lines))), patience=0.5)
    return failed.value


def test_the_package_beside_this_python_draws_where_the_system_has_no_dot() -> None:
    found = find()
    assert found.pure
    assert Path(found.path).name == renderer.PURE
    assert b"<svg" in render(SOURCE, "svg", found)


def test_it_is_found_among_the_user_s_scripts_and_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "elsewhere" / "python"))
    monkeypatch.setattr(sysconfig, "get_path", lambda _, scheme="none": str(tmp_path / scheme))
    monkeypatch.setattr(sysconfig, "get_preferred_scheme", lambda key: key)
    on_path = delegating(tmp_path, renderer.PURE)
    assert find() == Program(str(on_path), pure=True)
    (tmp_path / "user").mkdir()
    installed = delegating(tmp_path / "user", renderer.PURE)
    assert find() == Program(str(installed), pure=True)


def test_the_system_s_dot_is_preferred(tmp_path: Path) -> None:
    path = delegating(tmp_path)
    assert find() == Program(str(path))
    assert b"<svg" in render(SOURCE, "svg", find(), "-Gbgcolor=white")
    assert (tmp_path / "calls").read_text() == "-Kdot -Tsvg -Gbgcolor=white\n"


def test_the_user_s_choice_goes_before_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    delegating(tmp_path)
    named, chosen = delegating(tmp_path, "named"), delegating(tmp_path, "chosen")
    monkeypatch.setenv(VARIABLE, "named")
    assert find() == Program(str(named))
    assert find(chosen) == Program(str(chosen))


def test_a_choice_that_is_no_program(tmp_path: Path) -> None:
    delegating(tmp_path)
    with pytest.raises(ArchspecError) as failed:
        find("dott")
    assert str(failed.value) == (
        "error[no-dot]: there is no program dott\n  help: name a dot program with --dot or ARCHSPEC_DOT, or neither"
    )


def test_no_program_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer, "_scripts", lambda: iter(()))
    with pytest.raises(ArchspecError) as failed:
        find()
    assert str(failed.value) == (
        "error[no-dot]: no dot program is installed that could draw\n"
        "  help: install Graphviz (apt install graphviz, brew install graphviz), or pip install graphviz-pure"
    )


def test_pdf_needs_the_system_s_dot() -> None:
    with pytest.raises(ArchspecError) as failed:
        render(SOURCE, "pdf", find())
    assert str(failed.value) == (
        "error[no-pdf]: graphviz-pure, the only dot program here, writes no pdf\n"
        "  help: install Graphviz (apt install graphviz), or write svg"
    )


def test_a_program_that_fails_is_quoted(tmp_path: Path) -> None:
    error = failing(tmp_path, 'echo "Error: out of ink" >&2', "exit 3")
    assert error.code == "dot-failed"
    assert error.diagnostics[0].message == f"{tmp_path}/dot failed with code 3: Error: out of ink"
    assert error.hint == "fold more with --depth, or name another dot program with --dot or ARCHSPEC_DOT"


def test_a_program_that_says_and_draws_nothing(tmp_path: Path) -> None:
    assert failing(tmp_path, "exit 0").diagnostics[0].message == f"{tmp_path}/dot drew no svg: no word why"
    assert "no word why" in failing(tmp_path, "kill -9 $$").diagnostics[0].message


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
@pytest.mark.parametrize("drawn", ["garbage", "<svg", "%PDF-1.7", r"\211PNG", r"\377"])
def test_a_program_that_draws_something_else(form: str, drawn: str, tmp_path: Path) -> None:
    path = program(tmp_path, "echo 'no such device' >&2", f"printf '{drawn.replace('%', '%%')}'")
    with pytest.raises(ArchspecError) as failed:
        render(SOURCE, form, Program(str(path)))
    assert failed.value.diagnostics[0].message == f"{tmp_path}/dot drew no {form}: no such device"


def test_a_program_that_hangs_is_stopped(tmp_path: Path) -> None:
    start = time.perf_counter()
    error = failing(tmp_path, "exec /bin/sleep 30")
    assert error.diagnostics[0].message == f"{tmp_path}/dot did not finish in 0.5 seconds"
    assert time.perf_counter() - start < 10


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "dot").write_bytes(b"\x7fELF nonsense")
    (tmp_path / "dot").chmod(0o755)
    with pytest.raises(ArchspecError, match="cannot be run: Exec format error"):
        render(SOURCE, "svg", find())


def test_warnings_are_not_passed_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program(tmp_path, "echo 'Warning: no width' >&2", f'exec "{PURE}" "$@"')
    assert b"<svg" in render(SOURCE, "svg", find())
    assert capfd.readouterr() == ("", "")
