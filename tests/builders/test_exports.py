"""Copies, pickles, compiled and exported networks compute what the network computes."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import onnxruntime  # type: ignore[import-untyped]
import pytest
import torch
from torch import Tensor

import archspec
from builders.network import Network
from builders.threads import threads
from tests.builders.networks import (
    SIZES,
    Maker,
    auxiliary,
    inputs,
    named,
    parsed,
    resnet,
    same,
    settled,
    two_inputs,
)

EVERY = pytest.mark.parametrize("make", SIZES, ids=lambda make: make.__name__)
ROOT = Path(__file__).resolve().parents[2]
FRESH = """
import pickle, sys, torch
torch.set_num_threads(1)
loaded = pickle.load(open(sys.argv[1], "rb"))
torch.save([(network.code, network(*tensors)) for network, tensors in loaded], sys.argv[2])
"""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The same sums in the same order, here and in another process."""
    with threads(1):
        yield
    torch._dynamo.reset()


# -- copies ------------------------------------------------------------------------------------------------------------


def unpickled(network: Network) -> Network:
    found = pickle.loads(pickle.dumps(network))
    assert isinstance(found, Network)
    return found


@EVERY
@pytest.mark.parametrize("again", [copy.deepcopy, unpickled])
def test_copies_are_equal_and_share_no_weights(make: Maker, again: Callable[[Network], Network]) -> None:
    network = settled(make)
    want, copied = network(*inputs(make)), again(network)
    assert (copied.code, str(copied), copied.training) == (network.code, str(network), False)
    assert (copied.origins.keys(), copied.arguments) == (network.origins.keys(), network.arguments)
    assert (copied.source.text, copied.choices) == (network.source.text, network.choices)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    same(copied(*inputs(make)), want)


def test_a_deep_copy_has_the_spec_of_the_original_and_hooks_of_its_own() -> None:
    network, calls = two_inputs(), list[int]()
    network.register_forward_hook(lambda *_: calls.append(0))
    copied = copy.deepcopy(network)
    assert copied.source is network.source
    copied(*inputs(two_inputs))
    assert len(calls) == 1
    twice = copy.deepcopy([network, network])
    assert twice[0] is twice[1]


def test_a_copy_of_the_outside_has_the_same_weights() -> None:
    network = two_inputs()
    copied = copy.copy(network)
    assert all(one is other for one, other in zip(copied.parameters(), network.parameters(), strict=True))
    same(copied(*inputs(two_inputs)), network(*inputs(two_inputs)))


def test_pickles_are_read_in_a_fresh_process(tmp_path: Path) -> None:
    networks, paths = {make: settled(make) for make in SIZES}, (tmp_path / "networks", tmp_path / "results")
    paths[0].write_bytes(pickle.dumps([(network, inputs(make)) for make, network in networks.items()]))
    subprocess.run([sys.executable, "-c", FRESH, *paths], cwd=ROOT, check=True)
    for (make, network), (code, result) in zip(networks.items(), torch.load(paths[1]), strict=True):
        assert code == network.code
        same(result, network(*inputs(make)), 1e-5)


def test_a_changed_graph_is_copied_as_it_is() -> None:
    network = two_inputs()
    for node in network.graph.nodes:
        if node.target is torch.tanh:
            node.target = torch.sigmoid
    network.recompile()
    want = network(*inputs(two_inputs))
    assert "sigmoid" in network.code
    for again in (copy.deepcopy, copy.copy, unpickled):
        same(again(network)(*inputs(two_inputs)), want)


def test_a_function_that_is_gone_is_named() -> None:
    network = two_inputs()
    data = pickle.dumps(network, protocol=0).replace(b"torch.tanh", b"torch.tahn")
    with pytest.raises(ImportError, match=r"the network calls torch\.tahn, which cannot be imported"):
        pickle.loads(data)


@pytest.mark.parametrize("again", [copy.deepcopy, unpickled, lambda network: network.double()])
def test_shared_weights_stay_shared(again: Callable[[Network], Network]) -> None:
    network: Any = parsed(
        "{name: a, input: 8x8x4, layers: [CONV3-4 share a, CONV3-4 s2 share a, BN share b, BN share b]}"
    )
    copied: Any = again(network)
    assert copied.conv1.weight is copied.conv2.weight
    assert copied.conv1.weight is not network.conv1.weight or copied is network
    assert [node.target for node in copied.graph.nodes if node.op == "call_module"] == ["conv1", "conv2", "bn1", "bn1"]


@EVERY
def test_state_dict(make: Maker) -> None:
    network, other = settled(make), make().eval()
    other.load_state_dict(network.state_dict())
    same(other(*inputs(make)), network(*inputs(make)))


# -- compiled and exported ---------------------------------------------------------------------------------------------


@EVERY
def test_compiled_without_a_break_forward_and_backward(make: Maker) -> None:
    network = settled(make).train()
    twin = copy.deepcopy(network)
    compiled = torch.compile(twin, backend="aot_eager", fullgraph=True)
    want, result = network(*inputs(make)), compiled(*inputs(make))
    same(result, want, 1e-4)
    for outputs in (want, result):
        torch.autograd.backward([value.square().mean() for value in named(outputs).values()])
    for ours, theirs in zip(twin.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-4)


def free_batch(make: Maker) -> tuple[dict[int, object], ...]:
    return tuple({0: torch.export.Dim("batch", min=1, max=64)} for _ in SIZES[make])


@EVERY
@pytest.mark.parametrize("strict", [False, True], ids=["not strict", "strict"])
def test_exported_for_any_batch(make: Maker, strict: bool) -> None:
    network = settled(make)
    exported = torch.export.export(network, inputs(make), dynamic_shapes=free_batch(make), strict=strict).module()
    for batch in (1, 3):
        same(exported(*inputs(make, batch)), network(*inputs(make, batch)), 1e-5)


@EVERY
def test_onnx_for_any_batch(make: Maker, tmp_path: Path) -> None:
    network, stored = settled(make), tmp_path / "network.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own
        program = torch.onnx.export(network, inputs(make), dynamo=True, dynamic_shapes=free_batch(make), verbose=False)
    assert program is not None
    program.save(stored)
    session = onnxruntime.InferenceSession(stored)
    for batch in (1, 3):
        tensors = inputs(make, batch)
        given = {one.name: tensor.numpy() for one, tensor in zip(session.get_inputs(), tensors, strict=True)}
        result = [torch.from_numpy(value) for value in session.run(None, given)]
        want = [value for value in named(network(*tensors)).values() if value is not None]
        torch.testing.assert_close(result, [value.detach() for value in want], rtol=1e-3, atol=1e-4)


# -- types of numbers --------------------------------------------------------------------------------------------------


@EVERY
def test_autocast(make: Maker) -> None:
    network = settled(make)
    want = named(network(*inputs(make)))
    with torch.autocast("cpu", torch.bfloat16):
        result = named(network(*inputs(make)))
    for name, value in result.items():
        if isinstance(value, Tensor):
            assert value.dtype is torch.bfloat16
            torch.testing.assert_close(value.float(), want[name], rtol=0.1, atol=0.05)


@pytest.mark.parametrize("make", [resnet, auxiliary])
def test_meta_gives_the_shapes(make: Maker) -> None:
    network = make()
    shadow = copy.deepcopy(network).to("meta")
    given, real = shadow(*[x.to("meta") for x in inputs(make)]), named(network(*inputs(make)))
    assert {name: (value.shape, value.device.type) for name, value in named(given).items()} == {
        name: (value.shape, "meta") for name, value in real.items()
    }


def test_half_the_width() -> None:
    network = archspec.build("tutorial/cnn", dtype="bfloat16")
    assert network(torch.zeros(2, 1, 28, 28, dtype=torch.bfloat16)).dtype is torch.bfloat16
