"""What is said when a network fails at run time: where the spec has the layer, with the shapes; nothing is hidden."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

import archspec
from builders.network import Network, NetworkError
from tests.builders.networks import Maker, auxiliary, inputs, parsed, resnet, two_inputs, unet

Copy = Callable[[Network], Network]


def unpickled(network: Network) -> Network:
    found = pickle.loads(pickle.dumps(network))
    assert isinstance(found, Network)
    return found


COPIES = pytest.mark.parametrize("again", [lambda network: network, copy.deepcopy, copy.copy, unpickled])


def failure(network: Network, *tensors: object, **named: object) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        network(*tensors, **named)
    return caught.value


@COPIES
def test_wrong_channels(again: Copy, capfd: pytest.CaptureFixture[str]) -> None:
    error = failure(again(two_inputs()), torch.zeros(2, 5, 12, 12), torch.zeros(2, 4, 6, 6))
    assert str(error) == (
        "net.yaml:4:16: error[run-time]: CONV3-4 s2 cannot read a tensor (2, 5, 12, 12) of float32 on cpu: Given "
        "groups=1, weight of size [4, 3, 3, 3], expected input[2, 5, 12, 12] to have 3 channels, but got 5 channels "
        "instead\n"
        "  4 |   - from left, CONV3-4 s2, RELU as l\n"
        "    |                ^^^^^^^^^^\n"
        "  help: for the spec's input it would read (N, 3, 12, 12)"
    )
    assert type(error.__cause__) is RuntimeError
    assert "expected input[2, 5, 12, 12]" in str(error.__cause__)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("make", "tensors", "place", "layer"),
    [
        (resnet, [torch.zeros(2, 1, 64, 64)], "resnet.yaml:", "CONV7-64 s2 nobias"),
        (resnet, [torch.zeros(3, 64, 64)], "resnet.yaml:", "BN"),
        (unet, [torch.zeros(1, 1, 188, 188).int()], "unet.yaml:", "CONV3-64 p0"),
        (unet, [torch.zeros(1, 1, 60, 60)], "unet.yaml:", "CONV3-512 p0"),
        (auxiliary, [torch.zeros(12, 12)], "net.yaml:5:9", "CONV3-8 nobias"),
        (two_inputs, [torch.zeros(2, 3, 12, 12), torch.zeros(2, 4, 9, 9)], "net.yaml:6:5", "ADD"),
        (two_inputs, [torch.zeros(2, 3, 12, 12), None], "net.yaml:5:17", "RELU"),
    ],
)
def test_the_layer_that_fails_is_named(make: Maker, tensors: list[Tensor], place: str, layer: str) -> None:
    error = failure(make(), *tensors)
    assert error.code == "run-time"
    assert place in str(error.span)
    assert error.diagnostics[0].message.startswith(f"{layer} cannot read a ")
    assert error.__cause__ is not None


def test_every_tensor_that_a_layer_reads_is_shown() -> None:
    error = failure(two_inputs(), torch.zeros(2, 3, 12, 12), torch.zeros(2, 4, 9, 9))
    assert "(2, 4, 6, 6) of float32 on cpu and a tensor (2, 4, 9, 9) of float32" in error.diagnostics[0].message
    assert error.hint == "for the spec's input it would read (N, 4, 6, 6) and (N, 4, 6, 6)"


@COPIES
def test_in_a_part_that_only_training_runs(again: Copy) -> None:
    text = "{name: a, input: 8x8x4, training_outputs: aux, layers: [CONV1-4 as x, FLATTEN, FC-3 as aux, from x]}"
    network = again(parsed(text))
    assert network.eval()(torch.zeros(1, 4, 9, 9))["aux"] is None
    error = failure(network.train(), torch.zeros(1, 4, 9, 9))
    assert str(error.span) == "net.yaml:1:80"
    assert error.diagnostics[0].message.startswith("FC-3 cannot read a tensor (1, 324) of float32")


def test_the_calls_that_led_there_are_listed() -> None:
    text = "name: a\ninput: 8x8x4\nblocks: {b(F): CONV3-F s2}\nlayers: b(4), b(8)"
    error = failure(parsed(text), torch.zeros(1, 5, 8, 8))
    assert "in expansion of `b(4)` at net.yaml:4:9" in str(error)


@pytest.mark.parametrize(
    ("given", "named", "problem"),
    [
        (0, [], "missing a required argument: 'left'"),
        (1, [], "missing a required argument: 'right'"),
        (3, [], "too many positional arguments"),
        (2, ["left"], "multiple values for argument 'left'"),
        (1, ["rigt"], "missing a required argument: 'right'"),
        (2, ["size"], "got an unexpected keyword argument 'size'"),
    ],
)
def test_wrong_arguments_name_the_right_ones(given: int, named: list[str], problem: str) -> None:
    zero = torch.zeros(1)
    error = failure(two_inputs(), *[zero] * given, **dict.fromkeys(named, zero))
    assert str(error) == (
        f"error[network-inputs]: {problem}; the network takes left (N, 3, 12, 12) and right (N, 4, 6, 6)\n"
        "  help: give every input once, in this order or by name"
    )
    assert type(error.__cause__) is TypeError


class Stop(Exception):
    """What a hook raises to end a pass early."""


@pytest.mark.parametrize("signal", [Stop(), torch.OutOfMemoryError("no memory"), KeyboardInterrupt()])
def test_what_is_no_fault_of_a_layer_passes(signal: BaseException) -> None:
    network: Any = two_inputs()

    def stop(*call: object) -> None:  # noqa: ARG001
        raise signal

    network.conv2.register_forward_pre_hook(stop)
    with pytest.raises(type(signal)) as caught:
        network(*inputs(two_inputs))
    assert caught.value is signal


def test_a_fault_outside_of_every_layer_passes() -> None:
    network = two_inputs()

    def refuse(*call: object) -> None:  # noqa: ARG001
        raise ValueError("not today")

    network.register_forward_pre_hook(refuse)
    with pytest.raises(ValueError, match="not today") as caught:
        network(*inputs(two_inputs))
    assert not isinstance(caught.value, archspec.ArchspecError)
    assert caught.value.__cause__ is None


def test_activations_can_be_computed_again_in_the_backward_pass() -> None:
    """torch ends the second forward pass with an exception of its own, which must pass."""
    network, (x,) = auxiliary(), inputs(auxiliary)
    x.requires_grad_()
    result = checkpoint(network, x, use_reentrant=False)
    (sum(value.sum() for value in result.values())).backward()
    assert x.grad is not None
