"""`archspec.propagate`: what schemes of initialisation make of a batch, before any training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path

import torch
from torch import Tensor

from archspec.graph import LayerGraph
from archspec.layers import Role
from archspec.layers.moments import Moments
from archspec.nodes import Node
from archspec.spec import InputSize, Spec
from builders.build import build, opened
from builders.initialization.following import kernels
from builders.initialize import Drawn, finite, initialize, parse_scheme
from builders.network import Network
from builders.proofs.walk import examples
from builders.propagation.measure import Passing, measure, signal
from builders.propagation.recursion import Squares, predicted
from builders.propagation.verdict import Outlook, Verdict, judge
from builders.run import seeded
from builders.submodules import layer_modules

__all__ = ["Outlook", "Passage", "Propagation", "Verdict", "propagate"]
BATCH = 32


@dataclass(frozen=True)
class Passage:
    """A network under one scheme: what passed through each layer, the standard deviation that the variance recursion
    predicts (None where it says nothing), and the verdict."""

    scheme: str
    layers: Mapping[Node, Passing]
    predicted: Mapping[Node, float | None]
    verdict: Verdict


@dataclass(frozen=True)
class Propagation:
    """A network under several schemes; `notes` say what ran."""

    title: str
    passages: tuple[Passage, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {"name": self.title, "schemes": [_plain(one) for one in self.passages], "notes": list(self.notes)}


def propagate(
    spec: Spec | str | Path,
    schemes: Sequence[str] = ("he-normal",),
    /,
    *,
    data: str | None = None,
    batch: int = BATCH,
    seed: int = 0,
    overrides: Mapping[str, str] | None = None,
    variant: str | None = None,
    input: InputSize | Mapping[str, InputSize] | None = None,
    **variables: object,
) -> Propagation:
    """Send a batch forward and backward through a network under each scheme, and judge what becomes of it.

    The batch is drawn from the standard normal distribution, or is the first of a data set (`builders.data`), with its
    labels. Choices as in `archspec.build`. Raises ArchspecError.

    >>> found = propagate("deep-sigmoid", ["xavier", "xavier(gain=1)", "zeros"])
    >>> [str(one.verdict.outlook) for one in found.passages]
    ['healthy', 'vanishes', 'units cannot part']
    """
    start, found = seeded(seed), opened(spec, variant, input, variables)
    inputs, labels, notes = batch_of(found, data, batch, start)
    passages = tuple(_passage(found, scheme, inputs, labels, start, overrides) for scheme in schemes)
    loss = "the cross-entropy with " + ("random labels" if labels is None else "the data's labels")
    return Propagation(found.title, passages, (*notes, f"loss: {loss}"))


def batch_of(spec: Spec, data: str | None, size: int, seed: int) -> tuple[list[Tensor], Tensor | None, tuple[str, ...]]:
    """A batch of inputs, its labels if it has any, and what it is."""
    if data is None:
        note = f"a batch of {size} examples from the standard normal distribution"
        return examples(spec.layers, size, seed=seed), None, (note,)
    from builders.data import prepare

    prepared = prepare(data, spec, seed=seed)
    inputs, labels = next(iter(prepared.train.batches(size, torch.Generator().manual_seed(seed))))
    return [inputs], labels, (*prepared.said, f"a batch of {len(inputs)} of the training examples")


def _passage(
    spec: Spec,
    scheme: str,
    inputs: Sequence[Tensor],
    labels: Tensor | None,
    seed: int,
    overrides: Mapping[str, str] | None,
) -> Passage:
    network, graph = build(spec), spec.layers
    squares, constant = _weights(network, graph, initialize(network, scheme, seed, overrides, batch=inputs))
    network.train()
    passings = measure(network, graph, inputs, labels, seed)
    floats = {node: one for node, one in zip(graph.inputs.values(), inputs, strict=True) if one.is_floating_point()}
    moments = predicted(graph, {node: _moments(one) for node, one in floats.items()}, squares)
    expected = {node: None if isnan(moments[node].variance) else moments[node].deviation for node in passings}
    weighted = [node for node in passings if node in squares]
    entering = max(map(signal, floats.values()), default=0.0) or (passings[weighted[0]].signal if weighted else 0.0)
    verdict = judge(entering, passings, weighted, [node for node in weighted if node in constant])
    return Passage(str(parse_scheme(scheme)), passings, expected, verdict)


def _weights(network: Network, graph: LayerGraph, drawn: Iterable[Drawn]) -> tuple[dict[Node, Squares], set[Node]]:
    """The mean squares of every layer with a kernel, as asked for, else as drawn; the layers with a constant kernel."""
    rows, names = {row.name: row for row in drawn}, {id(one): name for name, one in network.named_parameters()}
    modules, found, constant = layer_modules(network), dict[Node, Squares](), set[Node]()
    for node in graph:
        if node.index not in modules or len(kernels(node)) != 1:
            continue
        squares = {Role.KERNEL: 0.0, Role.BIAS: 0.0}
        for name, weight in node.facts.weights.items():
            tensor = modules[node.index].get_parameter(name) if weight.trainable else None
            if tensor is None or weight.role not in squares:
                continue
            row = rows[names[id(tensor)]]
            deviation = row.drawn if row.asked is None else row.asked
            squares[weight.role] = deviation * deviation
            if weight.role is Role.KERNEL and bool(tensor.max() == tensor.min()):
                constant.add(node)
        found[node] = Squares(squares[Role.KERNEL], squares[Role.BIAS])
    return found, constant


def _moments(value: Tensor) -> Moments:
    wide = value.double()
    return Moments(wide.mean().item(), wide.var(correction=0).item())


def _plain(passage: Passage) -> dict[str, object]:
    layers = [
        {
            "node": node.index,
            "layer": node.name or str(node.layer),
            **{name: finite(value) for name, value in asdict(one).items()},
            "predicted": finite(passage.predicted[node]),
        }
        for node, one in passage.layers.items()
    ]
    verdict = {"outlook": passage.verdict.outlook, "reason": passage.verdict.reason}
    return {"scheme": passage.scheme, "verdict": verdict, "layers": layers}
