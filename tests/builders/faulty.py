"""Layer kinds whose modules do not do what they declare."""

from __future__ import annotations

import torch

from archspec import Call, Elementwise, Family, Shape, builder


class Late(Elementwise):
    """Says that it reads its own place, and reads the one before."""

    template = "LATE"
    family = Family.ACTIVATION


class Fails(Elementwise):
    """Cannot run."""

    template = "FAILS"
    family = Family.ACTIVATION


@builder(Late)
def _(layer: Late, shape: Shape) -> Call:  # noqa: ARG001
    return Call(torch.roll, {"shifts": 1, "dims": 2})


@builder(Fails)
def _(layer: Fails, shape: Shape) -> Call:  # noqa: ARG001
    return Call(torch.transpose, {"dim0": 1, "dim1": 9})
