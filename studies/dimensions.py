"""Dimensions: sizes, weights and biases of convolutions and poolings, and a small network's table counted by hand.

Every formula is held against archspec's analysis and against torch modules that are built and run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

import torch
from torch import Tensor

from archspec import report
from archspec.errors import ArchspecError
from archspec.nodes import Node
from archspec.spec import Spec
from builders.build import build
from builders.proofs.walk import Walk, nothing
from builders.submodules import layer_modules
from builders.tensors import in_order
from studies.claims import Claim, alike, equal
from studies.study import Outcome, Study
from visualize.curves import Axis, Figure, Series, lines

Row = dict[str, int | str]
SIZES = ("W'", "H'")
BY_HAND = (  # layer, parameters, activations (W x H x C)
    ("Input", "0", "28 x 28 x 1"),
    ("CONV3-10", "3 x 3 x 1 x 10 + 10 = 100", "28 x 28 x 10"),
    ("POOL2", "0", "14 x 14 x 10"),
    ("CONV3-10", "3 x 3 x 10 x 10 + 10 = 910", "14 x 14 x 10"),
    ("POOL2", "0", "7 x 7 x 10"),
    ("FLATTEN", "0", "490"),
    ("FC-3", "490 x 3 + 3 = 1473", "3"),
)


def run(study: Study) -> Outcome:
    """The formulas for convolution and pooling over every combination of parameters, and the table row by row."""
    width, height = study.count("width"), study.count("height")
    convolutions = [row for sizes in _convolutions(study, width, height) for row in sizes]
    poolings = [row for sizes in _poolings(study, width, height) for row in sizes]
    if not poolings:
        message = f"none of the kernels of {study.name} fits into a map of {width} x {height}"
        raise ArchspecError("study-parameter", message, hint="--set kernels=[1, 2, 3]")
    claims = [
        _agree("CONV: W' = floor((W - K + 2P) / S) + 1, likewise H'", convolutions, SIZES),
        _agree("CONV: C' = F", convolutions, ("C'",)),
        _agree("CONV: weights K x K x C x F", convolutions, ("weights",)),
        _agree("CONV: biases F", convolutions, ("biases",)),
        _agree("max pooling: W' = floor((W - K) / S) + 1, likewise H'", poolings, SIZES),
        _agree("max pooling: C' = C", poolings, ("C'",)),
        _agree("max pooling: no parameters", poolings, ("weights", "biases")),
        *_table(study.spec("table")),
    ]
    figure = _figure(width, convolutions, poolings)
    return Outcome(claims, {"sizes": figure}, {"convolutions": convolutions, "poolings": poolings})


def _convolutions(study: Study, width: int, height: int) -> Iterator[list[Row]]:
    """For every K, P, S, F, C whose kernel fits into the padded map: by formula, analysed, in torch."""
    names = ("kernels", "paddings", "strides", "filters", "channels")
    choices = [study.counts(name, low=0 if name == "paddings" else 1) for name in names]
    for K, P, S, F, C in product(*choices):
        if min(width, height) + 2 * P < K:
            continue
        formula = {
            "W'": (width - K + 2 * P) // S + 1,
            "H'": (height - K + 2 * P) // S + 1,
            "C'": F,
            "weights": K * K * C * F,
            "biases": F,
        }
        spec = study.spec("convolution", width=width, height=height, channels=C, filters=F, K=K, P=P, S=S)
        yield _three({"K": K, "P": P, "S": S, "F": F, "C": C}, formula, spec)


def _poolings(study: Study, width: int, height: int) -> Iterator[list[Row]]:
    """For every K, S, C whose window fits into the map: by formula, analysed, in torch."""
    choices = [study.counts(name) for name in ("kernels", "strides", "channels")]
    for K, S, C in product(*choices):
        if min(width, height) < K:
            continue
        formula = {"W'": (width - K) // S + 1, "H'": (height - K) // S + 1, "C'": C, "weights": 0, "biases": 0}
        spec = study.spec("pooling", width=width, height=height, channels=C, K=K, S=S)
        yield _three({"K": K, "S": S, "C": C}, formula, spec)


def _three(choice: dict[str, int], formula: dict[str, int], spec: Spec) -> list[Row]:
    sides = {"formula": formula, "archspec": _analysed(spec), "torch": _built(spec)}
    return [{**choice, "by": name, **found} for name, found in sides.items()]


def _analysed(spec: Spec) -> dict[str, int]:
    """What archspec says of the network's one layer."""
    (node,) = spec.layers.outputs.values()
    (height, width), channels = node.shape.spatial, node.shape.channels
    counts = {name: prod(weight.shape) for name, weight in node.facts.weights.items()}
    return _row(width, height, channels or 0, counts.get("weight", 0), counts.get("bias", 0))


def _built(spec: Spec) -> dict[str, int]:
    """What its torch module holds, and gives for a map of zeros."""
    network = build(spec).eval()
    (shape,) = (node.shape for node in spec.layers.inputs.values())
    with torch.no_grad():
        (_, channels, height, width) = network(torch.zeros(1, shape.channels or 1, *shape.spatial)).shape
    counts = {name.rsplit(".", 1)[-1]: held.numel() for name, held in network.named_parameters()}
    return _row(width, height, channels, counts.get("weight", 0), counts.get("bias", 0))


def _row(width: int, height: int, channels: int, weights: int, biases: int) -> dict[str, int]:
    return {"W'": width, "H'": height, "C'": channels, "weights": weights, "biases": biases}


def _agree(statement: str, rows: Sequence[Row], names: Sequence[str]) -> Claim:
    """archspec and torch find what the formula says; each comparison counts."""
    predicted, measured = list[str](), list[str]()
    for formula, *others in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        choice = " ".join(f"{key}={value}" for key, value in formula.items() if key.isupper() and len(key) == 1)
        for other, name in product(others, names):
            predicted.append(f"{choice}: {name} = {formula[name]}")
            measured.append(f"{choice}: {name} = {other[name]}")
    return alike(statement, predicted, measured)


def _table(spec: Spec) -> Iterator[Claim]:
    """The table as archspec writes it, and every row's numbers as the torch module has them."""
    columns = ("layer", "parameters", "activations")
    shown = report.table(spec.analyze(), columns)
    yield alike(f"the table of {spec.name} is the one by hand, row by row", BY_HAND, shown.rows)
    measured = _measured(spec)
    for (layer, computation, activations), (count, shape) in zip(BY_HAND, measured, strict=True):
        value = _worked_out(computation)
        yield equal(f"{layer}: parameters {computation}; activations", f"{value}; {activations}", f"{count}; {shape}")
    total = sum(_worked_out(computation) for _, computation, _ in BY_HAND)
    yield equal("all its parameters", total, sum(count for count, _ in measured))


def _worked_out(computation: str) -> int:
    """What products and their sum come to.

    >>> _worked_out("3 x 3 x 1 x 10 + 10 = 100")
    100
    """
    terms = computation.split(" = ")[0].split(" + ")
    return sum(prod(map(int, term.split(" x "))) for term in terms)


def _measured(spec: Spec) -> list[tuple[int, str]]:
    """For every layer the parameters that its torch module holds, and the shape that it gives, W x H x C."""
    network = build(spec).eval()
    modules = layer_modules(network)
    (node,) = spec.layers.inputs.values()
    given = torch.zeros(1, node.shape.channels or 1, *node.shape.spatial)
    values: dict[Node, Tensor] = {node: given}
    with torch.no_grad():
        Walk(network, spec.layers, nothing, values.__setitem__).run(given)
    found = []
    for node, value in values.items():
        held = modules[node.index].parameters() if node.index in modules else ()
        found.append((sum(weight.numel() for weight in held), " x ".join(map(str, in_order(value).shape))))
    return found


def _figure(width: int, convolutions: Sequence[Row], poolings: Sequence[Row]) -> Figure:
    """W' against K as torch gives it, a line for each stride, a panel for each padding."""
    panels = {f"CONV, P = {P}": [row for row in convolutions if row["P"] == P] for P in _values(convolutions, "P")}
    panels["max pooling"] = list(poolings)
    series = []
    for panel, rows in panels.items():
        for stride in _values(rows, "S"):
            sizes = {int(row["K"]): int(row["W'"]) for row in rows if row["by"] == "torch" and row["S"] == stride}
            series.append(Series(f"S = {stride}", list(sizes), list(sizes.values()), panel))
    widest = max(int(row["K"]) for row in convolutions)
    highest = max(int(row["W'"]) for row in convolutions)
    x = Axis("kernel size K", "pixels", low=0, high=widest + 1)
    y = Axis("output width W'", "pixels", low=0, high=highest + 1)
    return lines(series, x, y, title=f"Sizes for an input of width {width}", width=190, height=220)


def _values(rows: Sequence[Row], key: str) -> list[int | str]:
    return list(dict.fromkeys(row[key] for row in rows))
