"""What is drawn, as dot source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import graphviz  # type: ignore[import-untyped]

from archspec.graph import LayerGraph
from archspec.nodes import Node
from visualize.diagram.folding import Box, Edge, Layout, edges, ranks, sharing, spine
from visualize.diagram.labels import WIDEST, Labels, end, title
from visualize.diagram.repeats import Part
from visualize.style import LIGHT

STRAIGHT, NEAR, FAR = "64", "4", "1"  # how much an edge resists to bend: on the main chain, to a neighbour, a skip
NARROW = 12  # characters: a frame's title beside the arrow that enters it from above
GRAPH = {
    "fontname": "Helvetica",
    "bgcolor": "transparent",
    "nodesep": "0.25",
    "ranksep": "0.24",
    "pad": "0.1",
    "labeljust": "l",
    "newrank": "true",  # ranks go by the edges, not by the frames
}
ACROSS = {  # the titles of frames out of the way of arrows, which enter them from above or pass over them
    "TB": {"rankdir": "TB", "labelloc": "t"},
    "LR": {"rankdir": "LR", "labelloc": "b"},
}
NODE = {"fontname": "Helvetica", "shape": "plain", "margin": "0.09,0.04", "height": "0.25", "width": "0.4"}
EDGE = {"color": LIGHT.arrow, "arrowsize": "0.6"}


def dot_source(shown: Layout, labels: Labels, direction: str) -> str:
    """The source of a diagram; the same network gives the same text."""
    graph = labels.analysis.graph
    dot = graphviz.Digraph("archspec", graph_attr=GRAPH | ACROSS[direction], node_attr=NODE, edge_attr=EDGE)
    _boxes(dot, shown, labels, NARROW if direction == "TB" else WIDEST)
    _edges(dot, shown, graph)
    _outputs(dot, shown, labels, graph)
    return str(dot.source)


def _boxes(dot: graphviz.Digraph, shown: Layout, labels: Labels, widest: int) -> None:
    """The boxes in order, within the frames that open and close around them."""
    number, around = 0, list[Part]()
    for box in shown.boxes:
        frames = [part for part in box.parts if part in shown.framed]
        common = next((i for i, (a, b) in enumerate(zip(around, frames, strict=False)) if a is not b), None)
        common = min(len(around), len(frames)) if common is None else common
        dot.body.extend(["}\n"] * (len(around) - common))
        for level, part in enumerate(frames[common:], common):
            dot.body.append(_frame(number, level, _named(part, shown, widest)))
            number += 1
        around = frames
        dot.node(box.key, **_look(box, labels, labels.analysis.graph))
    dot.body.extend(["}\n"] * len(around))


def _named(part: Part, shown: Layout, widest: int) -> str:
    """The title of a frame: the group, and how often it repeats."""
    times = shown.times.get(part, 1)
    return title(f"{part.group.label} x {times}" if times > 1 else part.group.label, widest)


def _frame(number: int, level: int, label: str) -> str:
    """The opening of a frame, a cluster."""
    look = {
        "id": f'"frame-{number}"',
        "class": '"frame"',
        "label": label,
        "style": '"rounded,filled"',
        "fillcolor": f'"{LIGHT.frames[level % 2]}"',
        "color": f'"{LIGHT.border}"',
    }
    return f'subgraph "cluster-{number}" {{ graph [{" ".join(f"{key}={value}" for key, value in look.items())}]\n'


def _look(box: Box, labels: Labels, graph: LayerGraph) -> dict[str, str]:
    """The attributes of a box; dashed where it does not work for the outputs."""
    dashed = not any(node in graph.inference for node in box.nodes)
    kinds = ["box", f"family-{box.family}", *(["folded"] if box.folded else []), *(["training"] if dashed else [])]
    found = {"id": box.key, "class": " ".join(kinds)}
    label = labels.bare(box)
    if label is None:
        return found | {"label": labels.card(box, dashed)}
    return found | {
        "label": label,
        "shape": "box" if box.style.shape == "oval" else box.style.shape,
        "style": ("filled" if box.style.shape == "ellipse" else "rounded,filled") + (",dashed" if dashed else ""),
        "fillcolor": box.style.fill,
        "color": box.style.line,
    }


def _edges(dot: graphviz.Digraph, shown: Layout, graph: LayerGraph) -> None:
    between = edges(shown, graph)
    rank = ranks(shown.boxes, between)
    main = spine(shown.boxes, between, [shown.box_of[node] for node in graph.outputs.values()])
    for edge in between:
        near = rank[edge.target] - rank[edge.source] == 1
        weight = STRAIGHT if (edge.source, edge.target) in main else NEAR if near else FAR
        dot.edge(edge.source.key, edge.target.key, weight=weight, **dict(_kind(edge, near)))
    for holder, user in sharing(shown):
        look = {"color": LIGHT.weights, "style": "dashed", "dir": "none", "constraint": "false"}
        dot.edge(holder.key, user.key, **{"class": "weights"}, **look)


def _kind(edge: Edge, near: bool) -> Iterator[tuple[str, str]]:
    kinds = {"size": edge.size_only, "training": edge.training, "skip": not near}
    yield from [("class", " ".join(kind for kind, holds in kinds.items() if holds))] if any(kinds.values()) else []
    yield from [("style", "dotted")] if edge.size_only else [("style", "dashed")] if edge.training else []


def _outputs(dot: graphviz.Digraph, shown: Layout, labels: Labels, graph: LayerGraph) -> None:
    """A rounded end behind every output."""
    ends = [("output", graph.outputs, ""), ("training-output", graph.training_outputs, ",dashed")]
    for kind, outputs, dashed in ends:
        for number, (output, node) in enumerate(outputs.items()):
            key = f"{kind}-{number}"
            shape = [str(node.shape)] if "shape" in labels.facts else []
            label = end(_ending(kind, output, outputs), shape)
            look = {"shape": "box", "style": f"rounded,filled{dashed}", "fillcolor": LIGHT.paper, "color": LIGHT.arrow}
            dot.node(key, id=key, **{"class": "end"}, label=label, **look)
            dot.edge(shown.box_of[node].key, key, weight=STRAIGHT, **({"style": "dashed"} if dashed else {}))


def _ending(kind: str, output: str, outputs: Mapping[str, Node]) -> str:
    if kind == "output":
        return "Output" if len(outputs) == 1 else f"Output {output}"
    return f"Training output {output}"
