"""The compact notation: text -> items. One method per rule of the grammar; every error points at its word."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from archspec.cursor import CLOSING, NESTING_HINT
from archspec.errors import ArchspecError, Findings
from archspec.expressions import Expression, parse, parse_prefix
from archspec.layers import transparent_name
from archspec.source import SHORTER, Scalar
from archspec.syntax import (
    Argument,
    Call,
    From,
    Group,
    Item,
    Place,
    PointRef,
    Sequence,
    Thing,
)
from archspec.words import MODIFIERS, WORD, Words

ARGUMENT_NAME = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)")
LONGEST_WORD = 100
LONGEST_TEXT = 100_000
DEEPEST = 50

T = TypeVar("T")


def parse_sequence(scalar: Scalar, start: int = 0, stop: int | None = None) -> Sequence:
    """The items of a text, separated by commas; raises ArchspecError with every faulty item's finding.

    >>> len(parse_sequence(Scalar.of("CONV3-10, POOL2, FLATTEN, FC-3")).elements)
    4
    """
    parser = Parser(scalar, start, len(scalar.text) if stop is None else stop)
    if parser.stop - start > LONGEST_TEXT:
        message = f"a text of {parser.stop - start:,} characters; it may have {LONGEST_TEXT:,}"
        raise parser.fail("too-large", message, SHORTER, start)
    items = parser.items(collect=True)
    parser.findings.raise_any()
    return Sequence(tuple(items), Place(scalar, start, parser.stop))


class Parser(Words):
    """A recursive-descent parser over one stretch of a scalar's text."""

    def __init__(self, scalar: Scalar, start: int, stop: int, depth: int = 0) -> None:
        super().__init__(scalar, start, stop)
        self.depth = depth
        self.findings = Findings()

    # -- sequences and items ---------------------------------------------------------------------------------------

    def items(self, collect: bool = False) -> list[Item]:
        """sequence = item { "," item } [ "," ]; with `collect`, a faulty item is noted and the next one read."""
        found: list[Item] = []
        self.spaces()
        if self.at >= self.stop:
            hint = f"write at least one layer, or {transparent_name()}"
            raise self.fail("empty-sequence", "there is no item here", hint)
        depth = self.depth
        while self.at < self.stop:
            try:
                found.append(self.item())
                self.separator()
            except ArchspecError as error:
                if not collect:
                    raise
                self.findings.add(*error.diagnostics)
                self.depth = depth
                self.skip()
        return found

    def separator(self) -> None:
        """The comma behind an item, or the end."""
        self.spaces()
        if self.at >= self.stop:
            return
        if self.peek(")") or self.peek("]"):
            raise self.fail("unbalanced", f"this {self.text[self.at]} closes nothing", NESTING_HINT)
        if not self.peek(","):
            raise self.fail(
                "missing-comma", f"found {self.found()} where a comma should be", "separate items by commas"
            )
        self.at += 1
        self.spaces()

    def skip(self) -> None:
        """On to the item behind the next comma that stands outside all brackets."""
        depth = 0
        while self.at < self.stop:
            char = self.text[self.at]
            depth += (char in "([") - (char in ")]")
            self.at += 1
            if char == "," and depth <= 0:
                break
        self.spaces()

    def item(self) -> Item:
        """item = primary { modifier } [ "if" EXPR [ "else" item ] ]"""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("too-deep", f"items are nested more than {DEEPEST} deep", "make a block of the inner part")
        self.spaces()
        start = self.at
        primary = self.primary()
        repeat, label, share = self.modifiers()
        condition, otherwise = self.conditional()
        self.depth -= 1
        return Item(primary, self.trimmed(start), repeat, label, share, condition, otherwise)

    def primary(self) -> Thing | Call | From | Group:
        if self.peek("("):
            return self.group()
        start, word = self.at, self.match(WORD)
        if word is None:
            raise self._not_an_item()
        if len(word) > LONGEST_WORD:
            raise self.fail("too-long", f"a word of {len(word)} characters", "names are shorter")
        if word in MODIFIERS:
            raise self.fail("missing-item", f"`{word}` needs an item before it", "write the layer or block first")
        self.at += len(word)
        if word == "from":
            self.spaces()
            return From(self.point())
        if self.peek("(") and (word[0].islower() or word[0] == "_"):
            end = self.closing(self.at)
            if not self._kernel_goes_on(end + 1):
                return self.call(word, start, end)
        return self.thing(word, start)

    def _not_an_item(self) -> ArchspecError:
        if self.at >= self.stop:
            return self.fail("missing-item", "an item is missing at the end", "write a layer or block")
        if self.peek(","):
            return self.fail("empty-item", "there is no item before this comma", "remove the comma")
        hint = "an item is a layer (CONV3-10), a block (conv(64)), `from point`, or items in parentheses"
        return self.fail("not-an-item", f"{self.found()} does not start an item", hint)

    def _kernel_goes_on(self, at: int) -> bool:
        """Whether what follows a parenthesis shows that it held a kernel: `conv(3)-64`, `conv(3)x(5)-64`."""
        rest = self.text[at : min(at + 2, self.stop)]
        return rest.startswith("-") or (len(rest) == 2 and rest[0] == "x" and (rest[1].isdigit() or rest[1] == "("))

    def group(self) -> Group:
        start, end = self.at, self.closing(self.at)
        inner = Parser(self.scalar, start + 1, end, self.depth)
        inner.pairs = self.pairs
        items = inner.items()
        self.at = end + 1
        return Group(Sequence(tuple(items), self.place(start)))

    def call(self, word: str, start: int, end: int) -> Call:
        """call = name "(" [ arg { "," arg } ] ")", blocks only."""
        name = self.place(start)
        self.at += 1
        arguments: list[Argument] = []
        self.spaces()
        while self.at < end:
            arguments.append(self.argument(end))
            self.spaces()
            if self.at < end and not self.peek(","):
                raise self.fail(
                    "missing-comma", f"found {self.found()} in the arguments", "separate arguments by commas"
                )
            self.at += self.at < end
            self.spaces()
        self.at = end + 1
        return Call(word, name, tuple(arguments))

    def argument(self, end: int) -> Argument:
        start, name = self.at, ARGUMENT_NAME.match(self.text, self.at, end)
        if name:
            self.at = name.end()
            self.spaces()
        value = self.quoted(end, ",") or self.operand_of(self.expression_until(end))
        return Argument(name[1] if name else None, value, self.place(start))

    def expression_until(self, end: int) -> Expression:
        """An expression, the conditional form included, up to a comma outside brackets or the end."""
        start, offset = self.at, self.at
        while offset < end and self.text[offset] != ",":
            char = self.text[offset]
            if char in "'\"":
                quote = self.text.find(char, offset + 1, end)
                offset = quote if quote >= 0 else offset
            offset = self.closing(offset) + 1 if char in CLOSING else offset + 1
        self.at = offset
        return parse(self.scalar, start, offset)

    # -- modifiers -------------------------------------------------------------------------------------------------

    def modifiers(self) -> tuple[Expression | None, PointRef | None, Place | None]:
        """modifier = "x" INT | "x(" EXPR ")" | "as" point | "share" name, at most one of each, in any order."""
        repeat: Expression | None = None
        label: PointRef | None = None
        share: Place | None = None
        while True:
            self.spaces()
            start, word = self.at, self.match(WORD)
            if self.repeats():
                self._once(repeat, "x")
                self.at += 1
                repeat = self.atom()
            elif word == "as":
                self._once(label, word)
                label = self._named(self.point, word)
            elif word == "share":
                self._once(share, word)
                share = self._named(self.name, word)
            elif word and word not in MODIFIERS:
                raise self._stray(word, start)
            else:
                break
        return repeat, label, share

    def _once(self, value: object, word: str) -> None:
        if value is not None:
            raise self.fail("modifier", f"a second `{word}` on one item", "keep one of them")

    def _named(self, rule: Callable[[], T], word: str) -> T:
        self.at += len(word)
        self.spaces()
        return rule()

    def _stray(self, word: str, start: int) -> ArchspecError:
        if word[0].isupper():
            return self.fail("missing-comma", f"`{word}` starts a new item", "put a comma before it", start)
        hint = "options stand before x, as and share; a call takes its options as arguments: conv(64, s=2)"
        return self.fail("option", f"the option `{word}` cannot stand here", hint, start)

    def conditional(self) -> tuple[Expression | None, Item | None]:
        self.spaces()
        if self.match(WORD) != "if":
            return None, None
        self.at += len("if")
        condition = parse_prefix(self.scalar, self.at, self.stop)
        self.at = condition.end
        self.spaces()
        if self.match(WORD) != "else":
            return condition, None
        self.at += len("else")
        return condition, self.item()
