"""Layer kinds of other distributions, looked for where a spec names a kind that is not known."""

from functools import cache

from archspec.errors import ArchspecError
from archspec.layers.base import registry

GROUP = "archspec.layers"


def more_kinds() -> bool:
    """Import the modules that other distributions name in the entry-point group `archspec.layers`, which register their
    kinds; whether that made any known. It is done once. Raises ArchspecError where one cannot be imported."""
    before = len(registry)
    _load()
    return len(registry) > before


@cache
def _load() -> None:
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        try:
            point.load()
        except Exception as error:
            message = f"the layer kinds of `{point.value}` cannot be loaded: {type(error).__name__}: {error}"
            hint = f"mend or uninstall {point.dist.name}" if point.dist else None
            raise ArchspecError("entry-point", message, hint=hint) from None
