"""Activations: elementwise functions, SOFTMAX among the channels of a position."""

from archspec.layers.base import Elementwise, Family, PerChannel, Role, Storage, Weights, channels, per_channel
from archspec.layers.geometry import Real
from archspec.layers.kinds import register
from archspec.layers.shape import Shape
from archspec.layers.template import TensorName


class Activation(Elementwise, abstract=True):
    """A function of one number; the shape stays."""

    family = Family.ACTIVATION


class Overwriting(Activation, abstract=True):
    """An activation that torch can write over its input."""

    storage = Storage.IN_PLACE


@register
class Relu(Overwriting):
    """max(0, x) (Nair & Hinton 2010)."""

    template = "RELU"


@register
class Relu6(Overwriting):
    """min(max(0, x), 6) (Krizhevsky 2010)."""

    template = "RELU6"


@register
class Sigmoid(Activation):
    """1 / (1 + exp(-x)) (Rumelhart, Hinton & Williams 1986)."""

    template = "SIGMOID"


@register
class Tanh(Activation):
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x)) (LeCun et al. 1998)."""

    template = "TANH"


@register
class Gelu(Activation):
    """x times the normal distribution function of x (Hendrycks & Gimpel 2016)."""

    template = "GELU"


@register
class Silu(Overwriting):
    """x sigmoid(x) (Elfwing, Uchibe & Doya 2018)."""

    template = "SILU"


@register
class HardSwish(Overwriting):
    """x relu6(x + 3) / 6 (Howard et al. 2019)."""

    template = "HSWISH"


@register
class HardSigmoid(Overwriting):
    """relu6(x + 3) / 6 (Howard et al. 2019)."""

    template = "HSIGMOID"


@register
class Elu(Overwriting):
    """x where positive, else exp(x) - 1 (Clevert, Unterthiner & Hochreiter 2016)."""

    template = "ELU"


@register
class Selu(Overwriting):
    """1.0507 x where positive, else 1.7581 (exp(x) - 1) (Klambauer et al. 2017)."""

    template = "SELU"


@register
class Mish(Overwriting):
    """x tanh(softplus(x)) (Misra 2020)."""

    template = "MISH"


@register
class Softplus(Activation):
    """log(1 + exp(x)) (Dugas et al. 2001)."""

    template = "SOFTPLUS"


@register
class Softmax(Activation):
    """exp(x) over its sum along the channels, at every position (Bridle 1990)."""

    template = "SOFTMAX"


@register
class LeakyRelu(Overwriting):
    """x where positive, else slope x (Maas, Hannun & Ng 2013)."""

    template = "LEAKY-{slope}"
    slope: Real = 0.01


@register
class PRelu(PerChannel):
    """x where positive, else a x with a learnt slope a per channel (He et al. 2015).

    >>> print(PRelu().weights(Shape((28, 28), 64))["weight"].count)
    64
    """

    template = "PRELU w={w}"
    family = Family.ACTIVATION
    w: TensorName | None = None

    def weights(self, *inputs: Shape) -> Weights:
        """C slopes."""
        return {"weight": per_channel(channels(self, inputs[0]), Role.SLOPE)}
