"""archspec: neural networks written as in a paper's table, and every number that follows from them."""

import sys
from pathlib import Path

if any((Path(entry) / "archspec" / "cpu" / "__init__.py").is_file() for entry in sys.path):
    raise ImportError(
        "another distribution called `archspec` (CPU labels, used by conda) is installed in this environment, and it "
        "has the same import name; uninstall it, or install archspec-nn into an environment of its own"
    )

from archspec.analysis import Analysis, Totals
from archspec.errors import ArchspecError, Diagnostic, Source, Span
from archspec.layers import Family, Formula, Layer, Role, Shape, ShapeError, Storage, Weight, register
from archspec.nodes import Node
from archspec.spec import Spec, load, parse

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "ArchspecError",
    "Diagnostic",
    "Family",
    "Formula",
    "Layer",
    "Node",
    "Role",
    "Shape",
    "ShapeError",
    "Source",
    "Span",
    "Spec",
    "Storage",
    "Totals",
    "Weight",
    "load",
    "parse",
    "register",
]
