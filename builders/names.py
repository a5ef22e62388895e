"""Names of submodules and values: Python identifiers that follow the stages, rows and blocks of the spec."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

from torch import fx, nn

from archspec.nodes import Group, Node
from builders.network import OURS, Network

MEMBERS = frozenset({*dir(Network(nn.Module(), fx.Graph())), *OURS})  # a part called `train` would hide torch's own
GLOBALS = frozenset({"self", "torch", "device", "inf", "nan", "NoneType", "pytree", "fx_pytree"})  # of generated code


def identifier(name: str, taken: Iterable[str] = MEMBERS) -> str:
    """A name as an identifier that hides nothing: bottleneck.2 becomes bottleneck_2.

    >>> identifier("bottleneck.2"), identifier("train"), identifier("3x3"), identifier("class")
    ('bottleneck_2', 'train_', '_3x3', 'class_')
    """
    found = re.sub(r"\W", "_", name)
    found = f"_{found}" if found[:1].isdigit() else found
    return f"{found}_" if keyword.iskeyword(found) or found in taken else found


def argument(name: str) -> str:
    """A name for an argument of the code. torch copies one called like a builtin, input, into input_1.

    >>> argument("input"), argument("input_1"), argument("self")
    ('input', 'input_1_', 'self_')
    """
    found = identifier(name, GLOBALS)
    return f"{found}_" if hasattr(builtins, re.sub(r"_\d+$", "", found)) and found[-1].isdigit() else found


class Names:
    """Gives every node a dotted name of its own: the groups that it stands in, its kind, its number among them."""

    def __init__(self) -> None:
        self._taken: dict[str, set[str]] = {}
        self._groups: dict[Group, str] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def of(self, node: Node) -> str:
        """The name of a layer: stem.conv1, stem.relu6_1. Layers are asked in execution order."""
        place = self._place(node.group) if node.group else ""
        kind = node.layer.kind.lower()
        number = self._counts[place, kind] = self._counts.get((place, kind), 0) + 1
        return self._own(place, f"{kind}_{number}" if kind[-1].isdigit() else f"{kind}{number}")

    def own(self, name: str) -> str:
        """A name at the top level that no other has."""
        return self._own("", name)

    def _place(self, group: Group) -> str:
        known = self._groups.get(group)
        if known is not None:
            return known
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
