"""Convolutions: CONV in one to three dimensions, and its transpose UPCONV."""

from abc import abstractmethod
from math import prod

from archspec.layers.base import Family, Layer, Role, Storage, Weight, Weights
from archspec.layers.geometry import (
    Axis,
    Borders,
    Dims,
    NotNegative,
    Padding,
    PaddingMode,
    Positive,
    check_padding_mode,
    padded,
    spatial,
    spread,
)
from archspec.layers.kinds import register
from archspec.layers.shape import Formula, Shape, ShapeError
from archspec.layers.template import TensorName
from archspec.layers.window import Window, sliding, spreading


class Convolution(Layer, abstract=True):
    """What both directions share: kernel, filters, groups, biases, and one set of taps per pair of channels."""

    family = Family.CONVOLUTION
    storage = Storage.FRESH
    overwritable = True

    kernel: Dims
    filters: Positive
    dilation: Dims = (1,)
    groups: Positive = 1
    bias: bool = True
    w: TensorName | None = None
    b: TensorName | None = None

    @abstractmethod
    def axes(self, shape: Shape) -> tuple[Axis, ...]:
        """The sliding window along every spatial axis of the input."""

    def taps(self, shape: Shape) -> tuple[int, ...]:
        """The kernel's size along every axis."""
        return spread(self.kernel, shape, "kernel")

    def channels_in(self, shape: Shape) -> int:
        """C of the input; raises ShapeError unless the groups divide both C and F."""
        channels = spatial(self, shape).sizes[-1]
        for what, count in (("input channels", channels), ("filters", self.filters)):
            if count % self.groups:
                raise ShapeError(
                    "not-divisible",
                    f"{count} {what} cannot be split into {self.groups} groups",
                    f"g must divide both the {channels} input channels and the {self.filters} filters",
                    "groups",
                )
        return channels

    def _weights(self, shape: Shape, stored: tuple[int, int], written: tuple[int, int]) -> Weights:
        """Kernel and bias, the kernel's two channel axes as torch stores them and as they are written by hand."""
        taps, channels = self.taps(shape), self.channels_in(shape)
        fans = prod(taps) * channels // self.groups, prod(taps) * self.filters // self.groups
        kernel = Weight((*stored, *taps), Role.KERNEL, *fans, factors=(*taps, *written), matrices=self.groups)
        if not self.bias:
            return {"weight": kernel}
        return {"weight": kernel, "bias": Weight((self.filters,), Role.BIAS, *fans, factors=(self.filters,))}


@register
class Conv(Convolution):
    """A convolution (a correlation, as in all of deep learning, unless `flip`).

    >>> image = Shape((28, 28), 1)
    >>> layer = Conv(kernel=3, filters=10)
    >>> print(layer, "|", layer.output_shape(image), "|", layer.macs(image))
    CONV3-10 | 28 x 28 x 10 | 3 x 3 x 1 x 10 x 28 x 28 = 70560
    """

    template = (
        "CONV{kernel}-{filters} s{stride} p{padding} d{dilation} g{groups} pad={pad} [bias] [causal] [flip] w={w} b={b}"
    )
    stride: Dims = (1,)
    padding: Padding | None = None
    pad: PaddingMode = "zeros"
    causal: bool = False
    flip: bool = False

    def axes(self, shape: Shape) -> tuple[Axis, ...]:
        strides, dilations = spread(self.stride, shape, "stride"), spread(self.dilation, shape, "dilation")
        bare = tuple(map(Axis, self.taps(shape), strides, dilations))
        if self.causal:
            return padded(bare, self._causal(shape, bare), shape)
        return padded(bare, self._centred(bare) if self.padding is None else self.padding, shape)

    def _causal(self, shape: Shape, axes: tuple[Axis, ...]) -> tuple[tuple[int, int], ...]:
        if shape.rank != 1:
            message = f"causal pads the start of a sequence, and {shape} is a {shape.rank}-D map"
            raise ShapeError("causal", message, "leave causal out", "causal")
        if self.padding is not None:
            message = "causal fixes the padding, and here stands another one"
            raise ShapeError("causal", message, "leave out either causal or the padding", "causal")
        return ((axes[0].extent - 1, 0),)

    def _centred(self, axes: tuple[Axis, ...]) -> tuple[tuple[int, int], ...]:
        """Padding d(k - 1)/2 on both sides; raises ShapeError where that is no whole number."""
        odd = next((axis for axis in axes if (axis.extent - 1) % 2), None)
        if odd:
            raise ShapeError(
                "padding-needed",
                f"a kernel of {odd.kernel} with dilation {odd.dilation} cannot be centred",
                f"say which padding is meant: p0, p{(odd.extent - 1) // 2}:{odd.extent // 2} or p=same",
                "kernel",
            )
        return tuple(((axis.extent - 1) // 2,) * 2 for axis in axes)

    def output_shape(self, *inputs: Shape) -> Shape:
        """floor((in + before + after - d(k-1) - 1) / s) + 1 along every axis, F channels (Dumoulin & Visin 2016)."""
        shape = inputs[0]
        self.channels_in(shape)
        axes = self.axes(shape)
        for size, axis in zip(shape.spatial, axes, strict=True):
            check_padding_mode(self.pad, size, axis)
        return Shape(tuple(axis.output(size) for size, axis in zip(shape.spatial, axes, strict=True)), self.filters)

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        """P = 1, J = s, taps -p + d t."""
        return (sliding(self.axes(inputs[0])),)

    def weights(self, *inputs: Shape) -> Weights:
        """K x K x C/g x F and F biases; stored F, C/g, K, K."""
        per_group = self.channels_in(inputs[0]) // self.groups
        return self._weights(inputs[0], (self.filters, per_group), (per_group, self.filters))

    def macs(self, *inputs: Shape) -> Formula:
        """taps x C/g x F x output positions."""
        taps, per_group = self.taps(inputs[0]), self.channels_in(inputs[0]) // self.groups
        return Formula.product(*taps, per_group, self.filters, *self.output_shape(*inputs).spatial)


@register
class UpConv(Convolution):
    """A transposed convolution. Where p is not given, it is such that out = s x in.

    >>> layer, image = UpConv(kernel=2, filters=64), Shape((28, 28), 128)
    >>> print(layer, "|", layer.output_shape(image), "|", layer.weights(image)["weight"].count)
    UPCONV2-64 | 56 x 56 x 64 | 2 x 2 x 128 x 64 = 32768
    """

    template = "UPCONV{kernel}-{filters} s{stride} p{padding} d{dilation} g{groups} op={extra} [bias] w={w} b={b}"
    stride: Dims = (2,)
    padding: Borders | None = None
    extra: NotNegative = 0

    def axes(self, shape: Shape) -> tuple[Axis, ...]:
        strides, dilations = spread(self.stride, shape, "stride"), spread(self.dilation, shape, "dilation")
        bare = tuple(map(Axis, self.taps(shape), strides, dilations))
        if self.padding is None:
            sides = tuple(map(self._cover, bare))
        else:
            sides = spread(self.padding, shape, "padding")
        return tuple(axis._replace(before=side, after=side) for axis, side in zip(bare, sides, strict=True))

    def _cover(self, axis: Axis) -> int:
        """The padding with which out = s x in; raises ShapeError where no whole number gives it."""
        excess = axis.extent + self.extra - axis.stride
        if excess < 0 or excess % 2:
            raise ShapeError(
                "padding-needed",
                f"with stride {axis.stride} and a kernel of {axis.kernel}, no padding makes out = {axis.stride} x in",
                f"write op={self.extra + (1 if excess > 0 else -excess)} to compute more positions at the end, or say "
                "with p which padding is meant",
                "kernel",
            )
        return excess // 2

    def output_shape(self, *inputs: Shape) -> Shape:
        """(in - 1) s - 2p + d(k - 1) + 1 + op along every axis, F channels (Dumoulin & Visin 2016)."""
        shape = inputs[0]
        self.channels_in(shape)
        sizes = tuple(map(self._length, shape.spatial, self.axes(shape)))
        return Shape(sizes, self.filters)

    def _length(self, size: int, axis: Axis) -> int:
        if self.extra >= max(axis.stride, axis.dilation):
            raise ShapeError(
                "output-padding",
                f"op={self.extra} must be less than the stride {axis.stride} or the dilation {axis.dilation}",
                f"use at most op={max(axis.stride, axis.dilation) - 1}",
                "extra",
            )
        uncut = (size - 1) * axis.stride + axis.extent + self.extra
        if uncut <= 2 * axis.before:
            raise ShapeError(
                "padding-too-large",
                f"p{axis.before} cuts {axis.before} positions off both ends, and there are {uncut}",
                f"use at most p{(uncut - 1) // 2}",
                "padding",
            )
        return uncut - 2 * axis.before

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        """P = s, J = 1: unit o reads position i where o = i s - p + d t."""
        return (spreading(self.axes(inputs[0])),)

    def weights(self, *inputs: Shape) -> Weights:
        """K x K x C x F/g and F biases; stored C, F/g, K, K."""
        channels, per_group = self.channels_in(inputs[0]), self.filters // self.groups
        return self._weights(inputs[0], (channels, per_group), (channels, per_group))

    def macs(self, *inputs: Shape) -> Formula:
        """taps x C/g x F x input positions."""
        shape = inputs[0]
        return Formula.product(*self.taps(shape), self.channels_in(shape) // self.groups, self.filters, *shape.spatial)
