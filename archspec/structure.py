"""The structure of a network as YAML writes it: values -> sequences, merges, rows, choices and stages."""

from __future__ import annotations

from archspec.cursor import NESTING_HINT
from archspec.errors import ArchspecError, Findings, Span, did_you_mean
from archspec.expressions import parse
from archspec.layers import find_merge, merge_keys, transparent_name
from archspec.notation import parse_sequence
from archspec.source import SHORTER, Listing, Mapping, Scalar, Value
from archspec.syntax import Choice, Each, Element, Merge, Place, Sequence, Stages, Table

CONSTRUCTS = {"each": ("layers",), "if": ("then", "else")}  # key -> the keys that may stand beside it
OWN_KEYS = frozenset(("each", "layers", "if", "then", "else"))
MOST_ENTRIES = 10_000  # of one list or mapping
WORDS = "if else then each layers from as share and or not in yes no true false none"
KEYWORDS = frozenset(WORDS.split())
SIZES = frozenset((*"CHWLTN", "i", "last", "input"))


def is_reserved(key: str) -> bool:
    """Whether a key has a meaning of its own in a sequence; other distributions may give it one."""
    return key in OWN_KEYS or find_merge(key) is not None


def sequence(value: Value) -> Sequence:
    """A string, a list of sequences, or one of the mappings; raises ArchspecError with all findings below it."""
    findings = Findings()
    elements = _elements(value, findings)
    findings.raise_any()
    return Sequence(tuple(elements), place_of(value))


def place_of(value: Value) -> Place:
    """Where a value stands: its text, or for a list or mapping its first scalar."""
    while not isinstance(value, Scalar):
        if not value.items:
            return _empty_place(value)
        value = value.items[0] if isinstance(value, Listing) else value.items[0][0]
    return Place(value, 0, len(value.text))


def _empty_place(value: Listing | Mapping) -> Place:
    span = value.span()
    scalar = Scalar("", "", span.source, span.start, span.end)
    return Place(scalar, 0, 0)


def limited(value: Listing | Mapping) -> None:
    """Raise ArchspecError where a list or mapping is longer than any that a person writes."""
    if len(value.items) > MOST_ENTRIES:
        message = f"{len(value.items):,} entries stand here; there may be {MOST_ENTRIES:,}"
        raise ArchspecError("too-large", message, place_of(value).span, SHORTER)


def _elements(value: Value, findings: Findings) -> list[Element]:
    with findings:
        if not isinstance(value, Scalar):
            limited(value)
        if isinstance(value, Mapping):
            return [_construct(value)]
        if isinstance(value, Listing):
            if not value.items:
                raise _nothing("this list is empty", value)
            return _listed(value, findings)
        if value.plain and not value.text:
            raise _nothing("there is nothing here", value)
        return list(parse_sequence(value).elements)
    return []


def _nothing(message: str, value: Value) -> ArchspecError:
    return ArchspecError("empty-sequence", message, value.span(), f"write at least one layer, or {transparent_name()}")


def _listed(listing: Listing, findings: Findings) -> list[Element]:
    """The elements of a list; where YAML split a text inside its parentheses, that is one mistake, not two."""
    found: list[Element] = []
    torn = False
    for item in listing.items:
        text = item.text if isinstance(item, Scalar) else ""
        if torn:
            torn = ")" not in text
            continue
        torn = isinstance(item, Scalar) and text.count("(") > text.count(")")
        found += _elements(item, findings)
    return found


def _construct(mapping: Mapping) -> Element:
    """One of the mappings: a merge, rows, a choice, or stages where no key is reserved."""
    reserved = [key for key, _ in mapping.items if is_reserved(key.text)]
    if not reserved:
        return _stages(mapping)
    leading = next((key for key in reserved if key.text in CONSTRUCTS or find_merge(key.text)), reserved[0])
    allowed = {leading.text, *CONSTRUCTS.get(leading.text, ())}
    for key, _ in mapping.items:
        if key.text not in allowed:
            beside = " and ".join(sorted(allowed - {leading.text})) or "nothing"
            message = f"`{key.text}` cannot stand beside `{leading.text}`"
            hint = f"beside it may stand {beside}; what comes after it is the next item of a list"
            raise ArchspecError("unknown-key", message, key.span(), hint)
    if find_merge(leading.text):
        return _merge(leading, mapping)
    if leading.text == "each":
        return _each(leading, mapping)
    if leading.text == "if":
        return _choice(leading, mapping)
    needs = "each" if leading.text == "layers" else "if"
    raise ArchspecError("missing-key", f"`{leading.text}` stands without `{needs}`", leading.span(), f"add `{needs}:`")


def _needed(mapping: Mapping, leading: Scalar, key: str) -> Value:
    value = mapping.get(key)
    if value is None:
        raise ArchspecError("missing-key", f"`{leading.text}` stands without `{key}`", leading.span(), f"add `{key}:`")
    return value


def _merge(key: Scalar, mapping: Mapping) -> Merge:
    value, place = _needed(mapping, key, key.text), place_of(key)
    if isinstance(value, Mapping):
        inner = _construct(value)
        if isinstance(inner, Each):
            return Merge(key.text, inner, place)
    if not isinstance(value, Listing) or not value.items:
        raise ArchspecError(
            "branches-not-a-list",
            f"`{key.text}` needs a list of branches",
            value.span(),
            f"{key.text}: [{transparent_name()}, [CONV3-64, BN]], or one branch per row with each: and layers:",
        )
    findings, branches = Findings(), []
    for item in value.items:
        with findings:
            branches.append(sequence(item))
    findings.raise_any()
    return Merge(key.text, tuple(branches), place)


def _each(key: Scalar, mapping: Mapping) -> Each:
    return Each(table(_needed(mapping, key, "each")), sequence(_needed(mapping, key, "layers")), place_of(key))


def table(value: Value) -> Table:
    """The rows of an `each`, not yet evaluated."""
    if isinstance(value, Scalar):
        return Table(place_of(value), text=value)
    if isinstance(value, Listing) or not value.items:
        raise ArchspecError(
            "not-a-table",
            "`each` needs columns",
            value.span(),
            "each: {F: [64, 128], s: [1, 2]}, a table of text, or an expression that gives one",
        )
    for column, _ in value.items:
        check_name(column.text, column.span(), "column")
    return Table(place_of(value), columns=value.items)


def _choice(key: Scalar, mapping: Mapping) -> Choice:
    condition = _needed(mapping, key, "if")
    if not isinstance(condition, Scalar):
        raise ArchspecError("expression-syntax", "`if` needs an expression", condition.span(), "if: depth == 0")
    findings = Findings()
    with findings:
        expression = parse(condition)
    with findings:
        then = sequence(_needed(mapping, key, "then"))
    otherwise = None
    with findings:
        rest = mapping.get("else")
        otherwise = sequence(rest) if rest is not None else None
    findings.raise_any()
    return Choice(expression, then, otherwise, place_of(key))


def _stages(mapping: Mapping) -> Stages:
    findings, stages = Findings(), []
    if not mapping.items:
        raise ArchspecError("empty-sequence", "this mapping is empty", mapping.span(), "write at least one stage")
    for key, value in mapping.items:
        with findings:
            if isinstance(value, Scalar) and value.plain and not value.text:
                raise _empty_stage(key)
            check_name(key.text, key.span(), "stage")
            stages.append((key, sequence(value)))
    findings.raise_any()
    return Stages(tuple(stages))


def _empty_stage(key: Scalar) -> ArchspecError:
    near = did_you_mean(key.text, {*OWN_KEYS, *merge_keys()})
    hint = f"give it layers; braces make a mapping, a list takes [ ]: [{key.text}]"
    if key.text.isidentifier():
        return ArchspecError("empty-stage", f"the stage `{key.text}` has no layers", key.span(), near or hint)
    return ArchspecError("empty-stage", f"`{key.text}` stands where a stage's name should be", key.span(), NESTING_HINT)


def check_name(name: str, span: Span, what: str) -> str:
    """A name that the spec declares; raises ArchspecError for one that is no name or has a meaning of its own."""
    if not name.isidentifier() or not name.isascii():
        hint = "a name is a letter, then letters, digits or _"
        raise ArchspecError("name", f"`{name}` cannot be the name of a {what}", span, hint)
    if name in KEYWORDS or name in SIZES:
        hint = f"call the {what} something else"
        raise ArchspecError("reserved-name", f"`{name}` has a meaning of its own", span, hint)
    return name
