"""How a layer looks: one table from family to colours and shape, and the few other colours of a diagram.

The fills are Paul Tol's light scheme, chosen to stay apart for every kind of colour vision, and his pale grey; on each
of them `INK` keeps a contrast far above 4.5:1. A family is never told by its colour alone: the label names the layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from archspec.layers import Family

INK = "#111111"  # text on the fill of a family
ARROW = "#4d5566"
WEIGHTS = "#8a5a00"  # between layers that use the same weights


@dataclass(frozen=True, slots=True)
class Style:
    """The look of one family: colours, and the dot shape of a layer that stands alone under its name.

    A `slim` layer shows what it changes and nothing else; an `attached` one joins the layer that it follows.
    """

    fill: str
    line: str
    shape: str = "plain"  # a card: the name in colour, the figures under it
    slim: bool = False
    attached: bool = False


@dataclass(frozen=True, slots=True)
class Scheme:
    """The colours that follow the reader's light or dark background."""

    paper: str
    text: str
    arrow: str
    weights: str
    border: str
    frames: tuple[str, str]  # by turns, as frames nest


LIGHT = Scheme("#ffffff", "#333333", ARROW, WEIGHTS, "#a9b0bc", ("#f5f6f8", "#eceff3"))
DARK = Scheme("#20242c", "#e2e6ee", "#b3bbc9", "#e0b050", "#565e6c", ("#171a20", "#1e222a"))

_STYLES: dict[Family, Style] = {
    Family.INPUT: Style("#ffffff", "#4d5566", "oval"),
    Family.CONVOLUTION: Style("#77aadd", "#2f5d8c"),
    Family.POOLING: Style("#44bb99", "#1d6b55"),
    Family.LINEAR: Style("#ee8866", "#94401f"),
    Family.NORMALIZATION: Style("#dddddd", "#666666", "box", slim=True, attached=True),
    Family.ACTIVATION: Style("#eedd88", "#7d6c14", "box", slim=True, attached=True),
    Family.REGULARIZATION: Style("#aaaa00", "#5c5c00", "box", slim=True, attached=True),
    Family.MERGE: Style("#ffaabb", "#a03b50", "ellipse", slim=True),
    Family.RESHAPE: Style("#f4f4f4", "#666666", "box", slim=True),
    Family.ATTENTION: Style("#bbcc33", "#5f6a00"),
    Family.EMBEDDING: Style("#99ddff", "#1f6f94"),
    Family.RECURRENT: Style("#cc99cc", "#7a3f7a"),
}


def style(family: Family) -> Style:
    """The look of a family.

    >>> style(Family.CONVOLUTION).fill
    '#77aadd'
    """
    return _STYLES[family]


def styles() -> Mapping[Family, Style]:
    """The whole table."""
    return MappingProxyType(_STYLES)
