"""Regularization: what is only done in training, and the learnt factor of a residual branch."""

from archspec.layers.base import Elementwise, Family, PerChannel, Role, Storage, Weights, channels, per_channel
from archspec.layers.geometry import NotNegativeReal, Probability, Real
from archspec.layers.kinds import register
from archspec.layers.moments import Moments
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

    def moments(self, *inputs: Moments) -> Moments:
        """The mean stays, E[x^2] grows by 1 / (1 - p)."""
        return _dropped(inputs[0], self.p)


@register
class DropPath(TrainingOnly):
    """Zeroes the whole branch of an example with probability p, else divides by 1 - p (Huang et al. 2016)."""

    template = "DROPPATH-{p}"
    p: Probability

    def moments(self, *inputs: Moments) -> Moments:
        """The mean stays, E[x^2] grows by 1 / (1 - p)."""
        return _dropped(inputs[0], self.p)


@register
class Noise(TrainingOnly):
    """Adds Gaussian noise of a standard deviation (Bishop 1995)."""

    template = "NOISE-{deviation}"
    deviation: NotNegativeReal

    def moments(self, *inputs: Moments) -> Moments:
        """The variances add."""
        return Moments(inputs[0].mean, inputs[0].variance + self.deviation**2)


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
        """C factors, `init` each."""
        return {"weight": per_channel(channels(self, inputs[0]), Role.SCALE, start=self.init)}

    def moments(self, *inputs: Moments) -> Moments:
        """The mean times the factor, the variance times its square, before training."""
        return Moments(inputs[0].mean * self.init, inputs[0].variance * self.init**2)


def _dropped(moments: Moments, p: float) -> Moments:
    """What is left of numbers of which a share p is zeroed and the others are divided by 1 - p."""
    if p == 1:
        return Moments(0.0, 0.0)
    return Moments(moments.mean, moments.square / (1 - p) - moments.mean**2)
