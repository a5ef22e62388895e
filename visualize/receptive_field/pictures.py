"""Receptive fields as pictures: the region that a unit reads, the growth over depth, the taps from layer to layer."""

from __future__ import annotations

from pathlib import Path

from archspec.errors import ArchspecError, did_you_mean
from archspec.spec import Spec
from visualize.curves.figure import Figure, below, beside
from visualize.receptive_field.choice import Choice, Unit, choose
from visualize.receptive_field.growth import growth
from visualize.receptive_field.photograph import data_uri
from visualize.receptive_field.region import region
from visualize.receptive_field.taps import taps

__all__ = ["draw_growth", "draw_receptive_field", "draw_region", "draw_taps"]


def draw_receptive_field(
    spec: Spec,
    layer: str | int | None = None,
    unit: Unit | None = None,
    image: str | Path | None = None,
    axis: str | None = None,
    source: str | None = None,
) -> Figure:
    """What a unit of a layer reads of an input: region and growth, and the taps along an axis.

    Without `layer` the output if it is a map, else the deepest map whose units see less than the whole input; without
    `unit` the middle one. `image` is a PNG or JPEG file, stretched over a 2-D input. The taps of a sequence are always
    shown, those of other inputs along the `axis` that is named. Raises ArchspecError.
    """
    choice = choose(spec, layer, unit, source)
    figures = [region(choice, _image(choice, image)), growth(choice)]
    if axis is not None or len(choice.axes) == 1:
        figures.append(taps(choice, _axis(choice, axis)))
    if len(choice.axes) == 2:  # a plane stands beside its growth
        figures = [beside(*figures[:2]), *figures[2:]]
    return below(*figures, title=spec.title)


def draw_region(
    spec: Spec,
    layer: str | int | None = None,
    unit: Unit | None = None,
    image: str | Path | None = None,
    source: str | None = None,
) -> Figure:
    """The region alone."""
    choice = choose(spec, layer, unit, source)
    return region(choice, _image(choice, image))


def draw_growth(spec: Spec, layer: str | int | None = None, source: str | None = None) -> Figure:
    """The growth alone."""
    return growth(choose(spec, layer, None, source))


def draw_taps(
    spec: Spec,
    layer: str | int | None = None,
    unit: Unit | None = None,
    axis: str | None = None,
    source: str | None = None,
) -> Figure:
    """The taps alone, along the first axis if none is named."""
    choice = choose(spec, layer, unit, source)
    return taps(choice, _axis(choice, axis))


def _image(choice: Choice, path: str | Path | None) -> str | None:
    if path is None:
        return None
    if len(choice.axes) != 2:
        message = f"an image is for an input with height and width, and here is {choice.source.shape}"
        raise ArchspecError("image", message, hint="leave the image out")
    return data_uri(path)


def _axis(choice: Choice, name: str | None) -> int:
    names = choice.axes
    if name is None:
        return 0
    if name.upper() not in names:
        hint = did_you_mean(name, names) or f"its axes are {', '.join(names)}"
        raise ArchspecError("unknown-axis", f"the input {choice.source.shape} has no axis `{name}`", hint=hint)
    return names.index(name.upper())
