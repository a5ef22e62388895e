"""Expressions mean what they mean in Python: chosen examples, and random text held against Python itself."""

from __future__ import annotations

import math
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_benchmark.fixture import BenchmarkFixture

from archspec.errors import ArchspecError
from archspec.expressions import Value, parse
from archspec.source import Scalar
from tests.expressions.names import HERE, Names, evaluate, outcome

PYTHON: dict[str, object] = {
    **{"yes": True, "true": True, "no": False, "false": False, "none": None, "F": 16, "n": [3, 4, 6, 3], "w": 1.5},
    **{"ceil": math.ceil, "floor": math.floor, "sqrt": math.sqrt, "log2": math.log2},
    "range": lambda *limits: list(range(*limits)),
}
ARITHMETIC = ["+", "-", "*", "/", "//", "%"]
OPERATORS = [*ARITHMETIC, "**", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]
CALLS = ["abs({})", "ceil({})", "floor({})", "round({})", "int({})", "sqrt({})", "log2({})", "len({})", "range({}, {})"]
CALLS += ["min({})", "max({})", "min({}, {})", "max({}, {}, {})"]
FORMS = [*CALLS, "-{}", "+{}", "not {}", "({})", "[{}]", "{}[{}]", "[{}, {}]", "{} if {} else {}"]
numbers = st.sampled_from(["0", "1", "2", "3", "16", "0.5", "1.5", "2.", ".25", "1e-3", "1e6", "2E2", "F", "w"])
leaves = numbers | st.sampled_from(["yes", "no", "none", "'a'", '"ab"', "[]", "[1, 2.5]", "['a', [1]]", "n"])


def grown(operators: list[str], forms: list[str], leaf: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts of operands, operators and forms, mostly without parentheses: precedence decides."""

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        chain = st.builds("{} {} {}".format, inner, st.sampled_from(operators), inner)
        return chain | st.builds(lambda form, *parts: form.format(*parts), st.sampled_from(forms), inner, inner, inner)

    return st.recursive(leaf, grow, max_leaves=12)


def python(text: str) -> Value | Exception:
    with warnings.catch_warnings(action="ignore"):  # of 1[0] and the like
        try:
            return eval(text, {"__builtins__": __builtins__, **PYTHON})  # type: ignore[no-any-return]
        except Exception as error:
            return error


@given(grown(OPERATORS, FORMS, leaves))
def test_whatever_has_a_value_has_that_of_python(text: str) -> None:
    found = outcome(text)
    if not isinstance(found, ArchspecError):
        assert repr(found) == repr(python(text))
    elif found.code == "expression-syntax":
        assert isinstance(python(text), SyntaxError | TypeError)
    elif found.code == "division-by-zero":
        assert isinstance(python(text), ZeroDivisionError)


@given(grown(ARITHMETIC, ["-{}", "+{}", "({})", "abs({})", "max({}, {})", "floor({})"], numbers))
def test_arithmetic_has_a_value_where_python_has_one(text: str) -> None:
    expected, found = python(text), outcome(text)
    if isinstance(expected, ZeroDivisionError):
        assert isinstance(found, ArchspecError)
        assert found.code == "division-by-zero"
    else:
        assert repr(found) == repr(expected)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2**2", -4),
        ("2**-1", 0.5),
        ("2**3**2", 512),
        ("7 / 2", 3.5),
        ("4 / 2", 2.0),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("1 < 2 < 3 != 4", True),
        ("1 < 2 > 3", False),
        ("1 > 2 < 1/0", False),
        ("no and 1/0", False),
        ("3 or 1/0", 3),
        ("0 or '' or []", []),
        ("1 and 2", 2),
        ("not 1 == 2", True),
        ("not not b", True),
        ("1 if no else 2 if no else 3", 3),
        ("1/0 if no else 3", 3),
        ("(1 if b else 2) + 1", 2),
        ("'it''s' + \" \\\"ok\\\" \"", 'it\'s "ok" '),
        (r"'a\nb\\'", "a\\nb\\"),
        ("'ab' * 2 + 'c'", "ababc"),
        ("2 * [1, n[0]] + []", [1, 3, 1, 3]),
        ("'a' * -1", ""),
        ("n[-1] + n[0]", 6),
        ("act[0]", "R"),
        ("k[1]", 7),
        ("p[1]", (1, 2)),
        ("p[1][0]", 1),
        ("[[1, 2], [3]][0][-1]", 2),
        ("3 in n", True),
        ("7 in k", True),
        ("'EL' in act", True),
        ("z == none", True),
        ("1 == 'a'", False),
        ("e4.C // e4 . H", 9),
        ("[e4][0].W", 7),
        ("1e-6", 1e-6),
        ("007", 7),
        ("[1,]", [1]),
        ("yes == true and no == false", True),
        ("min(3, 1.5)", 1.5),
        ("max([1, 2])", 2),
        ("min('b', 'a')", "a"),
        ("max(k)", 7),
        ("round(2.5)", 2),
        ("int(-2.5)", -2),
        ("ceil(16 * 1.1)", 18),
        ("sum([1, 2.5]) + sum(k)", 11.5),
        ("sum([])", 0),
        ("len(act) + len(n) + len(k)", 10),
        ("range(3)", [0, 1, 2]),
        ("range(5, 1, -2)", [5, 3]),
        ("log2(8) + sqrt(9)", 6.0),
        ("divisible(37, by=16)", 48),
        ("divisible(37, 16)", 48),
        ("divisible(32 * 1.1)", 32),
        ("2**255 + (2**255 - 1)", 2**256 - 1),
        ("10**-400", 0.0),
        ("  1\n + 1 ", 2),
    ],
)
def test_value(text: str, value: Value) -> None:
    assert repr(evaluate(text)) == repr(value)


@given(st.floats(0, 5000) | st.integers(0, 5000), st.integers(1, 64))
def test_divisible_is_a_near_multiple(v: float, by: int) -> None:
    found = evaluate("divisible(v, by=by)", Names(v=v, by=by))
    assert found == evaluate("divisible(v, by)", Names(v=v, by=by))
    assert isinstance(found, int)
    assert found % by == 0
    assert found >= max(by, 0.9 * v)
    assert found <= max(by, v + by)


def test_speed_of_parsing(benchmark: BenchmarkFixture) -> None:
    assert benchmark(parse, Scalar.of("4*F")).names == {"F"}


def test_speed_of_evaluation(benchmark: BenchmarkFixture) -> None:
    assert benchmark(parse(Scalar.of("4*F")).evaluate, HERE) == 64
