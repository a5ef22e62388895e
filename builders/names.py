"""Names of submodules and values: Python identifiers that follow the stages, rows and blocks of the spec."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from torch import nn

from archspec.nodes import Group, Node

RESERVED = frozenset(dir(nn.Module()))  # a submodule called `train` or `training` would hide torch's own


def identifier(name: str) -> str:
    """A name as an identifier that hides nothing: bottleneck.2 becomes bottleneck_2.

    >>> identifier("bottleneck.2"), identifier("train"), identifier("3x3")
    ('bottleneck_2', 'train_', '_3x3')
    """
    found = re.sub(r"\W", "_", name)
    found = f"_{found}" if found[:1].isdigit() else found
    return f"{found}_" if keyword.iskeyword(found) or keyword.issoftkeyword(found) or found in RESERVED else found


class Names:
    """Gives every node a dotted name of its own: the groups that it stands in, its kind, its number among them."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken: dict[str, set[str]] = {"": set(taken)}
        self._groups: dict[Group, str] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def of(self, node: Node) -> str:
        """The name of a layer: stem.conv1. Layers are asked in execution order."""
        place = self._place(node.group)
        kind = node.layer.kind.lower()
        number = self._counts[place, kind] = self._counts.get((place, kind), 0) + 1
        return self._own(place, f"{kind}{number}")

    def own(self, name: str) -> str:
        """A name at the top level that no other has."""
        return self._own("", identifier(name))

    def _place(self, group: Group | None) -> str:
        if group is None:
            return ""
        for each in group.ancestry():
            if each not in self._groups:
                parent = self._groups[each.parent] if each.parent else ""
                self._groups[each] = self._own(parent, identifier(each.name))
        return self._groups[group]

    def _own(self, place: str, name: str) -> str:
        """The dotted name, with underscores behind it until its place has no other of that name."""
        siblings = self._taken.setdefault(place, set())
        while name in siblings:
            name += "_"
        siblings.add(name)
        return f"{place}.{name}" if place else name
