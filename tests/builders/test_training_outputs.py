"""Training outputs: there in training, None in evaluation, and everything else equal in both modes."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor

from builders.network import Network
from tests.builders.networks import named, parsed, same

SPECS = {
    "a head": "[CONV3-4 as x, GAP, FLATTEN, FC-3 as aux, from x, CONV3-2]",
    "a value of the main network": "[CONV3-4 as aux, RELU, CONV3-2]",
    "the output": "[CONV3-4 as x, CONV3-2 as aux]",
    "two of the same value": "[CONV3-4 as aux, IDENTITY as aux2, CONV3-2]",
    "two heads with common layers": "[CONV3-4 as x, CONV3-5, RELU as y, CONV1-2 as aux, from y, CONV1-3 as aux2,"
    " from x, CONV3-2]",
    "one in front of the other": "[CONV3-4 as x, CONV3-5 as aux, RELU, CONV1-3 as aux2, from x, CONV3-2]",
    "two parts": "[CONV3-4 as x, CONV1-3 as aux, from x, CONV3-2 as y, CONV1-3 as aux2, from y]",
    "a part that reads two values": "[CONV3-4 as x, RELU as y, add: [from x, from y], CONV1-3 as aux, from y, CONV3-2]",
    "a part that follows a size": "[CONV3-4 as x, POOL2 as y, CONV1-3, RESIZE like=x as aux, from y, CONV3-2]",
    "a part that reads an input": "[CONV1-3 as aux, from input, CONV3-2]",
}


def network_of(case: str) -> Network:
    layers = SPECS[case]
    outputs = "[aux, aux2]" if "aux2" in layers else "aux"
    return parsed(f"{{name: a, input: {{input: 6x6x4}}, training_outputs: {outputs}, layers: {layers}}}")


CASES = pytest.mark.parametrize("case", SPECS)
X = torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(0))


def both(network: Network, x: Tensor = X) -> tuple[dict[str, Tensor], dict[str, Tensor | None]]:
    return named(network.train()(x)), named(network.eval()(x))


@CASES
def test_they_are_none_in_evaluation_and_the_rest_is_equal(case: str) -> None:
    training, evaluation = both(network_of(case))
    assert list(training) == list(evaluation)
    assert [name for name, value in evaluation.items() if value is None] == [n for n in training if n != "output"]
    assert all(isinstance(value, Tensor) for value in training.values())
    same(training["output"], evaluation["output"])


@CASES
def test_copies_follow_their_own_mode(case: str) -> None:
    network = network_of(case)
    want = both(network)
    for mode in (True, False):
        for copied in (copy.deepcopy(network.train(mode)), pickle.loads(pickle.dumps(network.train(mode)))):
            assert copied.training is mode
            assert (copied.code, str(copied)) == (network.code, str(network))
            for ours, theirs in zip(both(copied), want, strict=True):
                same(ours, theirs)


@CASES
def test_exported_and_compiled_in_either_mode(case: str) -> None:
    network = network_of(case)
    want = both(network)
    for mode, result in zip((True, False), want, strict=True):
        exported = torch.export.export(network.train(mode), (X,), strict=mode)
        same(exported.module()(X), result, 1e-6)
    torch._dynamo.reset()
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    same(compiled(X), want[1], 1e-6)
    network.train()
    same(compiled(X), want[0], 1e-6)


@CASES
def test_gradients_reach_every_parameter(case: str) -> None:
    network = network_of(case)
    torch.autograd.backward([value.sum() for value in named(network(X)).values()])
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_what_is_an_output_anyway_is_there_in_both_modes() -> None:
    network = parsed("{name: a, input: 6x6x4, outputs: [a, b], training_outputs: a, layers: [CONV3-2 as a, RELU as b]}")
    training, evaluation = both(network)
    assert list(training) == ["a", "b"]
    same(training, evaluation)


def test_the_part_follows_the_tensor() -> None:
    training, _ = both(network_of("a part that follows a size"), torch.zeros(1, 4, 10, 8))
    assert tuple(training["aux"].shape) == (1, 3, 10, 8)


def test_the_code_of_both() -> None:
    network: Any = network_of("two heads with common layers")
    assert "training_only = self.training_only(conv1)\n" in network.code
    assert "    aux = training_only[0]\n    aux2 = training_only[1]" in network.code
    assert "return {'output': conv2, 'aux': aux, 'aux2': aux2}" in network.code
    part = network.training_only.network
    assert [node.target for node in part.graph.nodes if node.op == "call_module"] == ["conv1", "conv2", "conv3"]
