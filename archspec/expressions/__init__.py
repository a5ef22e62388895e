"""Safe arithmetic inside a spec: text -> tokens -> a function of the names that it reads. Python evaluates none of it.

Precedence and meaning are Python's, but a boolean is not a number, and lists have no order. Every size is checked
before a value is made.
"""

from archspec.expressions.evaluation import Environment, Expression
from archspec.expressions.parser import parse, parse_prefix
from archspec.expressions.values import AXES, NESTING, Dims, Point, Value, bounded, described, shown, whole

__all__ = [
    "AXES",
    "NESTING",
    "Dims",
    "Environment",
    "Expression",
    "Point",
    "Value",
    "bounded",
    "described",
    "parse",
    "parse_prefix",
    "shown",
    "whole",
]
