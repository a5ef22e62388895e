"""Text -> an expression that can be evaluated: a precedence climber of bounded depth, one token ahead."""

from __future__ import annotations

from archspec.errors import ArchspecError, did_you_mean
from archspec.expressions.evaluation import (
    Code,
    Expression,
    applied,
    chosen,
    compared,
    constant,
    decided,
    folded,
    inverted,
    named,
    remembered,
)
from archspec.expressions.functions import FUNCTIONS, Function
from archspec.expressions.operators import OPERATORS, SIGNS, Operation, item, listed, size
from archspec.expressions.tokens import CONSTANTS, KEYWORDS, MISSPELT, MISTAKES, Token, hint_for, literal, scan
from archspec.expressions.values import AXES, NESTING, bounded
from archspec.source import Scalar

LONGEST = 2_000  # characters of one expression
OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER = range(1, 9)  # what binds tighter has the higher level
LEVELS = {
    **{"or": OR, "and": AND, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "**": POWER},
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "not in"), COMPARE),
}
SHORTER = "name parts of it, as vars or parameters"


def parse(scalar: Scalar, start: int = 0, stop: int | None = None) -> Expression:
    """The expression that fills `scalar.text[start:stop]`.

    Errors: expression-syntax, unknown-name (`True`), unknown-function, unknown-attribute, arithmetic (`1e999`),
    too-large, too-deep.
    """
    parser = _Parser(scalar, start, stop)
    code = parser.choice()
    if parser.token.kind != "end":
        raise parser.unexpected("an operator")
    return parser.finished(code)


def parse_prefix(scalar: Scalar, start: int, stop: int | None = None) -> Expression:
    """The longest expression at `start` that is not a conditional one: of `s == 1 else CONV1-F`, `s == 1`.

    Errors: those of `parse`; a sign of another language behind it (`&&`, `=`, `?`) is one too.

    >>> parse_prefix(Scalar.of("RELU if n > 2, FC-10"), 7).text
    'n > 2'
    """
    parser = _Parser(scalar, start, stop)
    code = parser.operation(OR)
    if parser.token.text in MISTAKES:
        raise parser.unexpected("an operator")
    return parser.finished(code)


class _Parser:
    """Reads one expression. Each method returns the code of what it has read, and leaves `token` behind it."""

    __slots__ = ("depth", "end", "names", "scalar", "start", "stop", "token")

    def __init__(self, scalar: Scalar, start: int, stop: int | None) -> None:
        self.scalar, self.stop = scalar, len(scalar.text) if stop is None else stop
        self.token = scan(scalar.text, start, self.stop)
        self.start = self.end = self.token.start
        self.names: set[str] = set()
        self.depth = 0

    def finished(self, code: Code) -> Expression:
        names = frozenset(self.names)
        return Expression(self.scalar, self.start, self.end, names, code if names else remembered(code))

    def advance(self) -> Token:
        """The token here; the next one takes its place."""
        token, self.end = self.token, self.token.end
        if self.end - self.start > LONGEST:
            message = f"the expression has more than {LONGEST} characters"
            raise self.error("too-large", message, self.start, self.end, SHORTER)
        self.token = scan(self.scalar.text, self.end, self.stop)
        return token

    def error(self, code: str, message: str, start: int, end: int, hint: str | None) -> ArchspecError:
        return ArchspecError(code, message, self.scalar.span(start, end), hint)

    def unexpected(self, wanted: str, hint: str | None = None) -> ArchspecError:
        token = self.token
        found = f"`{token.text[:40]}`" if token.text else "the end"
        messages = {"unclosed": "the text is never closed", "malformed": f"{found} is not a number"}
        message = messages.get(token.kind, f"expected {wanted}, found {found}")
        return self.error("expression-syntax", message, token.start, token.end, hint or hint_for(token))

    # -- operators -------------------------------------------------------------------------------------------------

    def choice(self) -> Code:
        """choice = operation { "if" operation "else" operation }"""
        cases: list[tuple[Code, Code]] = []
        code = self.operation(OR)
        while self.token.text == "if":
            self.advance()
            cases.append((self.operation(OR), code))
            if self.token.text != "else":
                raise self.unexpected("`else`", "a choice is written `a if c else b`")
            self.advance()
            code = self.operation(OR)
        return chosen(cases, code) if cases else code

    def operation(self, floor: int) -> Code:
        """An operand, and all operators behind it that bind at the level `floor` or tighter."""
        self.depth += 1
        if self.depth > NESTING + 1:
            message = f"the expression is nested more than {NESTING} levels deep"
            raise self.error("too-deep", message, self.token.start, self.token.end, SHORTER)
        start = self.token.start
        code = self.signed(floor)
        while (level := LEVELS.get(self.token.text, 0)) >= floor:
            if level <= AND:
                code = self.logic(code, level)
            elif level == COMPARE:
                code = self.comparison(code, start)
            else:
                code = self.calculation(code, start, level)
        self.depth -= 1
        return code

    def logic(self, first: Code, level: int) -> Code:
        operands = [first]
        while LEVELS.get(self.token.text) == level:
            self.advance()
            operands.append(self.operation(level + 1))
        return decided(operands, stop=level == OR)

    def comparison(self, first: Code, start: int) -> Code:
        steps: list[tuple[Operation, Code, int, int]] = []
        while LEVELS.get(self.token.text) == COMPARE:
            comparison, following = OPERATORS[self.advance().text], self.token.start
            steps.append((comparison, self.operation(SUM), start, self.end))
            start = following
        return compared(first, steps, self.scalar)

    def calculation(self, first: Code, start: int, level: int) -> Code:
        """A chain of operators of one level, from the left; ** has a right operand that takes the rest of its chain."""
        steps: list[tuple[Operation, Code, int]] = []
        while LEVELS.get(self.token.text) == level:
            operation = OPERATORS[self.advance().text]
            operand = self.operation(SIGN if level == POWER else level + 1)
            steps.append((operation, operand, self.end))
        return folded(first, steps, self.scalar, start)

    # -- operands --------------------------------------------------------------------------------------------------

    def signed(self, floor: int) -> Code:
        """signed = "not" operation | ("-" | "+") operation | parts"""
        token = self.token
        if token.text == "not" and floor <= NOT:
            self.advance()
            return inverted(self.operation(NOT))
        if token.text in SIGNS:
            self.advance()
            operand = self.operation(SIGN)
            return applied(SIGNS[token.text], [operand], self.scalar, token.start, self.end)
        return self.parts()

    def parts(self) -> Code:
        """parts = value { "[" choice "]" | "." axis }"""
        start = self.token.start
        value = self.value()
        steps: list[tuple[Operation, Code, int]] = []
        while self.token.text in ("[", "."):
            opening = self.advance()
            if opening.text == ".":
                steps.append((size, constant(self.axis()), self.end))
            else:
                index = self.choice()
                self.close("]", opening)
                steps.append((item, index, self.end))
        return folded(value, steps, self.scalar, start) if steps else value

    def axis(self) -> str:
        token, hint = self.token, f"write one of {', '.join(AXES)}"
        if token.kind != "word":
            raise self.unexpected("a size of a point", hint)
        if token.text not in AXES:
            message = f"`{token.text[:40]}` is not a size of a point"
            raise self.error("unknown-attribute", message, token.start, token.end, hint)
        return self.advance().text

    def value(self) -> Code:
        """value = number | text | word | call | "(" choice ")" | "[" { choice "," } "]" """
        token = self.token
        if token.kind in ("number", "text"):
            return self.literal(self.advance())
        if token.kind == "word" and token.text not in KEYWORDS:
            return self.word(self.advance())
        if token.text == "(":
            opening = self.advance()
            code = self.choice()
            self.close(")", opening)
            return code
        if token.text == "[":
            items = self.items("]", self.advance())
            return applied(listed, items, self.scalar, token.start, self.end)
        raise self.unexpected("a value")

    def literal(self, token: Token) -> Code:
        try:
            return constant(bounded(literal(token)))
        except ArchspecError as error:
            raise error.at(self.scalar.span(token.start, token.end)) from None

    def word(self, word: Token) -> Code:
        """A constant, a name or a call; the parenthesis of a call follows at once."""
        name, start, end = word.text, word.start, word.end
        if name in MISSPELT:
            raise self.error("unknown-name", f"`{name}` is not a value", start, end, f"write `{MISSPELT[name]}`")
        if self.token.text == "(" and (name in FUNCTIONS or self.token.start == end):
            return self.call(word)
        if name in CONSTANTS:
            return constant(CONSTANTS[name])
        self.names.add(name)
        return named(name, self.scalar, start, end)

    def call(self, name: Token) -> Code:
        function = FUNCTIONS.get(name.text)
        if function is None:
            hint = did_you_mean(name.text, FUNCTIONS) or f"the functions are {', '.join(FUNCTIONS)}"
            raise self.error("unknown-function", f"unknown function `{name.text[:40]}`", name.start, name.end, hint)
        arguments = self.items(")", self.advance(), function)
        if not function.least <= len(arguments) <= function.most:
            message = f"`{name.text}` cannot take {len(arguments)} arguments"
            raise self.error("expression-syntax", message, name.start, self.end, f"write `{function.usage}`")
        return applied(function.call, arguments, self.scalar, name.start, self.end)

    def items(self, closing: str, opening: Token, function: Function | None = None) -> list[Code]:
        """What stands between brackets, commas between; the last argument of a function may carry its name."""
        items: list[Code] = []
        while self.token.text != closing:
            if function and self.token.text == function.last and len(items) + 1 == function.most:
                self.keyword()
            items.append(self.choice())
            if self.token.text != ",":
                break
            self.advance()
        usage = f"write `{function.usage}`" if function and self.token.text == "=" else None
        self.close(closing, opening, "`,` or ", usage)
        return items

    def keyword(self) -> None:
        """Passes over `by=`; a variable of that name stays."""
        if scan(self.scalar.text, self.token.end, self.stop).text == "=":
            self.advance()
            self.advance()

    def close(self, closing: str, opening: Token, wanted: str = "", hint: str | None = None) -> None:
        if self.token.kind == "end":
            message = f"`{opening.text}` is never closed"
            remedy = f"close it with `{closing}`; inside [ ] YAML splits at commas: put the item in quotes"
            raise self.error("expression-syntax", message, opening.start, opening.end, remedy)
        if self.token.text != closing:
            raise self.unexpected(f"{wanted}`{closing}`", hint)
        self.advance()
