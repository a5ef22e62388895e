"""Rearrangements: the same numbers in another shape, a part of the channels, or one number in place of all."""

from math import prod

from archspec.layers.base import Family, Pointwise, ReadsAll, Storage, Weightless, channels, with_channels
from archspec.layers.geometry import NotNegative, Positive, Sizes, equal_parts, spatial
from archspec.layers.kinds import register
from archspec.layers.moments import Moments
from archspec.layers.shape import AXES, Shape, ShapeError
from archspec.layers.strides import Strides, viewed


class View(Weightless, abstract=True):
    """A kind whose output lies in the memory of its input."""

    family = Family.RESHAPE
    storage = Storage.VIEW

    def moments(self, *inputs: Moments) -> Moments:
        """The same numbers."""
        return inputs[0]


class Refilled(ReadsAll, View, abstract=True):
    """A kind that lays the same numbers, in torch's order, into other axes: a view where the strides allow it."""

    def strides(self, strides: Strides, *inputs: Shape) -> Strides | None:
        return viewed(strides, inputs[0], self.output_shape(*inputs))


@register
class Flatten(Refilled):
    """All numbers as a vector, channel by channel as torch orders them.

    >>> print(Flatten().output_shape(Shape((7, 7), 10)))
    490
    """

    template = "FLATTEN"

    def output_shape(self, *inputs: Shape) -> Shape:
        return Shape((), with_channels(self, inputs[0]).elements)


@register
class Reshape(Refilled):
    """The same numbers in another shape, written as the spec writes shapes and filled in torch's order, C before H.

    Positions and channels mix, so that every unit may read any position.

    >>> print(Reshape(to=(7, 7, 512)).output_shape(Shape((), 25088)))
    7 x 7 x 512
    """

    template = "RESHAPE to={to}"
    to: Sizes

    def output_shape(self, *inputs: Shape) -> Shape:
        """`to`, its last size the channels; raises ShapeError where the numbers of elements differ."""
        shape = with_channels(self, inputs[0])
        if not 1 <= len(self.to) <= len(AXES):
            message = f"a shape has 1 to {len(AXES)} sizes, and to= has {len(self.to)}"
            raise ShapeError("dimensions", message, "write the spatial sizes and then the channels: to=7x7x512", "to")
        wanted = Shape(self.to[:-1], self.to[-1])
        if prod(self.to) != shape.elements:
            raise ShapeError(
                "elements",
                f"{wanted} holds {wanted.elements} numbers, and the input {shape} holds {shape.elements}",
                f"the sizes of to= must multiply to {shape.elements}",
                "to",
            )
        return wanted


@register
class Transpose(ReadsAll, Weightless):
    """Channels become positions and positions channels, so that every unit reads all positions.

    The numbers are written anew, in order: what follows would have to reorder them anyhow.

    >>> print(Transpose().output_shape(Shape((196,), 512)))
    512 x 196
    """

    template = "TRANSPOSE"
    family = Family.RESHAPE
    storage = Storage.FRESH

    def moments(self, *inputs: Moments) -> Moments:
        """The same numbers."""
        return inputs[0]

    def output_shape(self, *inputs: Shape) -> Shape:
        length, count = spatial(self, inputs[0], (1,)).sizes
        return Shape((count,), length)


class Unchanged(Pointwise, View, abstract=True):
    """A kind that hands on what it is given, token ids too."""

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


@register
class Identity(Unchanged):
    """The point itself: it makes no node."""

    template = "IDENTITY"
    transparent = True


@register
class Nothing(Unchanged):
    """Takes the branch that it ends out of its merge."""

    template = "NONE"
    absent = True


@register
class Part(Pointwise, View):
    """One of several equal groups of channels, counted from 0.

    >>> print(Part(index=1, of=4).output_shape(Shape((28, 28), 64)))
    28 x 28 x 16
    """

    template = "PART-{index} of={of}"
    index: NotNegative
    of: Positive

    def output_shape(self, *inputs: Shape) -> Shape:
        """C / of channels; raises ShapeError where that is not whole, or where there is no such part."""
        if self.index >= self.of:
            message = f"of={self.of} gives parts 0 to {self.of - 1}, and not {self.index}"
            raise ShapeError("part-out-of-range", message, "parts are counted from 0", "index")
        return Shape(inputs[0].spatial, equal_parts(channels(self, inputs[0]), self.of, "channels", "of"))


@register
class Shuffle(Pointwise, Weightless):
    """Channels dealt out in turn from g groups: g x C/g transposed (Zhang et al. 2018)."""

    template = "SHUFFLE-{groups}"
    family = Family.RESHAPE
    storage = Storage.FRESH
    groups: Positive

    def moments(self, *inputs: Moments) -> Moments:
        """The same numbers."""
        return inputs[0]

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = spatial(self, inputs[0])
        equal_parts(channels(self, shape), self.groups, "channels", "groups")
        return shape


class OverChannels(Pointwise, Weightless, abstract=True):
    """One number in place of all channels of a position (spatial attention: Woo et al. 2018).

    >>> print(ChannelMean().output_shape(Shape((28, 28), 64)))
    28 x 28 x 1
    """

    family = Family.RESHAPE
    storage = Storage.FRESH

    def output_shape(self, *inputs: Shape) -> Shape:
        return Shape(with_channels(self, inputs[0]).spatial, 1)


@register
class ChannelMean(OverChannels):
    """The mean of the channels at every position."""

    template = "CMEAN"


@register
class ChannelMax(OverChannels):
    """The maximum of the channels at every position."""

    template = "CMAX"
