"""The bundled networks that torchvision has as well: with its weights they give its outputs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torchvision import models  # type: ignore[import-untyped]

import archspec
from archspec import bundle
from builders.threads import threads

QUICK = ("alexnet", "vgg11_bn", "squeezenet1_1", "densenet121", "mobilenet_v2", "resnet18", "resnext50_32x4d")
REST = (
    *("vgg11", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn", "squeezenet1_0"),
    *("densenet161", "densenet169", "densenet201", "resnet34", "resnet50", "resnet101", "resnet152"),
    *("resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"),
)
SMALL = (64, 64, 3)  # as far down as every one of them goes
TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-10}


def agree(name: str, size: tuple[int, int, int] | None) -> None:
    """Load torchvision's weights, compare in evaluation and in training, in both precisions."""
    torch.manual_seed(0)
    theirs: nn.Module = models.get_model(name, weights=None)
    ours = archspec.build(name, input=size)
    reports = [archspec.load_weights(ours, theirs), archspec.load_weights(ours.double(), theirs.double())]
    for report, tolerance in zip(reports, TOLERANCES.values(), strict=True):
        assert report.compared
        assert report.difference is not None
        assert report.difference <= tolerance
    assert len(report.pairs) == sum("num_batches_tracked" not in key for key in theirs.state_dict())
    for dropout in (part for model in (ours, theirs) for part in model.modules() if isinstance(part, nn.Dropout)):
        dropout.p = 0
    for dtype in reversed(TOLERANCES):
        assert in_training(ours.to(dtype), theirs.to(dtype), torch.randn(2, 3, *(size or (224, 224))[:2], dtype=dtype))


def in_training(ours: Any, theirs: Any, x: torch.Tensor) -> bool:
    """Whether outputs agree in training mode, and so do the running statistics that they leave behind."""
    with torch.no_grad():
        got, want = ours.train()(x), theirs.train()(x)
    buffers = zip(ours.buffers(), theirs.buffers(), strict=True)
    assert all(torch.allclose(one, two, rtol=TOLERANCES[x.dtype], atol=0) for one, two in buffers)
    assert (want[0] - want[1]).abs().max() > 1e-3 * want.abs().max()
    return bool((got - want).abs().max() <= TOLERANCES[x.dtype] * want.abs().max())


@pytest.mark.parametrize("name", QUICK)
def test_the_outputs_are_torchvisions(name: str) -> None:
    with threads(1):
        agree(name, SMALL)


@pytest.mark.prove
@pytest.mark.parametrize("name", QUICK + REST)
def test_the_outputs_are_torchvisions_at_the_size_of_the_publication(name: str) -> None:
    agree(name, None)


def test_these_are_all_that_both_have() -> None:
    """TF-Slim's networks are others, also where they are called alike."""
    files = [entry for entry in bundle.entries() if not entry.file.startswith("zoo/slim/")]
    ours = {name for entry in files for name in (entry.name, *entry.variants)}
    assert sorted(ours & set(models.list_models())) == sorted(QUICK + REST)


def test_another_networks_outputs_would_be_noticed() -> None:
    """torchvision's resnet50 strides in the 3x3 convolution of a unit; the same weights strided elsewhere."""
    theirs = models.resnet50(weights=None)
    theirs.layer2[0].conv1.stride, theirs.layer2[0].conv2.stride = (2, 2), (1, 1)
    ours = archspec.build("resnet50", input=SMALL)
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    with threads(1), pytest.raises(archspec.ArchspecError) as caught:
        archspec.load_weights(ours, theirs)
    assert caught.value.code == "weights-differ"
    assert all(torch.equal(tensor, before[name]) for name, tensor in ours.state_dict().items())
