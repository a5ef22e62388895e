"""The words of the notation: a layer with its kernel, amount and options, and the name of a point."""

from __future__ import annotations

import re

from archspec.cursor import Cursor
from archspec.expressions import Expression, parse
from archspec.syntax import Operand, OptionWord, Place, PointRef, Thing

WORD = re.compile(r"[A-Za-z_]\w*")
NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
DIMS = re.compile(r"[spdg](?=[\d(])")
REPEAT = re.compile(r"x\d+(?!\w)|x\(")
MODIFIERS = ("as", "share", "if", "else")


class Words(Cursor):
    """A parser of single items, without their modifiers."""

    def thing(self, word: str, start: int) -> Thing:
        """thing = NAME [ kernel ] [ "-" amount ] { option }"""
        name = self.place(start)
        tail = self.dims() if self.peek("(") else None
        amount = None
        if self.peek("-"):
            self.at += 1
            amount = self.amount(word)
        options: list[OptionWord] = []
        while option := self.option():
            options.append(option)
        return Thing(word, name, tail, amount, tuple(options))

    def amount(self, word: str) -> Operand:
        start = self.at
        text = self.match(NUMBER) or self.match(WORD)
        if self.peek("("):
            value = self.parenthesised()
        elif text:
            self.at += len(text)
            value = parse(self.scalar, start, self.at)
        else:
            raise self.fail(
                "amount",
                f"{word}- lacks its amount",
                f"write a number, a name or a parenthesis: {word}-64, {word}-F, {word}-(4*F)",
            )
        self.boundary("amount", start)
        return Operand(self.place(start), ((value,),))

    def parenthesised(self) -> Expression:
        start, end = self.at, self.closing(self.at)
        self.at = end + 1
        return parse(self.scalar, start + 1, end)

    def dims(self) -> Operand:
        """dims = side { "x" side }; side = atom [ ":" atom ]"""
        start = self.at
        sides = [self.side()]
        while self.peek("x"):
            self.at += 1
            sides.append(self.side())
        return Operand(self.place(start), tuple(sides))

    def side(self) -> tuple[Expression, ...]:
        first = self.atom()
        if not self.peek(":"):
            return (first,)
        self.at += 1
        return first, self.atom()

    def atom(self) -> Expression:
        if self.peek("("):
            return self.parenthesised()
        start, text = self.at, self.match(NUMBER)
        if text is None:
            raise self.fail(
                "dimensions",
                f"found {self.found()} where a size should be",
                "sizes are numbers, or names and expressions in parentheses, joined by x: 3, 1x7, (k)x(2*k)",
            )
        self.at += len(text)
        return parse(self.scalar, start, self.at)

    def option(self) -> OptionWord | None:
        """option = letter dims | key "=" value | flag; None where a modifier, a comma or the end stands here."""
        self.spaces()
        start, word = self.at, self.match(WORD)
        if word is None or word in MODIFIERS or self.repeats():
            return None
        if self.match(DIMS) and re.fullmatch(r"[a-z]|[a-z]\d+(x\d+)*x?", word):
            self.at += 1
            value = self.dims()
            self.boundary("option", start)
            return OptionWord(word[0], value, self.place(start))
        self.at += len(word)
        if word[0].isupper() and not self.peek("="):
            raise self.fail("missing-comma", f"`{word}` starts a new item", "put a comma before it", start, self.at)
        if not self.peek("="):
            return OptionWord(word, None, self.place(start))
        self.at += 1
        value = self.option_value(word)
        self.boundary("option", start)
        return OptionWord(word, value, self.place(start))

    def option_value(self, key: str) -> Operand:
        """value = dims | name | QUOTED"""
        start = self.at
        quoted = self.quoted(self.stop, ", )")
        if quoted:
            return quoted
        name = self.match(WORD)
        if name:
            self.at += len(name)
            return Operand(self.place(start), ((parse(self.scalar, start, self.at),),))
        if self.at >= self.stop or self.text[self.at] in ", ":
            raise self.fail(
                "option", f"{key}= lacks its value", f"write it without spaces: {key}=1", start - len(key) - 1, start
            )
        return self.dims()

    def quoted(self, end: int, behind: str) -> Operand | None:
        """Text in quotes, behind which the end stands or one of the characters `behind`; else None."""
        if self.at >= end or self.text[self.at] not in "'\"":
            return None
        start, quote = self.at, self.text.find(self.text[self.at], self.at + 1, end)
        if quote < 0:
            raise self.fail("unbalanced", "the quote is never closed", "close it", start, start + 1)
        rest = self.text[quote + 1 : end] if " " in behind else self.text[quote + 1 : end].lstrip()
        if rest[:1] not in ("", *behind):
            return None
        self.at = quote + 1
        return Operand(Place(self.scalar, start + 1, quote), quoted=True)

    def operand_of(self, expression: Expression) -> Operand:
        return Operand(Place(self.scalar, expression.start, expression.end), ((expression,),))

    def repeats(self) -> bool:
        return self.match(REPEAT) is not None

    def name(self) -> Place:
        start, word = self.at, self.match(WORD)
        if word is None:
            raise self.fail(
                "name", f"found {self.found()} where a name should be", "a name is a letter, then letters, digits or _"
            )
        self.at += len(word)
        return self.place(start)

    def point(self) -> PointRef:
        """point = name [ "(" EXPR ")" ] or name "*"."""
        start, name = self.at, self.name()
        index, every = None, False
        if self.peek("("):
            index = self.parenthesised()
        elif self.peek("*"):
            every = True
            self.at += 1
        return PointRef(name.text, self.place(start), index, every)
