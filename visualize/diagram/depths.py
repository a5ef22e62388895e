"""How deep a diagram is unfolded where nobody says: as far as a printed page can be read."""

from __future__ import annotations

from archspec.analysis import Analysis
from visualize.diagram.folding import edges, layout, ranks

LONGEST = 30  # boxes one after the other
MOST = 60  # boxes


def default_depth(analysis: Analysis) -> int | None:
    """The deepest folding, tried from the outside in, of at most LONGEST boxes in a row and MOST in all; else 1.

    None says that nothing needs to be folded.
    """
    deepest = nesting(analysis)
    if not deepest:
        return None
    found = 1
    for depth in range(1, deepest + 1):
        if not _readable(analysis, depth):
            return found
        found = depth
    return None if _readable(analysis, None) else found


def nesting(analysis: Analysis) -> int:
    """How deep the groups of a network are nested."""
    groups = {node.group for node in analysis.graph}
    return max(len(group.ancestry()) if group else 0 for group in groups)


def _readable(analysis: Analysis, depth: int | None) -> bool:
    shown = layout(analysis, depth)
    longest = 1 + max(ranks(shown.boxes, edges(shown, analysis.graph)).values())
    return len(shown.boxes) <= MOST and longest <= LONGEST
