"""Expectations: every relation, held and failed, and every mistake in one with its place and whole message."""

from __future__ import annotations

import pytest

import archspec
from archspec.errors import ArchspecError
from archspec.expectations import Outcome, hold
from archspec.source import Mapping, read

# 3 x 3 x 1 x 10 + 10 = 100 parameters, 28 x 28 x 90 = 70560 multiply-accumulates; aux adds 22 and 14 x 14 x 20 = 3920
NET = """\
name: net
input: 28x28x1
variants: {small: {}, large: {}}
layers: CONV3-10, BN noaffine as body, POOL2 as half, CONV1-2 as aux, from half, FLATTEN as end
outputs: end
training_outputs: aux
"""
METRICS = (
    "the metrics are parameters, buffers, macs, flops, training_parameters, training_macs, peak_memory, shape, "
    "receptive_field"
)
WRITE = "write 25557032, <= 5M, or ~ 4.089G for a rounded figure"


def outcomes(expect: str, variant: str | None = None, net: str = NET) -> tuple[Outcome, ...]:
    spec, value = archspec.parse(net), read(expect, "net.yaml")
    assert isinstance(value, Mapping)
    return hold(value, spec.document.variants, variant, spec.analyze())


@pytest.mark.parametrize(
    ("metric", "found"),
    [
        ("parameters", "100"),
        ("buffers", "20"),
        ("macs", "70560"),
        ("flops", "141120"),
        ("training_parameters", "122"),
        ("training_macs", "74480"),
        ("shape", "1960"),
        ("shape@body", "28 x 28 x 10"),
        ("shape@input", "28 x 28 x 1"),
        ("shape@aux", "14 x 14 x 2"),
    ],
)
def test_metrics(metric: str, found: str) -> None:
    right, wrong = outcomes(f"{metric}: {found}"), outcomes(f"{metric}: 9{found}")
    assert [(o.metric, o.expected, o.found, o.holds) for o in right] == [(metric, found, found, True)]
    assert [(o.found, o.holds) for o in wrong] == [(found, False)]


@pytest.mark.parametrize(
    ("bound", "holds"),
    [
        ("70560", True),
        ("70561", False),
        ("70559", False),
        ("70560.0", True),
        ("70560.0000000000000000000001", False),
        ("7.056e4", True),
        ("70.56K", True),
        ("70.56 K", True),
        ("== 70560", True),
        ("==0.07056M", True),
        ("== 70561", False),
        ("<= 70560", True),
        ("<= 70559", False),
        ("< 70560", False),
        ("< 70561", True),
        ("'>= 70560'", True),
        ("'>= 70561'", False),
        ("'> 70560'", False),
        ("'> 70559'", True),
        ("< 1G", True),
        ("'> 1T'", False),
        ("~ 71K", True),
        ("~ 70K", False),
        ("~ 70.6K", True),
        ("~ 70.5K", False),
        ("~ 70.60K", False),
        ("~ 0.0001G", True),
        ("~ 0.07M", True),
        ("~ 7.1e4", True),
        ("~ 70560", True),
        ("~ 70561", False),
        ("'~ 0.1M'", True),
    ],
)
def test_relations(bound: str, holds: bool) -> None:
    assert [outcome.holds for outcome in outcomes(f"macs: {bound}")] == [holds]


@pytest.mark.parametrize("bound", ["~ 0.1K", "~ 100", "~ 0.10K", "~ 1e2"])
def test_a_rounded_figure_holds_to_half_a_unit_of_its_last_digit(bound: str) -> None:
    assert outcomes(f"parameters: {bound}")[0].holds


@pytest.mark.parametrize(("bound", "holds"), [("~ 0.11K", False), ("~ 0.12K", True), ("~ 0.13K", True)])
def test_either_rounding_of_a_tie_holds(bound: str, holds: bool) -> None:
    tie = "{name: tie, input: 24, layers: FC-5}"  # 24 x 5 + 5 = 125
    assert outcomes(f"parameters: {bound}", net=tie)[0].holds == holds


def test_shapes_are_written_with_or_without_spaces() -> None:
    ids = "name: ids\ninput: 16 ids\nlayers: IDENTITY"
    assert all(o.holds for o in outcomes("{shape@body: 28x28x10, shape@half: 14 x 14 x 10}"))
    assert outcomes("shape: 16 ids", net=ids)[0].holds
    assert not outcomes("shape: 16", net=ids)[0].holds


def test_variants_are_expected_to_differ_and_what_stands_beside_them_holds_for_all() -> None:
    expect = "{buffers: 20, small: {parameters: 100}, large: {parameters: 101, macs: 1}}"
    assert [(o.metric, o.holds) for o in outcomes(expect)] == [("buffers", True)]
    assert [(o.metric, o.holds) for o in outcomes(expect, "small")] == [("buffers", True), ("parameters", True)]
    assert [o.holds for o in outcomes(expect, "large")] == [True, False, False]


def test_a_spec_may_expect_nothing() -> None:
    assert hold(None, [], None, archspec.parse(NET).analyze()) == ()


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("parameters: 103", "parameters: expected 103, found 100 (3 less)"),
        ("parameters: <= 90", "parameters: expected <= 90, found 100 (10 more)"),
        ("parameters: < 0.1K", "parameters: expected < 0.1K, found 100"),
        ("parameters: 99.5", "parameters: expected 99.5, found 100 (0.5 more)"),
        ("parameters: ~ 0.2K", "parameters: expected ~ 0.2K, found 100 (100 less)"),
        ("shape@body: 7x7x512", "shape@body: expected 7x7x512, found 28 x 28 x 10"),
    ],
)
def test_a_failed_expectation_is_an_error_at_its_value(expect: str, message: str) -> None:
    (outcome,) = outcomes(expect)
    found = outcome.diagnostic()
    value = expect.index(": ") + 3
    assert (found.code, found.severity, found.message) == ("expectation-failed", "error", message)
    assert str(found.span) == f"net.yaml:1:{value}"
    assert found.hint == "if the network is meant as it is, correct what is expected"


@pytest.mark.parametrize(
    ("expect", "code", "column", "message", "hint"),
    [
        ("paramters: 1", "unknown-metric", 1, "there is no metric `paramters`", "did you mean parameters?"),
        ("zzz@body: 1", "unknown-metric", 1, "there is no metric `zzz`", METRICS),
        ("large: {mac: 1}", "unknown-metric", 9, "there is no metric `mac`", "did you mean macs?"),
        ("smal: {macs: 1}", "unknown-variant", 1, "the spec has no variant `smal`", "did you mean small?"),
        ("zzz: {}", "unknown-variant", 1, "the spec has no variant `zzz`", "the variants are small, large"),
        ("shape@bdy: 7x7x512", "unknown-point", 7, "the network has no point `bdy`", "did you mean body?"),
        ("shape@: 7", "unknown-point", 1, "the network has no point ``", "the points are end, input, body, half, aux"),
        ("small: 100", "expectation", 8, "what is expected of a variant is a mapping", "small: {parameters: 25557032}"),
        ("macs: 1,000", "expectation", 7, "`1,000` is no number or bound", WRITE),
        ("macs: about 5", "expectation", 7, "`about 5` is no number or bound", WRITE),
        ("macs: <= 5m", "expectation", 7, "`<= 5m` is no number or bound", WRITE),
        ("macs: -5", "expectation", 7, "`-5` is no number or bound", WRITE),
        ("macs: ~", "expectation", 7, "`~` is no number or bound", WRITE),
        ("macs:", "expectation", 6, "an empty text is no number or bound", WRITE),
        ("shape: 7 by 7", "expectation", 8, "`7 by 7` is no shape", "write shape: 7x7x512"),
        ("shape@body: []", "expectation", 13, "shape@body is expected to have one value", "shape@body: 7x7x512"),
        ("macs: {body: 1}", "expectation", 7, "macs is expected to have one value", "macs: 25557032"),
        (
            "macs@body: 1",
            "expectation",
            5,
            "macs has no value at a point",
            "shape, receptive_field may have a point: shape@body",
        ),
    ],
)
def test_errors(expect: str, code: str, column: int, message: str, hint: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        outcomes(expect)
    (found,) = caught.value.diagnostics
    assert (found.code, found.message, found.hint) == (code, message, hint)
    assert str(found.span) == f"net.yaml:1:{column}"


def test_the_shape_of_several_outputs_needs_a_name() -> None:
    with pytest.raises(ArchspecError) as caught:
        outcomes("shape: 5", net=NET.replace("outputs: end", "outputs: [end, half]"))
    assert (caught.value.code, caught.value.hint) == ("expectation", "name one: shape@end, shape@half")
    assert caught.value.diagnostics[0].message == "the network has 2 outputs"


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(ArchspecError) as caught:
        outcomes("mac: 1\nmacs: x\nsmall: {shape@x: 1, flop: 1}\nmiddle: {buffer: 1}\nlarge: {shape@later: 1}", "small")
    assert [(d.code, str(d.span)) for d in caught.value.diagnostics] == [
        ("unknown-metric", "net.yaml:1:1"),
        ("expectation", "net.yaml:2:7"),
        ("unknown-point", "net.yaml:3:15"),
        ("unknown-metric", "net.yaml:3:21"),
        ("unknown-variant", "net.yaml:4:1"),
        ("unknown-metric", "net.yaml:4:10"),
    ]
