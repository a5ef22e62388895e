"""archspec: neural networks written as in a paper's table, and every number that follows from them.

The names below are loaded when they are first used, so that the command line starts with what a command needs.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if any((Path(entry) / "archspec" / "cpu" / "__init__.py").is_file() for entry in sys.path):
    raise ImportError(
        "another distribution called `archspec` (CPU labels, used by conda) is installed in this environment and has "
        "the same import name; uninstall it, or install archspec-nn into an environment of its own"
    )

if TYPE_CHECKING:
    from archspec.analysis import Analysis as Analysis
    from archspec.analysis import Totals as Totals
    from archspec.errors import ArchspecError as ArchspecError
    from archspec.errors import Diagnostic as Diagnostic
    from archspec.errors import Source as Source
    from archspec.errors import Span as Span
    from archspec.layers import AxisWindow as AxisWindow
    from archspec.layers import Elementwise as Elementwise
    from archspec.layers import Family as Family
    from archspec.layers import Formula as Formula
    from archspec.layers import Layer as Layer
    from archspec.layers import Mark as Mark
    from archspec.layers import PerChannel as PerChannel
    from archspec.layers import Phases as Phases
    from archspec.layers import Reach as Reach
    from archspec.layers import Role as Role
    from archspec.layers import Shape as Shape
    from archspec.layers import ShapeError as ShapeError
    from archspec.layers import Storage as Storage
    from archspec.layers import Weight as Weight
    from archspec.layers import Weightless as Weightless
    from archspec.layers import Window as Window
    from archspec.layers import pointwise as pointwise
    from archspec.layers import register as register
    from archspec.layers import whole as whole
    from archspec.nodes import Node as Node
    from archspec.spec import Spec as Spec
    from archspec.spec import load as load
    from archspec.spec import parse as parse
    from builders.build import build as build
    from builders.files import load_model as load_model
    from builders.files import save as save
    from builders.foreign import load_weights as load_weights
    from builders.initialize import initialize as initialize
    from builders.modules import Call as Call
    from builders.modules import Saved as Saved
    from builders.modules import builder as builder
    from builders.run import run as run
    from builders.verify import Verification as Verification
    from builders.verify import Verifier as Verifier
    from builders.verify import verify as verify

__version__ = "0.1.0"

_HOMES = {
    "archspec.analysis": "Analysis Totals",
    "archspec.errors": "ArchspecError Diagnostic Source Span",
    "archspec.layers": "AxisWindow Elementwise Family Formula Layer Mark PerChannel Phases Reach Role"
    " Shape ShapeError Storage Weight Weightless Window pointwise register whole",
    "archspec.nodes": "Node",
    "archspec.spec": "Spec load parse",
    "builders.build": "build",
    "builders.files": "load_model save",
    "builders.foreign": "load_weights",
    "builders.initialize": "initialize",
    "builders.modules": "Call Saved builder",
    "builders.run": "run",
    "builders.verify": "Verification Verifier verify",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'archspec' has no attribute {name!r}")
    try:
        value = getattr(import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        if not _HOME[name].startswith("builders") or (error.name or "").startswith("builders"):
            raise
        from archspec.errors import missing_package

        raise missing_package(f"archspec.{name}", error) from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
