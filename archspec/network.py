"""From a document to its network: inputs placed, layers expanded, outputs found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archspec.document import Document
from archspec.elaborate import Elaborator
from archspec.errors import Diagnostic, Findings
from archspec.layers import Shape
from archspec.nodes import Node
from archspec.placing import Placer
from archspec.scope import Frame, Instance, Scope
from archspec.syntax import Place


@dataclass(frozen=True)
class Network:
    """What elaboration gives: the nodes in execution order, those that are inputs and outputs, and the named points."""

    nodes: tuple[Node, ...]
    inputs: Mapping[str, Node]
    outputs: Mapping[str, Node]
    training_outputs: Mapping[str, Node]
    points: Mapping[str, Node]


def elaborate(
    document: Document, variables: Scope, inputs: Mapping[str, tuple[Shape, Place]], findings: Findings, limit: int
) -> Network:
    """Expand a document; what fails is added to `findings`, and what hangs on it is left out."""
    placer = Placer(document, limit)
    elaborator = Elaborator(document, variables, findings, placer)
    instance = Instance()
    for name, (shape, place) in inputs.items():
        instance.mark(name, placer.input(name, shape, place), place)
    starts = dict(zip(inputs, placer.nodes, strict=True))
    frame = Frame(variables, instance, placer.nodes[0], None, document.blocks)
    elaborator.run(elaborator.sequence(document.layers, frame))
    outputs = elaborator.outputs(document.outputs, frame)
    if not document.outputs and frame.node:
        outputs = {"output": frame.node}
    if document.outputs and not outputs and not findings:
        message = "no output is left: all their conditions are false"
        findings.add(Diagnostic("outputs", message, document.outputs[0].point.place.span, "let one of them hold"))
    training = elaborator.outputs(document.training_outputs, frame)
    points = {name: node for name, nodes in instance.points.items() if (node := nodes[-1])}
    return Network(tuple(placer.nodes), starts, outputs, training, points)
