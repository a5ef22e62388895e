"""Merges: branches joined by sum, by product, or side by side."""

from abc import abstractmethod

from archspec.layers.base import Family, Storage, Weightless, with_channels
from archspec.layers.kinds import register
from archspec.layers.moments import Moments
from archspec.layers.shape import Shape, ShapeError
from archspec.layers.window import EVERYTHING, SAME, AxisWindow, Mark, Window, pointwise, whole


class Merge(Weightless, abstract=True):
    """What all three share: any two branches must fit together, and are joined from the first to the last."""

    family = Family.MERGE
    storage = Storage.FRESH
    overwritable = True
    arity = (2, None)

    @abstractmethod
    def fits(self, one: Shape, other: Shape) -> bool:
        """Whether two branches can be joined."""

    @abstractmethod
    def join(self, one: Shape, other: Shape) -> Shape:
        """The shape of two branches that fit."""

    @abstractmethod
    def remedy(self, one: Shape, other: Shape) -> str:
        """What to write where they do not fit."""

    def output_shape(self, *inputs: Shape) -> Shape:
        whole = with_channels(self, inputs[0])
        for place, shape in enumerate(inputs[1:], 1):
            if not self.fits(whole, with_channels(self, shape)):
                raise self._mismatch(inputs, place)
            whole = self.join(whole, shape)
        return whole

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        return tuple(pointwise(shape.rank) for shape in inputs)

    def _mismatch(self, inputs: tuple[Shape, ...], place: int) -> ShapeError:
        """Names the earlier branch that the one at `place` does not fit."""
        shape = inputs[place]
        number, earlier = next((n, one) for n, one in enumerate(inputs, 1) if not self.fits(one, shape))
        message = f"branch {place + 1} of {self.merge_key} is {shape}, and branch {number} is {earlier}"
        return ShapeError("shape-mismatch", message, self.remedy(earlier, shape))


def _spatial_remedy(one: Shape, other: Shape) -> str:
    """What brings two branches to equal spatial sizes."""
    if one.rank != other.rank:
        return "give both the same number of axes: FLATTEN a map, or RESHAPE a vector"
    return "give both the same stride and padding, or CROP or RESIZE one"


@register
class Add(Merge):
    """The sum of equal shapes (residual connections: He et al. 2016).

    >>> print(Add().output_shape(Shape((56, 56), 64), Shape((56, 56), 64)))
    56 x 56 x 64
    """

    template = "ADD"
    merge_key = "add"

    def moments(self, *inputs: Moments) -> Moments:
        """The sum of the means, and of the variances."""
        return Moments(sum(one.mean for one in inputs), sum(one.variance for one in inputs))

    def fits(self, one: Shape, other: Shape) -> bool:
        return one == other

    def join(self, one: Shape, other: Shape) -> Shape:  # noqa: ARG002
        return one

    def remedy(self, one: Shape, other: Shape) -> str:
        if one.spatial == other.spatial:
            return f"bring one branch to {one.channels} channels with CONV1-{one.channels}"
        return _spatial_remedy(one, other)


@register
class Concat(Merge):
    """The channels of all branches, in order (Szegedy et al. 2015).

    >>> print(Concat().output_shape(Shape((28, 28), 64), Shape((28, 28), 128), Shape((28, 28), 32)))
    28 x 28 x 224
    """

    template = "CONCAT"
    merge_key = "concat"

    def fits(self, one: Shape, other: Shape) -> bool:
        return one.spatial == other.spatial

    def join(self, one: Shape, other: Shape) -> Shape:
        return Shape(one.spatial, one.sizes[-1] + other.sizes[-1])

    def remedy(self, one: Shape, other: Shape) -> str:
        return _spatial_remedy(one, other)


@register
class Mul(Merge):
    """The product, sizes of 1 repeated to the other's (gates: Hu, Shen & Sun 2018).

    >>> print(Mul().output_shape(Shape((56, 56), 64), Shape((1, 1), 64)))
    56 x 56 x 64
    """

    template = "MUL"
    merge_key = "mul"

    def fits(self, one: Shape, other: Shape) -> bool:
        return one.rank == other.rank and all(
            a == b or 1 in (a, b) for a, b in zip(one.sizes, other.sizes, strict=True)
        )

    def join(self, one: Shape, other: Shape) -> Shape:
        *sizes, count = map(max, one.sizes, other.sizes)
        return Shape(tuple(sizes), count)

    def remedy(self, one: Shape, other: Shape) -> str:
        if 0 in (one.rank, other.rank) and one.rank != other.rank:
            return "keep the gate a map of size 1: GAP without FLATTEN, and CONV1 in place of FC"
        if one.spatial == other.spatial:
            return f"bring one branch to {one.channels} channels, or to 1"
        return _spatial_remedy(one, other)

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        """Sizes of 1 are read by all units; an operand with no larger size beside a larger map is a gate."""
        output = self.output_shape(*inputs)
        return tuple(_factor(shape, output) for shape in inputs)


def _factor(shape: Shape, output: Shape) -> Window:
    """How a product reads one of its operands."""
    if shape.spatial == output.spatial:
        return pointwise(shape.rank)
    if shape.positions == 1:
        return whole(shape.rank, Mark.GATE)
    sizes = enumerate(zip(shape.spatial, output.spatial, strict=True))
    return Window(tuple(AxisWindow(axis, SAME) if one == all_ else EVERYTHING for axis, (one, all_) in sizes))
