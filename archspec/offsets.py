"""Where in the YAML each character of a scalar's text stands.

YAML readers tell where a scalar starts and ends, but folding, quotes and escapes move what lies between. The rules of
reading are followed here once more, for places instead of text.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterable
from itertools import islice

BREAK = r"(?:\r\n|\r|\n)"
BREAKS = re.compile(BREAK)
FOLD = rf"{BREAK}(?:[ \t]*+{BREAK})*+[ \t]*+"
FLOW = {
    style: re.compile(rf"(?P<fold>[ \t]*+{FOLD})|(?P<join>{join})|(?P<one>{one})|(?:[ \t]++|[^ \t\r\n{special}]++)")
    for style, special, one, join in (
        ("", "", "(?!)", "(?!)"),
        ("'", "'", "''", "(?!)"),
        ('"', r"\\", r"\\(?:x..|u.{4}|U.{8}|[^\r\n])", rf"\\{FOLD}"),
    )
}
LINE = re.compile(rf"(?P<spaces> *+)(?P<rest>[^\r\n]*+)(?P<end>{BREAK}?)")
HEADER = re.compile(rf"[|>](?P<indicators>[-+0-9]*)[^\r\n]*+{BREAK}?")

Pair = tuple[int, int]


class Offsets:
    """For each character of a scalar's text, the offsets at which its source starts and ends.

    The source is source[start:end], of style "" (plain), "'", '"', "|" or ">". Text that does not fit it is taken to
    stand in all of it.

    >>> found = Offsets("say 'it''s'", "it's", "'", 4, 11)
    >>> list(found.starts), list(found.ends)
    ([5, 6, 7, 9], [6, 7, 9, 10])
    """

    __slots__ = ("ends", "starts")

    def __init__(self, source: str, text: str, style: str, start: int, end: int) -> None:
        self.starts, self.ends = array("Q"), array("Q")
        if style in ("|", ">"):
            self._block(source, start, text, style == ">")
        else:
            self._flow(source, start + len(style), end - len(style), style)
        if len(self.starts) != len(text):
            self.starts, self.ends = array("Q", [start]) * len(text), array("Q", [end]) * len(text)

    def _copy(self, start: int, end: int) -> None:
        """Characters that stand for themselves."""
        self.starts.extend(range(start, end))
        self.ends.extend(range(start + 1, end + 1))

    def _add(self, pairs: Iterable[Pair]) -> None:
        """One character for each stretch of the source: an escape or a line break."""
        for start, end in pairs:
            self.starts.append(start)
            self.ends.append(end)

    def _flow(self, source: str, start: int, end: int, style: str) -> None:
        """One line break is a space, k of them are k - 1 breaks; a backslash before them drops the first."""
        for token in FLOW[style].finditer(source, start, end):
            if token.lastgroup is None:
                self._copy(*token.span())
            elif token.lastgroup == "one":
                self._add([token.span()])
            else:
                breaks = [found.span() for found in BREAKS.finditer(source, *token.span())]
                self._add(breaks[1:] if token.lastgroup == "join" or breaks[1:] else breaks)

    def _block(self, source: str, start: int, text: str, folded: bool) -> None:
        """Each line break is itself, or is folded between two lines of prose; the last ones are chomped."""
        header = HEADER.match(source, start)
        assert header, "a block starts with its indicator"
        indent = _indent(source, header.end(), text)
        last: list[Pair] = []  # the break of the last line that is not blank
        gap: list[Pair] = []  # those of the blank lines after it
        prose = False
        for line in LINE.finditer(source, header.end()):
            inside = len(line["spaces"]) - indent
            if line["rest"] and inside < 0:
                break
            close = [line.span("end")] if line["end"] else []
            if not line["rest"] and inside <= 0:
                gap += close
                continue
            content = line.end("spaces") - inside
            before, prose = prose, folded and source[content] not in " \t"
            self._add((gap or last) if before and prose else last + gap)
            self._copy(content, line.end("rest"))
            last, gap = close, []
        self._add(last if "-" not in header["indicators"] else [])
        self._add(gap if "+" in header["indicators"] else [])


def _indent(source: str, at: int, text: str) -> int:
    """Indentation of the block that starts at `at`: what its first line has in spaces before those of the text."""
    body = text.lstrip("\n")
    if not body:
        return sys.maxsize
    line = next(islice(LINE.finditer(source, at), len(text) - len(body), None), None)
    return len(line["spaces"] if line else "") - (len(body) - len(body.lstrip(" ")))
