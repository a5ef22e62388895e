"""`archspec table`: what it is given, what it prints, where it writes."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

import archspec
from archspec.report import COLUMNS
from tests.command import call, failure, printed, process

CNN = "{name: tutorial-cnn, input: 28x28x1, layers: [CONV3-10, POOL2, CONV3-10, POOL2, FLATTEN, FC-3]}"
SEVERAL = """
name: several
input: {image: 8x8x1, other: 4x4x1}
vars: {F: 4, kernels: [3, 5], act: RELU}
layers:
  - CONV(kernels[0])-F, act, CONV(kernels[1])-F, GAP as one
  - from other, CONV3-F, GAP
  - add: [from one, IDENTITY]
"""
NOTE = "MACs: multiply-accumulates per example; bias, normalisation, activation, pooling and elementwise work count 0"


def rows(*arguments: str, text: str = "") -> list[dict[str, str]]:
    """The rows of a CSV table."""
    return list(csv.DictReader(io.StringIO(printed("table", *arguments, "--format", "csv", text=text))))


def test_the_table_of_the_tutorial_is_the_one_counted_by_hand() -> None:
    result = process("table", "tutorial/cnn")
    assert (result.returncode, result.stderr) == (0, "")
    assert (
        result.stdout
        == f"""\
tutorial-cnn

layer                      parameters   activations       MACs
--------------------------------------------------------------
Input                               0   28 x 28 x 1          0
CONV3-10    3 x 3 x 1 x 10 + 10 = 100   28 x 28 x 10    70,560
POOL2                               0   14 x 14 x 10         0
CONV3-10   3 x 3 x 10 x 10 + 10 = 910   14 x 14 x 10   176,400
POOL2                               0   7 x 7 x 10           0
FLATTEN                             0   490                  0
FC-3               490 x 3 + 3 = 1473   3                1,470
--------------------------------------------------------------
Total                           2,483                  248,430

{NOTE}
"""
    )


def test_the_markdown_of_the_tutorial() -> None:
    assert (
        printed("table", "tutorial/cnn", "--format", "markdown", "--columns", "layer,parameters,activations")
        == """\
| layer | parameters | activations |
| --- | ---: | --- |
| Input | 0 | 28 x 28 x 1 |
| CONV3-10 | 3 x 3 x 1 x 10 + 10 = 100 | 28 x 28 x 10 |
| POOL2 | 0 | 14 x 14 x 10 |
| CONV3-10 | 3 x 3 x 10 x 10 + 10 = 910 | 14 x 14 x 10 |
| POOL2 | 0 | 7 x 7 x 10 |
| FLATTEN | 0 | 490 |
| FC-3 | 490 x 3 + 3 = 1473 | 3 |
| Total | 2,483 |  |
"""
    )


def test_a_spec_is_a_path_standard_input_or_a_name(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(CNN, encoding="utf-8")
    expected = printed("table", "cnn")
    assert printed("table", str(path)) == printed("table", "tutorial/cnn") == expected
    assert process("table", "-", text=CNN).stdout == expected


def test_a_name_may_be_that_of_a_variant() -> None:
    assert printed("table", "resnet50") == printed("table", "resnet", "--variant", "resnet50")
    assert printed("table", "resnet50", "--variant", "resnet18") == printed("table", "resnet18")


@pytest.mark.parametrize(
    ("given", "layers"),
    [
        ([], ["CONV3-4", "RELU", "CONV5-4"]),
        (["--set", "F=6"], ["CONV3-6", "RELU", "CONV5-6"]),
        (["--set", "kernels=[1, 7]", "--set", "act=TANH"], ["CONV1-4", "TANH", "CONV7-4"]),
        (["--set", "F==2*5"], ["CONV3-10", "RELU", "CONV5-10"]),
        (["--set", "act=BN, RELU"], ["CONV3-4", "BN", "RELU"]),
    ],
)
def test_variables_are_set(given: list[str], layers: list[str]) -> None:
    assert [row["layer"] for row in rows("-", *given, text=SEVERAL)][2:5] == layers


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (["--set", "Z=1"], 2, "error[unknown-variable]: there is no variable `Z`"),
        (["--set", "F=[1"], 2, "--set F:1:1: error[yaml-syntax]: this `[` is never closed"),
        (["--set", "F"], 2, "Error: Invalid value for '--set': 'F' is not name=value"),
        (["--set", "4=F"], 2, "Error: Invalid value for '--set': '4=F' is not name=value"),
        (["--input", "8by8"], 2, "--input:1:2: error[input]: found `by8` behind the shape"),
        (["--input", "imag=8x8x1"], 2, "--input:1:1: error[unknown-input]: several has no input `imag`"),
        (["--variant", "small"], 2, "error[unknown-variant]: several has no variant `small`"),
        (["--columns", "layer,flps"], 2, "error[unknown-column]: there is no column `flps`"),
        (["--batch", "0"], 2, "Error: Invalid value for '--batch': 0 is not in the range x>=1."),
        (["--format", "json", "--depth", "1"], 2, "Error: JSON holds every layer and figure: --columns and --depth are "
         "for the other formats"),
        (["--set", "F=0"], 1, "<stdin>:6:22: error[size]: filters must be at least 1, found 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(given: list[str], code: int, message: str) -> None:
    found, lines = failure("table", "-", *given, text=SEVERAL)
    assert (found, message in lines) == (code, True), lines


def test_an_input_is_resized_by_itself_or_by_name() -> None:
    assert [row["activations"] for row in rows("cnn", "--input", "32x64x3")][:2] == ["32x64x3", "32x64x10"]
    several = rows("-", "--input", "10x10x1", "--input", "other=6x6x1", text=SEVERAL)
    assert [row["activations"] for row in several][:2] == ["10x10x1", "6x6x1"]


def test_a_batch_multiplies_macs_and_says_so() -> None:
    one, many = rows("cnn"), rows("cnn", "--batch", "32")
    assert [int(row["macs"]) * 32 for row in one] == [int(row["macs"]) for row in many]
    assert [row["parameters"] for row in one] == [row["parameters"] for row in many]
    assert NOTE.replace("per example", "for a batch of 32") in printed("table", "cnn", "--batch", "32")


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("node", "1"),
        ("path", "stem"),
        ("layer", "CONV7-64 s2 nobias"),
        ("inputs", "0"),
        ("parameters", "9408"),
        ("buffers", "0"),
        ("activations", "112x112x64"),
        ("macs", "118013952"),
        ("flops", "236027904"),
        ("line", "31"),
    ],
)
def test_every_column_by_itself(column: str, cell: str) -> None:
    line = rows("resnet50", "--columns", column)[1]
    assert column in line
    if column != "line":
        assert line[column] == cell
    else:
        text = (Path(archspec.bundle.find("resnet50")[0])).read_text(encoding="utf-8").splitlines()
        assert "CONV7-64 s2" in text[int(line[column]) - 1]


def test_the_help_names_every_column_and_no_other() -> None:
    words = printed("table", "--help").split("--columns A,B,... ")[1].split("--dtype")[0].split()
    assert " ".join(words) == f"Of {', '.join(COLUMNS)}."


def test_formulas_values_or_formulas_of_parameters_alone() -> None:
    def third(*given: str) -> str:
        return printed("table", "cnn", "--format", "markdown", *given).splitlines()[3]

    assert third() == "| CONV3-10 | 3 x 3 x 1 x 10 + 10 = 100 | 28 x 28 x 10 | 70,560 |"
    assert third("--values") == "| CONV3-10 | 100 | 28 x 28 x 10 | 70,560 |"
    formulas = "| CONV3-10 | 3 x 3 x 1 x 10 + 10 = 100 | 28 x 28 x 10 | 3 x 3 x 1 x 10 x 28 x 28 = 70560 |"
    assert third("--formulas") == formulas


def test_depth_folds_stages_and_repeated_blocks() -> None:
    assert [row["layer"] for row in rows("resnet50", "--depth", "1")] == ["Input", "stem", "body", "head"]
    body = [row for row in rows("densenet121", "--depth", "3") if row["path"].startswith("body/row")]
    assert [(row["layer"], row["parameters"], row["activations"]) for row in body] == [
        ("dense x 6", "335040", "56x56x256"),
        ("transition", "33280", "28x28x128"),
        ("dense x 12", "919680", "28x28x512"),
        ("transition", "132096", "14x14x256"),
        ("dense x 24", "2837760", "14x14x1024"),
        ("transition", "526336", "7x7x512"),
        ("dense x 16", "2158080", "7x7x1024"),
    ]
    assert "x n: n calls in series, counted together" in printed("table", "densenet121", "--depth", "3").splitlines()


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "unet", "inception"])
def test_folding_keeps_every_sum(name: str) -> None:
    def sums(*given: str) -> list[int]:
        found = rows(name, *given, "--columns", "parameters,buffers,macs,flops")
        return [sum(int(row[key]) for row in found) for key in ("parameters", "buffers", "macs", "flops")]

    assert sums("--depth", "1") == sums("--depth", "2") == sums("--depth", "3") == sums()


def test_parallel_calls_do_not_fold() -> None:
    text = "{name: a, input: 8x8x4, blocks: {unit: CONV3-4}, layers: [{add: [unit, unit]}, unit, unit]}"
    assert [row["layer"] for row in rows("-", "--depth", "1", text=text)] == [
        "Input",
        "unit",
        "unit",
        "ADD",
        "unit x 2",
    ]


def test_a_row_outside_all_groups_does_not_look_like_one_inside() -> None:
    lines = printed("table", "unet", "--depth", "3", "--columns", "path,layer").splitlines()
    assert [line.split() for line in lines[-2:]] == [["RELU"], ["/", "CONV1-2"]]


def test_shared_weights_count_once_and_name_their_node() -> None:
    text = "{name: a, input: 8x8x4, layers: CONV3-4 share t x2}"
    lines = printed("table", "-", text=text).splitlines()
    assert lines[2].split() == ["node", "layer", "parameters", "activations", "MACs"]
    assert lines[6].split()[:7] == ["2", "CONV3-4", "0,", "shared", "with", "node", "1"]
    assert lines[-3].split()[:2] == ["Total", "148"]


def test_json_is_the_dictionary() -> None:
    assert json.loads(printed("table", "resnet18", "--format", "json")) == archspec.load("resnet18").to_dict()
    batch = json.loads(printed("table", "cnn", "--format", "json", "--batch", "8"))
    assert (batch["batch"], batch["totals"]["macs"]) == (8, 8 * 248430)


def test_warnings_go_to_standard_error() -> None:
    result = call("table", "-", text="{name: a, input: 8x8x1, blocks: {unused: RELU}, layers: GAP}")
    assert result.exit_code == 0
    assert "warning[" in result.stderr
    assert "warning[" not in result.stdout


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "markdown", "csv", "json"])
def test_a_file_holds_what_would_be_printed(form: str, tmp_path: Path) -> None:
    path = tmp_path / "out"
    assert printed("table", "cnn", "--format", form, "-o", str(path)) == ""
    assert path.read_text(encoding="utf-8") == printed("table", "cnn", "--format", form)
    assert os.listdir(tmp_path) == ["out"]


def test_a_file_that_is_replaced_keeps_its_permissions_and_its_links(tmp_path: Path) -> None:
    path, link = tmp_path / "real", tmp_path / "link"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    link.symlink_to(path)
    printed("table", "cnn", "-o", str(link))
    assert link.is_symlink()
    assert path.read_text(encoding="utf-8") == printed("table", "cnn")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    printed("table", "cnn", "-o", str(pipe))
    assert os.read(reader, 100_000).decode() == printed("table", "cnn")
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("where", ["missing/out", "file/out", "."])
def test_an_unwritable_place_is_named(where: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    code, lines = failure("table", "cnn", "-o", str(tmp_path / where))
    assert code == 2
    assert lines[0].startswith(f"error[unwritable]: cannot write {tmp_path}")
    assert lines[1:] == ["  help: choose another file with -o"]
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("call_that_fails", ["pathlib.Path.write_bytes", "os.replace"])
def test_on_a_full_disk_the_old_file_stays(
    call_that_fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "out"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr(call_that_fails, full)
    code, lines = failure("table", "cnn", "-o", str(path))
    assert (code, lines[0]) == (2, f"error[unwritable]: cannot write {path}: No space left on device")
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_a_spec_is_not_overwritten_by_its_table(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("{name: a, input: 8x8x1, layers: RELU}", encoding="utf-8")
    for command in ("table", "rf"):
        code, lines = failure(command, str(path), "-o", str(path))
        assert (code, lines[0]) == (
            2,
            f"error[unwritable]: {path} is the spec itself, and the output would take its place",
        )
    assert path.read_text(encoding="utf-8") == "{name: a, input: 8x8x1, layers: RELU}"


def test_a_dash_is_standard_output() -> None:
    assert printed("table", "cnn", "-o", "-") == printed("table", "cnn")


def test_a_spec_may_come_from_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = subprocess.Popen(["sh", "-c", f"echo '{{name: a, input: 8x8x1, layers: RELU}}' > {tmp_path / 'pipe'}"])
    assert process("table", str(tmp_path / "pipe"), "--format", "csv").stdout.splitlines()[-1] == "RELU,0,8x8x1,0"
    assert writer.wait(timeout=10) == 0


@pytest.mark.parametrize("name", ["a" * 5000, "\udc80"])
def test_a_name_that_no_file_can_have(name: str) -> None:
    with pytest.raises(archspec.ArchspecError, match=r"error\[unknown-spec\]"):
        archspec.load(name)
