"""What a layer kind is: one frozen class that declares its notation, its family, its fields and its facts.

A fact is a pure function of the input shapes. A kind whose class lacks one cannot be created: nothing defaults to zero
in silence. Kinds without weights, and kinds that work element by element, say so by their base class.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from archspec.layers.moments import UNKNOWN, Moments
from archspec.layers.shape import Formula, Shape, token_ids
from archspec.layers.strides import Strides
from archspec.layers.template import Template
from archspec.layers.window import Window, pointwise, whole


class Family(StrEnum):
    """What a kind is for; tables and diagrams style by it."""

    INPUT = "input"
    CONVOLUTION = "convolution"
    POOLING = "pooling"
    LINEAR = "linear"
    NORMALIZATION = "normalization"
    ACTIVATION = "activation"
    REGULARIZATION = "regularization"
    MERGE = "merge"
    RESHAPE = "reshape"
    ATTENTION = "attention"
    EMBEDDING = "embedding"
    RECURRENT = "recurrent"


class Storage(StrEnum):
    """Where the output lives: in memory of its own, or in that of the first input.

    Of a view see `Layer.strides`. What works in place is fresh where the input may not be written over.
    """

    FRESH = "fresh"
    VIEW = "view"
    IN_PLACE = "in place"


class Role(StrEnum):
    """What a weight does; initialisation and the loading of foreign weights go by it."""

    KERNEL = "kernel"
    BIAS = "bias"
    SCALE = "scale"
    SLOPE = "slope"
    RUNNING_MEAN = "running mean"
    RUNNING_VARIANCE = "running variance"


@dataclass(frozen=True, slots=True)
class Weight:
    """One tensor of a layer.

    `shape` is the order in which torch stores it, `factors` the product as it is written by hand (K x K x C x F).
    `fan_in` and `fan_out` count the connections of one output and of one input unit: taps x C_in/g and taps x C_out/g.
    `matrices` is how many independent ones lie one behind another along the first axis: those of groups. `start` is
    the value before training of what is not drawn; None leaves it to the role.
    """

    shape: tuple[int, ...]
    role: Role
    fan_in: int
    fan_out: int
    factors: tuple[int, ...]
    trainable: bool = True
    matrices: int = 1
    start: float | None = None

    @property
    def count(self) -> Formula:
        """The number of elements, as a formula."""
        return Formula.product(*self.factors)


Weights = Mapping[str, Weight]
NO_WEIGHTS: Weights = MappingProxyType({})


def per_channel(channels: int, role: Role, trainable: bool = True, start: float | None = None) -> Weight:
    """A weight with one element per channel."""
    return Weight((channels,), role, 1, 1, (channels,), trainable, start=start)


class Layer(BaseModel):
    """The base of all layer kinds. A kind declares

    - `template`, its notation: `"POOL{kernel} s{stride} ceil={ceil}"` (see `archspec.layers.template`),
    - `family` and `storage`, and `arity`, the numbers of inputs it may take (None: no upper limit),
    - its fields, as a pydantic model, and four facts, pure functions of the input shapes:
      `output_shape`, `weights`, `macs`, `window`; a view that moves or merges axes also `strides`.

    It is made known by `@register`. Classes that only gather what several kinds share pass `abstract=True`.
    """

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    template: ClassVar[str]
    family: ClassVar[Family]
    storage: ClassVar[Storage]
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    notation: ClassVar[Template]
    merge_key: ClassVar[str | None] = None  # the YAML key whose branches are the inputs: add, concat, mul
    transparent: ClassVar[bool] = False  # stands for the point itself and makes no node
    absent: ClassVar[bool] = False  # takes its whole branch out of a merge
    overwritable: ClassVar[bool] = False  # no gradient of it is computed from its output, which may be written over
    gain: ClassVar[float] = 1.0  # of the weights before it: 1 over the slope of its linear part
    saturated: ClassVar[tuple[float, float] | None] = None  # outputs not between these hardly pass a gradient on
    dead: ClassVar[float | None] = None  # an output through which no gradient passes at all
    distribution: ClassVar[bool] = False  # the outputs along the channels are probabilities, and no logits

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if abstract:
            return
        declared = [name for name in ("template", "family", "storage") if not hasattr(cls, name)]
        missing = sorted(cls.__abstractmethods__) + declared
        if missing:
            raise TypeError(f"layer kind {cls.__name__} lacks {', '.join(missing)}: every kind states all its facts")
        cls.notation = Template.compile(cls.template, cls.model_fields)

    @abstractmethod
    def output_shape(self, *inputs: Shape) -> Shape:
        """The shape that the next layer sees; raises ShapeError where the inputs do not fit."""

    @abstractmethod
    def weights(self, *inputs: Shape) -> Weights:
        """The tensors it holds, by torch's names, in torch's order."""

    @abstractmethod
    def macs(self, *inputs: Shape) -> Formula:
        """Multiply-accumulates for one example; bias and elementwise work count 0."""

    @abstractmethod
    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        """What an output unit reads of every input, those of which only the size is taken left out."""

    def moments(self, *inputs: Moments) -> Moments:  # noqa: ARG002
        """Mean and variance of the output, given those of the inputs, taken to be independent; NaN: not known.

        Of a kind with a kernel they follow from that, and are not asked for.
        """
        return UNKNOWN

    def strides(self, strides: Strides, *inputs: Shape) -> Strides | None:  # noqa: ARG002
        """How a view lies in memory, given the strides of its first input: those of its own axes, C before H.

        None where the numbers cannot be seen so without a copy. The same strides unless a kind says otherwise.
        """
        return strides

    @property
    def kind(self) -> str:
        """The kind's name in the notation: CONV."""
        return self.notation.name

    def __str__(self) -> str:
        return self.notation.format(self)


class Weightless(Layer, abstract=True):
    """A kind that holds no weights and multiplies by none."""

    def weights(self, *inputs: Shape) -> Weights:  # noqa: ARG002
        return NO_WEIGHTS

    def macs(self, *inputs: Shape) -> Formula:  # noqa: ARG002
        return Formula()


class Pointwise(Layer, abstract=True):
    """A kind whose output unit reads the input unit of the same place and nothing else."""

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        return (pointwise(inputs[0].rank),)


class ReadsAll(Layer, abstract=True):
    """A kind whose output units each read the whole input."""

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        return (whole(inputs[0].rank),)


class SameShape(Pointwise, abstract=True):
    """A kind that keeps the shape of its input, channels and all, in memory of its own."""

    storage = Storage.FRESH

    def output_shape(self, *inputs: Shape) -> Shape:
        return with_channels(self, inputs[0])


class Elementwise(SameShape, Weightless, abstract=True):
    """A weightless kind whose output unit is computed from the input unit of the same place."""


class PerChannel(SameShape, abstract=True):
    """A kind that learns a few numbers per channel and keeps the shape; its arithmetic counts as elementwise."""

    def macs(self, *inputs: Shape) -> Formula:  # noqa: ARG002
        return Formula()


class Input(Weightless):
    """An input of the network; a structural kind, made by the `input` key alone."""

    template = "INPUT"
    family = Family.INPUT
    storage = Storage.FRESH
    arity = (0, 0)
    shape: Shape

    def output_shape(self, *inputs: Shape) -> Shape:  # noqa: ARG002
        return self.shape

    def window(self, *inputs: Shape) -> tuple[Window, ...]:  # noqa: ARG002
        return ()


def with_channels(layer: Layer, shape: Shape) -> Shape:
    """`shape` itself; raises ShapeError for token ids, which have no channels to compute with."""
    if shape.channels is None:
        raise token_ids(layer, shape)
    return shape


def channels(layer: Layer, shape: Shape) -> int:
    """The channels of `shape`; raises ShapeError for token ids."""
    return with_channels(layer, shape).sizes[-1]
