"""archspec init and archspec propagate."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
import torch
from click.testing import CliRunner, Result

from archspec.cli import Commands
from archspec.cli.weights import init, propagate
from builders.build import build
from builders.files import load_model
from builders.initialize import initialize

main = click.group(cls=Commands)(lambda: None)
main.add_command(init)
main.add_command(propagate)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def printed(*arguments: str) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_init_prints_every_weight() -> None:
    lines = printed("init", "cnn", "--scheme", "he", "--override", "fc*=normal(0.01)").splitlines()
    assert lines[0] == "tutorial-cnn: he-normal, seed 0"
    rows = {line.split("  ")[0]: line.split() for line in lines[4:10]}
    assert list(rows) == ["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "fc1.weight", "fc1.bias"]
    shape, rest = rows["conv2.weight"][1:8], rows["conv2.weight"][8:]
    assert " ".join(shape) == "10 x 10 x 3 x 3"
    assert rest[:6] == ["he-normal", "-", "90", "90", "1.41", "0.149"]
    assert 0.12 < float(rest[6]) < 0.18
    assert rows["fc1.weight"][4] == "normal(0.01)"


def test_init_saves_what_it_shows(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    found = json.loads(printed("init", "cnn", "--scheme", "xavier", "--seed", "3", "--format", "json", "-o", str(path)))
    loaded, own = load_model(path), build("cnn")
    rows = initialize(own, "xavier", 3)
    assert found["weights"] == json.loads(json.dumps([row.to_dict() for row in rows]))
    assert all(torch.equal(loaded.state_dict()[name], tensor) for name, tensor in own.state_dict().items())


@pytest.mark.parametrize("data", [(), ("--data", "digits")])
def test_init_by_lsuv_shows_the_variance_reached(data: tuple[str, ...]) -> None:
    text = printed("init", "deep-sigmoid", "--scheme", "lsuv", *data)
    head = next(line for line in text.splitlines() if line.startswith("weight"))
    assert head.endswith("output variance")
    assert ("of the training examples" if data else "standard normal distribution") in text


def test_propagate_prints_layers_and_verdicts() -> None:
    text = printed("propagate", "deep-relu", "--init", "xavier,zeros", "--batch", "16")
    lines = text.splitlines()
    assert lines[0] == "init (deep-relu)"
    assert lines[2].split() == ["scheme", "node", "layer", "mean", "std", "predicted", "signal", "stuck", "gradient"]
    assert len([line for line in lines if line.startswith("xavier-normal  ")]) == 22
    assert "zeros: units cannot part: all units of 1 CONV3-16 hold the same numbers and get the same gradients" in lines
    assert "a batch of 16 examples from the standard normal distribution" in lines


def test_propagate_draws_a_picture_beside_the_table(tmp_path: Path) -> None:
    path = tmp_path / "signal.svg"
    text = printed("propagate", "deep-relu", "--init", "he,zeros", "-o", str(path))
    assert "he-normal: healthy" in text
    picture = path.read_text()
    assert picture.startswith("<svg")
    assert "forward: signal" in picture
    assert "backward: gradient" in picture


def test_propagate_writes_tables_and_json(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    assert printed("propagate", "cnn", "--format", "csv", "-o", str(path)) == ""
    assert path.read_text().splitlines()[0] == "scheme,node,layer,mean,std,predicted,signal,stuck,gradient"
    found = json.loads(printed("propagate", "cnn", "--format", "json"))
    assert found["schemes"][0]["verdict"]["outlook"] == "healthy"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("init", "cnn", "--scheme", "hee"), "error[unknown-scheme]"),
        (("init", "cnn", "--override", "x.*=he"), "error[unmatched-pattern]"),
        (("init", "cnn", "--override", "he"), "'he' is not PATTERN=SCHEME"),
        (("init", "cnn", "-o", "missing/net.safetensors"), "error[unwritable]"),
        (("propagate", "cnn", "--init", ","), "--init names no scheme"),
        (("propagate", "cnn", "--init", "he,normal"), "error[scheme-argument]"),
        (("propagate", "deep-relu", "--init", "zeros", "--data", "digts"), "error["),
    ],
)
def test_what_cannot_be_asked(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
