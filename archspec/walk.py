"""What stands in a document, whatever it means: the points of a body, the words and expressions of its tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archspec.document import Document
from archspec.expressions import Expression
from archspec.source import Listing, Scalar, Value
from archspec.syntax import Choice, Each, Element, Group, Item, Merge, Sequence, Stages, Table
from archspec.variables import expressions

WORD = re.compile(r"[a-z_]\w*")


def network_points(document: Document) -> frozenset[str]:
    """The points that `layers` and the inputs define."""
    return frozenset(points(document.layers)) | document.input.keys()


def points(sequence: Sequence) -> Iterator[str]:
    """The points that a body defines: labels and stages."""
    pending: list[Element] = list(sequence.elements)
    while pending:
        element = pending.pop()
        if isinstance(element, Item):
            if element.label is not None:
                yield element.label.name + ("*" if element.label.index is not None else "")
            pending += [element.otherwise] if element.otherwise else []
            pending += element.primary.body.elements if isinstance(element.primary, Group) else ()
        elif isinstance(element, Stages):
            yield from (key.text for key, _ in element.stages)
            pending += [inner for _, body in element.stages for inner in body.elements]
        else:
            pending += [inner for body in _bodies(element) for inner in body.elements]


def _bodies(element: Each | Merge | Choice) -> Iterator[Sequence]:
    if isinstance(element, Each):
        yield element.body
    elif isinstance(element, Choice):
        yield element.then
        yield from (element.otherwise,) if element.otherwise else ()
    else:
        yield from (element.branches.body,) if isinstance(element.branches, Each) else element.branches


def table_values(table: Table) -> list[Value]:
    """What the rows of an `each` are written in."""
    return [value for _, value in table.columns or ()] + ([table.text] if table.text else [])


def cells(table: Table) -> Iterator[Expression]:
    """The expressions in the columns of a mapping."""
    for _, value in table.columns or ():
        yield from expressions(value)


def words(value: Value) -> Iterator[str]:
    """Every word in a YAML value."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, Scalar):
            yield from WORD.findall(item.text)
        elif isinstance(item, Listing):
            pending += item.items
        else:
            pending += [inner for _, inner in item.items]
