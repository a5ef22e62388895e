"""What `archspec rf` shows: how the field grows up to a layer, and the region that one of its units reads."""

from __future__ import annotations

from dataclasses import dataclass, replace

from archspec import lints, report
from archspec.errors import ArchspecError, Diagnostic
from archspec.graph import ancestors
from archspec.layers.shape import AXES
from archspec.nodes import Node
from archspec.spec import Spec

COLUMNS = ("node", "path", "layer", "activations", "receptive_field", "without_gates", "jump", "padding", "density")


@dataclass(frozen=True)
class Region:
    """What one unit reads along every axis: the field with its padding, and what is really read inside the input."""

    unit: tuple[int, ...]
    field: tuple[tuple[int, int], ...]
    inside: tuple[tuple[int, int] | None, ...]
    centre: tuple[float, ...]


@dataclass(frozen=True)
class Growth:
    """The table, the layer it leads to, the region of the unit that was asked for, and what there is to note."""

    spec: Spec
    node: Node
    nodes: tuple[Node, ...]
    table: report.Table
    region: Region | None
    notes: tuple[Diagnostic, ...]

    @property
    def title(self) -> str:
        return f"{self.spec.title}, up to {called(self.node)} ({self.node.shape})"

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "name": self.spec.name,
            "variant": self.spec.variant,
            "node": self.node.index,
            "receptive_field": report.as_value(self.spec.analyze().receptive_field(self.node)),
            "unit": _region_values(self.region) if self.region else None,
            "layers": [self._layer(node) for node in self.nodes],
            "notes": [note.to_dict() for note in self.notes],
        }

    def _layer(self, node: Node) -> dict[str, object]:
        return {
            "node": node.index,
            "path": node.path,
            "layer": str(node.layer),
            "output_shape": list(node.shape.sizes),
            "receptive_field": report.as_value(self.spec.analyze().receptive_field(node)),
        }


def growth(spec: Spec, layer: str | None = None, unit: str | None = None, tail: int | None = None) -> Growth:
    """Everything that leads to a layer; raises ArchspecError for an unknown layer or unit."""
    node = spec.node(layer) if layer is not None else next(iter(spec.layers.outputs.values()))
    analysis = spec.analyze()
    leading = ancestors([node])
    nodes = tuple(one for one in spec if one in leading)[-tail if tail else 0 :]
    table = report.table(analysis, _columns(spec), nodes=set(nodes))
    region = _region(spec, node, unit) if unit is not None else None
    if region is not None:
        table = replace(table, notes=(*table.notes, *_sentences(spec, node, region)))
    notes = (*lints.notes(analysis, node), *spec.warnings)
    return Growth(spec, node, nodes, table, region, notes)


def _columns(spec: Spec) -> list[str]:
    """Paths only where there are any, and the second figure only where it differs from the first."""
    shown = {
        "path": any(node.group for node in spec),
        "without_gates": any(window.mark for node in spec for window in node.facts.windows),
    }
    return [name for name in COLUMNS if shown.get(name, True)]


def called(node: Node) -> str:
    """What a node is called in a sentence."""
    return node.name or f"node {node.index}, {node.layer}"


def _region(spec: Spec, node: Node, unit: str) -> Region:
    """The region of a unit given as `3,4`; raises ArchspecError where the layer has no such unit."""
    field = spec.analyze().receptive_field(node)
    at = unit_of(node, unit)
    if field is None:
        raise ArchspecError("unit", f"{called(node)} reads no input", hint="choose another layer with --layer")
    sets = [axis.at(*at) for axis in field.axes]
    return Region(
        at,
        tuple((one.low, one.high) for one in sets),
        tuple(axis.region(*at) for axis in field.axes),
        tuple(float(axis.centre(*at)) for axis in field.axes),
    )


def unit_of(node: Node, unit: str) -> tuple[int, ...]:
    """The unit that is given as `3,4`; raises ArchspecError where the layer has no such unit."""
    sizes = node.shape.spatial
    parts = [part.strip() for part in unit.split(",")] if unit.strip() else []
    fits = len(parts) == len(sizes) and all(part.isascii() and part.isdigit() for part in parts)
    if not fits or any(int(part) >= size for part, size in zip(parts, sizes, strict=True)):
        example = ",".join(str(size // 2) for size in sizes)
        hint = f"write --unit {example}: one number per axis, from 0" if sizes else "choose a map with --layer"
        raise ArchspecError("unit", f"{called(node)} is {node.shape} and has no unit `{unit}`", hint=hint)
    return tuple(map(int, parts))


def _source(spec: Spec, node: Node) -> Node:
    """The input whose field is shown: the first that the node reads."""
    return next(iter(spec.analyze().receptive_fields[node]))


def _sentences(spec: Spec, node: Node, region: Region) -> list[str]:
    """The region in words, axis by axis."""
    source = _source(spec, node)
    names = AXES[source.shape.rank]
    found = [f"unit {', '.join(map(str, region.unit))} of {called(node)} reads of the {source.shape} input:"]
    for name, (low, high), inside, centre in zip(names, region.field, region.inside, region.centre, strict=True):
        seen = f"{inside[0]} to {inside[1]}" if inside else "nothing"
        found.append(f"  {name}: {seen} (field {low} to {high}, centre {centre:g})")
    return found


def _region_values(region: Region) -> dict[str, object]:
    return {
        "unit": list(region.unit),
        "field": [list(span) for span in region.field],
        "region": [list(span) if span else None for span in region.inside],
        "centre": list(region.centre),
    }
