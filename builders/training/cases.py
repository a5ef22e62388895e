"""The networks of a recipe: a path or name each, and what is chosen for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from archspec import source
from archspec.choices import Choices
from archspec.errors import ArchspecError, Findings, did_you_mean
from archspec.source import Value
from builders.training.values import table, text


@dataclass(frozen=True)
class Case:
    """A network of a study: the spec's path or name, and what is chosen for it."""

    spec: str
    choices: Choices = field(default_factory=Choices)

    @property
    def label(self) -> str:
        """What tables and figures call it: the name without its folder, the variant, variables that are set."""
        name = self.spec.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".yaml").removesuffix(".yml")
        sets = [f"{key}={source.plain(value)}" for key, value in self.choices.variables.items()]
        sets += [str(source.plain(value)) for value in self.choices.inputs.values()]
        return " ".join(filter(None, (name, self.choices.variant, *sets)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values as a recipe writes them."""
        found: dict[str, Any] = {"spec": self.spec}
        if self.choices.variant:
            found["variant"] = self.choices.variant
        if self.choices.variables:
            found["set"] = {key: source.plain(value) for key, value in self.choices.variables.items()}
        if self.choices.inputs:
            found["input"] = {key or "": source.plain(value) for key, value in self.choices.inputs.items()}
        return found


def case(value: Value) -> Case:
    """A network: a path or name, or a table of `spec`, `variant`, `set` and `input`."""
    if not isinstance(value, source.Mapping):
        return Case(text(value))
    known_keys(value, ("spec", "variant", "set", "input"))
    if (spec := value.get("spec")) is None:
        raise ArchspecError("missing-key", "this network has no `spec`", value.span(), "{spec: resnet, variant: ...}")
    variant, chosen, shapes = value.get("variant"), value.get("set"), value.get("input")
    variables = dict(table(_any)(chosen)) if chosen is not None else {}
    return Case(text(spec), Choices(text(variant) if variant is not None else None, variables, _inputs(shapes)))


def _any(value: Value) -> Value:
    return value


def _inputs(shapes: Value | None) -> dict[str | None, Value]:
    if isinstance(shapes, source.Mapping):
        return {key.text or None: value for key, value in shapes.items}
    return {} if shapes is None else {None: shapes}


def known_keys(found: source.Mapping, known: Iterable[str]) -> None:
    """Raise ArchspecError with every key that has no meaning."""
    findings, known = Findings(), tuple(known)
    for key, _ in found.items:
        with findings:
            if key.text not in known:
                hint = did_you_mean(key.text, known) or f"the keys are {', '.join(known)}"
                raise ArchspecError("unknown-key", f"there is no key `{key.text}` here", key.span(), hint)
    findings.raise_any()
