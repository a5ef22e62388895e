"""What a test reads from a figure: the rows of its data, and the texts and marks of its SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from typing import Any

from visualize.curves.figure import Figure


def rows(figure: Figure) -> list[dict[str, Any]]:
    """All rows of all data of a figure."""
    return [row for part in figure.spec["datasets"].values() for row in part]


def texts(svg: str) -> list[str]:
    """Every text of an SVG in order, line by line."""
    found = (node for node in ET.fromstring(svg).iter() if node.tag.endswith("}text"))
    return [text for node in found for line in (list(node) or [node]) if (text := "".join(line.itertext()))]


def marks(svg: str) -> Counter[str]:
    """How many marks of every kind an SVG holds, those of axes and legends apart."""
    return Counter(_marks(ET.fromstring(svg)))


def _marks(node: ET.Element) -> Iterator[str]:
    kind = re.match(r"mark-(\w+) role-mark", node.get("class", ""))
    if kind:
        yield from [kind[1]] * len(node)
        return
    for child in node:
        yield from _marks(child)
