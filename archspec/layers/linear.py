"""Fully connected layers: FC on a vector, LINEAR at every position."""

from archspec.layers.base import (
    Family,
    Layer,
    Pointwise,
    ReadsAll,
    Role,
    Storage,
    Weight,
    Weights,
    channels,
    with_channels,
)
from archspec.layers.geometry import Positive
from archspec.layers.kinds import register
from archspec.layers.shape import Formula, Shape, ShapeError
from archspec.layers.template import TensorName


class Affine(Layer, abstract=True):
    """What both kinds share: K x C weights and K biases."""

    family = Family.LINEAR
    storage = Storage.FRESH
    overwritable = True

    units: Positive
    bias: bool = True
    w: TensorName | None = None
    b: TensorName | None = None

    def weights(self, *inputs: Shape) -> Weights:
        """C x K and K biases; stored K, C."""
        fans = channels(self, inputs[0]), self.units
        kernel = Weight((self.units, fans[0]), Role.KERNEL, *fans, factors=fans)
        if not self.bias:
            return {"weight": kernel}
        return {"weight": kernel, "bias": Weight((self.units,), Role.BIAS, *fans, factors=(self.units,))}

    def macs(self, *inputs: Shape) -> Formula:
        """C x K x positions."""
        return Formula.product(channels(self, inputs[0]), self.units, *self.output_shape(*inputs).spatial)


@register
class FullyConnected(ReadsAll, Affine):
    """Every unit reads the whole input, a vector or a map of a single position.

    >>> layer, vector = FullyConnected(units=3), Shape((), 490)
    >>> print(layer, "|", layer.weights(vector)["weight"].count + layer.weights(vector)["bias"].count)
    FC-3 | 490 x 3 + 3 = 1473
    """

    template = "FC-{units} [bias] w={w} b={b}"

    def output_shape(self, *inputs: Shape) -> Shape:
        """A vector of K."""
        shape = with_channels(self, inputs[0])
        if shape.positions != 1:
            raise ShapeError(
                "fc-on-map",
                f"{self} reads a vector, and {shape} has {shape.positions} positions",
                f"one vector of all {shape.elements} numbers: FLATTEN, {self}\n"
                f"the same units at every position: {Linear(**self.model_dump())}",
            )
        return Shape((), self.units)


@register
class Linear(Pointwise, Affine):
    """The same units at every position.

    >>> layer, tokens = Linear(units=3072), Shape((197,), 768)
    >>> print(layer.output_shape(tokens), "|", layer.macs(tokens))
    197 x 3072 | 768 x 3072 x 197 = 464781312
    """

    template = "LINEAR-{units} [bias] w={w} b={b}"

    def output_shape(self, *inputs: Shape) -> Shape:
        """K channels at every position."""
        return Shape(with_channels(self, inputs[0]).spatial, self.units)
