"""The pass held against brute force, unit by unit."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from archspec import Node, Spec, parse
from archspec.analysis.receptive_field import AxisField, receptive_field
from archspec.analysis.regions import Regions, regions
from tests.field_oracle import Figures, Oracle, figures


def network(shape: str, layers: object, **more: object) -> Spec:
    """The network of some layers, read as a spec."""
    return parse(
        str(yaml.safe_dump({"name": "n", "input": {"image": shape}, "layers": layers, **more}, sort_keys=False))
    )


def compare(spec: Spec, patience: int = 10**9) -> None:
    """Every unit of every node, on every input and axis, with gates and without; raises AssertionError."""
    fields = receptive_field(spec.layers)
    full, bare = Oracle(True, patience), Oracle(False, patience)
    marked = any(node.layer.kind in ("GN", "IN", "MUL") for node in spec)
    for gates, oracle in ((True, full), (False, bare if marked else full)):
        for node in spec:
            found = {start: field.axes if gates else field.without_gates.axes for start, field in fields[node].items()}
            disagreement = next(differences(oracle, node, found), None)
            assert disagreement is None, f"{disagreement}\n{described(spec)}"
    for node, read in regions(spec.layers).items():
        disagreement = next(astray(full, node, read), None)
        assert disagreement is None, f"{disagreement}\n{described(spec)}"


def astray(oracle: Oracle, node: Node, found: Regions) -> Iterator[str]:
    """Where the regions of all units and brute force differ about one node."""
    for unit in oracle.over(node):
        inside = oracle.inside(node, unit)
        for start, axes in found.items():
            sets = [list(one.at(unit).members()) for one in axes]
            given = sets if all(sets) else [[] for _ in axes]
            wanted = [sorted(inside[start][axis]) if start in inside else [] for axis in range(len(axes))]
            if given != wanted:
                yield f"{node!r}, unit {unit} of {start!r}: regions {sets}, by brute force {wanted}"


def described(spec: Spec) -> str:
    return "\n".join(f"{node!r} reads {[source.index for source in node.inputs]}" for node in spec)


def differences(oracle: Oracle, node: Node, fields: dict[Node, tuple[AxisField, ...]]) -> Iterator[str]:
    """Where the pass and brute force differ about one node."""
    units = oracle.over(node)
    inside = {unit: oracle.inside(node, unit) for unit in units}
    reached = {start for unit in units.values() for start in unit}
    stated = {start for start, axes in fields.items() if axes or not start.shape.rank}
    if reached - stated or any(start.shape.rank for start in stated - reached):
        yield f"{node!r} reads {stated}, by brute force {reached}"
        return
    for start, axes in fields.items():
        for axis, field in enumerate(axes):
            where = f"{node!r}, axis {axis} of {start!r}, {'with' if oracle.gates else 'without'} gates"
            kept = {unit: found[start][axis] if start in found else frozenset() for unit, found in inside.items()}
            for unit, found in units.items():
                yield from _of_unit(f"{where}, unit {unit}", field, unit, found[start][axis], kept[unit])
            rows = [found[start][axis] for found in units.values()]
            wanted = figures(rows, list(kept.values()), start.shape.spatial[axis], oracle.steps(node)[start][axis])
            given = Figures(field.size, field.size_min, field.padding, field.density, field.whole, field.jump)
            if given != wanted:
                yield f"{where}: {given}, by brute force {wanted}"


def _of_unit(
    where: str, field: AxisField, unit: tuple[int, ...], wanted: frozenset[int], inside: frozenset[int]
) -> Iterator[str]:
    given = field.at(*unit)
    if list(given.members()) != sorted(wanted):
        yield f"{where}: {list(given.members())}, by brute force {sorted(wanted)}"
    if list(field.inside(*unit).members()) != sorted(inside):
        yield f"{where}: inside {list(field.inside(*unit).members())}, by brute force {sorted(inside)}"
    if field.region(*unit) != ((min(inside), max(inside)) if inside else None):
        yield f"{where}: region {field.region(*unit)} of {sorted(inside)}"
    if wanted and 2 * field.centre(*unit) != min(wanted) + max(wanted):
        yield f"{where}: centre {field.centre(*unit)} of {sorted(wanted)}"
