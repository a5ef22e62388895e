"""Pooling: the maximum or mean of sliding windows (POOL, AVGPOOL) and of whole maps (GMP, GAP)."""

from abc import abstractmethod

from archspec.layers.base import Family, ReadsAll, Storage, Weightless
from archspec.layers.geometry import Axis, Dims, Padding, Sizes, check_phases, padded, spatial, spread
from archspec.layers.kinds import register
from archspec.layers.shape import Shape, ShapeError
from archspec.layers.window import Window, adaptive, aligned, sliding


class Pooling(Weightless, abstract=True):
    """What both kinds share: a window that slides by its own size unless told otherwise, or as many as `to=` asks."""

    family = Family.POOLING
    storage = Storage.FRESH

    kernel: Dims | None = None
    stride: Dims | None = None
    padding: Padding = (0,)
    ceil: bool = False
    to: Sizes | None = None

    @abstractmethod
    def dilations(self, shape: Shape) -> tuple[int, ...]:
        """The distance of neighbouring taps along every axis."""

    def axes(self, shape: Shape) -> tuple[Axis, ...]:
        """The sliding window along every spatial axis; raises ShapeError where the kernel is not given.

        torch allows padding of at most half the kernel.
        """
        if self.kernel is None:
            raise ShapeError(
                "kernel-or-to",
                f"{self.kind} has neither a kernel nor to=",
                f"write {self.kind}2 for windows of 2, or {self.kind} to=7 for 7 windows along every axis",
            )
        taps = spread(self.kernel, shape, "kernel")
        strides = taps if self.stride is None else spread(self.stride, shape, "stride")
        axes = padded(tuple(map(Axis, taps, strides, self.dilations(shape))), self.padding, shape)
        wide = next((axis for axis in axes if max(axis.before, axis.after) > axis.kernel // 2), None)
        if wide:
            raise ShapeError(
                "padding-too-large",
                f"a padding of {max(wide.before, wide.after)} is more than half of the kernel of {wide.kernel}",
                f"use at most p{wide.kernel // 2}",
                "padding",
            )
        return axes

    def output_shape(self, *inputs: Shape) -> Shape:
        """floor((in + before + after - d(k - 1) - 1) / s) + 1 along every axis, rounded up with `ceil`; or `to`."""
        shape = spatial(self, inputs[0])
        if self.to is not None:
            self._check_alone()
            sizes = spread(self.to, shape, "to")
            for size, wanted in zip(shape.spatial, sizes, strict=True):
                check_phases(size, wanted, "to")
            return Shape(sizes, shape.channels)
        axes = zip(shape.spatial, self.axes(shape), strict=True)
        return Shape(tuple(axis.output(size, self.ceil) for size, axis in axes), shape.channels)

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        """P = 1, J = s, taps -p + d t; with `to`, floor(i in/out) to ceil((i + 1) in/out) - 1."""
        shape = inputs[0]
        if self.to is None:
            return (sliding(self.axes(shape)),)
        return (aligned(map(adaptive, shape.spatial, spread(self.to, shape, "to"))),)

    def _check_alone(self) -> None:
        """The number of windows fixes their sizes and places; raises ShapeError for a second word on them."""
        fields = type(self).model_fields
        other = next((name for name, value in self if name != "to" and value != fields[name].default), None)
        if other:
            message, hint = f"to= fixes the windows, and here stands {self}", f"leave out either to= or the {other}"
            raise ShapeError("kernel-or-to", message, hint, other)


@register
class Pool(Pooling):
    """The maximum of every window.

    >>> print(Pool(kernel=2).output_shape(Shape((28, 28), 10)))
    14 x 14 x 10
    >>> print(Pool(kernel=3, stride=2, ceil=True).output_shape(Shape((112, 112), 64)))
    56 x 56 x 64
    """

    template = "POOL{kernel} s{stride} p{padding} d{dilation} ceil={ceil} to={to}"
    dilation: Dims = (1,)

    def dilations(self, shape: Shape) -> tuple[int, ...]:
        return spread(self.dilation, shape, "dilation")


@register
class AvgPool(Pooling):
    """The mean of every window; `countpad` counts padding as zeros, without it as absent.

    >>> print(AvgPool(to=7).output_shape(Shape((13, 13), 512)))
    7 x 7 x 512
    """

    template = "AVGPOOL{kernel} s{stride} p{padding} ceil={ceil} countpad={countpad} to={to}"
    countpad: bool = True

    def dilations(self, shape: Shape) -> tuple[int, ...]:
        return (1,) * shape.rank


class GlobalPooling(ReadsAll, Weightless, abstract=True):
    """One window over the whole map."""

    family = Family.POOLING
    storage = Storage.FRESH

    def output_shape(self, *inputs: Shape) -> Shape:
        """Size 1 along every axis; the rank stays."""
        shape = spatial(self, inputs[0])
        return Shape((1,) * shape.rank, shape.channels)


@register
class GlobalAvgPool(GlobalPooling):
    """The mean of every channel (Lin, Chen & Yan 2014).

    >>> print(GlobalAvgPool().output_shape(Shape((7, 7), 512)))
    1 x 1 x 512
    """

    template = "GAP"


@register
class GlobalMaxPool(GlobalPooling):
    """The maximum of every channel."""

    template = "GMP"
