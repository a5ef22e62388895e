"""The types of a layer's fields, and the arithmetic of sliding windows, one axis at a time.

Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016.
"""

from dataclasses import dataclass
from math import gcd, isqrt
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from archspec.layers.shape import Shape, ShapeError, token_ids


@dataclass(frozen=True, slots=True)
class PerAxis:
    """Validates one whole number per axis; a single number stands for every axis.

    One function instead of nested unions, so that one mistake makes one error.
    """

    least: int
    most: int | None = None
    sided: bool = False  # an axis may have two numbers, before and after
    words: tuple[str, ...] = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def check(self, value: object) -> object:
        """The value as a tuple, or the word that it is; raises PydanticCustomError with what was found."""
        if isinstance(value, str) and value in self.words:
            return value
        return tuple(map(self._side, value if isinstance(value, (tuple, list)) else (value,)))

    def _side(self, value: object) -> object:
        if self.sided and isinstance(value, (tuple, list)) and len(value) == 2:
            return tuple(map(self._number, value))
        return self._number(value)

    def _number(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
            wanted = " or ".join(("a whole number", *self.words))
            raise PydanticCustomError("int_type", "{wanted}, found {found}", {"wanted": wanted, "found": repr(value)})
        if value < self.least:
            raise PydanticCustomError(
                "greater_than_equal", "at least {ge}, found {found}", {"ge": self.least, "found": int(value)}
            )
        if self.most is not None and value > self.most:
            raise PydanticCustomError(
                "less_than_equal", "at most {le}, found {found}", {"le": self.most, "found": int(value)}
            )
        return int(value)


MOST = 65_536  # taps or phases of one axis: what a layer reads is held as a table
Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
Real = Annotated[float, Field(allow_inf_nan=False)]
NotNegativeReal = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[int, Field(ge=1, le=MOST)]
Sizes = Annotated[tuple[int, ...], PerAxis(1)]
Dims = Annotated[tuple[int, ...], PerAxis(1, MOST)]
Sides = Annotated[tuple[int | tuple[int, int], ...], PerAxis(0, sided=True)]
Borders = Annotated[tuple[int, ...], PerAxis(0)]
Padding = Annotated[
    tuple[int | tuple[int, int], ...] | Literal["same", "valid"], PerAxis(0, sided=True, words=("same", "valid"))
]
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]

T = TypeVar("T")


class Axis(NamedTuple):
    """One axis of a sliding window: taps, stride, dilation, padding before and after."""

    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0

    @property
    def extent(self) -> int:
        """Input positions from the first tap to the last: d(k - 1) + 1."""
        return self.dilation * (self.kernel - 1) + 1

    def output(self, size: int, ceil: bool = False) -> int:
        """floor((in + before + after - extent) / s) + 1.

        With `ceil` rounded up, except that the last window must start inside the input or the padding before it.
        Raises ShapeError where the window is larger than the padded input.

        >>> Axis(3, stride=2, before=1, after=1).output(28)
        14
        """
        room = size + self.before + self.after - self.extent
        steps = -(-room // self.stride) if ceil else room // self.stride
        if steps < 0:
            raise ShapeError(
                "window-too-large",
                f"a window of {self.extent} positions does not fit into {size}{self._borders()}",
                "use a smaller kernel or dilation, more padding, or less downsampling before it",
                "kernel",
            )
        if ceil and steps * self.stride >= size + self.before:
            steps -= 1
        return steps + 1

    def _borders(self) -> str:
        return f" with {self.before} + {self.after} of padding" if self.before or self.after else ""


def check_phases(size: int, wanted: int, field: str) -> None:
    """Raises ShapeError where resizing repeats itself after too many positions only: after out / gcd(in, out)."""
    phases = wanted // gcd(size, wanted)
    if phases > MOST:
        raise ShapeError(
            "too-large",
            f"{size} to {wanted} positions repeats itself after {phases}, and a table may have {MOST}",
            "use sizes with a large common factor",
            field,
        )


def spread(values: tuple[T, ...], shape: Shape, field: str) -> tuple[T, ...]:
    """One value per spatial axis: a single one stands for all; raises ShapeError where the numbers differ."""
    if len(values) == 1:
        return values * shape.rank
    if len(values) != shape.rank:
        raise ShapeError(
            "dimensions",
            f"{len(values)} sizes stand here, and {shape} is a {shape.rank}-D map",
            "write one size for all axes, or one for each, height before width",
            field,
        )
    return values


def both_sides(padding: tuple[int | tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Padding as (before, after) on every axis."""
    return tuple(side if isinstance(side, tuple) else (side, side) for side in padding)


def same_padding(size: int, axis: Axis) -> tuple[int, int]:
    """TensorFlow's `same`: out = ceil(in / s), the odd element behind.

    >>> same_padding(224, Axis(7, stride=2))
    (2, 3)
    """
    needed = max(0, (-(-size // axis.stride) - 1) * axis.stride + axis.extent - size)
    return needed // 2, needed - needed // 2


def padded(axes: tuple[Axis, ...], padding: tuple[int | tuple[int, int], ...] | str, shape: Shape) -> tuple[Axis, ...]:
    """The axes with the padding that a spec asks for: numbers, TensorFlow's `same`, or none at all (`valid`)."""
    if padding == "same":
        sides = tuple(map(same_padding, shape.spatial, axes))
    elif isinstance(padding, str):
        sides = ((0, 0),) * shape.rank
    else:
        sides = both_sides(spread(padding, shape, "padding"))
    return tuple(axis._replace(before=before, after=after) for axis, (before, after) in zip(axes, sides, strict=True))


def check_padding_mode(mode: PaddingMode, size: int, axis: Axis) -> None:
    """Raises ShapeError where there is too little to pad with: to reflect p positions takes p + 1, to wrap them p."""
    most = {"reflect": size - 1, "circular": size}.get(mode)
    wanted = max(axis.before, axis.after)
    if most is not None and wanted > most:
        raise ShapeError(
            "padding-too-large",
            f"pad={mode} can pad {size} positions by at most {most}, not {wanted}",
            "use pad=zeros or a smaller padding",
            "pad",
        )


def equal_parts(count: int, parts: int, what: str, field: str) -> int:
    """count / parts; raises ShapeError with the nearest numbers of parts where something remains.

    >>> equal_parts(64, 32, "channels", "groups")
    2
    """
    if count % parts:
        small = [divisor for divisor in range(1, isqrt(count) + 1) if count % divisor == 0]
        divisors = small + [count // divisor for divisor in small]
        below = max(divisor for divisor in divisors if divisor < parts)
        above = min((divisor for divisor in divisors if divisor > parts), default=None)
        raise ShapeError(
            "not-divisible",
            f"{count} {what} cannot be split into {parts} equal parts",
            f"{below} or {above} would do" if above else f"at most {below} would do",
            field,
        )
    return count // parts


def spatial(layer: object, shape: Shape, ranks: tuple[int, ...] = (1, 2, 3)) -> Shape:
    """`shape` itself; raises ShapeError where it has no axis to slide a window along."""
    if shape.channels is None:
        raise token_ids(layer, shape)
    if shape.rank not in ranks:
        wanted = "map" if ranks == (1, 2, 3) else " or ".join(f"{rank}-D map" for rank in ranks)
        found = f"{shape} is a {shape.rank}-D map" if shape.rank else f"{shape} is a vector"
        hint = "RESHAPE the map first" if shape.rank else "place it before FLATTEN, or RESHAPE the vector"
        raise ShapeError("wrong-rank", f"{layer} needs a {wanted}, and {found}", hint)
    return shape
