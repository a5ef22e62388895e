"""The rows of the page's table: every layer, and every group above the layers that it holds, in execution order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from archspec.analysis import Analysis
from archspec.nodes import Group, Node
from archspec.report.columns import COLUMNS, Column, Style, View
from archspec.report.rows import Row, folded, single
from archspec.report.table import table

PLAIN, WRITTEN = Style("values"), Style("formulas")


@dataclass(frozen=True, eq=False)
class Branch:
    """A row and its depth in the tree; `group` None: a layer."""

    row: Row
    level: int
    group: Group | None


def branches(analysis: Analysis) -> list[Branch]:
    """All rows, a group before what it holds.

    A row of `each` that holds one layer is no group of its own, as in the tables of the command line.
    """
    held = Counter(group for node in analysis.graph for group in _ancestry(node))
    opened: list[tuple[Group, list[Node]]] = []
    found: list[tuple[Group | None, list[Node], int]] = []
    for node in analysis.graph:
        groups = [group for group in _ancestry(node) if group.kind != "row" or held[group] > 1]
        kept = next(
            (at for at, ((group, _), now) in enumerate(zip(opened, groups, strict=False)) if group is not now),
            min(len(opened), len(groups)),
        )
        del opened[kept:]
        for group in groups[kept:]:
            opened.append((group, []))
            found.append((group, opened[-1][1], len(opened)))
        for _, nodes in opened:
            nodes.append(node)
        found.append((None, [node], len(opened) + 1))
    return [_branch(group, tuple(nodes), level, analysis) for group, nodes, level in found]


def _ancestry(node: Node) -> tuple[Group, ...]:
    return node.group.ancestry() if node.group else ()


def _branch(group: Group | None, nodes: tuple[Node, ...], level: int, analysis: Analysis) -> Branch:
    row = single(nodes[0], analysis) if group is None else folded(group, [nodes], analysis)
    return Branch(row, level, group)


def table_data(analysis: Analysis, rows: list[Branch]) -> dict[str, object]:
    """The table as plain values. A row lists its level, its first and last node, and what it is.

    A column lists its distinct cells once, `[text, value, formula]`, and for every row which of them it has.
    """
    names = [name for name in COLUMNS if name != "layer"]
    summed = table(analysis, names, 1, PLAIN)
    titles = list(_titles(summed.totals, names))
    views = View(analysis, PLAIN), View(analysis, WRITTEN)
    return {
        "labels": [branch.row.label for branch in rows],
        "paths": _indexed([branch.row.path for branch in rows]),
        "levels": [branch.level for branch in rows],
        "firsts": [branch.row.first.index for branch in rows],
        "lasts": [branch.row.last.index for branch in rows],
        "kinds": [branch.group.kind if branch.group else "layer" for branch in rows],
        "families": [None if branch.group else str(branch.row.last.layer.family) for branch in rows],
        "columns": [_column(name, COLUMNS[name], *views, rows) for name in names if name != "path"],
        "totals": [
            {"title": title, "cells": {name: cell for name, cell in zip(names, line, strict=True) if cell != title}}
            for title, line in zip(titles, summed.totals, strict=True)
        ],
        "notes": list(summed.notes),
    }


def _titles(totals: tuple[tuple[str, ...], ...], names: list[str]) -> Iterator[str]:
    """The titles of the lines of totals, which stand in the first column that has no sum."""
    at = next(place for place, name in enumerate(names) if COLUMNS[name].total is None)
    return (line[at] for line in totals)


def _column(name: str, column: Column, plain: View, written: View, rows: list[Branch]) -> dict[str, object]:
    counted = column.total is not None
    cells = []
    for branch in rows:
        text = column.text(branch.row, plain)
        formula = column.text(branch.row, written) if counted else text
        cells.append((text, column.plain(branch.row, plain), *([formula] if formula != text else [])))
    return {"name": name, "title": column.title, "numeric": column.numeric, "counted": counted} | _indexed(cells)


def _indexed(values: list[object] | list[str] | list[tuple[object, ...]]) -> dict[str, object]:
    """Values, each distinct one once: `entries`, and the place in it of every value."""
    places: dict[object, int] = {}
    cells = [places.setdefault(value, len(places)) for value in values]
    return {"entries": list(places), "cells": cells}
