"""The command line as a whole: check, list, help, completion, and the surroundings it may run in."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import termios
import time
from contextlib import suppress
from pathlib import Path

import pytest

from archspec import bundle
from tests.command import COMMAND, call, environment, printed, process

GOOD = "{name: good, input: 8x8x1, layers: [CONV3-4, FLATTEN, FC-3], expect: {parameters: 811, shape: 3}}"
WRONG = GOOD.replace("811", "5").replace("good", "wrong")
WARNS = "{name: warns, input: 8x8x1, blocks: {unused: RELU}, layers: GAP}"
BROKEN = "{name: broken, input: 8x8x1, layers: [CONV3-4 z, FC]}"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


# -- check -------------------------------------------------------------------------------------------------------------


def test_check_of_a_good_spec() -> None:
    result = process("check", "-", text=GOOD)
    assert (result.returncode, result.stdout, result.stderr) == (0, "<stdin>: ok, 2 expectations hold\n", "")


def test_check_shows_what_was_expected_and_what_was_found() -> None:
    result = process("check", "-", text=WRONG)
    assert result.returncode == 1
    column = WRONG.index("5, shape") + 1
    assert (
        result.stdout
        == f"""\
<stdin>:1:{column}: error[expectation-failed]: parameters: expected 5, found 811 (806 more)
  1 | {WRONG}
    | {" " * (column - 1)}^
  help: if the network is meant as it is, correct what is expected

<stdin>: 1 error, 1 expectation holds
"""
    )


@pytest.mark.parametrize(
    ("text", "given", "code", "verdict"),
    [
        (BROKEN, [], 1, "<stdin>: 2 errors, 0 expectations hold"),
        (WARNS, [], 0, "<stdin>: 1 warning, 0 expectations hold"),
        (WARNS, ["--strict"], 1, "<stdin>: 1 warning, 0 expectations hold"),
        (GOOD, ["--strict"], 0, "<stdin>: ok, 2 expectations hold"),
    ],
)
def test_check_exits_by_what_it_finds(text: str, given: list[str], code: int, verdict: str) -> None:
    result = call("check", "-", *given, text=text)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (code, verdict)


def test_check_goes_on_behind_a_spec_that_it_cannot_read(tmp_path: Path) -> None:
    good, broken = tmp_path / "good.yaml", tmp_path / "broken.yaml"
    good.write_text(GOOD, encoding="utf-8")
    broken.write_text(BROKEN, encoding="utf-8")
    result = call("check", str(broken), str(tmp_path / "none.yaml"), "nosuch", str(good))
    assert result.exit_code == 2
    verdicts = [line for line in result.stdout.splitlines() if line.startswith(str(tmp_path)) and "[" not in line]
    assert verdicts == [f"{broken}: 2 errors, 0 expectations hold", f"{good}: ok, 2 expectations hold"]
    assert [line.split(":")[0] for line in result.stderr.splitlines() if not line.startswith(" ")] == [
        "error[unreadable]",
        "error[unknown-spec]",
    ]
    assert call("check", str(broken), str(good)).exit_code == 1


def test_check_takes_every_variant_or_the_one_that_is_named() -> None:
    assert len(printed("check", "resnet").splitlines()) == 10
    (one,) = printed("check", "resnet18").splitlines()
    assert one.endswith("resnet.yaml (resnet18): ok, 2 expectations hold")
    assert printed("check", "resnet", "--variant", "resnet18").splitlines() == [one]
    assert call("check", "resnet", "--variant", "resnet5").exit_code == 2


# -- list --------------------------------------------------------------------------------------------------------------


def test_list_shows_names_descriptions_and_variants() -> None:
    lines = printed("list").splitlines()
    width = max(len(entry.name) for entry in bundle.entries()) + 2
    assert "cnn".ljust(width) + "A small classifier, counted by hand." in lines
    assert " " * width + "variants: densenet121, densenet161, densenet169, densenet201" in lines
    assert [line.split()[0] for line in lines if line[0] != " "] == [name.split("/")[-1] for name in bundle.files()]
    assert max(map(len, lines)) <= 100
    assert all(line[width:].strip() for line in lines)


def test_list_without_descriptions_shows_names(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [bundle.Entry("a", "zoo/a", "the-net", "", ()), bundle.Entry("bc", "zoo/bc", "bc", "", ("x", "y"))]
    monkeypatch.setattr(bundle, "entries", lambda: entries)
    assert printed("list") == "a   the-net\nbc  variants: x, y\n"
    monkeypatch.setattr(bundle, "entries", list)
    assert printed("list") == ""


def test_list_as_json() -> None:
    found = json.loads(printed("list", "--format", "json"))
    assert [entry["file"] for entry in found] == list(bundle.files())
    assert {
        "name": "cnn",
        "file": "tutorial/cnn",
        "title": "tutorial-cnn",
        "description": "A small classifier, counted by hand.",
        "variants": [],
    } in found


# -- help and completion -----------------------------------------------------------------------------------------------


def test_help_names_every_command_with_what_it_does() -> None:
    lines = printed("--help").splitlines()
    assert lines[lines.index("Commands:") + 1 :] == [
        "  check      Report the errors in specs, and figures that are not as expected.",
        "  draw       Draw SPEC: layers as boxes, stages and blocks as frames.",
        "  init       Draw the weights of SPEC by a scheme, and show how.",
        "  list       List the bundled specs and their variants.",
        "  propagate  Run a batch forward and backward through SPEC under each scheme.",
        "  report     Write what is known of SPEC as one page that opens offline.",
        "  rf         Show how the receptive field grows up to a layer of SPEC.",
        "  run        Run SPEC on the input that it gives, and print every output.",
        "  schema     Print the JSON Schema of specs, which editors check them by.",
        "  serve      Show SPEC as a page that follows every save of it.",
        "  study      Run experiments, and hold their claims against what they find.",
        "  table      Print shapes, parameters and MACs of SPEC, layer by layer.",
        "  train      Train each SPEC under every initialisation and seed.",
        "  verify     Hold every number of SPEC against a run of its torch module.",
    ]
    for command in (line.split()[0] for line in lines[lines.index("Commands:") + 1 :]):
        assert printed(command, "-h").startswith(f"Usage: archspec {command} [OPTIONS]")
    assert printed("--version").startswith("archspec, version ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("archspec table resn", ["resnet", "resnet101", "resnet152", "resnet18", "resnet34", "resnet50"]),
        ("archspec check unet squ", ["squeezenet", "squeezenet1_0", "squeezenet1_1"]),
        ("archspec ta", ["table"]),
        ("archspec table cnn --form", ["--formulas", "--format"]),
        ("archspec table cnn --format m", ["markdown"]),
    ],
)
def test_bash_completes(words: str, expected: list[str]) -> None:
    more = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    result = process(_ARCHSPEC_COMPLETE="bash_complete", **more)
    found = [line.removeprefix("plain,") for line in result.stdout.splitlines()]
    assert set(expected) <= set(found)
    assert all(name.startswith(words.split()[-1]) for name in found)


def test_bash_completes_files_where_no_name_fits() -> None:
    more = {"COMP_WORDS": "archspec table ./my", "COMP_CWORD": "2"}
    assert process(_ARCHSPEC_COMPLETE="bash_complete", **more).stdout == "file,./my\n"


# -- terminals ---------------------------------------------------------------------------------------------------------


def terminal(columns: int, *arguments: str, **more: str) -> str:
    """What the command writes to a terminal of some width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    command, parts = [*COMMAND, *arguments], []
    with subprocess.Popen(command, env=environment(**more), stdin=theirs, stdout=theirs, stderr=theirs) as running:
        os.close(theirs)
        with suppress(OSError):  # so Linux says that nothing more comes
            while part := os.read(ours, 65536):
                parts.append(part)
    os.close(ours)
    assert running.returncode == 0
    return b"".join(parts).decode().replace("\r\n", "\n")


def test_a_terminal_of_any_width_shows_the_table_with_its_words_and_numbers_whole() -> None:
    wide = ESCAPE.sub("", terminal(200, "table", "tutorial/cnn"))
    plain = printed("table", "tutorial/cnn").replace("-" * 62, "─" * 62)
    assert [line.rstrip() for line in wide.splitlines()] == plain.splitlines()
    for columns in (40, 60, 80):
        lines = ESCAPE.sub("", terminal(columns, "table", "tutorial/cnn")).splitlines()
        assert max(map(len, lines)) <= columns
        assert {"CONV3-10", "70,560", "2,483", "248,430", "1473"} <= {word for line in lines for word in line.split()}


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_no_number_of_a_large_table_is_broken(columns: int) -> None:
    words = ESCAPE.sub("", terminal(columns, "table", "resnet50", "--depth", "3")).split()
    assert {"4,089,184,256", "25,557,032", "2049000", "1,091,829,760", "FLATTEN", "CONV7-64"} <= set(words)


def test_a_long_path_is_folded_behind_its_slashes() -> None:
    lines = ESCAPE.sub("", terminal(80, "table", "unet")).splitlines()
    at = next(number for number, line in enumerate(lines) if "CONV3-1024 p0" in line)
    assert [line[:15].strip() for line in lines[at : at + 3]] == ["level/level/", "level/level/", "level/pair"]
    assert max(map(len, lines)) <= 80


def test_colour_is_for_terminals_that_want_it() -> None:
    assert ESCAPE.search(terminal(80, "table", "cnn"))
    assert not ESCAPE.search(terminal(80, "table", "cnn", NO_COLOR="1"))
    assert not ESCAPE.search(terminal(80, "table", "cnn", TERM="dumb"))
    assert process("table", "cnn", FORCE_COLOR="1").stdout.isascii()


def test_a_terminal_without_unicode() -> None:
    assert terminal(80, "table", "cnn", PYTHONIOENCODING="ascii").isascii()


# -- pipes, signals, full disks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_no_encoding_is_too_small(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "to\u2192.yaml"
    path.write_text("{name: a\u2192b, input: 8x8x1, layers: GAP}", encoding="utf-8")
    for command, last in (("table", 0), ("check", -1)):
        result = process(command, str(path), PYTHONIOENCODING=encoding)
        assert (result.returncode, result.stderr) == (0, "")
        shown = "\u2192" if encoding == "ascii" else "\\u2192"  # click takes ASCII for a mistake and writes UTF-8
        assert shown in result.stdout.splitlines()[last]


@pytest.mark.parametrize("arguments", [("table", "resnet50"), ("table", "cnn"), ("list",), ("check", "resnet")])
def test_a_reader_that_leaves_early_is_no_error(arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [*COMMAND, *arguments], env=environment(), stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert result.stderr == ""


@pytest.mark.parametrize("arguments", [("table", "resnet50"), ("list",), ("check", "cnn")])
def test_a_full_disk_behind_standard_output_is_said(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = subprocess.run(
            [*COMMAND, *arguments], env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    message = "error[unwritable]: cannot write to standard output: No space left on device\n"
    assert (result.returncode, result.stderr) == (2, message)


@pytest.mark.parametrize(("source", "reason"), [("0> file", "Bad file descriptor"), ("<&-", "it is closed")])
def test_standard_input_that_cannot_be_read_is_said(source: str, reason: str, tmp_path: Path) -> None:
    command = f"{shlex.join(COMMAND)} table - {source}"
    result = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    message = f"error[unreadable]: cannot read standard input: {reason}\n"
    assert (result.returncode, result.stderr.splitlines(keepends=True)[0]) == (2, message)


def test_a_closed_standard_output_is_no_error() -> None:
    command = f"{shlex.join(COMMAND)} table cnn >&-"
    result = subprocess.run(["sh", "-c", command], env=environment(), capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_ctrl_c_leaves_without_a_traceback() -> None:
    heard = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # where the tests themselves are deaf to it
    command = [f"import signal; {heard}; from archspec.cli import main; print(flush=True); main(['table', '-'])"]
    with subprocess.Popen(
        [*COMMAND[:2], *command],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.readline()
        time.sleep(0.5)  # the command waits for its standard input then
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=20) == 1
        assert running.stderr.read().strip() == "Aborted!"
