"""What a spec expects of its network, published figures and budgets alike, and whether an analysis bears it out."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from archspec.analysis import Analysis
from archspec.errors import ArchspecError, Diagnostic, Findings, Span, did_you_mean
from archspec.nodes import Node
from archspec.report.fields import triple
from archspec.source import Mapping, Scalar, Value

Relation = Callable[[Fraction, Fraction], bool]


@dataclass(frozen=True)
class Figure:
    """A figure of one point of the network: how it is measured as text, and the form in which it is expected."""

    measure: Callable[[Analysis, Node], str]
    form: re.Pattern[str]
    example: str


NUMBERS: dict[str, Callable[[Analysis], int]] = {
    "parameters": lambda analysis: analysis.totals.parameters,
    "buffers": lambda analysis: analysis.totals.buffers,
    "macs": lambda analysis: analysis.totals.macs,
    "flops": lambda analysis: analysis.totals.flops,
    "training_parameters": lambda analysis: analysis.totals.parameters + analysis.training_only.parameters,
    "training_macs": lambda analysis: analysis.totals.macs + analysis.training_only.macs,
    "peak_memory": lambda analysis: analysis.memory().peak,
}
SHAPE = re.compile(r"\d+( ?x ?\d+)*( ?ids)?", re.ASCII)
TRIPLE = re.compile(r"\d+(x\d+)*/[\d/]+(x[\d/]+)*/-?\d+(x-?\d+)*", re.ASCII)
FIGURES = {
    "shape": Figure(lambda _, node: str(node.shape), SHAPE, "7x7x512"),
    "receptive_field": Figure(lambda a, node: triple(a.receptive_field(node)), TRIPLE, "427/32/213"),
}
METRICS = (*NUMBERS, *FIGURES)

RELATIONS: dict[str, Relation] = {
    "": operator.eq,
    "==": operator.eq,
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}
SUFFIXES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
BOUND = re.compile(r"(<=|>=|==|<|>|~|) *(\d{1,40}(?:\.\d{1,40})?(?:[eE][-+]?\d{1,2})?) ?([KMGT]?)", re.ASCII)
WRITE = "write 25557032, <= 5M, or ~ 4.089G for a rounded figure"


@dataclass(frozen=True)
class Outcome:
    """One expectation beside what was found; `span` is the expected value's, `difference` that of two numbers."""

    metric: str
    expected: str
    found: str
    holds: bool
    span: Span
    difference: str | None = None

    def diagnostic(self) -> Diagnostic:
        """The error that a failed expectation is."""
        by = f" ({self.difference})" if self.difference else ""
        message = f"{self.metric}: expected {self.expected}, found {self.found}{by}"
        hint = "if the network is meant as it is, correct what is expected"
        return Diagnostic("expectation-failed", message, self.span, hint)


@dataclass(frozen=True)
class Bound:
    """An expected number: a relation, and a value that is exact; for `~`, half a unit of its last digit to each side.

    >>> Bound.read(Scalar.of("~ 4.089G")).holds(4_089_184_256)
    True
    >>> Bound.read(Scalar.of("<= 4.089G")).holds(4_089_184_256)
    False
    """

    relation: Relation
    value: Fraction

    @classmethod
    def read(cls, scalar: Scalar) -> Bound:
        """Raises ArchspecError where the text is no bound."""
        match = BOUND.fullmatch(scalar.text)
        if match is None:
            raise _malformed(scalar, "number or bound", WRITE)
        sign, digits, suffix = match.groups()
        number, factor = Decimal(digits), SUFFIXES[suffix]
        if sign != "~":
            return cls(RELATIONS[sign], Fraction(number) * factor)
        half = Fraction(10) ** int(number.as_tuple().exponent) * factor / 2
        return cls(lambda found, value: abs(found - value) <= half, Fraction(number) * factor)

    def holds(self, found: int) -> bool:
        return self.relation(Fraction(found), self.value)

    def difference(self, found: int) -> str | None:
        """How far the number found lies from the expected one: `3 more`."""
        by = found - self.value
        size = abs(by.numerator) if by.denominator == 1 else float(abs(by))
        return f"{size} {'more' if by > 0 else 'less'}" if by else None


def hold(
    expect: Mapping | None, variants: Collection[str], variant: str | None, analysis: Analysis
) -> tuple[Outcome, ...]:
    """Hold `expect` against the analysis of one variant; raises ArchspecError with everything in it that means nothing.

    What stands beside the variants is expected of all of them. Of the other variants all but the points is checked.
    """
    findings, outcomes = Findings(), list[Outcome]()
    for key, value in expect.items if expect else ():
        if key.text not in variants and (key.text in METRICS or not isinstance(value, Mapping)):
            with findings:
                outcomes.append(_outcome(key, value, analysis))
            continue
        with findings:
            _check_variant(key, value, variants)
        for metric, expected in value.items if isinstance(value, Mapping) else ():
            with findings:
                if key.text == variant:
                    outcomes.append(_outcome(metric, expected, analysis))
                else:
                    _read(metric, expected)
    findings.raise_any()
    return tuple(outcomes)


def _check_variant(key: Scalar, value: Value, variants: Collection[str]) -> None:
    if key.text not in variants:
        known = f"the variants are {', '.join(variants)}" if variants else "a metric has one value: parameters: 2483"
        hint = did_you_mean(key.text, variants) or known
        raise ArchspecError("unknown-variant", f"the spec has no variant `{key.text}`", key.span(), hint)
    if not isinstance(value, Mapping):
        hint = f"{key.text}: {{parameters: 25557032}}"
        raise ArchspecError("expectation", "what is expected of a variant is a mapping", value.span(), hint)


def _malformed(scalar: Scalar, what: str, write: str) -> ArchspecError:
    text = " ".join(scalar.text.split())
    found = f"`{text[:40]}`" if text else "an empty text"
    return ArchspecError("expectation", f"{found} is no {what}", scalar.span(), write)


def _read(key: Scalar, value: Value) -> tuple[str, Bound | Figure, Scalar]:
    """A metric's name, what to hold it against, and the scalar that says so; raises ArchspecError where that fails."""
    name, at, _ = key.text.partition("@")
    if name not in METRICS:
        hint = did_you_mean(name, METRICS) or f"the metrics are {', '.join(METRICS)}"
        raise ArchspecError("unknown-metric", f"there is no metric `{name}`", key.span(0, len(name)), hint)
    if not isinstance(value, Scalar):
        hint = f"{key.text}: {FIGURES[name].example if name in FIGURES else 25557032}"
        raise ArchspecError("expectation", f"{key.text} is expected to have one value", value.span(), hint)
    if name in NUMBERS and at:
        hint = f"{', '.join(FIGURES)} may have a point: {next(iter(FIGURES))}{key.text[len(name) :]}"
        raise ArchspecError("expectation", f"{name} has no value at a point", key.span(len(name)), hint)
    if name in NUMBERS:
        return name, Bound.read(value), value
    figure = FIGURES[name]
    if not figure.form.fullmatch(value.text):
        raise _malformed(value, name, f"write {key.text}: {figure.example}")
    return name, figure, value


def _outcome(key: Scalar, value: Value, analysis: Analysis) -> Outcome:
    name, kind, scalar = _read(key, value)
    if isinstance(kind, Bound):
        number = NUMBERS[name](analysis)
        return Outcome(name, scalar.text, str(number), kind.holds(number), scalar.span(), kind.difference(number))
    found = kind.measure(analysis, _point(key, analysis))
    holds = found.replace(" ", "") == scalar.text.replace(" ", "")
    return Outcome(key.text, scalar.text, found, holds, scalar.span())


def _point(key: Scalar, analysis: Analysis) -> Node:
    """The point behind the @, or the one output; raises ArchspecError where there is no such point."""
    name, at, point = key.text.partition("@")
    outputs = analysis.graph.outputs
    known = {**outputs, **analysis.graph.points}
    if point in known:
        return known[point]
    if at:
        hint = did_you_mean(point, known) or f"the points are {', '.join(known)}"
        span = key.span(len(name) + 1) if point else key.span()
        raise ArchspecError("unknown-point", f"the network has no point `{point}`", span, hint)
    if len(outputs) == 1:
        return next(iter(outputs.values()))
    hint = f"name one: {', '.join(f'{name}@{output}' for output in outputs)}" if outputs else "name a point: shape@body"
    raise ArchspecError("expectation", f"the network has {len(outputs)} outputs", key.span(), hint)
