"""Given tensors: whether they fit the weights and inputs that they are given for."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.declarations import Tensor
from archspec.errors import ArchspecError
from archspec.layers import Layer, ShapeError, Takes
from archspec.nodes import Facts

SHORT = {"w": "weight", "b": "bias"}  # the fields that take tensors; any other is called like its weight


def _essential(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes that hold more than one element."""
    return tuple(size for size in shape if size != 1)


def check_tensors(facts: Facts, tensors: Mapping[str, Tensor]) -> None:
    """Raise ShapeError unless every tensor that a layer names fits its weight; unit axes may be left out."""
    if not tensors:
        return
    for field, name in given(facts.layer).items():
        _check(facts, field, name, tensors[name])


def given(layer: Layer) -> dict[str, str]:
    """The tensors that a layer names, by the fields that take them."""
    fields = [option.field for option in layer.notation.options.values() if option.takes is Takes.TENSOR]
    return {field: name for field in fields if (name := getattr(layer, field)) is not None}


def _check(facts: Facts, field: str, name: str, tensor: Tensor) -> None:
    weight = facts.weights.get(SHORT.get(field, field))
    if weight is None:
        raise ShapeError(
            "tensor-shape", f"{facts.layer.kind} has no weight for {field}={name} here", "leave it out", field
        )
    if _essential(tensor.shape) != _essential(weight.shape):
        found, wanted = (" x ".join(map(str, shape)) or "1" for shape in (tensor.shape, weight.shape))
        hint = "axes stand as torch stores them, filters first; axes of size 1 may be left out"
        raise ShapeError("tensor-shape", f"the tensor {name} is {found}, and the weight is {wanted}", hint, field)


def check_input(name: str, tensor: Tensor, sizes: tuple[int, ...]) -> None:
    """Raise ArchspecError unless a tensor given for an input fits it, in the order of the spec's shapes."""
    if _essential(tensor.shape) != _essential(sizes):
        found, wanted = (" x ".join(map(str, shape)) for shape in (tensor.shape, sizes))
        raise ArchspecError(
            "tensor-shape",
            f"the tensor {name} is {found}, and the input is {wanted}",
            tensor.place.span,
            "height stands before width, channels last",
        )
