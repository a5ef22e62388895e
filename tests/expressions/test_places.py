"""What an expression knows of itself, where it ends, and what it asks of its environment."""

from __future__ import annotations

import math

import pytest

from archspec.errors import ArchspecError
from archspec.expressions import Value, parse, parse_prefix
from archspec.source import Mapping, Scalar, read
from tests.expressions.names import HERE, Names, failure


def test_names_and_place() -> None:
    expression = parse(Scalar.of("CONV1-( 4*F + e4.C if yes else min(w, 'H') ) s2"), 7, 42)
    assert expression.names == {"F", "e4", "w"}
    assert not expression.constant
    assert expression.text == "4*F + e4.C if yes else min(w, 'H')"
    assert (expression.start, expression.end) == (8, 42)
    assert str(expression.span()) == "<string>:1:9"
    assert expression.span().text == expression.text


def test_a_constant_is_computed_once() -> None:
    expression = parse(Scalar.of("range(2**3)"))
    assert expression.constant
    assert expression.evaluate(HERE) is expression.evaluate(Names())


def test_an_expression_is_immutable() -> None:
    with pytest.raises(AttributeError):
        parse(Scalar.of("1")).start = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "start", "read"),
    [
        ("CONV3-F if s == 1 else CONV1-F", 10, "s == 1"),
        ("RELU if n > 2, FC-10", 7, "n > 2"),
        ("(BN if not a in b) x2", 6, "not a in b"),
        ("a if b", 0, "a"),
        ("f(a) x2", 2, "a"),
        ("(a if b else c) + 1 if d", 0, "(a if b else c) + 1"),
        ("min(a, b) 'text", 0, "min(a, b)"),
        ("a not b", 0, "a"),
        ("a 3x3", 0, "a"),
        ("a @", 0, "a"),
        ("n (b)", 0, "n"),
    ],
)
def test_prefix(text: str, start: int, read: str) -> None:
    assert parse_prefix(Scalar.of(text), start).text == read


@pytest.mark.parametrize("text", ["n = 2", "a && b", "a ? b", "!a", "", ", a", "else", "a +, b"])
def test_no_prefix(text: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        parse_prefix(Scalar.of(text), 0)
    assert caught.value.code == "expression-syntax"


class Cycle(Exception):
    pass


@pytest.mark.parametrize("error", [Cycle("a -> a"), ArchspecError("cycle", "a -> a")])
def test_what_a_lookup_raises_passes_untouched(error: Exception) -> None:
    class Broken(Names):
        def lookup(self, name: str) -> Value:
            assert name == "F"
            raise error

    with pytest.raises(type(error)) as caught:
        parse(Scalar.of("-(1 + max(F, 2)) < [3][0]")).evaluate(Broken())
    assert caught.value is error
    assert getattr(error, "span", None) is None


def test_an_axis_error_of_a_point_gets_its_place() -> None:
    error = failure("1 + e4.L")
    assert (error.code, error.span and error.span.text) == ("no-axis", "e4.L")


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        (math.inf, "arithmetic", "inf is not a finite number"),
        (math.nan, "arithmetic", "nan is not a finite number"),
        (2**256, "too-large", "the whole number has more than 256 bits"),
        ("a" * 10_001, "too-large", "the text has more than 10000 characters"),
        ([0] * 10_001, "too-large", "the list has more than 10000 elements"),
        ((1,) * 10_001, "too-large", "the list has more than 10000 elements"),
    ],
)
def test_a_value_from_outside_is_held_to_the_limits(value: Value, code: str, message: str) -> None:
    error = failure("1 + v", Names(v=value))
    assert (error.code, error.args[1], error.span and error.span.text) == (code, message, "v")


NESTED = """\
vars:
  a: "= 1 +
    F /\\u0020\\
    (2 - 2)"
  b: '= ''1'' - F'
"""


@pytest.mark.parametrize(
    ("key", "drawn"),
    [
        (
            "a",
            [
                "net.yaml:3:5: error[division-by-zero]: `16 / 0` divides by zero",
                "  3 |     F /\\u0020\\",
                "    |     ^^^^^^^^^^",
                "  help: guard it: `a / b if b != 0 else 1`",
            ],
        ),
        (
            "b",
            [
                "net.yaml:5:9: error[not-a-number]: `-` cannot take text '1' and the number 16",
                "  5 |   b: '= ''1'' - F'",
                "    |         ^^^^^^^^^",
                "  help: text is only joined with text (+), repeated (*) or compared with text",
            ],
        ),
    ],
)
def test_the_place_in_a_quoted_text_of_a_file(key: str, drawn: list[str]) -> None:
    document = read(NESTED, "net.yaml")
    assert isinstance(document, Mapping)
    variables = document.get("vars")
    assert isinstance(variables, Mapping)
    scalar = variables.get(key)
    assert isinstance(scalar, Scalar)
    with pytest.raises(ArchspecError) as caught:
        parse(scalar, 1).evaluate(HERE)
    assert str(caught.value).splitlines() == drawn


def test_names_can_be_checked_before_there_are_values() -> None:
    expression = parse(Scalar.of("x1"), 0)
    expression.check({"x1"})
    text = "= min(F, 2) + ('foo' in act or e4.C < foo) + bar"
    with pytest.raises(ArchspecError) as caught:
        parse(Scalar.of(text), 1).check({"F", "act", "e4", "food"})
    error = caught.value
    assert (error.code, error.args[1], error.hint) == ("unknown-name", "unknown name `foo`", "did you mean food?")
    assert error.span
    assert error.span.start == text.rindex("foo")
