"""What is written in the boxes of a diagram, as dot's HTML-like labels; numbers and sizes as the report writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape
from textwrap import wrap

from archspec.analysis import Analysis
from archspec.errors import ArchspecError, did_you_mean
from archspec.report import COLUMNS
from archspec.report.columns import Style as Writing
from archspec.report.columns import View, number
from archspec.report.rows import single
from visualize.diagram.folding import Box
from visualize.style import INK, LIGHT, style

DEFAULT = ("layer", "shape", "receptive_field", "parameters")
FACTS = {  # the column of the report, and what stands around it
    "shape": ("activations", "{}"),
    "parameters": ("parameters", "{} parameters"),
    "macs": ("macs", "{} MACs"),
    "receptive_field": ("receptive_field", "RF {}"),
    "memory": ("memory", "{} bytes"),
}
WIDEST, MOST_LINES = 30, 5  # characters and lines
LISTED = 40  # layers in a tooltip
UNSPOKEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # characters that XML does not have


def facts(names: Iterable[str]) -> tuple[str, ...]:
    """The figures to write, `layer` aside, which always is; raises ArchspecError for an unknown one."""
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in FACTS and name != "layer":
            hint = did_you_mean(name, FACTS) or f"there are layer, {', '.join(FACTS)}"
            raise ArchspecError("unknown-figure", f"a diagram cannot show `{name}`", hint=hint)
    return tuple(name for name in chosen if name != "layer")


@dataclass(frozen=True)
class Labels:
    """Writes the boxes of one network."""

    analysis: Analysis
    facts: tuple[str, ...]

    def card(self, box: Box, dashed: bool) -> str:
        """A table: the first layer on its family's colour, attached ones beside or under it, the figures below."""
        slim = box.style.slim and not box.folded
        span = max(1, len(box.rows) - (0 if slim else 1))
        cells = [_cell(row.label, style(row.first.layer.family).fill) for row in box.rows[1:]]
        label = box.label if box.folded else box.rows[0].label
        head = _cell(label, box.style.fill) if slim else _cell(label, box.style.fill, span, size=12, bold=True)
        lines = [[head, *cells]] if slim or not cells else [[head], cells]
        top = "".join(f"<TR>{'<VR/>'.join(line)}</TR>" for line in lines)
        figures = self.figures(box)
        body = f'<TR><TD COLSPAN="{span}" BGCOLOR="{LIGHT.paper}">{_text(figures)}</TD></TR>' if figures else ""
        look = f'COLOR="{box.style.line}" BGCOLOR="{LIGHT.paper}"' + (' STYLE="DASHED"' if dashed else "")
        spacing = f'BORDER="1" CELLBORDER="0" CELLPADDING="3" CELLSPACING="{2 if box.folded else 0}"'
        return f"<<TABLE {spacing} {look}>{top}{body}</TABLE>>"

    def bare(self, box: Box) -> str | None:
        """The label of a layer that needs no card: an input, or a slim layer without attached ones and figures."""
        if len(box.rows) > 1 or box.folded or box.style.shape == "plain":
            return None
        if box.style.slim:
            return None if self.figures(box) else name(box.label)
        return end(box.label, self.figures(box))

    def figures(self, box: Box) -> list[str]:
        """The lines below the name; what is zero is left out, of a slim layer also what it does not change."""
        view = View(self.analysis, Writing("values"))
        first = box.rows[0].first
        if not first.inputs:
            return [COLUMNS["activations"].text(box.row, view)] if "shape" in self.facts else []
        before = replace(box.row, nodes=(first.inputs[0],), folded=False)
        last = replace(box.row, nodes=box.nodes[-len(box.row.nodes) :])  # its like in the last repeat
        found: list[str] = []
        for fact in self.facts:
            column, around = FACTS[fact]
            text, then = (COLUMNS[column].text(row, view) for row in (box.row, last))
            same = fact in ("shape", "receptive_field") and COLUMNS[column].text(before, view) == text
            if fact == "parameters" and any(row.shared for row in box.rows):
                found.append("weights shared")
                text = then = number(box.row.parameters.value)
            text = text if text == then else f"{text} to {then}"
            if text == "0" or (same and box.style.slim and not box.folded):
                continue
            found.append(around.format(text))
        return found

    def detail(self, box: Box) -> str:
        """Everything about a box, for whoever points at it."""
        view = View(self.analysis, Writing("formulas"))
        lines = [] if len(box.nodes) == 1 else [box.label, f"{len(box.nodes)} layers"]
        for row in (single(node, self.analysis) for node in box.nodes[:LISTED]):
            columns = ("path", "layer", "activations", "parameters", "macs", "receptive_field")
            path, label, shape, parameters, macs, field = (COLUMNS[column].text(row, view) for column in columns)
            where = f" ({path})" if path else ""
            lines.append(
                f"{row.first.index}: {label}{where}: {shape}; {parameters} parameters; {macs} MACs; RF {field}"
            )
        left = len(box.nodes) - LISTED
        return plain("\n".join([*lines, f"... and {left} more"] if left > 0 else lines))


def _cell(text: str, fill: str, span: int = 1, size: int = 10, bold: bool = False) -> str:
    written = _lines(text)
    written = f"<B>{written}</B>" if bold else written
    return f'<TD COLSPAN="{span}" BGCOLOR="{fill}"><FONT POINT-SIZE="{size}" COLOR="{INK}">{written}</FONT></TD>'


def _text(figures: Sequence[str]) -> str:
    """Figures, as many to a line as fit."""
    lines = [""]
    for figure in figures:
        longer = f"{lines[-1]} \N{MIDDLE DOT} {figure}" if lines[-1] else figure
        lines = [*lines[:-1], longer] if not lines[-1] or len(longer) <= WIDEST else [*lines, figure]
    joined = "<BR/>".join(map(_escaped, lines))
    return f'<FONT POINT-SIZE="10" COLOR="{LIGHT.text}">{joined}</FONT>'


def name(text: str) -> str:
    """The label of a layer that is its name alone."""
    return f'<<FONT POINT-SIZE="10" COLOR="{INK}">{_lines(text)}</FONT>>'


def title(text: str, widest: int) -> str:
    """The label of a frame, in lines of at most `widest` characters."""
    return f'<<FONT POINT-SIZE="9" COLOR="{LIGHT.text}">{_lines(text, widest, left=True)}</FONT>>'


def end(text: str, figures: Sequence[str] = ()) -> str:
    """The label of an input or output: its title and its figures."""
    heading = f'<TR><TD><FONT POINT-SIZE="12" COLOR="{LIGHT.text}"><B>{_lines(text)}</B></FONT></TD></TR>'
    below = f"<TR><TD>{_text(figures)}</TD></TR>" if figures else ""
    return f'<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="1">{heading}{below}</TABLE>>'


def _lines(text: str, widest: int = WIDEST, left: bool = False) -> str:
    """Text in lines of at most `widest` characters, not more than MOST_LINES of them."""
    joined = plain(text).replace(" x ", " x\N{NO-BREAK SPACE}")  # `x 6` stays on one line
    lines = [line.replace("\N{NO-BREAK SPACE}", " ") for line in wrap(joined, widest)] or [""]
    lines = [*lines[: MOST_LINES - 1], "..."] if len(lines) > MOST_LINES else lines
    end_of_line = '<BR ALIGN="LEFT"/>' if left else "<BR/>"
    return end_of_line.join(map(_escaped, lines)) + (end_of_line if len(lines) > 1 and left else "")


def plain(text: str) -> str:
    """Text without characters that no XML document may hold."""
    return UNSPOKEN.sub(lambda found: found[0] if found[0] == "\n" else "\N{REPLACEMENT CHARACTER}", text)


def _escaped(text: str) -> str:
    return escape(re.sub(r"(^| )x (?=\d)", "\\1\N{MULTIPLICATION SIGN} ", plain(text)))
