"""A network as a diagram: dot source, and what a dot program makes of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from archspec.errors import ArchspecError, did_you_mean
from archspec.output import writable, write
from visualize.diagram import renderer
from visualize.diagram.depths import default_depth, nesting
from visualize.diagram.dot import dot_source
from visualize.diagram.folding import Box, layout
from visualize.diagram.labels import DEFAULT, Labels, facts
from visualize.diagram.svg import finished

if TYPE_CHECKING:
    from archspec.spec import Spec

Direction = Literal["TB", "LR"]
FORMATS = ("svg", "png", "pdf", "dot")
PRINTED = ("-Gdpi=160", "-Gbgcolor=white")  # of a png; a pdf has no dots


@dataclass(frozen=True, eq=False, repr=False)
class Diagram:
    """A drawing of a network: `source` for dot, and its `boxes`, each the element of its `key` in the SVG.

    It shows itself in notebooks.
    """

    title: str
    depth: int | None
    source: str
    boxes: tuple[Box, ...]
    tooltips: dict[str, str]
    dot: str | os.PathLike[str] | None = None

    @property
    def summary(self) -> str:
        """How much is drawn: 14 boxes, folded at depth 3."""
        folded = "unfolded" if self.depth is None else f"folded at depth {self.depth}"
        return f"{len(self.boxes)} boxes, {folded}"

    def __repr__(self) -> str:
        return f"<Diagram {self.title}: {self.summary}>"

    def svg(self) -> str:
        """The picture as one `<svg>` element; raises ArchspecError where there is no dot program, or it fails."""
        return self._svg

    @cached_property
    def _svg(self) -> str:
        drawn = renderer.render(self.source, "svg", renderer.find(self.dot))
        return finished(drawn.decode(errors="replace"), self.tooltips)

    def render(self, form: str = "svg") -> bytes:
        """The picture as svg, png, pdf or dot."""
        if form not in FORMATS:
            hint = did_you_mean(str(form), FORMATS) or f"there are {', '.join(FORMATS)}"
            raise ArchspecError("unknown-format", f"there is no format `{form}`", hint=hint)
        if form == "dot":
            return self.source.encode()
        if form == "svg":
            return self.svg().encode()
        options = PRINTED if form == "png" else PRINTED[1:]
        return renderer.render(self.source, form, renderer.find(self.dot), *options)

    def save(self, path: str | os.PathLike[str], form: str | None = None) -> None:
        """Write the picture to a file, in the format of its suffix where none is given.

        Raises ArchspecError. Where there is no dot program it first writes the source, with the suffix .dot.
        """
        path = Path(path)
        form = form or format_of(path)
        writable(path)
        try:
            picture = self.render(form)
        except ArchspecError as error:
            if error.code != "no-dot":
                raise
            source = path.with_suffix(".dot")
            write(self.source, source)
            message = f"{error.diagnostics[0].message}; {source} holds the diagram for one"
            raise ArchspecError(error.code, message, hint=error.hint) from None
        write(picture, path)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except ArchspecError as error:
            return {"text/plain": f"{self!r}\n{error}"}


def diagram(
    spec: Spec,
    depth: int | None = None,
    direction: Direction = "TB",
    show: Sequence[str] = DEFAULT,
    every: bool = False,
    dot: str | os.PathLike[str] | None = None,
) -> Diagram:
    """Draw a network: from top to bottom, or from left to right.

    `depth` folds each stage or block nested that deep into one box; 0 folds nothing, None as much as a page needs.
    `show` are the figures of a box: shape, parameters, macs, receptive_field, memory. Groups that repeat are drawn
    once, unless `every` one is wanted. `dot` is the dot program to use. Raises ArchspecError for an unknown choice.

    >>> from archspec import parse
    >>> diagram(parse("{name: a, input: 28x28x1, layers: [CONV3-10, RELU, POOL2]}"))
    <Diagram a: 3 boxes, unfolded>
    """
    if direction not in get_args(Direction):
        hint = "TB draws from top to bottom, LR from left to right"
        raise ArchspecError("unknown-direction", f"there is no direction `{direction}`", hint=hint)
    figures, analysis = facts(show), spec.analyze()
    if depth is None:
        depth = default_depth(analysis)
    else:
        depth = depth if 0 < _known(depth) <= nesting(analysis) else None
    shown, writer = layout(analysis, depth, every), Labels(analysis, figures)
    source = dot_source(shown, writer, direction)
    tooltips = {box.key: writer.detail(box) for box in shown.boxes}
    return Diagram(spec.title, depth, source, shown.boxes, tooltips, dot)


def _known(depth: object) -> int:
    """A depth that a caller gives; raises ArchspecError unless it is a whole number from 0."""
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 0:
        hint = "give a whole number from 1, or 0 to fold nothing"
        raise ArchspecError("count", f"depth cannot be {depth!r}", hint=hint)
    return depth


def format_of(path: Path) -> str:
    """The format that a file's suffix stands for; raises ArchspecError for another one."""
    suffix = path.suffix.removeprefix(".").lower()
    if suffix not in FORMATS:
        hint = f"name it {path.stem}.svg, .png, .pdf or .dot, or give the format"
        raise ArchspecError("unknown-format", f"{path} does not say which format to draw in", hint=hint)
    return suffix
