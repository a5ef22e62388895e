"""What the page shows, as plain values: the numbers of the analyses, the text of the spec, the drawings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from archspec.errors import ArchspecError, Diagnostic
from archspec.expectations import hold
from archspec.layers import Family, Shape
from archspec.layers.shape import AXES
from archspec.nodes import Node
from archspec.report.columns import number, size
from archspec.report.fields import extent
from archspec.spec import Spec
from visualize.page.drawings import drawings
from visualize.page.explorer import explorer_data
from visualize.page.tree import branches, table_data
from visualize.page.verification import verification_data
from visualize.style import style

Plain = dict[str, object]


def page_data(spec: Spec, verification: Mapping[str, object] | None = None) -> Plain:
    """Everything that the page shows of a spec; `verification` is what `archspec verify --format json` wrote of it.

    Raises ArchspecError where that is another network's.
    """
    analysis = spec.analyze()
    rows = branches(analysis)
    return {
        "title": spec.title,
        "summary": _summary(spec),
        "expectations": _expectations(spec),
        "table": table_data(analysis, rows),
        "nodes": _nodes(spec),
        "families": {str(family): _colours(family) for family in Family},
        "explorer": explorer_data(analysis),
        "source": _source(spec),
        "verification": None if verification is None else verification_data(spec, verification),
        "drawings": drawings(spec),
    }


def _summary(spec: Spec) -> Plain:
    analysis, document = spec.analyze(), spec.document
    source = document.source if isinstance(document.source, str) else document.source.get(spec.variant or "", "")
    totals, memory = analysis.totals, analysis.memory()
    return {
        "name": spec.name,
        "variant": spec.variant,
        "variants": list(document.variants),
        "description": document.description,
        "source": source,
        "inputs": _shapes(analysis.graph.inputs),
        "outputs": _shapes(analysis.graph.outputs),
        "layers": number(len(spec)),
        "parameters": number(totals.parameters),
        "buffers": number(totals.buffers),
        "macs": number(totals.macs),
        "flops": number(totals.flops),
        "weights": number(memory.weights),
        "weights_size": size(memory.weights),
        "peak": number(memory.peak),
        "peak_size": size(memory.peak),
        "peak_node": memory.peak_node.index,
        "fields": [
            {"output": name, "node": node.index, "field": extent(analysis.receptive_field(node))}
            for name, node in analysis.graph.outputs.items()
        ],
        "last_map": _last_map(spec),
    }


def _last_map(spec: Spec) -> Plain | None:
    """The field of the last layer whose units stand at more than one position; those of a vector read alike."""
    found = [node for node in spec if node in spec.layers.inference and node.shape.positions > 1]
    if not found or any(node.shape.rank for node in spec.layers.outputs.values()):
        return None
    return {"node": found[-1].index, "field": extent(spec.analyze().receptive_field(found[-1]))}


def _shapes(nodes: Mapping[str, Node]) -> list[Plain]:
    return [{"name": name, "node": node.index, "shape": str(node.shape)} for name, node in nodes.items()]


def _expectations(spec: Spec) -> list[Plain]:
    """What the spec expects of this variant and whether it holds; nothing where an expectation means nothing."""
    try:
        outcomes = hold(spec.document.expect, spec.document.variants, spec.variant, spec.analyze())
    except ArchspecError:
        return []
    return [
        {"metric": one.metric, "expected": one.expected, "found": one.found, "holds": one.holds, "line": one.span.line}
        for one in outcomes
    ]


@dataclass(frozen=True)
class _Lines:
    """The lines of the spec that a node comes from: its own, and those of the calls that led there."""

    spec: Spec

    def of(self, node: Node) -> list[int]:
        spans = [node.span, *(node.trace or ())]
        return list(dict.fromkeys(span.line for span in spans if span.source is self.spec.source))


def _nodes(spec: Spec) -> list[Plain]:
    lines = _Lines(spec)
    return [
        {
            "called": node.name or str(node.layer),
            "shape": str(node.shape),
            "spatial": list(node.shape.spatial),
            "axes": _axes(node.shape),
            "lines": lines.of(node),
        }
        for node in spec
    ]


def _axes(shape: Shape) -> str:
    """The names of the spatial axes: HW."""
    return AXES[shape.rank] if shape.rank < len(AXES) else "".join(map(str, range(shape.rank)))


def _colours(family: Family) -> Plain:
    look = style(family)
    return {"fill": look.fill, "line": look.line}


def _source(spec: Spec) -> Plain:
    return {
        "name": PurePath(spec.source.name).name,
        "text": spec.source.text,
        "warnings": [_warning(spec, warning) for warning in spec.warnings],
    }


def _warning(spec: Spec, warning: Diagnostic) -> Plain:
    """A finding without the path of its file, which is nobody else's business."""
    here = warning.span is not None and warning.span.source is spec.source
    found = warning.to_dict()
    found.pop("file", None)
    return found | {"here": here}
