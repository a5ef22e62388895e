"""Specs as short texts, and whether several of them are the same network."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Any

import pytest

import archspec

HEAD = {"name": "net", "input": "8x8x4"}


def whole(text: str) -> str:
    """A spec from its parts: a text without `layers:` is the layers, and `name` and `input` are added where missing."""
    text = dedent(text).strip()
    text = text if re.search(r"^layers:", text, re.MULTILINE) else f"layers: {text}"
    missing = [f"{key}: {value}" for key, value in HEAD.items() if not re.search(rf"^{key}:", text, re.MULTILINE)]
    return "\n".join([*missing, text])


def spec(text: str, **choices: Any) -> archspec.Spec:
    return archspec.parse(whole(text), **choices)


def layers(text: str, **choices: Any) -> str:
    """The layers that a text stands for, inputs left out."""
    return ", ".join(str(node.layer) for node in spec(text, **choices) if node.name is None)


def facts(text: str, **choices: Any) -> dict[str, object]:
    """All that makes two networks the same: layers, shapes, edges, shared weights and totals."""
    found = spec(text, **choices)
    analysis = found.analyze()
    return {
        "layers": [str(node.layer) for node in found],
        "shapes": [str(node.shape) for node in found],
        "inputs": [[source.index for source in node.inputs] for node in found],
        "shared": [node.shared.index if node.shared else None for node in found],
        "outputs": [node.index for node in found.layers.outputs.values()],
        "totals": (analysis.totals, analysis.training_only),
    }


def agree(flat: str, *others: str, **choices: Any) -> None:
    """Every spelling is the network of the first, flat one."""
    expected = facts(flat)
    for other in others:
        assert facts(other, **choices) == expected, other


def refused(text: str, **choices: Any) -> tuple[str, str | None]:
    """The code of the one error in a text, and the word that it underlines."""
    with pytest.raises(archspec.ArchspecError) as caught:
        spec(text, **choices)
    (found,) = caught.value.diagnostics
    return found.code, found.span.text if found.span else None


def warned(text: str) -> list[tuple[str, str | None]]:
    """The code of every warning, and the word that it underlines."""
    return [(one.code, one.span.text if one.span else None) for one in spec(text).warnings]
