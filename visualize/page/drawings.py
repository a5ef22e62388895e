"""The diagram at several depths, as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from archspec.errors import ArchspecError
from archspec.spec import Spec
from visualize.diagram import Diagram, diagram, renderer
from visualize.diagram.svg import finished
from visualize.style import DARK, LIGHT, Scheme

MOST_BOXES = 450  # of a drawing
MOST_LAYERS = 5000  # of a network that is drawn at more than one depth
MOST_TEXT = 600_000  # characters of all drawings together


def drawings(spec: Spec) -> dict[str, object]:
    """The drawings from the coarsest to every layer, as far as they fit, and why one is missing.

    Of every box the key of its element in the SVG, the numbers of its nodes as stretches [first, last], and its label.
    `depth` 0 folds nothing.
    """
    chosen, missing = _chosen(spec)
    try:
        with ThreadPoolExecutor(2) as pool:
            pictures = list(pool.map(_svg, chosen))
    except ArchspecError as error:
        return {"depths": [], "missing": str(error.diagnostics[0].message), "colours": []}
    found: list[dict[str, object]] = []
    room = MOST_TEXT
    for one, svg in zip(chosen, pictures, strict=True):
        room -= len(svg)
        if room < 0 and found:
            missing = "deeper drawings are left out, to keep the page small"
            break
        boxes = [[box.key, _stretches(node.index for node in box.nodes), box.label] for box in one.boxes]
        found.append({"depth": one.depth or 0, "svg": svg, "boxes": boxes})
    return {"depths": found, "missing": missing, "colours": _colours()}


def _chosen(spec: Spec) -> tuple[list[Diagram], str | None]:
    """The diagrams by depth; of those with the same boxes the deepest."""
    deepest = max((len(node.group.ancestry()) for node in spec if node.group), default=0)
    found: list[Diagram] = []
    for depth in (*range(1, deepest + 1), 0):
        if found and len(spec) > MOST_LAYERS:
            return found, f"of more than {MOST_LAYERS} layers the coarsest drawing alone is shown"
        one = diagram(spec, depth)
        if found and len(one.boxes) > MOST_BOXES:
            return found, f"deeper drawings have more than {MOST_BOXES} boxes and are left out"
        if found and [box.nodes for box in one.boxes] == [box.nodes for box in found[-1].boxes]:
            found.pop()
        found.append(one)
    return found, None


def _svg(one: Diagram) -> str:
    """The picture without its style, in the place of which the page has its own."""
    start, _, rest = finished(_drawn(one.source), one.tooltips).partition("<style>")
    return start + rest.partition("</style>")[2]


@lru_cache(maxsize=16)
def _drawn(source: str) -> str:
    """What dot makes of a source; a page that follows its spec often has the same one again."""
    return renderer.render(source, "svg", renderer.find()).decode()


def _colours() -> list[tuple[str, str, str]]:
    """Attribute, light colour and dark colour of what is drawn in the colours of a scheme."""
    pairs = zip(_scheme(LIGHT), _scheme(DARK), strict=True)
    return [(attribute, light, dark) for light, dark in pairs for attribute in ("fill", "stroke")]


def _scheme(scheme: Scheme) -> tuple[str, ...]:
    return (scheme.paper, scheme.text, scheme.arrow, scheme.weights, scheme.border, *scheme.frames)


def _stretches(numbers: Iterable[int]) -> Sequence[Sequence[int]]:
    """Numbers in a row as [first, last]."""
    found: list[list[int]] = []
    for value in sorted(numbers):
        if found and found[-1][1] == value - 1:
            found[-1][1] = value
        else:
            found.append([value, value])
    return found
