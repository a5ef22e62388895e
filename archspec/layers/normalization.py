"""Normalization: what is averaged over what differs, the learnt scale and shift per channel do not."""

from math import isnan

from archspec.layers.base import Elementwise, Family, Layer, PerChannel, Role, Weights, channels, per_channel
from archspec.layers.geometry import NotNegativeReal, Positive, Probability, Real, equal_parts, spatial
from archspec.layers.kinds import register
from archspec.layers.moments import Moments
from archspec.layers.shape import Shape
from archspec.layers.template import TensorName
from archspec.layers.window import Mark, Window, pointwise, whole


class Normalization(PerChannel, abstract=True):
    """(x - mean) / sqrt(variance + eps), times a scale and plus a shift per channel where `affine`."""

    family = Family.NORMALIZATION
    overwritable = True

    eps: NotNegativeReal = 1e-5
    affine: bool = True
    w: TensorName | None = None

    def weights(self, *inputs: Shape) -> Weights:
        """C scales."""
        count = channels(self, inputs[0])
        return {"weight": per_channel(count, Role.SCALE)} if self.affine else {}

    def moments(self, *inputs: Moments) -> Moments:
        """Mean 0 and variance v / (v + eps), before training; 1 where v is not known."""
        variance = inputs[0].variance
        if isnan(variance):
            return Moments(0.0, 1.0)
        return Moments(0.0, variance / (variance + self.eps) if variance else 0.0)


class OverPositions(Layer, abstract=True):
    """A normalization whose mean and variance come from all positions: statistics, beside the unit's own position."""

    def window(self, *inputs: Shape) -> tuple[Window, ...]:
        rank = inputs[0].rank
        return (whole(rank, Mark.STATISTICS, pointwise(rank)),)


class Shifted(Normalization, abstract=True):
    """A normalization that also subtracts the mean, and learns a shift."""

    b: TensorName | None = None

    def weights(self, *inputs: Shape) -> Weights:
        """C scales and C shifts."""
        count = channels(self, inputs[0])
        return {**super().weights(*inputs), **({"bias": per_channel(count, Role.BIAS)} if self.affine else {})}


@register
class BatchNorm(Shifted):
    """Over the batch and all positions, per channel; then by running statistics (Ioffe & Szegedy 2015).

    >>> weights = BatchNorm().weights(Shape((112, 112), 64))
    >>> [(name, weight.count.value) for name, weight in weights.items() if not weight.trainable]
    [('running_mean', 64), ('running_var', 64)]
    """

    template = "BN eps={eps} momentum={momentum} [affine] w={w} b={b}"
    momentum: Probability = 0.1

    def weights(self, *inputs: Shape) -> Weights:
        """C scales and C shifts; buffers: C running means and C running variances."""
        count = channels(self, inputs[0])
        return {
            **super().weights(*inputs),
            "running_mean": per_channel(count, Role.RUNNING_MEAN, trainable=False),
            "running_var": per_channel(count, Role.RUNNING_VARIANCE, trainable=False),
        }


@register
class LayerNorm(Shifted):
    """Over the channels of every position (Ba, Kiros & Hinton 2016)."""

    template = "LN eps={eps} [affine] w={w} b={b}"


@register
class InstanceNorm(OverPositions, Shifted):
    """Over the positions of every channel (Ulyanov, Vedaldi & Lempitsky 2016)."""

    template = "IN eps={eps} [affine] w={w} b={b}"
    affine: bool = False

    def output_shape(self, *inputs: Shape) -> Shape:
        return spatial(self, inputs[0])


@register
class GroupNorm(OverPositions, Shifted):
    """Over the positions and the channels of every group (Wu & He 2018)."""

    template = "GN-{groups} eps={eps} [affine] w={w} b={b}"
    groups: Positive

    def output_shape(self, *inputs: Shape) -> Shape:
        equal_parts(channels(self, inputs[0]), self.groups, "channels", "groups")
        return inputs[0]


@register
class RmsNorm(Normalization):
    """x / sqrt(mean of x^2 + eps) over the channels of every position (Zhang & Sennrich 2019)."""

    template = "RMSNORM eps={eps} [affine] w={w}"

    def moments(self, *inputs: Moments) -> Moments:
        """Both over the mean of the squares."""
        mean, square = inputs[0].mean, inputs[0].square + self.eps
        return Moments(mean / square**0.5, inputs[0].variance / square) if square else Moments(0.0, 0.0)


@register
class LocalResponseNorm(Elementwise):
    """x / (k + alpha/n x sum of x^2 over n neighbouring channels)^beta (Krizhevsky, Sutskever & Hinton 2012)."""

    template = "LRN n={n} alpha={alpha} beta={beta} k={k}"
    family = Family.NORMALIZATION
    n: Positive = 5
    alpha: Real = 1e-4
    beta: Real = 0.75
    k: Real = 1.0

    def output_shape(self, *inputs: Shape) -> Shape:
        return spatial(self, inputs[0])
