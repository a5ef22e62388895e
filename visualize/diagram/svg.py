"""What is made of dot's SVG: tooltips, colours that follow a dark background, a size that scales, text that fits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from visualize.style import DARK, LIGHT, Scheme

FONTS = "Helvetica, Arial, Arimo, 'Liberation Sans', sans-serif"
_FONT = re.compile(r' font-family="Helvetica[^"]*"')
_TITLE = re.compile(r'(<g id="([^"]*)" class="[^"]*">\s*)<title>[^<]*</title>')
_NODE = re.compile(r'<g id="[^"]*" class="node .*?</g>', re.DOTALL)
_SHAPE_OR_TEXT = re.compile(
    r'<(?:polygon|path|ellipse)[^>]*? (?:points|d|cx)="([^"]*)"|<text text-anchor="start" x="([^"]*)"'
)
_ABSCISSA = re.compile(r"(-?[\d.]+),-?[\d.]+")


def finished(svg: str, tooltips: Mapping[str, str]) -> str:
    """One `<svg>` element: ids and classes spelt plainly, `tooltips` by id as titles, and its own small style."""
    body = svg[svg.index("<svg") :].replace(' xml:space="preserve"', "").replace("&#45;", "-")
    body = re.sub(r"<!--.*?-->\n?", "", body, flags=re.DOTALL)
    body = _NODE.sub(lambda found: _fitted(found[0]), _FONT.sub("", body))
    body = _TITLE.sub(lambda found: found[1] + _title(tooltips.get(found[2])), body)
    start, end, rest = body.partition(">")
    start = start.replace("<svg", f'<svg class="archspec-diagram" role="img" font-family="{FONTS}"', 1)
    return f"{start}{end}\n<style>{STYLE}</style>{rest.rstrip()}\n"


def _title(text: str | None) -> str:
    return f"<title>{escape(text, quote=False)}</title>" if text else ""


def _fitted(node: str) -> str:
    """A node whose texts keep the width that dot laid them out with, whatever font the reader has.

    A text is centred in the shape drawn before it, so that its width is twice the way from its start to the centre.
    """
    centre = 0.0

    def fit(found: re.Match[str]) -> str:
        nonlocal centre
        if found[1] is not None:
            places = [float(x) for x in _ABSCISSA.findall(found[1])] or [float(found[1])]
            centre = (min(places) + max(places)) / 2
            return found[0]
        width = 2 * (centre - float(found[2]))
        return f'{found[0]} textLength="{width:.2f}" lengthAdjust="spacingAndGlyphs"' if width > 0 else found[0]

    return _SHAPE_OR_TEXT.sub(fit, node)


def _rules(scheme: Scheme) -> str:
    """The colours of one scheme, put over those that dot wrote for the light one."""
    pairs = [
        (scheme.paper, LIGHT.paper, "fill"),
        (scheme.text, LIGHT.text, "fill"),
        (scheme.arrow, LIGHT.arrow, "fill"),
        (scheme.arrow, LIGHT.arrow, "stroke"),
        (scheme.weights, LIGHT.weights, "stroke"),
        (scheme.border, LIGHT.border, "stroke"),
        *((new, old, "fill") for new, old in zip(scheme.frames, LIGHT.frames, strict=True)),
    ]
    return "".join(f'.archspec-diagram [{what}="{old}"]{{{what}:{new}}}' for new, old, what in pairs)


STYLE = f"svg.archspec-diagram{{max-width:100%;height:auto}}@media (prefers-color-scheme:dark){{{_rules(DARK)}}}"
