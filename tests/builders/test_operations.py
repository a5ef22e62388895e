"""Built networks ask of torch what hand-written modules ask of it: the same ATen operations in the same order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
import torchvision  # type: ignore[import-untyped]
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import archspec

NETWORKS = ("resnet18", "resnet50", "mobilenet_v2")


class Log(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the name of every ATen operation; one in place counts as the other.

    Where the backward pass needs what is overwritten, autograd clones it first: that clone is part of being in place.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: object, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name.endswith("_") and not name.endswith("__"):
            name = name.removesuffix("_")
            if self.names[-1:] == ["clone"]:
                self.names.pop()
        self.names.append(name)
        return func(*args, **(kwargs or {}))


def operations(network: nn.Module, training: bool) -> list[str]:
    """What a forward pass asks of torch, and in training the backward pass as well."""
    network.train(training)
    x = torch.zeros(2, 3, 32, 32)
    with Log() as log, torch.set_grad_enabled(training):
        result = network(x)
        if training:
            result.sum().backward()
    found: list[str] = log.names
    return found


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_operations_as_torchvision(name: str, training: bool) -> None:
    constructor: Callable[[], nn.Module] = getattr(torchvision.models, name)
    theirs = constructor()
    ours = archspec.build(name)
    archspec.load_weights(ours, theirs.state_dict())
    want = operations(theirs, training)
    assert operations(ours, training) == want
    assert want.count("convolution") == sum(isinstance(part, nn.Conv2d) for part in theirs.modules())
    assert ("convolution_backward" in want) is training


def test_another_operation_would_be_seen() -> None:
    network = archspec.build("resnet18")
    want = operations(network, False)
    for node in network.graph.nodes:
        if node.target is torch.add:
            node.target = torch.sub
    network.recompile()
    assert [{"sub": "add"}.get(name, name) for name in operations(network, False)] == want
    assert operations(network, False) != want
