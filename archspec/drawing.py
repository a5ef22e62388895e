"""How an error is drawn: the source line with its caret, and text that no terminal acts on."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

EXCERPT = 96  # columns of a source line that an error shows; longer lines are cut around the caret
LONGEST_LINE = 400  # characters of a message or hint that are shown


def excerpt(text: str, line: int, column: int, length: int) -> Iterator[str]:
    """Line `line` with a caret line under `length` characters from `column` on, cut to EXCERPT columns around them.

    >>> print(*excerpt("layers: CONV3", 2, 9, 5), sep="\\n")
      2 | layers: CONV3
        |         ^^^^^
    """
    start = column - 1
    length = max(1, min(length, len(text) - start))
    left = max(0, min(start - EXCERPT // 3, len(text) - EXCERPT))
    before, word = text[left:start], text[start : start + length]
    after = text[start + length : left + EXCERPT]
    word = word[: max(1, left + EXCERPT - start)]
    head, tail = "... " if left else "", " ..." if left + EXCERPT < len(text) else ""
    gutter = " " * len(str(line))
    yield f"  {line} | {head}{printable(before + word + after)}{tail}"
    yield f"  {gutter} | {' ' * (len(head) + display_width(before))}{'^' * max(1, display_width(word))}"


def clipped(line: str) -> str:
    """A line of at most LONGEST_LINE characters."""
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} ..."


def printable(text: str) -> str:
    """One column a character where a control character or line end stands, so that no terminal acts on it."""
    return "".join(" " if char in "\t\n\r" else char if char.isprintable() else "?" for char in text)


def display_width(text: str) -> int:
    """The terminal columns of a text: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    combining, wide = unicodedata.combining, unicodedata.east_asian_width
    return sum(0 if combining(char) else 2 if wide(char) in "WF" else 1 for char in text)
