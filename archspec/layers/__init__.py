"""Layer kinds. Importing this package makes all of them known."""

from archspec.layers import (
    activation,
    convolution,
    linear,
    merge,
    normalization,
    pooling,
    regularization,
    reshape,
    resize,
)
from archspec.layers.base import (
    Elementwise,
    Family,
    Layer,
    Role,
    Storage,
    Weight,
    Weightless,
    Weights,
    register,
    registry,
)
from archspec.layers.shape import Formula, Shape, ShapeError, total
from archspec.layers.template import Option, Takes

__all__ = [
    "Elementwise",
    "Family",
    "Formula",
    "Layer",
    "Option",
    "Role",
    "Shape",
    "ShapeError",
    "Storage",
    "Takes",
    "Weight",
    "Weightless",
    "Weights",
    "activation",
    "convolution",
    "linear",
    "merge",
    "normalization",
    "pooling",
    "register",
    "registry",
    "regularization",
    "reshape",
    "resize",
    "total",
]
