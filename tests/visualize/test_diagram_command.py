"""The command that draws: where it writes, in which format, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

import archspec
from tests.command import call, failure
from tests.visualize.drawing import CNN, PURE, bundled, hide_system_dot


@pytest.fixture(autouse=True)
def pure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Draw with the program of the Python package, wherever the test runs."""
    hide_system_dot(monkeypatch, tmp_path)


def test_draw_writes_a_file_by_the_name_of_the_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("draw", "resnet50")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "resnet50.svg: 14 boxes, folded at depth 3\n"
    assert (tmp_path / "resnet50.svg").read_text(encoding="utf-8") == bundled("resnet50").draw().svg()
    assert call("draw", "-", "--format", "dot", text=CNN.replace("name: a", "name: ../b c")).stderr.startswith(
        "b-c.dot:"
    )


def test_draw_takes_the_format_of_the_suffix_and_every_option(tmp_path: Path) -> None:
    file = tmp_path / "net.dot"
    options = ("--depth", "2", "--direction", "LR", "--show", "shape, macs", "--every", "--dot", PURE)
    assert call("draw", "resnet18", *options, "-o", str(file)).exit_code == 0
    assert file.read_text(encoding="utf-8") == bundled("resnet18").draw(2, "LR", ["shape", "macs"], every=True).source


def test_draw_to_standard_output() -> None:
    assert call("draw", "-", "-o", "-", text=CNN).stdout == archspec.parse(CNN).draw().svg()
    assert call("draw", "-", "-o", "-", "--format", "png", text=CNN).stdout_bytes.startswith(b"\x89PNG")


def test_draw_of_what_cannot_be_drawn(tmp_path: Path) -> None:
    code, error = failure("draw", "resnet50", "-o", str(tmp_path / "net.gif"))
    assert (code, error) == (
        2,
        [
            f"error[unknown-format]: {tmp_path}/net.gif does not say which format to draw in",
            "  help: name it net.svg, .png, .pdf or .dot, or give the format",
        ],
    )
    code, error = failure("draw", "resnet50", "-o", str(tmp_path / "net.pdf"))
    assert (code, error[0]) == (2, "error[no-pdf]: graphviz-pure, the only dot program here, writes no pdf")


def test_draw_never_takes_the_place_of_the_spec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    spec = tmp_path / "a.svg"
    spec.write_text(CNN, encoding="utf-8")
    for options in (["-o", "a.svg"], []):
        code, error = failure("draw", "a.svg", *options)
        assert (code, error[0]) == (
            2,
            "error[unwritable]: a.svg is the spec itself, and the output would take its place",
        )
    assert spec.read_text(encoding="utf-8") == CNN
