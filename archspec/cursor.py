"""A cursor over one stretch of a scalar's text: what the parser of the notation reads by."""

from __future__ import annotations

import re

from archspec.errors import ArchspecError
from archspec.source import Scalar
from archspec.syntax import Place

CLOSING = {"(": ")", "[": "]"}
NESTING_HINT = "inside [ ] and { } YAML splits at commas: put the text in quotes, or nest a list"


class Cursor:
    """The characters `at` to `stop` of a scalar's text."""

    def __init__(self, scalar: Scalar, start: int, stop: int) -> None:
        self.scalar, self.text = scalar, scalar.text
        self.at, self.stop = start, stop
        self.pairs: dict[int, int] = {}  # brackets that are known to close

    def fail(
        self, code: str, message: str, hint: str | None = None, start: int | None = None, end: int | None = None
    ) -> ArchspecError:
        start = self.at if start is None else start
        end = max(start + 1, self._word_end(start)) if end is None else end
        return ArchspecError(code, message, self.scalar.span(start, min(end, max(self.stop, start))), hint)

    def _word_end(self, start: int) -> int:
        """Where the word at `start` ends, for underlining."""
        end = start
        while end < self.stop and not self.text[end].isspace() and self.text[end] not in ",()[]":
            end += 1
        return end

    def peek(self, text: str) -> bool:
        return self.at + len(text) <= self.stop and self.text.startswith(text, self.at)

    def match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at, self.stop)
        return found.group() if found else None

    def spaces(self) -> None:
        while self.at < self.stop and self.text[self.at].isspace():
            self.at += 1

    def place(self, start: int, end: int | None = None) -> Place:
        return Place(self.scalar, start, self.at if end is None else end)

    def trimmed(self, start: int) -> Place:
        """From `start` to here, without trailing space."""
        end = self.at
        while end > start and self.text[end - 1].isspace():
            end -= 1
        return self.place(start, end)

    def closing(self, opening: int) -> int:
        """The offset of the bracket that closes the one at `opening`; quotes and nested brackets are passed over.

        What stands in brackets is passed over once, however deep they are nested.
        """
        if opening in self.pairs:
            return self.pairs[opening]
        pending: list[tuple[int, str]] = []
        quote, since = "", opening
        for offset in range(opening, self.stop):
            char = self.text[offset]
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote, since = char, offset
            elif char in CLOSING:
                pending.append((offset, CLOSING[char]))
            elif char in ")]":
                start, closing = pending.pop()
                if char != closing:
                    break
                self.pairs[start] = offset
                if not pending:
                    return offset
        if quote:
            raise self.fail("unbalanced", "the quote is never closed", "close it", since, since + 1)
        raise self.fail(
            "unbalanced",
            f"the {self.text[opening]} is never closed",
            f"close it; {NESTING_HINT}",
            opening,
            opening + 1,
        )

    def found(self) -> str:
        end = max(self.at + 1, self._word_end(self.at))
        return f"`{self.text[self.at : end][:40]}`" if self.at < self.stop else "the end"

    def boundary(self, code: str, start: int) -> None:
        """What stands here must end the word."""
        if self.at < self.stop and not self.text[self.at].isspace() and self.text[self.at] not in ",)":
            end = self._word_end(start)
            text = self.text[start:end]
            raise self.fail(
                code, f"`{text}` is not one value", f"put a computation in parentheses: ({text})", start, end
            )
