"""The layer kinds that are known: those of archspec, and those that other distributions bring along.

The latter are looked for once in a process, where a spec uses a name or key that no known kind has.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TypeVar

from archspec.errors import ArchspecError
from archspec.layers.base import Layer

GROUP = "archspec.layers"
NAME = re.compile(r"[A-Z][A-Z0-9]*")

registry: dict[str, type[Layer]] = {}
Kind = TypeVar("Kind", bound=type[Layer])


def register(kind: Kind) -> Kind:
    """Make a layer kind known to the notation; a kind of the same name from the same place is replaced.

    Raises ValueError where another kind already has the name or the merge key.
    """
    name, place = kind.notation.name, (kind.__module__, kind.__qualname__)
    for known in (registry.get(name), _merging(kind.merge_key)):
        if known and (known.__module__, known.__qualname__) != place:
            taken = name if known is registry.get(name) else f"the key `{kind.merge_key}`"
            raise ValueError(f"{taken} is already the layer kind {known.__module__}.{known.__qualname__}")
    registry[name] = kind
    return kind


def find_kind(name: str) -> type[Layer] | None:
    """The kind of a name: CONV. None where there is none; raises ArchspecError as `more_kinds` does.

    >>> find_kind("CONV").__name__
    'Conv'
    """
    if name not in registry and NAME.fullmatch(name):
        more_kinds()
    return registry.get(name)


def find_merge(key: str) -> type[Layer] | None:
    """The kind that joins the branches below a YAML key: add. None where there is none; raises as `more_kinds` does.

    >>> find_merge("concat").__name__
    'Concat'
    """
    found = _merging(key)
    return _merging(key) if found is None and more_kinds() else found


def _merging(key: str | None) -> type[Layer] | None:
    return next((kind for kind in registry.values() if kind.merge_key == key), None) if key else None


def merge_keys() -> list[str]:
    """The YAML keys that join branches, of the kinds known so far."""
    return [kind.merge_key for kind in registry.values() if kind.merge_key]


def absent_name() -> str:
    """What a spec writes to leave a branch out: NONE."""
    return next(name for name, kind in registry.items() if kind.absent)


def transparent_name() -> str:
    """What a spec writes for the point itself: IDENTITY."""
    return next(name for name, kind in registry.items() if kind.transparent)


def more_kinds() -> bool:
    """Import the modules that other distributions name in the entry-point group `archspec.layers`, which register their
    kinds; whether that made any known. It is done once. Raises ArchspecError where one cannot be imported."""
    before = len(registry)
    fault = _load()
    if fault:
        raise ArchspecError.of(fault.diagnostics)
    return len(registry) > before


@cache
def _load() -> ArchspecError | None:
    """Load them; what went wrong is kept as well, so that nothing is tried twice."""
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        try:
            point.load()
        except Exception as error:
            message = f"the layer kinds of `{point.value}` cannot be loaded: {type(error).__name__}: {error}"
            hint = f"mend or uninstall {point.dist.name}" if point.dist else None
            return ArchspecError("entry-point", message, hint=hint)
    return None
