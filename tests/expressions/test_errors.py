"""Every error of an expression: its code, the part that it underlines, its whole message and hint."""

from __future__ import annotations

import pytest

from tests.expressions.names import Names, failure

SEVERAL_AXES = "sizes of several axes stand in a kernel or an option: conv1x7-64, conv-64 k=1x7"
JOINED = "text is only joined with text (+), repeated (*) or compared with text"
COUNTED = "to count a condition, write `1 if c else 0`"
FLOATS = "write floats where so large a number is meant: 2.0 ** 300"
REAL = "floats end at 1.8e308; roots and log2 need positive numbers"
CHOICE = "a choice is written `a if c else b`"
SHORTER = "name parts of it, as vars or parameters"
ENDS = "the first element is v[0], the last v[-1]"
AFTER_IN = "write a list or, for text, a text after `in`"
GUARD = "guard it: `a / b if b != 0 else 1`"
SIZES = "write one of C, H, W, L, T, N"
YAML = "inside [ ] YAML splits at commas: put the item in quotes"
# The part that the error underlines stands between « and ».
ERRORS: dict[str, list[tuple[str, str, str | None]]] = {
    "expression-syntax": [
        ("F «&&» 2", "expected an operator, found `&&`", "write `and`"),
        ("F «||» 2", "expected an operator, found `||`", "write `or`"),
        ("«!»F", "expected a value, found `!`", "write `not`"),
        ("F «^» 2", "expected an operator, found `^`", "write `**`"),
        ("F «=» 2", "expected an operator, found `=`", "write `==`"),
        ("(F «=» 2)", "expected `)`, found `=`", "write `==`"),
        ("F «===» 2", "expected an operator, found `===`", "write `==`"),
        ("F «<>» 2", "expected an operator, found `<>`", "write `!=`"),
        ("F «=>» 2", "expected an operator, found `=>`", "write `>=`"),
        ("F «≤» 2", "expected an operator, found `≤`", "write `<=`"),
        ("3 «x» 3", "expected an operator, found `x`", "write `*`"),
        ("F «is» 3", "expected an operator, found `is`", "write `==`"),
        ("F «?» 1 : 2", "expected an operator, found `?`", "write `a if c else b`"),
        ("F «b»", "expected an operator, found `b`", "write an operator before it"),
        ("1«,» 2", "expected an operator, found `,`", None),
        ("(1«,» 2)", "expected `)`, found `,`", None),
        ("1 «@» 2", "expected an operator, found `@`", None),
        ("1«)»", "expected an operator, found `)`", None),
        ("[i «for» i in n]", "expected `,` or `]`, found `for`", "there are no comprehensions: `each` makes one item "
         "per element of a list"),
        ("n[1«:»2]", "expected `]`, found `:`", "there are no slices: write `v[i]`"),
        ("«3x3»", "`3x3` is not a number", SEVERAL_AXES),
        ("«3xexp»", "`3xexp` is not a number", "write `3*exp`"),
        ("1 + «2F»", "`2F` is not a number", "write `2*F`"),
        ("«2x»", "`2x` is not a number", "write `2*x`"),
        ("«1_000»", "`1_000` is not a number", "write `1000`"),
        ("«0x1F»", "`0x1F` is not a number", "write `31`"),
        ("«3if» F else 2", "`3if` is not a number", "write `3 if`"),
        ("«»", "expected a value, found the end", None),
        ("  «»", "expected a value, found the end", None),
        ("1 +«»", "expected a value, found the end", None),
        ("1 + «not» 2", "expected a value, found `not`", "put it in parentheses: `(not c)`"),
        ("«else» 2", "expected a value, found `else`", CHOICE),
        ("1 if 2«»", "expected `else`, found the end", CHOICE),
        ("F.«»", "expected a size of a point, found the end", SIZES),
        ("«(»1 + 2", "`(` is never closed", f"close it with `)`; {YAML}"),
        ("1 + «[»1, 2", "`[` is never closed", f"close it with `]`; {YAML}"),
        ("(1«]»", "expected `)`, found `]`", None),
        ("F == «'RELU»", "the text is never closed", "close it with '"),
        ("«\"it\"\"s»", "the text is never closed", 'close it with "'),
        ("1 + «min()»", "`min` cannot take 0 arguments", "write `min(a, b)`"),
        ("«len(1, 2)»", "`len` cannot take 2 arguments", "write `len(v)`"),
        ("divisible(3, to«=»8)", "expected `,` or `)`, found `=`", "write `divisible(v, by=8)`"),
        ("divisible(by«=»8)", "expected `,` or `)`, found `=`", "write `divisible(v, by=8)`"),
    ],
    "unknown-name": [
        ("1 + «act2»", "unknown name `act2`", "did you mean act?"),
        ("«quux»", "unknown name `quux`", "define it under `vars`, or as a parameter"),
        ("«quux».C", "unknown name `quux`", "define it under `vars`, or as a parameter"),
        ("«floor» + 1", "unknown name `floor`", "`floor` is a function: write `floor(...)`"),
        ("4*«W»", "the shape here has no axis `W`", "its sizes are C, H"),
        ("«True»", "`True` is not a value", "write `yes`"),
        ("«None» == z", "`None` is not a value", "write `none`"),
        ("«FALSE»", "unknown name `FALSE`", "did you mean false?"),
        ("b == «on»", "`on` is not a value", "write `yes`"),
        ("«off»", "`off` is not a value", "write `no`"),
    ],
    "unknown-function": [
        ("1 + «flor»(3)", "unknown function `flor`", "did you mean floor?"),
        ("«eval»('1')", "unknown function `eval`", "the functions are min, max, sum, len, range, divisible, abs, ceil, "
         "floor, round, int, sqrt, log2"),
    ],
    "unknown-attribute": [
        ("1 + «F.C»", "the number 16 has no `.C`", "only a point has sizes: `e4.C` after `... as e4`"),
        ("«t.C»", "a table has no `.C`", "only a point has sizes: `e4.C` after `... as e4`"),
        ("«e4.C.H»", "the number 64 has no `.H`", "only a point has sizes: `e4.C` after `... as e4`"),
        ("e4.«__class__»", "`__class__` is not a size of a point", SIZES),
    ],
    "not-a-number": [
        ("«1 + F + 'a'»", "`+` cannot take the number 17 and text 'a'", JOINED),
        ("1 + 2 * («F - b») * 3", "`-` cannot take the number 16 and the boolean yes", COUNTED),
        ("«-b»", "`-` cannot take the boolean yes", COUNTED),
        ("«k * 2»", "`*` cannot take dims 1x7 and the number 2", "write `v[i]` for one side"),
        ("«p + 1»", "`+` cannot take dims 0x1:2 and the number 1", "write `v[i]` for one side"),
        ("«n + 1»", "`+` cannot take the list [3, 4, 6, 3] and the number 1", "write `v[i]` for one element"),
        ("«[1] * 1.5»", "`*` cannot take the list [1] and the number 1.5", "write `v[i]` for one element"),
        ("«t + 1»", "`+` cannot take a table and the number 1", "a table is for `each`"),
        ("«z / 2»", "`/` cannot take none and the number 2", "give it a value, or ask first: `v if v != none else 1`"),
        ("«e4 % 2»", "`%` cannot take a point and the number 2", "write `.C`, `.H`, `.W` ... for a size of the point"),
        ("«2 ** yes»", "`**` cannot take the number 2 and the boolean yes", COUNTED),
        ("1 < «2 < 'a'»", "`<` cannot take the number 2 and text 'a'", JOINED),
        ("«b > 0»", "`>` cannot take the boolean yes and the number 0", COUNTED),
        ("«[1] <= [2]»", "`<=` cannot take the list [1] and the list [2]", "write `v[i]` for one element"),
        ("«3 in 5»", "`in` cannot take the number 3 and the number 5", AFTER_IN),
        ("«3 not in act»", "`not in` cannot take the number 3 and text 'RELU'", AFTER_IN),
        ("«ceil(act)»", "`ceil` cannot take text 'RELU'", JOINED),
        ("«min(1, 'a')»", "`min` cannot take the number 1 and text 'a'", JOINED),
        ("«max(3)»", "`max` cannot take the number 3", None),
        ("«range(1.5)»", "`range` cannot take the number 1.5", "write `int(v)` where a whole number is needed"),
        ("«sum([1, [2]])»", "`sum` cannot take the list [1, [2]]", "write a list of numbers: sum([1, 2])"),
        ("«len(F)»", "`len` cannot take the number 16", "write a list, a text or dims: len([1, 2])"),
        ("«divisible(F, by=1.5)»", "`divisible` cannot take the number 16 and the number 1.5", "write `int(v)` where a "
         "whole number is needed"),
        ("«-['" + "a" * 60 + "']»", "`-` cannot take the list ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...", "write `v[i]` "
         "for one element"),
    ],
    "arithmetic": [
        ("1 + «sqrt(-1)»", "`sqrt(-1)` has no finite real value", REAL),
        ("«log2(0)»", "`log2(0)` has no finite real value", REAL),
        ("1 + «(-8)**0.5»", "`(-8) ** 0.5` has no finite real value", REAL),
        ("«1e308 * 10»", "`1e+308 * 10` has no finite real value", REAL),
        ("«1e308 + 1e308»", "`1e+308 + 1e+308` has no finite real value", REAL),
        ("«1e300 ** 2»", "`1e+300 ** 2` has no finite real value", REAL),
        ("«sum([1e308, 1e308])»", "`sum([1e+308, 1e+308])` has no finite real value", REAL),
        ("1 + «1e999»", "inf is not a finite number", "floats end at 1.8e308"),
        ("«range(1, 2, 0)»", "`range(1, 2, 0)` has a step of 0", "write a step such as 1 or -1"),
        ("«max([])»", "`max` of an empty list", "write max([0] + v) to begin at 0"),
        ("«divisible(3, by=0)»", "`divisible(3, 0)` has no multiple to round to",
         "write a positive divisor, such as 8"),
    ],
    "division-by-zero": [
        ("1 + «F / (C - 3)» * 2", "`16 / 0` divides by zero", GUARD),
        ("«1 // 0.0»", "`1 // 0.0` divides by zero", GUARD),
        ("«1 % 0»", "`1 % 0` divides by zero", GUARD),
        ("«0 ** -1»", "`0 ** -1` divides by zero", GUARD),
    ],
    "index": [
        ("1 + «n[4]»", "index 4 is outside the list [3, 4, 6, 3] of length 4", ENDS),
        ("«k[-3]»", "index -3 is outside dims 1x7 of length 2", ENDS),
        ("«[][0]»", "index 0 is outside the list [] of length 0", None),
        ("«n['a']»", "an index cannot be text 'a'", "write a whole number, or int(v)"),
        ("«n[1.0]»", "an index cannot be the number 1.0", "write a whole number, or int(v)"),
        ("«n[b]»", "an index cannot be the boolean yes", "write a whole number, or int(v)"),
        ("«F[0]»", "the number 16 has no elements", "index a list, a text or dims"),
    ],
    "too-large": [
        ("2**«2**2**99»", "`2 ** 633825300114114700748351602688` has more than the 256 bits of a whole number", FLOATS),
        ("1 + «2**255 * 2»", "`5789604461865809771178549250434395392... * 2` has more than the 256 bits of a whole "
         "number", FLOATS),
        ("«int(1e300)»", "`int(1e+300)` has more than the 256 bits of a whole number", FLOATS),
        ("1 + «" + "9" * 80 + "»", "the whole number has more than 256 bits", "write it as a float, such as 1e80"),
        ("len(«'a' * 10**9»)", "`'a' * 1000000000` has more than 10000 characters", "write something smaller"),
        ("«10**9 * 'a'»", "`1000000000 * 'a'` has more than 10000 characters", "write something smaller"),
        ("«'a' * 9999 + 'ab'»", "`'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa... + 'ab'` has more than 10000 characters",
         "write something smaller"),
        ("«n * 2501»", "`[3, 4, 6, 3] * 2501` has more than 10000 elements", "write something smaller"),
        ("«[[n] * 3] * 800»", "`[[[3, 4, 6, 3], [3, 4, 6, 3], [3, 4, ... * 800` has more than 10000 elements",
         "write something smaller"),
        ("«range(9999) + n»", "`[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11... + [3, 4, 6, 3]` has more than 10000 elements",
         "write something smaller"),
        ("«range(-10**70, 10**70)»", "`range(-100000000000000000000000000000000000..., "
         "1000000000000000000000000000000000000...)` has more than 10000 elements", "write something smaller"),
    ],
    "too-deep": [
        ("(" * 51 + "«1»" + ")" * 51, "the expression is nested more than 50 levels deep", SHORTER),
        ("-" * 51 + "«1»", "the expression is nested more than 50 levels deep", SHORTER),
        ("[" * 51 + "«[»", "the expression is nested more than 50 levels deep", SHORTER),
        ("1" + "**1" * 50 + "**«1»**1", "the expression is nested more than 50 levels deep", SHORTER),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "marked", "message", "hint"), [(code, *case) for code, cases in ERRORS.items() for case in cases]
)
def test_error(code: str, marked: str, message: str, hint: str | None) -> None:
    before, part, _ = (*marked.replace("»", "«").split("«"),)
    error = failure(marked.replace("«", "").replace("»", ""))
    assert error.span
    assert (error.code, error.args[1], error.hint) == (code, message, hint)
    assert (error.span.line, error.span.column, error.span.text) == (1, len(before) + 1, part)


def test_an_integer_too_long_to_print() -> None:
    error = failure("-v", Names(v=[10**5000]))
    assert error.args[1] == "`-` cannot take the list [(a number of 16610 bits)]"


def test_an_unknown_axis_without_any() -> None:
    error = failure("2 * C", Names(F=1))
    assert (error.args[1], error.hint) == ("the shape here has no axis `C`", None)
