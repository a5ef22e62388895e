"""`archspec.build`: what a network is made of, how its parts are called, what it takes and gives."""

from __future__ import annotations

import ast
import doctest
import gc
import re
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import archspec
from archspec.errors import ArchspecError
from builders.names import MEMBERS
from builders.network import Network
from tests.builders.networks import TWO_INPUTS, named, parsed, same, two_inputs, unet

DOCS = Path(__file__).resolve().parents[2] / "docs"
CODE = """\
def forward(self, input):
    input_1 = input
    stem_conv1 = self.stem.conv1(input_1);  input_1 = None
    stem_bn1 = self.stem.bn1(stem_conv1);  stem_conv1 = None
    stem_relu1 = torch.nn.functional.relu(stem_bn1, inplace = True);  stem_bn1 = None
    body_row_unit_conv1 = self.body.row.unit.conv1(stem_relu1)
    body_row_unit_bn1 = self.body.row.unit.bn1(body_row_unit_conv1);  body_row_unit_conv1 = None
    body_row_unit_relu1 = torch.nn.functional.relu(body_row_unit_bn1, inplace = True);  body_row_unit_bn1 = None
    body_row_unit_conv2 = self.body.row.unit.conv2(body_row_unit_relu1);  body_row_unit_relu1 = None
    body_row_unit_bn2 = self.body.row.unit.bn2(body_row_unit_conv2);  body_row_unit_conv2 = None
    body_row_unit_add1 = torch.add(body_row_unit_bn2, stem_relu1);  body_row_unit_bn2 = stem_relu1 = None
    body_row_unit_relu2 = torch.nn.functional.relu(body_row_unit_add1, inplace = True);  body_row_unit_add1 = None
    body_row_2_unit_conv1 = self.body.row_2.unit.conv1(body_row_unit_relu2)
"""


def test_the_code_is_readable() -> None:
    network = archspec.build("tutorial/residual", n=1)
    assert network.code.lstrip().startswith(CODE)
    assert str(network) == nn.Module.__repr__(network)
    assert "(row_2): Module(" in str(network)


def test_the_page_on_building_runs() -> None:
    result = doctest.testfile(str(DOCS / "build.md"), module_relative=False)
    assert result.attempted > 10
    assert result.failed == 0


# -- names -------------------------------------------------------------------------------------------------------------

CLASHES = """\
name: clashes
input: 8x8x4
blocks: {forward: CONV1-4}
layers:
  - CONV1-4
  - conv1: CONV1-4
    conv1_: CONV1-4
    train: [forward, forward]
    class: CONV1-4, RELU6, RELU6
    graph: CONV1-4
    torch: CONV1-4, RELU
    self: {a_b: {c: CONV1-4}, a: {b_c: CONV1-4}}
    code: CONV1-4
"""


def test_names_follow_the_stages_and_hide_nothing() -> None:
    network = parsed(CLASHES)
    held = [name for name, part in network.named_modules() if isinstance(part, nn.Conv2d)]
    assert held == [
        *("conv1", "conv1_.conv1", "conv1__.conv1", "train_.forward_.conv1", "train_.forward_2.conv1"),
        *("class_.conv1", "graph_.conv1", "torch.conv1", "self.a_b.c.conv1", "self.a.b_c.conv1", "code_.conv1"),
    ]
    ast.parse(network.code)
    assert tuple(network.train()(torch.zeros(1, 4, 8, 8)).shape) == (1, 4, 8, 8)
    assert [name for name in network.origins if "relu6" in name] == ["class__relu6_1", "class__relu6_2"]


def test_no_part_is_called_like_a_member_of_a_network() -> None:
    assert set(dir(parsed("{name: a, input: 4x4x1, layers: RELU}"))) <= MEMBERS


@pytest.mark.parametrize("name", ["class", "self", "torch", "input", "max", "nan"])
def test_inputs_of_any_name_are_given_by_place_or_by_that_name(name: str) -> None:
    network = parsed(f"{{name: a, input: {{{name}: 4x4x1, other: 4x4x1}}, layers: {{stem: [from other, CONV3-2]}}}}")
    own, other = network.arguments
    assert re.fullmatch(f"{name}_?", own)
    assert other == "other"
    x, y = torch.randn(2, 1, 1, 4, 4)
    same(network(x, y), network(**{own: x, other: y}))
    assert [key for key, _ in network.named_parameters()] == ["stem.conv1.weight", "stem.conv1.bias"]


# -- inputs and outputs ------------------------------------------------------------------------------------------------


def test_several_inputs_and_outputs() -> None:
    network: Any = two_inputs()
    left, right = torch.randn(2, 3, 12, 12), torch.randn(2, 4, 6, 6)
    result = network(left, right)
    joined = torch.tanh(network.conv1(left).relu() + network.conv2(right.relu()))
    same(result, {"sum": joined, "pooled": joined.mean((2, 3))}, 1e-6)
    same(network(right=right, left=left), result)


@pytest.mark.parametrize(("size", "gives"), [(572, 388), (188, 4), (220, 36)])
def test_unet_at_sizes_that_it_allows(size: int, gives: int) -> None:
    """Crops follow the tensor that they are to fit; on meta, since one forward pass at 572 takes seconds."""
    network = archspec.build("unet", device="meta")
    assert tuple(network(torch.empty(1, 1, size, size, device="meta")).shape) == (1, 2, gives, gives)


@pytest.mark.parametrize("size", [64, 97])
def test_another_size_is_what_a_spec_for_that_size_gives(size: int) -> None:
    torch.manual_seed(0)
    usual, own = archspec.build("resnet18").eval(), archspec.build("resnet18", input=(size, size, 3)).eval()
    own.load_state_dict(usual.state_dict())
    x = torch.randn(1, 3, size, size)
    same(usual(x), own(x))


def test_sizes_are_followed_though_the_tensor_is_gone() -> None:
    network = parsed("{name: a, input: 8x8x2, layers: [RELU as wide, POOL2, CONV1-3, RESIZE like=wide]}")
    assert "wide" not in network.code
    assert tuple(network(torch.zeros(1, 2, 14, 10)).shape) == (1, 3, 14, 10)


# -- shared weights ----------------------------------------------------------------------------------------------------

SHARED = """\
name: shared
input: 8x8x4
layers: [CONV3-4 share a, RELU, CONV3-4 share a, CONV3-4 s2 share a, BN share b, TANH, BN share b, BN eps=0.1 share b]
"""


def test_an_equal_layer_is_the_same_module_and_another_one_has_its_weights() -> None:
    network: Any = parsed(SHARED)
    called = [str(node.target) for node in network.graph.nodes if node.op == "call_module"]
    assert called == ["conv1", "conv1", "conv3", "bn1", "bn1", "bn3"]
    assert sum(p.numel() for p in network.parameters()) == 4 * 4 * 9 + 4 + 8
    assert network.bn3.running_mean is network.bn1.running_mean


def test_uses_in_training_alone_share_as_well() -> None:
    """The tag's first use is in a part that is written later than the second, since it waits for a second value."""
    network: Any = parsed(
        "{name: a, input: 8x8x4, training_outputs: late, layers: [RELU as x, CONV3-4 s2 share w as early,"
        " from x, CONV3-4 share w, POOL2, CONV3-4 share w as y, add: [from early, from y], IDENTITY as late, from y]}"
    ).train()
    x = torch.randn(1, 4, 8, 8)
    y, late = network(x).values()
    weights = network.conv1.weight, network.conv1.bias
    plain = torch.conv2d(torch.max_pool2d(torch.conv2d(x.relu(), *weights, padding=1), 2), *weights, padding=1)
    same({"y": y, "late": late}, {"y": plain, "late": plain + torch.conv2d(x.relu(), *weights, 2, 1)}, 1e-6)
    assert len(list(network.parameters())) == 2


# -- memory ------------------------------------------------------------------------------------------------------------


def alive_during(network: Network, *inputs: torch.Tensor) -> list[int]:
    """How many outputs of earlier submodules are alive at each submodule's end, its own and its input included."""
    given: list[weakref.ref[torch.UntypedStorage]] = []
    counts: list[int] = []

    def note(*call: Any) -> None:
        *_, output = call
        given.append(weakref.ref(output.untyped_storage()))
        counts.append(sum(weak() is not None for weak in given))

    hooks = [part.register_forward_hook(note) for part in network.modules() if isinstance(part, nn.Conv2d)]
    with torch.no_grad():
        network(*inputs)
    for hook in hooks:
        hook.remove()
    return counts


def test_values_are_freed_when_they_are_dead() -> None:
    chain = parsed("{name: a, input: 8x8x4, layers: CONV3-4 x6}")
    assert alive_during(chain, torch.zeros(1, 4, 8, 8)) == [1, 2, 2, 2, 2, 2]
    kept = parsed("{name: a, input: 8x8x4, layers: [CONV3-4 as a, CONV3-4 x3, add: [IDENTITY, from a], CONV3-4 x2]}")
    assert alive_during(kept, torch.zeros(1, 4, 8, 8)) == [1, 2, 3, 3, 1, 2]
    sized = parsed("{name: a, input: 8x8x4, layers: [CONV3-4 as a, POOL2, CONV3-4 x3, RESIZE like=a, CONV3-4]}")
    assert alive_during(sized, torch.zeros(1, 4, 8, 8)) == [1, 1, 2, 2, 1]


def test_on_meta_nothing_is_stored() -> None:
    network = archspec.build("vgg19", device="meta", dtype="float64")
    tensors = [*network.parameters(), *network.buffers()]
    assert sum(tensor.nbytes for tensor in tensors) > 1 << 30
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert network(torch.empty(2, 3, 224, 224, device="meta", dtype=torch.float64)).shape == (2, 1000)


def test_a_dropped_network_leaves_nothing_behind() -> None:
    network = two_inputs()
    weak = weakref.ref(network)
    del network
    gc.collect()
    assert weak() is None


# -- what is asked for -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", torch.float16, "torch.float32"])
def test_dtypes(dtype: str | torch.dtype) -> None:
    network = archspec.build("tutorial/residual", dtype=dtype)
    wanted = getattr(torch, str(dtype).removeprefix("torch."))
    assert {tensor.dtype for tensor in network.state_dict().values()} == {wanted, torch.int64}


def test_the_dtype_asked_for_counts_whatever_the_default() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        network = archspec.build("tutorial/cnn")
    finally:
        torch.set_default_dtype(torch.float32)
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


@pytest.mark.parametrize("dtype", ["float31", torch.int32, "int8", ""])
def test_no_such_dtype(dtype: str | torch.dtype) -> None:
    with pytest.raises(ArchspecError) as caught:
        archspec.build("tutorial/cnn", dtype=dtype)
    assert caught.value.code == "unknown-dtype"


@pytest.mark.parametrize("device", ["cuda", "gpu", "cpu:x", None])
def test_no_such_device(device: str) -> None:
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has one")
    with pytest.raises(ArchspecError) as caught:
        archspec.build("tutorial/cnn", device=device)
    assert caught.value.code == "device"
    assert str(caught.value).startswith(f"error[device]: torch cannot use the device `{device}`: ")


def test_a_spec_is_built_as_it_was_chosen() -> None:
    spec = archspec.parse(TWO_INPUTS, "two.yaml")
    assert archspec.build(spec).source is spec.source
    with pytest.raises(ArchspecError) as caught:
        archspec.build(spec, variant="small")
    assert caught.value.code == "chosen"


def test_weights_are_drawn_as_torch_draws_them() -> None:
    torch.manual_seed(3)
    drawn: Any = parsed("{name: a, input: 8x8x4, layers: [CONV3-4, GAP, FLATTEN, FC-2]}")
    torch.manual_seed(3)
    same(dict(drawn.conv1.named_parameters()), dict(nn.Conv2d(4, 4, 3).named_parameters()))
    same(dict(drawn.fc1.named_parameters()), dict(nn.Linear(4, 2).named_parameters()))


def test_channels_last_changes_no_number() -> None:
    for network, x in ((unet(), torch.randn(1, 1, 188, 188)), (archspec.build("resnet18"), torch.randn(1, 3, 64, 64))):
        usual = named(network.eval()(x))["output"]
        result = network.to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last))
        torch.testing.assert_close(result, usual, rtol=1e-4, atol=1e-5)
