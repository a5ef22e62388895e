"""The YAML of a study: its title, parameters, networks and recipe, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archspec import bundle
from archspec.document import Document, parse_document
from archspec.errors import ArchspecError, Findings, Source, did_you_mean
from archspec.source import Mapping as Table
from archspec.source import Scalar, Value, read

KEYS = ("study", "title", "source", "parameters", "quick", "networks", "recipe")


@dataclass(frozen=True)
class Text:
    """A study as it is written; nothing is evaluated.

    `parameters` may be set by a user, `quick` sets them for a short run; a network is a spec or the name of one.
    """

    name: str
    title: str
    source: str
    parameters: Mapping[str, Value]
    quick: Mapping[str, Value]
    networks: Mapping[str, Value]
    recipe: Value | None


def names() -> tuple[str, ...]:
    """The bundled studies."""
    return tuple(bundle.studies())


def find(name: str) -> Text:
    """A bundled study; raises ArchspecError.

    >>> find("dilation").name
    'dilation'
    """
    known = bundle.studies()
    if name not in known:
        hint = did_you_mean(name, known) or f"the studies are {', '.join(known)}"
        raise ArchspecError("unknown-study", f"there is no study called `{name}`", hint=hint)
    return parse(known[name].read_bytes(), str(known[name]))


def parse(text: str | bytes, name: str = "<string>") -> Text:
    """A study from its text; raises ArchspecError with all that is wrong."""
    document = read(text, name)
    if not isinstance(document, Table):
        raise ArchspecError("not-a-study", "a study is a mapping", document.span(), "study: my-study")
    findings = Findings()
    for key, _ in document.items:
        with findings:
            if key.text not in KEYS:
                hint = did_you_mean(key.text, KEYS) or f"the keys are {', '.join(KEYS)}"
                raise ArchspecError("unknown-key", f"a study has no key `{key.text}`", key.span(), hint)
    findings.raise_any()
    name, title, source = (_word(document, key, needed=key != "source") for key in ("study", "title", "source"))
    parameters, quick, networks = (_table(document.get(key)) for key in ("parameters", "quick", "networks"))
    return Text(name, title, source, parameters, quick, networks, document.get("recipe"))


def network(name: str, value: Value) -> tuple[Document, str | None]:
    """A network's document and, of a bundled name, its variant; raises ArchspecError."""
    if isinstance(value, Table):
        return parse_document(_alone(name, value), value.origin.name), None
    if not isinstance(value, Scalar):
        message = f"the network {name} is a list"
        raise ArchspecError("not-a-spec", message, value.span(), "the name of a bundled spec, or input: and layers:")
    text, shown, variant = bundle.read_spec(value.text)
    return parse_document(text, Path(shown).name), variant


def _alone(name: str, value: Table) -> str:
    """The text of a network without the study around it, at the same lines; it is called as in the study."""
    span = value.span()
    above, left, text = "\n" * (span.line - 1), " " * (span.column - 1), span.text
    if value.get("name") is not None:
        return above + left + text
    if text.startswith("{"):
        return f"{above}{left}{{name: {name}, {text[1:]}"
    return f"{above[1:]}{left}name: {name}\n{left}{text}"


def _word(document: Table, key: str, needed: bool) -> str:
    value = document.get(key)
    if value is None and not needed:
        return ""
    if not isinstance(value, Scalar) or not value.text:
        place = document.span() if value is None else value.span()
        raise ArchspecError("missing-key", f"a study has a text under `{key}`", place, f"{key}: ...")
    return value.text


def _table(value: Value | None) -> Mapping[str, Value]:
    value = value or Table((), Source("", ""), 0, 0)
    if not isinstance(value, Table):
        raise ArchspecError("not-a-mapping", "a mapping should stand here", value.span(), "name: value")
    return {key.text: item for key, item in value.items}
