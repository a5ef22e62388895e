"""What the signal says of a scheme before training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from archspec.nodes import Node
from builders.propagation.measure import Passing

# Of where signals and gradients enter: calibrated on what 300 to 600 steps of Adam made of the nine-convolution network
# (docs/initialization.md). Smaller gradients are lost beside Adam's eps, larger outputs saturate the softmax.
LOWEST, HIGHEST = 1e-4, 1e3


class Outlook(StrEnum):
    """Whether a network can be trained from these weights."""

    HEALTHY = "healthy"
    VANISHES = "vanishes"
    EXPLODES = "explodes"
    SYMMETRIC = "units cannot part"


@dataclass(frozen=True)
class Verdict:
    """The outlook, and what it rests on."""

    outlook: Outlook
    reason: str

    def __str__(self) -> str:
        return f"{self.outlook}: {self.reason}"


def judge(
    entering: float, passings: Mapping[Node, Passing], weighted: Sequence[Node], constant: Sequence[Node]
) -> Verdict:
    """The verdict on a network: `entering` is the signal of its inputs, `weighted` are its layers with kernels, in
    order, and `constant` those of them whose kernel has the same number everywhere."""
    alike = next((node for node in constant if passings[node].equal), None)
    if alike is not None:
        reason = f"all units of {_name(alike)} hold the same numbers and get the same gradients"
        return Verdict(Outlook.SYMMETRIC, reason)
    if not weighted:
        return Verdict(Outlook.HEALTHY, "no layer has weights to draw")
    forward = {node: passings[node].signal for node in weighted}
    backward = {node: passings[node].gradient for node in weighted}
    leaving = backward[weighted[-1]]
    return (
        _beyond("the signal", forward, entering, "the input's")
        or _beyond("the gradient", backward, leaving, f"that at {_name(weighted[-1])}")
        or Verdict(
            Outlook.HEALTHY, f"{_span(forward, entering)} of the input's signal, {_span(backward, leaving)} back"
        )
    )


def _beyond(what: str, found: Mapping[Node, float], reference: float, whose: str) -> Verdict | None:
    """The layer farthest outside the range, if one is."""
    ratios = {node: value / reference if reference else 0.0 for node, value in found.items()}
    broken = next((node for node, ratio in ratios.items() if not isfinite(ratio)), None)
    if broken is not None:
        return Verdict(Outlook.EXPLODES, f"{what} at {_name(broken)} is not finite")
    highest, lowest = max(ratios, key=ratios.__getitem__), min(ratios, key=ratios.__getitem__)
    if ratios[highest] > HIGHEST:
        return Verdict(Outlook.EXPLODES, f"{what} at {_name(highest)} is {ratios[highest]:.1e} of {whose}")
    if ratios[lowest] < LOWEST:
        return Verdict(Outlook.VANISHES, f"{what} at {_name(lowest)} is {ratios[lowest]:.1e} of {whose}")
    return None


def _span(found: Mapping[Node, float], reference: float) -> str:
    low, high = min(found.values()) / reference, max(found.values()) / reference
    return f"{low:.2g} to {high:.2g}"


def _name(node: Node) -> str:
    return f"{node.index} {node.name or node.layer}"
