"""The words and signs of expressions, and what to write instead of those of other languages."""

from __future__ import annotations

import re
from typing import NamedTuple

from archspec.expressions.values import Value

KEYWORDS = frozenset({"and", "or", "not", "in", "if", "else"})
CONSTANTS: dict[str, Value] = {"yes": True, "true": True, "no": False, "false": False, "none": None}
MISSPELT = {"True": "yes", "False": "no", "None": "none", "on": "yes", "off": "no"}
MISTAKES = {
    **{"&&": "and", "&": "and", "||": "or", "|": "or", "!": "not", "^": "**", "=": "==", "===": "==", "!==": "!="},
    **{"<>": "!=", "=>": ">=", "=<": "<=", "≤": "<=", "≥": ">=", "≠": "!=", "·": "*", "÷": "/"},
    **{"\N{MULTIPLICATION SIGN}": "*", "\N{MINUS SIGN}": "-"},
    "?": "a if c else b",
}
_WORDS = {"x": "*", "is": "==", "mod": "%", "div": "//", "AND": "and", "OR": "or", "NOT": "not", "“": "'"}
_HINTS = {
    **{found: f"write `{right}`" for found, right in (MISTAKES | _WORDS).items()},
    **dict.fromkeys(("if", "else"), "a choice is written `a if c else b`"),
    "not": "put it in parentheses: `(not c)`",
    ":": "there are no slices: write `v[i]`",
    "for": "there are no comprehensions: `each` makes one item per element of a list",
}
_NUMBER = r"(?>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
_TOKEN = re.compile(
    rf"""(?xs) \s*+ (?:
        (?P<number> {_NUMBER} (?!\w) )
      | (?P<malformed> {_NUMBER} \w+ )
      | (?P<operator> not\s+in\b )
      | (?P<word> \w+ )
      | (?P<text> '(?: [^'\\]++ | '' | \\. )*+' | "(?: [^"\\]++ | "" | \\. )*+" )
      | (?P<unclosed> ['"].* )
      | (?P<sign> \*\* | // | && | \|\| | ===? | !==? | <= | >= | <> | => | =< | . )
      | (?P<end> \Z )
    )"""
)


class Token(NamedTuple):
    """A stretch of the text: number, malformed (number), operator, word, text, unclosed (text), sign or end."""

    kind: str
    text: str
    start: int
    end: int


def scan(text: str, start: int, stop: int) -> Token:
    """The first token at `start`, spaces passed over.

    >>> scan("n  not  in v", 1, 12)
    Token(kind='operator', text='not in', start=3, end=10)
    """
    found = _TOKEN.match(text, start, stop)
    assert found, "a sign may be any character"
    kind = found.lastgroup or ""
    token = Token(kind, found[kind], *found.span(kind))
    return token._replace(text="not in") if kind == "operator" else token


def literal(token: Token) -> Value:
    """The value of a number or text; inside quotes, `''` or `\\'` stand for a quote and `\\\\` for a backslash.

    >>> literal(scan("'it''s'", 0, 7)), literal(scan("1e-6", 0, 4)), literal(scan("64", 0, 2))
    ("it's", 1e-06, 64)
    """
    if token.kind == "text":
        quote = token.text[0]
        return re.sub(rf"\\([\\{quote}])|{quote}{quote}", lambda found: found[1] or quote, token.text[1:-1])
    return int(token.text) if token.text.isdigit() else float(token.text)


def hint_for(token: Token) -> str | None:
    """What to write instead of a token that does not fit."""
    if token.kind == "unclosed":
        return f"close it with {token.text[0]}"
    if token.kind == "malformed" and re.fullmatch(r"[0-9]+(x[0-9]+)+", token.text):
        return "sizes of several axes stand in a kernel or an option: conv1x7-64, conv-64 k=1x7"
    if token.kind == "malformed":
        return f"write `{_mended(token.text[:40])}`"
    value = token.kind in ("number", "text", "word") and token.text not in KEYWORDS
    return _HINTS.get(token.text, "write an operator before it" if value else None)


def _mended(number: str) -> str:
    """The likely meaning of a number that letters follow: 3x3, 4F, 1_000, 0x1F, 3if."""
    head = re.match(_NUMBER, number)
    assert head, "it begins as a number"
    rest = number[head.end() :]
    if re.fullmatch(r"(_[0-9]+)+", rest):
        return number.replace("_", "")
    if rest in KEYWORDS:
        return f"{head[0]} {rest}"
    if re.fullmatch(r"0[xX][0-9]*[a-fA-F][0-9a-fA-F]*", number):
        return str(int(number, 16))
    if rest.startswith("x") and rest != "x":
        return re.sub(r"(?<=[0-9])x(?=\w)", "*", number)
    return f"{head[0]}*{rest}"
