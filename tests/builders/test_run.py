"""Worked examples: given weights and inputs give the numbers that a person computes by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from archspec import ArchspecError, load, parse, run
from tests.command import call, printed

SUM = """{name: sum, input: 3x3x1, layers: CONV2-1 p0 d2 nobias w=ones,
tensors: {input: [[1, 2, 3], [4, 5, 6], [7, 8, 9]], ones: [[1, 1], [1, 1]]}}"""


def last(text: str) -> list[object]:
    found: list[object] = list(run(parse(text)).outputs.values())[-1].tolist()
    return found


def test_the_dilated_sum_of_the_corners_is_20() -> None:
    assert last(SUM) == [[[20.0]]]
    assert printed("run", "dilated_sum").endswith("CONV2-1 p0 d2 nobias w=ones: 1 x 1 x 1\n[[20.]]\n")


def test_a_flipped_kernel_makes_it_a_convolution() -> None:
    h, x = [4.0, 2.0, 1.0], [0, 0, 0, 1, 0, 0, 0]
    outputs = list(run("true_convolution").outputs.values())
    assert outputs[2].flatten().tolist() == np.convolve(x, h).tolist()
    assert outputs[1].flatten().tolist() == np.convolve(x, h[::-1]).tolist()


def test_a_map_is_read_and_written_height_before_width_channels_last() -> None:
    text = """
name: order
input: 2x3x2
layers: CONV1-1 nobias w=k
tensors:
  input: [[[1, 10], [2, 20], [3, 30]], [[4, 40], [5, 50], [6, 60]]]
  k: [1, 2]
"""
    assert last(text) == [[[21.0], [42.0], [63.0]], [[84.0], [105.0], [126.0]]]


def test_every_weight_may_be_given() -> None:
    text = """
name: weights
input: 2
layers: FC-2 w=w b=b, LN w=g b=b, PRELU w=slope
tensors: {input: [1, 2], w: [[1, 2], [3, 4]], b: [10, 20], g: [2, 2], slope: [0.5, 0.25]}
"""
    # FC: 1 + 4 + 10 and 3 + 8 + 20; LN: -1 and 1, times 2, plus 10 and 20; PRELU keeps what is positive
    assert last(text) == pytest.approx([8.0, 22.0], abs=1e-5)


def test_shared_layers_share_given_weights() -> None:
    text = "{name: s, input: 1, layers: (FC-1 nobias w=two share t) x3, tensors: {input: [5], two: [[2]]}}"
    assert last(text) == [40.0]


def test_weights_that_are_not_given_are_drawn_from_the_seed() -> None:
    text = "{name: d, input: 2, layers: FC-3, tensors: {input: [1, 2]}}"
    found = run(parse(text), seed=1)
    assert found.notes == ("weights drawn (seed 1): FC-3",)
    assert str(found) == str(run(parse(text), seed=1)) != str(run(parse(text), seed=2))


@pytest.mark.parametrize("seed", ["x", 1.0, True, None, 1 << 63])
def test_a_seed_that_is_none_is_refused(seed: Any) -> None:
    with pytest.raises(ArchspecError) as caught:
        run("dilated_sum", seed=seed)
    assert (caught.value.code, caught.value.hint) == ("seed", "give a whole number from -2**63 to 2**63 - 1")


def test_an_input_that_is_not_given_is_asked_for() -> None:
    with pytest.raises(ArchspecError) as caught:
        run(load("tutorial/cnn"))
    found = caught.value.diagnostics[0]
    assert (found.code, found.message) == ("no-input", "the spec gives no tensor for the input `input`")
    assert found.hint == "tensors: {input: ...}, nested lists of 28 x 28 x 1 numbers"
    result = call("run", "tutorial/cnn")
    assert (result.exit_code, "error[no-input]" in result.stderr) == (1, True)


def test_json_holds_every_number() -> None:
    found = json.loads(printed("run", "dilated_sum", "--format", "json"))
    assert found["layers"][1] == {
        "node": 1,
        "layer": "CONV2-1 p0 d2 nobias w=ones",
        "shape": [1, 1, 1],
        "output": [[[20.0]]],
    }


def test_large_maps_show_their_borders_and_some_channels() -> None:
    rows = [[0] * 30] * 30
    text = json.dumps({"name": "l", "input": "30x30x1", "layers": "CONV1-12", "tensors": {"input": rows}})
    drawn = str(run(parse(text)))
    assert "..." in drawn
    assert "channel 7:" in drawn
    assert "channel 8:" not in drawn
    assert drawn.endswith("and 4 more channels\n")


def test_given_weights_are_not_rounded() -> None:
    text = "{name: p, input: 1, layers: FC-1 nobias w=w, tensors: {input: [1], w: [[0.1]]}}"
    assert last(text) == [0.1]
