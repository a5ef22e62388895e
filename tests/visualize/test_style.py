"""Families told apart: in print, on a dark background, and by colour-blind readers."""

from __future__ import annotations

from itertools import combinations

import pytest

from archspec.layers import Family
from visualize.style import DARK, INK, LIGHT, Scheme, style, styles

FREQUENT = (
    Family.CONVOLUTION,
    Family.POOLING,
    Family.LINEAR,
    Family.NORMALIZATION,
    Family.ACTIVATION,
    Family.MERGE,
    Family.ATTENTION,
)
Colour = tuple[float, float, float]
# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB
SIGHT: dict[str, tuple[Colour, Colour, Colour]] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}


def linear(colour: str) -> Colour:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return _light(red), _light(green), _light(blue)


def _light(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def luminance(colour: Colour) -> float:
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), colour, strict=True))


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2: 1 to 21."""
    dark, light = sorted((luminance(linear(one)), luminance(linear(other))))
    return (light + 0.05) / (dark + 0.05)


def lab(colour: str, sight: str) -> Colour:
    """CIELAB (D65) of a colour as someone sees it."""
    seen = linear(colour)
    r, g, b = (sum(max(0.0, a) * c for a, c in zip(seen, row, strict=True)) for row in SIGHT[sight])
    r, g, b = (min(1.0, max(0.0, part)) for part in (r, g, b))
    x, y, z = (
        _root((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047),
        _root(0.2126 * r + 0.7152 * g + 0.0722 * b),
        _root((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883),
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(value: float) -> float:
    return value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116


def test_every_family_has_a_style_of_its_own() -> None:
    assert set(styles()) == set(Family)
    looks = [(look.fill, look.shape) for look in styles().values()]
    assert len(set(looks)) == len(looks)


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        styles()[Family.MERGE] = style(Family.INPUT)  # type: ignore[index]


@pytest.mark.parametrize("family", Family)
def test_names_can_be_read_on_their_colour(family: Family) -> None:
    text = LIGHT.text if style(family).shape == "oval" else INK  # an input's name follows the background
    assert contrast(text, style(family).fill) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_figures_titles_and_arrows_can_be_seen_on_both_backgrounds(scheme: Scheme) -> None:
    for background in (scheme.paper, *scheme.frames):
        assert contrast(scheme.text, background) >= 4.5
        assert contrast(scheme.arrow, background) >= 4.5
        assert contrast(scheme.weights, background) >= 3


@pytest.mark.parametrize("sight", SIGHT)
def test_frequent_families_stay_apart_for_every_eye(sight: str) -> None:
    """A difference of 2.3 can just be noticed side by side; 8 is seen at a glance."""
    apart = {
        (one, other): sum(
            (a - b) ** 2 for a, b in zip(lab(style(one).fill, sight), lab(style(other).fill, sight), strict=True)
        )
        ** 0.5
        for one, other in combinations(FREQUENT, 2)
    }
    assert {pair: round(distance) for pair, distance in apart.items() if distance < 8} == {}


def test_the_simulation_leaves_grey_grey_and_brings_red_and_green_together() -> None:
    for sight in SIGHT:
        assert all(abs(part) < 1 for part in lab("#808080", sight)[1:])
    red, green = "#b05030", "#60801a"
    apart = [abs(lab(red, sight)[1] - lab(green, sight)[1]) for sight in ("normal", "deuteranopia")]
    assert apart[1] < apart[0] / 3
