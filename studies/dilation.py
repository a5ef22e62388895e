"""Dilation: a dilated kernel's sum, its span, and what stacks of dilated filters read (Yu & Koltun 2016).

What is read is measured on the built network: weights are ones, and a unit reads the positions of the input at which
its gradient is not zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor

from archspec.spec import Spec
from builders.build import build
from builders.run import run as run_spec
from studies.claims import Claim, alike, equal
from studies.study import Outcome, Study
from visualize.receptive_field import draw_receptive_field

PICTURES = ("pair", "gridded", "hybrid")


def run(study: Study) -> Outcome:
    """The sum of the corners, spans d (K - 1) + 1, the pair's 7x7, and the positions that gridding leaves out."""
    spans = _spans(study)
    claims = [*_corners(study), *_agreeing(spans), _gaps(spans), *_pair(study), *_gridding(study)]
    figures = {name: draw_receptive_field(study.spec(name), axis="W") for name in PICTURES}
    rows = [{**row, "taps": " ".join(map(str, row["taps"]))} for row in spans]
    return Outcome(claims, figures, {"spans": rows})


def _corners(study: Study) -> Iterator[Claim]:
    spec = study.spec("sum")
    (output,) = spec.layers.outputs.values()
    what = "2x2 kernel of ones, d = 2, on the rows 1 2 3, 4 5 6, 7 8 9"
    yield equal(f"{what}: shape", "1 x 1 x 1", str(output.shape))
    yield equal(f"{what}: 1 + 3 + 7 + 9", 20.0, run_spec(spec).outputs[output].sum().item())


def _spans(study: Study) -> list[dict[str, Any]]:
    """Span of every kernel and dilation: by the formula, as archspec analyses it, as a run reads."""
    found = []
    for size, dilation in product(study.counts("kernels"), study.counts("dilations")):
        spec = study.spec("conv", K=size, d=dilation)
        read = _read(spec)
        formula, (analysed, _), (measured, _) = dilation * (size - 1) + 1, _analysed(spec), _extent(read)
        sides = {"formula": formula, "analysed": analysed, "measured": measured}
        found.append({"K": size, "d": dilation, **sides, "taps": _taps(read)})
    return found


def _agreeing(spans: Sequence[dict[str, Any]]) -> Iterator[Claim]:
    formula = [row["formula"] for row in spans]
    for how in ("analysed", "measured"):
        statement = f"a KxK kernel with dilation d spans d (K - 1) + 1 positions: {how}"
        yield alike(statement, formula, [row[how] for row in spans])


def _gaps(spans: Sequence[dict[str, Any]]) -> Claim:
    predicted = [list(range(0, row["formula"], row["d"])) for row in spans]
    return alike("its taps stand at 0, d, 2d, ..., d (K - 1): measured", predicted, [row["taps"] for row in spans])


def _pair(study: Study) -> Iterator[Claim]:
    spec, plain = study.spec("pair"), study.spec("undilated")
    what = "receptive field of 3x3 d = 1, then 3x3 d ="
    yield equal(f"{what} 2: analysed", "7 x 7", _sizes(_analysed(spec)))
    yield equal(f"{what} 2: measured", "7 x 7", _sizes(_extent(_read(spec))))
    yield equal(f"{what} 1: measured", "5 x 5", _sizes(_extent(_read(plain))))


def _gridding(study: Study) -> Iterator[Claim]:
    """Wang et al. 2018: three filters with d = 2 read every other position, with d = 1, 2, 3 they read all."""
    for name, dilations, count in (("gridded", "2, 2, 2", 7 * 7), ("hybrid", "1, 2, 3", 13 * 13)):
        read = _read(study.spec(name))
        yield equal(f"3x3 filters with d = {dilations} span: measured", "13 x 13", _sizes(_extent(read)))
        yield equal(f"3x3 filters with d = {dilations} read, of those 169: measured", count, int(read.sum()))


def _analysed(spec: Spec) -> tuple[int, ...]:
    """The receptive field of the output as archspec computes it (H, W)."""
    (output,) = spec.layers.outputs.values()
    field = spec.analyze().receptive_field(output)
    return tuple(axis.size for axis in field.axes) if field else ()


def _read(spec: Spec) -> Tensor:
    """Which positions (H, W) of the input the unit in the middle of the output reads in a run."""
    network = build(spec, dtype="float64").eval()
    for weight in network.parameters():
        torch.nn.init.ones_(weight)
    (shape,) = (node.shape for node in spec.layers.inputs.values())
    given = torch.zeros(1, shape.channels or 1, *shape.spatial, dtype=torch.float64, requires_grad=True)
    output = network(given)[0, 0]
    (gradient,) = torch.autograd.grad(output[tuple(size // 2 for size in output.shape)], given)
    return gradient[0, 0] != 0


def _extent(read: Tensor) -> tuple[int, ...]:
    """From the first to the last position that is read, along each axis."""
    places = read.nonzero()
    return tuple((places.amax(0) - places.amin(0) + 1).tolist())


def _taps(read: Tensor) -> list[int]:
    """The columns that are read, counted from the first."""
    columns: list[int] = read.any(0).nonzero().ravel().tolist()
    return [column - columns[0] for column in columns]


def _sizes(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))
