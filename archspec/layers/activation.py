"""Activations: elementwise functions, SOFTMAX among the channels of a position.

The `gain` of the weights before an activation keeps the signal as large where the function is linear. One that
saturates on both sides is linear about 0, with slope f'(0), and its gain is 1 / f'(0): 4 for SIGMOID, 1 for TANH
(Glorot & Bengio 2010, whose f'(0) is 1). One that lets positive numbers pass is linear there, with slope 1: gain 1.
Outputs count as saturated within 5 % of a bound, where the slope is less than a fifth of its largest.
"""

from abc import abstractmethod
from math import erf, exp, expm1, inf, log1p, sqrt, tanh

from archspec.layers.base import Elementwise, Family, Layer, PerChannel, Role, Storage, Weights, channels, per_channel
from archspec.layers.geometry import Real
from archspec.layers.kinds import register
from archspec.layers.moments import Moments, through
from archspec.layers.shape import Shape
from archspec.layers.template import TensorName

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
FIRST_SLOPE = 0.25  # of PRELU, before training (He et al. 2015)


class Curve(Layer, abstract=True):
    """A kind that applies one function to every number."""

    family = Family.ACTIVATION

    @abstractmethod
    def curve(self, x: float) -> float:
        """The function, before training."""

    def moments(self, *inputs: Moments) -> Moments:
        """Those of the function of a normally distributed number."""
        return through(self.curve, inputs[0])


class Activation(Elementwise, abstract=True):
    """A function of one number; the shape stays."""

    family = Family.ACTIVATION


class Function(Curve, Activation, abstract=True):
    """An activation whose function is known here."""


class Overwriting(Function, abstract=True):
    """An activation that torch can write over its input."""

    storage = Storage.IN_PLACE


def logistic(x: float) -> float:
    """1 / (1 + exp(-x)), for any x."""
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


def softplus(x: float) -> float:
    """log(1 + exp(x)), for any x."""
    return max(x, 0.0) + log1p(exp(-abs(x)))


def relu6(x: float) -> float:
    """min(max(0, x), 6)."""
    return min(max(0.0, x), 6.0)


@register
class Relu(Overwriting):
    """max(0, x) (Nair & Hinton 2010)."""

    template = "RELU"
    dead = 0.0

    def curve(self, x: float) -> float:
        return max(0.0, x)


@register
class Relu6(Overwriting):
    """min(max(0, x), 6) (Krizhevsky 2010)."""

    template = "RELU6"
    saturated = (-inf, 6.0)
    dead = 0.0

    def curve(self, x: float) -> float:
        return relu6(x)


@register
class Sigmoid(Function):
    """1 / (1 + exp(-x)) (Rumelhart, Hinton & Williams 1986)."""

    template = "SIGMOID"
    gain = 4.0
    saturated = (0.05, 0.95)

    def curve(self, x: float) -> float:
        return logistic(x)


@register
class Tanh(Function):
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x)) (LeCun et al. 1998)."""

    template = "TANH"
    saturated = (-0.9, 0.9)

    def curve(self, x: float) -> float:
        return tanh(x)


@register
class Gelu(Function):
    """x times the normal distribution function of x (Hendrycks & Gimpel 2016)."""

    template = "GELU"

    def curve(self, x: float) -> float:
        return x * (1 + erf(x / sqrt(2))) / 2


@register
class Silu(Overwriting):
    """x sigmoid(x) (Elfwing, Uchibe & Doya 2018)."""

    template = "SILU"

    def curve(self, x: float) -> float:
        return x * logistic(x)


@register
class HardSwish(Overwriting):
    """x relu6(x + 3) / 6 (Howard et al. 2019)."""

    template = "HSWISH"
    dead = 0.0

    def curve(self, x: float) -> float:
        return x * relu6(x + 3) / 6


@register
class HardSigmoid(Overwriting):
    """relu6(x + 3) / 6 (Howard et al. 2019)."""

    template = "HSIGMOID"
    gain = 6.0
    saturated = (0.0, 1.0)

    def curve(self, x: float) -> float:
        return relu6(x + 3) / 6


@register
class Elu(Overwriting):
    """x where positive, else exp(x) - 1 (Clevert, Unterthiner & Hochreiter 2016)."""

    template = "ELU"

    def curve(self, x: float) -> float:
        return x if x > 0 else expm1(x)


@register
class Selu(Overwriting):
    """1.0507 x where positive, else 1.7581 (exp(x) - 1) (Klambauer et al. 2017)."""

    template = "SELU"

    def curve(self, x: float) -> float:
        return SELU_SCALE * (x if x > 0 else SELU_ALPHA * expm1(x))


@register
class Mish(Overwriting):
    """x tanh(softplus(x)) (Misra 2020)."""

    template = "MISH"

    def curve(self, x: float) -> float:
        return x * tanh(softplus(x))


@register
class Softplus(Function):
    """log(1 + exp(x)) (Dugas et al. 2001)."""

    template = "SOFTPLUS"

    def curve(self, x: float) -> float:
        return softplus(x)


@register
class Softmax(Activation):
    """exp(x) over its sum along the channels, at every position (Bridle 1990)."""

    template = "SOFTMAX"
    distribution = True


@register
class LeakyRelu(Overwriting):
    """x where positive, else slope x (Maas, Hannun & Ng 2013)."""

    template = "LEAKY-{slope}"
    slope: Real = 0.01

    def curve(self, x: float) -> float:
        return x if x > 0 else self.slope * x


@register
class PRelu(Curve, PerChannel):
    """x where positive, else a x with a learnt slope a per channel (He et al. 2015).

    >>> print(PRelu().weights(Shape((28, 28), 64))["weight"].count)
    64
    """

    template = "PRELU w={w}"
    w: TensorName | None = None

    def weights(self, *inputs: Shape) -> Weights:
        """C slopes."""
        return {"weight": per_channel(channels(self, inputs[0]), Role.SLOPE, start=FIRST_SLOPE)}

    def curve(self, x: float) -> float:
        return x if x > 0 else FIRST_SLOPE * x
