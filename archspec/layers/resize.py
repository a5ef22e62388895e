"""Other spatial sizes without weights: interpolation, blocks moved between positions and channels, borders."""

from typing import Literal

from archspec.layers.base import Family, Storage, Weightless, channels
from archspec.layers.geometry import (
    Axis,
    Borders,
    Factor,
    PaddingMode,
    Sides,
    Sizes,
    check_padding_mode,
    check_phases,
    equal_parts,
    padded,
    spatial,
    spread,
)
from archspec.layers.kinds import register
from archspec.layers.shape import Shape, ShapeError
from archspec.layers.template import SizeOf
from archspec.layers.window import Window, aligned, gathered, interpolated, repeated, shifted, sliding

Interpolation = Literal["nearest", "linear", "bilinear", "bicubic", "trilinear"]
REACH: dict[Interpolation, int] = {"nearest": 0, "linear": 1, "bilinear": 1, "bicubic": 2, "trilinear": 1}
RANKS: dict[Interpolation, int] = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}


class Resizing(Weightless, abstract=True):
    """A kind that changes spatial sizes and holds its output in memory of its own."""

    family = Family.RESHAPE
    storage = Storage.FRESH


class Sized(Resizing, abstract=True):
    """A kind that is told its spatial sizes, by numbers or by a second input of which only the size counts."""

    arity = (1, 2)
    like: SizeOf | None = None
    to: Sizes | None = None

    def sizes(self, *inputs: Shape) -> tuple[int, ...]:
        """The spatial sizes asked for; raises ShapeError unless exactly one of `like` and `to` says them."""
        shape = spatial(self, inputs[0])
        if (self.like is None) == (self.to is None):
            found = "neither" if self.to is None else "both"
            hint = f"write {self.kind} like=skip for the size of the point `skip`, or {self.kind} to=28x28"
            raise ShapeError("like-or-to", f"{self.kind} takes like= or to=, and here is {found}", hint)
        if self.to is not None:
            return spread(self.to, shape, "to")
        if inputs[1].rank != shape.rank:
            raise ShapeError(
                "shape-mismatch",
                f"{self.like} is {inputs[1]}, a {inputs[1].rank}-D map, and {shape} is a {shape.rank}-D map",
                "name a point with as many axes, or use to=",
                "like",
            )
        return inputs[1].spatial


def check_interpolation(mode: Interpolation, shape: Shape) -> None:
    """Raises ShapeError where torch has no such mode for a map of this rank."""
    if RANKS.get(mode, shape.rank) != shape.rank:
        fitting = " or ".join(f"mode={name}" for name, rank in RANKS.items() if rank == shape.rank)
        message = f"mode={mode} is for {RANKS[mode]}-D maps, and {shape} is a {shape.rank}-D map"
        raise ShapeError("wrong-rank", message, f"use mode=nearest or {fitting}", "mode")


@register
class Upsample(Resizing):
    """f times as many positions along every axis; linear modes keep corners apart (align_corners=False).

    >>> print(Upsample(factor=2).output_shape(Shape((14, 14), 64)))
    28 x 28 x 64
    """

    template = "UPSAMPLE-{factor} mode={mode}"
    factor: Factor
    mode: Interpolation = "nearest"

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = spatial(self, inputs[0])
        check_interpolation(self.mode, shape)
        return Shape(tuple(size * self.factor for size in shape.spatial), shape.channels)

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        return (aligned(interpolated(1, self.factor, REACH[self.mode]) for _ in inputs[0].spatial),)


@register
class Resize(Sized):
    """Interpolates to given sizes; linear modes keep corners apart (align_corners=False).

    >>> print(Resize(like="skip").output_shape(Shape((7, 7), 256), Shape((13, 13), 64)))
    13 x 13 x 256
    """

    template = "RESIZE mode={mode} like={like} to={to}"
    mode: Interpolation = "nearest"

    def output_shape(self, *inputs: Shape) -> Shape:
        """The sizes asked for, the first input's channels."""
        check_interpolation(self.mode, spatial(self, inputs[0]))
        sizes = self.sizes(*inputs)
        for size, wanted in zip(inputs[0].spatial, sizes, strict=True):
            check_phases(size, wanted, "to" if self.like is None else "like")
        return Shape(sizes, inputs[0].channels)

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        sizes = zip(inputs[0].spatial, self.sizes(*inputs), strict=True)
        return (aligned(interpolated(size, wanted, REACH[self.mode]) for size, wanted in sizes),)


@register
class Crop(Sized):
    """Cuts a window out, from `at` (the first position kept along every axis) or from the middle.

    >>> layer, image, up = Crop(like="up"), Shape((64, 64), 512), Shape((56, 56), 512)
    >>> print(layer.output_shape(image, up), layer.offsets(image, up))
    56 x 56 x 512 (4, 4)
    """

    template = "CROP like={like} to={to} at={at}"
    storage = Storage.VIEW
    at: Borders | None = None

    def offsets(self, *inputs: Shape) -> tuple[int, ...]:
        """The first position kept along every axis: `at`, or floor((in - out) / 2)."""
        if self.at is not None:
            return spread(self.at, inputs[0], "at")
        sizes = self.sizes(*inputs)
        return tuple((there - size) // 2 for there, size in zip(inputs[0].spatial, sizes, strict=True))

    def output_shape(self, *inputs: Shape) -> Shape:
        """The sizes asked for; raises ShapeError where the input ends before."""
        wanted, shape = Shape(self.sizes(*inputs), inputs[0].channels), inputs[0]
        fields = ("to" if self.like is None else "like"), "at"
        for there, size, start in zip(shape.spatial, wanted.spatial, self.offsets(*inputs), strict=True):
            if size > there or start + size > there:
                message = f"{size} positions from position {max(start, 0)} on do not fit into {there}"
                raise ShapeError(
                    "crop-too-large",
                    f"{message}: {shape} cut to {wanted}",
                    f"keep at most {there} positions" if size > there else f"start at {there - size} or before",
                    fields[size <= there],
                )
        return wanted

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        """Unit i reads position i + offset."""
        return (shifted(self.offsets(*inputs)),)


@register
class Pad(Resizing):
    """Adds positions around a map: zeros, or copies of what is there.

    >>> print(Pad(padding=((1, 2),)).output_shape(Shape((28, 28), 3)))
    31 x 31 x 3
    """

    template = "PAD p{padding} pad={pad}"
    padding: Sides
    pad: PaddingMode = "zeros"

    def axes(self, shape: Shape) -> tuple[Axis, ...]:
        """Windows of one position over the padded map."""
        return padded((Axis(1),) * shape.rank, self.padding, shape)

    def output_shape(self, *inputs: Shape) -> Shape:
        """before + in + after along every axis."""
        shape = spatial(self, inputs[0])
        axes = self.axes(shape)
        for size, axis in zip(shape.spatial, axes, strict=True):
            check_padding_mode(self.pad, size, axis)
        return Shape(tuple(axis.output(size) for size, axis in zip(shape.spatial, axes, strict=True)), shape.channels)

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        """Unit i reads position i - before."""
        return (sliding(self.axes(inputs[0])),)


class Blocks(Resizing, abstract=True):
    """Moves f x f blocks of positions to channels or back.

    Row i, column j of channel c is channel c f^2 + i f + j (`order=torch`), or (j f + i) C + c (`order=swin`).
    """

    factor: Factor
    order: Literal["torch", "swin"] = "torch"


@register
class Unshuffle(Blocks):
    """Space to depth: H/f x W/f x C f^2.

    >>> print(Unshuffle(factor=2).output_shape(Shape((56, 56), 96)))
    28 x 28 x 384
    """

    template = "UNSHUFFLE-{factor} order={order}"

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = spatial(self, inputs[0], (2,))
        sizes = tuple(equal_parts(size, self.factor, "positions", "factor") for size in shape.spatial)
        return Shape(sizes, channels(self, shape) * self.factor**2)

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        return (gathered(self.factor for _ in inputs[0].spatial),)


@register
class PixelShuffle(Blocks):
    """Depth to space: H f x W f x C/f^2 (Shi et al. 2016).

    >>> print(PixelShuffle(factor=3).output_shape(Shape((32, 32), 9)))
    96 x 96 x 1
    """

    template = "PIXSHUFFLE-{factor} order={order}"

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = spatial(self, inputs[0], (2,))
        count = equal_parts(channels(self, shape), self.factor**2, "channels", "factor")
        return Shape(tuple(size * self.factor for size in shape.spatial), count)

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        return (repeated(self.factor for _ in inputs[0].spatial),)
