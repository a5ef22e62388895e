"""No text, and no value from outside, makes an expression slow, deep or anything but a value or an ArchspecError."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archspec.errors import ArchspecError
from archspec.expressions import Value, parse, parse_prefix
from archspec.expressions.values import bounded
from archspec.source import Scalar
from tests.expressions.names import HERE, Names, evaluate, failure, outcome
from tests.expressions.test_errors import ERRORS

CODES = {*ERRORS, "no-axis"}
PIECES = [
    *[
        "0",
        "1",
        "2",
        "9",
        "3x3",
        "1e9",
        "1e308",
        ".5",
        "99999999999",
        "F",
        "n",
        "act",
        "e4",
        "k",
        "p",
        "z",
        "b",
        "nope",
    ],
    *["'a'", "'", '"', "yes", "True", "not", "and", "or", "in", "if", "else", "range(", "min(", "len(", "divisible("],
    *[
        "by=",
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        ".C",
        "=",
        "==",
        "!=",
        "<",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "**9",
        "'a'*",
    ],
    *["&&", "?", ":", "@", "\\", "\N{MINUS SIGN}", "\0", "\n", " "],
]


def settle(text: str, names: Names = HERE) -> None:
    """Reads and evaluates `text`, as a whole and as a prefix: a value within the limits, or an error with its place."""
    start = time.process_time()
    for read in (parse, parse_prefix):
        found = outcome(text, names, read)
        if isinstance(found, ArchspecError):
            assert found.code in CODES
            assert found.span
            assert 0 <= found.span.start <= found.span.end <= len(text)
            assert str(found).startswith("<string>:")
        else:
            assert bounded(found) is found
    assert time.process_time() - start < 1


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=30))
@example("\ud800 + '\ud800'")
def test_random_text_is_a_value_or_an_error(text: str) -> None:
    settle(text)


TALL = "1"
for _ in range(49):  # on each level of parentheses, every level of operators
    TALL = f"({TALL}**1*1+1<3 and 1 or 1)"

SLOW = [
    "2**2**2**99",
    "2**(2**200)",
    "(-1)**(2**255)",
    "1.5**(2**200)",
    "'a'*10**9",
    "n*10**9",
    "[" * 30 + "n" + "]*9" * 30,
    "range(10**70)",
    "len(range(-10**70, 10**70))",
    "+".join("1" * 999),
    "1" + " - 1" * 499,
    "1" + " < 1" * 499,
    "n" + "[0]" * 660,
    "1" + " if 1 else 1" * 150,
    "not " * 480 + "1",
    "-" * 1999 + "1",
    "2" + "**2" * 600,
    "(" * 1999,
    "[" * 1999,
    "min(" * 499,
    "9" * 2000,
    "9" * 1990 + ".5",
    "1e" + "9" * 1990,
    "'" * 1999,
    "\\'" * 999,
    "'" + "\\'" * 999,
    "a" * 2000,
    "0x" + "f" * 100_000,
    "9" * 100_000,
    " " * 1_000_000,
    "big == big" + " == big" * 30,
    "[big] < [big]",
    "big in [big, 1]",
    "sum(big) + sum(big)" + " + sum(big)" * 170,
    "text in text" + " in text" * 200,
    "max(text, text)",
]


@pytest.mark.parametrize("text", SLOW, ids=range(len(SLOW)))
def test_hostile_text_is_settled_within_a_second(text: str) -> None:
    settle(text, Names(n=[1], big=[[number] for number in range(5000)], text="ab" * 5000))


def test_the_tallest_expression_fits_the_stack() -> None:
    assert evaluate(TALL) == 1


def shared(levels: int) -> list[Value]:
    """A list of 2 ** levels elements in `levels` objects."""
    value: list[Value] = [1]
    for _ in range(levels):
        value = [value, value]
    return value


CYCLIC: list[Value] = []
CYCLIC.append(CYCLIC)


@pytest.mark.parametrize(
    "form", ["v", "v == v", "[v]", "v + v", "v * 3", "v in v", "len(v)", "max(v)", "sum(v)", "v[0]"]
)
@pytest.mark.parametrize(
    ("value", "code"),
    [(shared(12), None), (shared(13), "too-large"), (shared(2000), "too-large"), (CYCLIC, "too-deep")],
)
def test_shared_lists_are_counted_no_further_than_the_limit(form: str, value: list[Value], code: str | None) -> None:
    settle(form, Names(v=value))
    if code:
        error = failure(form, Names(v=value))
        assert (error.code, error.span and error.span.column) == (code, form.index("v") + 1)


@pytest.mark.parametrize(
    ("most", "more", "code"),
    [
        ("2**255 - 1 + 2**255", "2**255 + 2**255", "too-large"),
        ("-(2**255) - (2**255 - 1)", "-(2**255) - 2**255", "too-large"),
        ("'a' * 10000", "'a' * 10001", "too-large"),
        ("'a' * 9999 + 'b'", "'a' * 9999 + 'bc'", "too-large"),
        ("range(10000)", "range(10001)", "too-large"),
        ("[range(9999)]", "[range(10000)]", "too-large"),
        ("[1, 2] * 5000", "[1, [2]] * 5000", "too-large"),
        ("range(9999) + [1]", "range(9999) + [[1]]", "too-large"),
        ("[]" + " or 1" * 399 + "  ", "1" + " or 1" * 400, "too-large"),
        ("(" * 50 + "1" + ")" * 50, "(" * 51 + "1" + ")" * 51, "too-deep"),
        ("[" * 50 + "]" * 50, "[" * 51 + "]" * 51, "too-deep"),
        ("-" * 50 + "1", "-" * 51 + "1", "too-deep"),
        ("[v]", "[[v]]", "too-deep"),
    ],
)
def test_each_limit_exactly(most: str, more: str, code: str) -> None:
    inner: list[Value] = []
    for _ in range(48):
        inner = [inner]
    names = Names(v=inner)
    evaluate(most, names)
    assert failure(more, names).code == code


def test_the_length_of_an_expression_counts_from_its_start_to_its_end() -> None:
    text = f"{' ' * 5000}1{'+' * 48}{' ' * 1950}1{' ' * 5000}"
    assert parse(Scalar.of(text)).evaluate(HERE) == 2
    error = failure(re.sub(r"\+ ", "+  ", text, count=1))
    assert (error.code, error.args[1]) == ("too-large", "the expression has more than 2000 characters")
    assert error.span
    assert (error.span.start, error.span.end) == (5000, 7001)


def test_a_long_rest_does_not_count_for_a_prefix() -> None:
    assert parse_prefix(Scalar.of("a > b, " + "c" * 5000), 0).text == "a > b"
