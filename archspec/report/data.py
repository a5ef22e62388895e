"""The JSON of a spec: stable keys, documented in docs/json.md."""

from __future__ import annotations

from collections.abc import Iterable

from archspec.analysis import Analysis
from archspec.errors import Diagnostic
from archspec.layers import Formula, Shape
from archspec.nodes import Node
from archspec.report.fields import as_value


def as_dict(
    name: str,
    variant: str | None,
    analysis: Analysis,
    warnings: Iterable[Diagnostic],
    batch: int = 1,
    dtype: str = "float32",
) -> dict[str, object]:
    """Everything that is known of a network, as plain values; shapes are lists in the spec's order (H, W, C)."""
    graph, totals, extra = analysis.graph, analysis.totals, analysis.training_only
    memory = analysis.memory(dtype, batch)
    return {
        "name": name,
        "variant": variant,
        "batch": batch,
        "inputs": {key: _shape(node.shape) for key, node in graph.inputs.items()},
        "outputs": {key: _shape(node.shape) for key, node in graph.outputs.items()},
        "totals": {
            "parameters": totals.parameters,
            "buffers": totals.buffers,
            "macs": totals.macs * batch,
            "flops": totals.flops * batch,
            "training_only": {"parameters": extra.parameters, "macs": extra.macs * batch},
            "memory": {
                "dtype": dtype,
                "weights": memory.weights,
                "activations": memory.activations,
                "peak": memory.peak,
                "peak_node": memory.peak_node.index,
            },
        },
        "layers": [_layer(node, analysis, batch, memory.outputs[node]) for node in graph],
        "warnings": [warning.to_dict() for warning in warnings],
    }


def _shape(shape: Shape) -> list[int]:
    return list(shape.sizes)


def _layer(node: Node, analysis: Analysis, batch: int, memory: int) -> dict[str, object]:
    macs = analysis.macs[node]
    return {
        "node": node.index,
        "path": node.path,
        "layer": str(node.layer),
        "inputs": [source.index for source in node.inputs],
        "input_shapes": [_shape(source.shape) for source in node.inputs],
        "output_shape": _shape(node.shape),
        "parameters": _count(analysis.counts[node].trainable),
        "macs": {"value": macs.value * batch, "formula": macs.text},
        "memory": memory,
        "receptive_field": as_value(analysis.receptive_field(node)),
        "shared": node.shared.index if node.shared else None,
        "line": node.span.line,
        "column": node.span.column,
    }


def _count(formula: Formula) -> dict[str, object]:
    return {"value": formula.value, "formula": formula.text}
