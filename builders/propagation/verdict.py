"""What the signal says of a scheme before training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, sqrt

from archspec.nodes import Node
from builders.propagation.measure import Passing

# Of where signals and gradients enter. Adam makes up for what is lost, later the more is lost, and hardly for what is
# gained: calibrated on trainings of ten networks (docs/initialization.md).
LOWEST, HIGHEST = 1e-3, 20.0


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
    backward = {node: passings[node].gradient * sqrt(node.shape.elements) for node in weighted}
    leaving = backward[weighted[-1]]
    opening = next((node for node in constant if _opens(node, passings)), None)
    if opening is not None:  # what it cuts off has its signal or gradient after a step
        forward = {node: value for node, value in forward.items() if value}
        backward = {node: value for node, value in backward.items() if value}
    waiting = "" if opening is None else f"; what is 0 waits for the first step of {_name(opening)}"
    return (
        _beyond("the signal", forward, entering, "the input's")
        or _beyond("the gradient", backward, leaving, f"that at {_name(weighted[-1])}")
        or Verdict(Outlook.HEALTHY, _span(forward, entering, backward, leaving) + waiting)
    )


def _opens(node: Node, passings: Mapping[Node, Passing]) -> bool:
    """Whether the first step gives the units of a constant kernel different weights: what it reads differs among
    examples, and so do the gradients that its units get."""
    reads = any(source not in passings or passings[source].signal > 0 for source in node.inputs)
    return reads and passings[node].gradient > 0


def _beyond(what: str, found: Mapping[Node, float], reference: float, whose: str) -> Verdict | None:
    """The layer farthest outside the range, if one is."""
    ratios = {node: value / reference if reference else 0.0 for node, value in found.items()}
    broken = next((node for node, ratio in ratios.items() if not isfinite(ratio)), None)
    if broken is not None:
        return Verdict(Outlook.EXPLODES, f"{what} at {_name(broken)} is not finite")
    highest = max(ratios, key=ratios.__getitem__, default=None)
    lowest = min(ratios, key=ratios.__getitem__, default=None)
    if highest is not None and ratios[highest] > HIGHEST:
        return Verdict(Outlook.EXPLODES, f"{what} at {_name(highest)} is {ratios[highest]:.2g} times {whose}")
    if lowest is not None and ratios[lowest] < LOWEST:
        least = f"{ratios[lowest]:.1e}" if ratios[lowest] else "0"
        return Verdict(Outlook.VANISHES, f"{what} at {_name(lowest)} is {least} of {whose}")
    return None


def _span(forward: Mapping[Node, float], entering: float, backward: Mapping[Node, float], leaving: float) -> str:
    """The least and the most of signal and gradient; of a network whose only layer is constant there is no signal."""
    signals = [value / entering for value in forward.values()] or [0.0]
    gradients = [value / leaving for value in backward.values()]
    return (
        f"{min(signals):.2g} to {max(signals):.2g} of the input's signal, {min(gradients):.2g} to "
        f"{max(gradients):.2g} of the last gradient back"
    )


def _name(node: Node) -> str:
    return f"{node.index} {node.name or node.layer}"
