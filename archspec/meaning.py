"""What the name of an item means: a block, a variable that holds text, or a layer kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from archspec.declarations import Block
from archspec.errors import ArchspecError, Span, did_you_mean
from archspec.layers import Layer, find_kind, more_kinds, registry
from archspec.syntax import Call, Operand, Thing

Meaning = TypeVar("Meaning")


def resolve(
    thing: Thing, meaning: Callable[[str], Meaning | None], known: Iterable[str]
) -> tuple[Meaning, Operand | None]:
    """What an item names, and its kernel: the exact name first, then the name without its trailing kernel.

    `meaning` gives the meaning of one name, or None; raises ArchspecError where neither name means anything, in
    archspec or in another distribution.
    """
    found = meaning(thing.word)
    if found is not None:
        return found, thing.tail
    parts = thing.split()
    found = meaning(parts[0]) if parts else None
    if found is None and thing.word[0].isupper() and more_kinds():
        return resolve(thing, meaning, known)
    if parts is None or found is None:
        raise unknown_item(thing.word, thing.name.span, known)
    return found, parts[1]


def unknown_item(word: str, span: Span, known: Iterable[str]) -> ArchspecError:
    """The error for an item whose name means nothing."""
    what, names = "layer" if word[0].isupper() else "block", set(known)
    message = f"there is no {what} `{word}`"
    stem, letter = word[:-1], word[-1:]
    if word in names:
        hint = f"`{word}` is a value and no item; as an amount it stands behind a dash: CONV3-{word}"
    elif stem in registry and letter.islower():
        hint = f"{letter} stands for a number: {stem}3, or {stem}({letter}) where {letter} is a variable"
    elif word.upper() in registry or word.rstrip("x0123456789").upper() in registry:
        hint = f"layers are written in capitals: {word.upper().replace('X', 'x')}"
    else:
        hint = did_you_mean(word.rstrip("0123456789"), names) or "see the layers and their options in docs/layers.md"
    return ArchspecError(f"unknown-{what}", message, span, hint)


def unknown_call(call: Call, blocks: Mapping[str, Block]) -> ArchspecError:
    """The error for a call of what is no block."""
    kind: type[Layer] | None = find_kind(call.word.upper())
    hint = did_you_mean(call.word, blocks)
    if kind is not None:
        hint = f"calls are for blocks; a layer is written as {kind.notation.form}"
    return ArchspecError("unknown-block", f"there is no block `{call.word}`", call.name.span, hint)


def merged_kind(kind: type[Layer], span: Span) -> ArchspecError:
    """The error for a merge that is written as an item."""
    hint = f"write {kind.merge_key}: with a list of branches"
    return ArchspecError("unknown-layer", f"{kind.notation.name} joins branches and is no item", span, hint)
