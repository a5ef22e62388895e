"""Initialisation schemes as text: he-normal, xavier(gain=1), normal(0.01)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import nan, prod, sqrt
from types import MappingProxyType

from archspec.errors import ArchspecError, did_you_mean
from archspec.layers import Weight


@dataclass(frozen=True)
class Rule:
    """How a scheme draws: from what distribution, with what gain (None: that of the activation), over which fans."""

    distribution: str
    gain: float | None = 1.0
    both: bool = False  # the mean of fan_in and fan_out, and not fan_in alone
    takes: str | None = None  # the argument that may stand in its parentheses


SCHEMES = MappingProxyType(
    {
        "zeros": Rule("constant"),
        "xavier-uniform": Rule("uniform", None, both=True, takes="gain"),
        "xavier-normal": Rule("normal", None, both=True, takes="gain"),
        "he-uniform": Rule("uniform", sqrt(2), takes="gain"),
        "he-normal": Rule("normal", sqrt(2), takes="gain"),
        "lecun-normal": Rule("normal", takes="gain"),
        "orthogonal": Rule("orthogonal", None, takes="gain"),
        "torch": Rule("torch"),
        "lsuv": Rule("orthogonal"),
        "normal": Rule("normal", takes="std"),
    }
)
SHORT = MappingProxyType({"xavier": "xavier-normal", "he": "he-normal", "lecun": "lecun-normal"})
LARGEST = 1e30  # argument: larger ones leave the range of float32
_FORM = re.compile(r"(?P<name>[a-z-]+)(?:\((?:(?P<key>[a-z]+)=)?(?P<value>[^()=]*)\))?")


@dataclass(frozen=True)
class Scheme:
    """A scheme, and the argument that was given with it; `str` writes it as `parse_scheme` reads it."""

    name: str
    argument: float | None = None

    @property
    def rule(self) -> Rule:
        return SCHEMES[self.name]

    def gain(self, activation: float) -> float | None:
        """The gain of a weight that leads to an activation of this gain; None where the scheme has none.

        >>> parse_scheme("xavier").gain(4.0), parse_scheme("xavier(gain=1)").gain(4.0), parse_scheme("zeros").gain(4.0)
        (4.0, 1.0, None)
        """
        if self.rule.takes != "gain":
            return None
        if self.argument is not None:
            return self.argument
        return activation if self.rule.gain is None else self.rule.gain

    def deviation(self, weight: Weight, activation: float = 1.0) -> float | None:
        """The standard deviation that is asked for; None where torch or a batch of data decides.

        gain x sqrt(2 / (fan_in + fan_out)) (Glorot & Bengio 2010), gain / sqrt(fan_in) (LeCun et al. 1998; He et al.
        2015 with gain sqrt(2)), and gain / sqrt(the longer side) for an orthogonal matrix (Saxe et al. 2014).
        """
        gain, rule = self.gain(activation), self.rule
        if self.name == "normal":
            return self.argument
        if self.name == "zeros":
            return 0.0
        if gain is None:
            return None
        if rule.distribution == "orthogonal":
            return gain / sqrt(max(sides(weight)))
        return gain / sqrt((weight.fan_in + weight.fan_out) / 2 if rule.both else weight.fan_in)

    def __str__(self) -> str:
        if self.argument is None:
            return self.name
        key = "" if self.name == "normal" else "gain="
        return f"{self.name}({key}{self.argument:g})"


def sides(weight: Weight) -> tuple[int, int]:
    """Rows and columns of a kernel flattened to a matrix, one group's: what is stored first, and all the rest.

    >>> from archspec.layers import Role
    >>> sides(Weight((32, 8, 3, 3), Role.KERNEL, 72, 72, (3, 3, 8, 32), matrices=4))
    (8, 72)
    """
    first, *rest = weight.shape
    return first // weight.matrices, prod(rest)


def parse_scheme(text: str | Scheme) -> Scheme:
    """Read a scheme: a name, a short one, or one with its argument; raises ArchspecError.

    >>> str(parse_scheme("he")), str(parse_scheme("xavier(gain=1)")), str(parse_scheme("normal(0.01)"))
    ('he-normal', 'xavier-normal(gain=1)', 'normal(0.01)')
    """
    if isinstance(text, Scheme):
        return text
    plain = "".join(str(text).split())
    found = _FORM.fullmatch(plain)
    name = found["name"] if found else re.split(r"[^a-z-]", plain)[0]
    name = SHORT.get(name, name)
    if name not in SCHEMES:
        known = [*SHORT, *SCHEMES]
        hint = did_you_mean(name, known) or f"schemes are {', '.join(SCHEMES)}"
        raise ArchspecError("unknown-scheme", f"there is no initialisation scheme `{str(text)[:80]}`", hint=hint)
    if found is None:
        raise _misused(name, f"`{str(text)[:80]}` is not written as a scheme")
    return Scheme(name, _argument(name, found["key"], found["value"]))


def _argument(name: str, key: str | None, value: str | None) -> float | None:
    """The argument of a scheme; raises ArchspecError where it has none, or another."""
    takes = SCHEMES[name].takes
    if value is None:
        if takes == "std":
            raise _misused(name, "normal needs its standard deviation")
        return None
    if takes is None or (key or "std") != takes:
        given = f"{key}={value}" if key else value
        raise _misused(name, f"{name} does not take `{given[:80]}`")
    try:
        number = float(value)
    except ValueError:
        number = nan
    if not 0 <= number <= LARGEST or (number == 0 and takes == "gain"):
        raise _misused(name, f"the {takes} of {name} cannot be `{value[:80]}`")
    return number


def _misused(name: str, message: str) -> ArchspecError:
    takes = SCHEMES[name].takes
    written = {None: name, "gain": f"{name} or {name}(gain=1)", "std": "normal(0.01)"}[takes]
    return ArchspecError("scheme-argument", message, hint=f"write {written}")
