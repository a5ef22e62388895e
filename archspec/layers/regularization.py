"""Regularization: what is only done in training, and the learnt factor of a residual branch."""

from archspec.layers.base import Elementwise, Family, PerChannel, Role, Storage, Weights, channels, per_channel
from archspec.layers.geometry import NotNegativeReal, Probability, Real
from archspec.layers.kinds import register
from archspec.layers.shape import Shape
from archspec.layers.template import TensorName


class TrainingOnly(Elementwise, abstract=True):
    """A kind that in evaluation passes its input on unchanged."""

    family = Family.REGULARIZATION
    storage = Storage.VIEW


@register
class Dropout(TrainingOnly):
    """Zeroes each number with probability p, and divides the others by 1 - p (Srivastava et al. 2014)."""

    template = "DROPOUT-{p}"
    p: Probability = 0.5


@register
class DropPath(TrainingOnly):
    """Zeroes the whole branch of an example with probability p, else divides by 1 - p (Huang et al. 2016)."""

    template = "DROPPATH-{p}"
    p: Probability


@register
class Noise(TrainingOnly):
    """Adds Gaussian noise of a standard deviation (Bishop 1995)."""

    template = "NOISE-{deviation}"
    deviation: NotNegativeReal


@register
class Scale(PerChannel):
    """A learnt factor per channel, `init` at first (layer scale: Touvron et al. 2021).

    >>> print(Scale(init=1e-6).weights(Shape((56, 56), 96))["weight"].count)
    96
    """

    template = "SCALE init={init} w={w}"
    family = Family.REGULARIZATION
    init: Real = 1.0
    w: TensorName | None = None

    def weights(self, *inputs: Shape) -> Weights:
        """C factors."""
        return {"weight": per_channel(channels(self, inputs[0]), Role.SCALE)}
