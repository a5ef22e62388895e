"""What a user chooses for a document, and how it is kept beside the document's text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archspec import source
from archspec.errors import Source
from archspec.placing import MOST_NODES
from archspec.source import Listing, Scalar, Value

KEPT = "saved"  # the name of the text of values that were kept


@dataclass(frozen=True)
class Choices:
    """What a user may choose for a document: variant, variables, input shapes, the bound on layers."""

    variant: str | None = None
    variables: Mapping[str, Value] = field(default_factory=dict)
    inputs: Mapping[str | None, Value] = field(default_factory=dict)
    limit: int = MOST_NODES

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, from which `from_dict` gives the same choices.

        >>> Choices("small", {"width": Scalar.of("16")}).to_dict()["variables"]
        [['width', ['', '16']]]
        """
        return {
            "variant": self.variant,
            "variables": [[name, _plain(value)] for name, value in self.variables.items()],
            "inputs": [[name, _plain(value)] for name, value in self.inputs.items()],
            "limit": self.limit,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Choices:
        """The choices that `to_dict` wrote; raises LookupError, TypeError or ValueError for anything else.

        >>> Choices.from_dict(Choices("small", {"width": Scalar.of("16")}).to_dict()).variables["width"].value
        16
        """
        return cls(
            None if values["variant"] is None else str(values["variant"]),
            {str(name): _value(value) for name, value in values["variables"]},
            {None if name is None else str(name): _value(value) for name, value in values["inputs"]},
            int(values["limit"]),
        )


def _plain(value: Value) -> Any:
    """A scalar as its style and text, a list as such, a mapping as {"pairs": ...}."""
    if isinstance(value, Scalar):
        return [value.style, value.text]
    if isinstance(value, Listing):
        return {"items": [_plain(item) for item in value.items]}
    return {"pairs": [[_plain(key), _plain(item)] for key, item in value.items]}


def _value(plain: Any) -> Value:
    if isinstance(plain, list):
        style, text = plain
        return Scalar(str(text), "'" if style else "", Source(KEPT, str(text)), 0, len(text))
    if "items" in plain:
        return Listing(tuple(map(_value, plain["items"])), Source(KEPT, ""), 0, 0)
    pairs = ((key, _value(item)) for key, item in ((_value(key), item) for key, item in plain["pairs"]))
    scalars = tuple((key, item) for key, item in pairs if isinstance(key, Scalar))
    return source.Mapping(scalars, Source(KEPT, ""), 0, 0)
