"""Checks of the text that need no shapes: every name in it means something, also in blocks that nothing uses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from archspec.binding import match, setting, unknown_word
from archspec.blocks import match_call, match_thing
from archspec.declarations import Block
from archspec.document import Document
from archspec.errors import ArchspecError, Diagnostic, Findings, did_you_mean
from archspec.expressions import Expression
from archspec.layers import Layer, Option, find_kind, registry
from archspec.meaning import merged_kind, resolve, unknown_call, unknown_item
from archspec.rows import heading
from archspec.scope import SIZES
from archspec.structure import check_name
from archspec.syntax import (
    Call,
    Choice,
    Each,
    Element,
    From,
    Item,
    Merge,
    Operand,
    OptionWord,
    PointRef,
    Sequence,
    Thing,
)
from archspec.walk import WORD, cells, network_points, points, table_values, words

VARIABLE = object()  # what a variable or parameter holds is known only once it is evaluated


@dataclass(frozen=True)
class Names:
    """What names can mean somewhere: values are variables, parameters and columns; None where a table decides."""

    values: frozenset[str] | None
    points: frozenset[str]  # `b*` where the name is computed: as b(j)

    def computed(self, found: Iterable[str]) -> set[str]:
        """Those among some names that a computed name may be."""
        starts = tuple(name[:-1] for name in self.points if name.endswith("*"))
        return {name for name in found if name.startswith(starts)}

    def with_columns(self, columns: Iterable[str] | None) -> Names:
        if columns is None or self.values is None:
            return replace(self, values=None)
        return replace(self, values=self.values | {"i", "last"} | set(columns))


def check_document(document: Document) -> Checker:
    """Look through the layers and every block for names, options and arguments that mean nothing."""
    checker = Checker(document)
    network = network_points(document)
    variables = frozenset(document.vars)
    for thing in document.defaults:
        checker.default(thing, Names(variables, frozenset()))
    checker.sequence(document.layers, Names(variables, network))
    for block in document.blocks.values():
        parameters: set[str] = set()
        for parameter in block.parameters:
            names = Names(variables | parameters, network | {"input"})
            if parameter.default is not None:
                checker.operand(parameter.default, names)
            parameters.add(parameter.name)
        own = network | {"input"} | set(points(block.body))
        checker.within = block.name
        checker.sequence(block.body, Names(variables | parameters, own))
    return checker


class Checker:
    """One walk over the bodies of a document: its findings, and the blocks that something beside themselves names."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.known = {*SIZES, *document.blocks}  # in any expression, beside the kinds
        self.findings = Findings()
        self.within: str | None = None
        self.used: set[str] = set()
        for value in (*document.vars.values(), *document.variants.values()):
            self.names(words(value))

    def names(self, found: Iterable[str]) -> None:
        """Note the blocks among some words."""
        self.used.update(word for word in found if word in self.document.blocks and word != self.within)

    def default(self, thing: Thing, names: Names) -> None:
        """One layer of `defaults` with its options."""
        with self.findings:
            kind = find_kind(thing.word)
            if kind is None:
                raise unknown_item(thing.word, thing.name.span, registry)
            for word in thing.options:
                setting(word, kind, ())
                self.option(word, kind.notation.options.get(word.key), names)
                for expression in word.value.expressions() if word.value and word.value.word is None else ():
                    expression.check(names.values or ())

    def sequence(self, sequence: Sequence, names: Names) -> None:
        for element in sequence.elements:
            self.element(element, names)

    def element(self, element: Element, names: Names) -> None:
        if isinstance(element, Item):
            self.item(element, names)
        elif isinstance(element, Each):
            self.each(element, names)
        elif isinstance(element, Merge):
            branches = (element.branches,) if isinstance(element.branches, Each) else element.branches
            for branch in branches:
                self.each(branch, names) if isinstance(branch, Each) else self.sequence(branch, names)
        elif isinstance(element, Choice):
            self.expression(element.condition, names)
            self.sequence(element.then, names)
            self.sequence(element.otherwise or Sequence((), element.place), names)
        else:
            for _, body in element.stages:
                self.sequence(body, names)

    def each(self, each: Each, names: Names) -> None:
        for expression in cells(each.table):
            self.expression(expression, names)
        for value in table_values(each.table):
            self.names(words(value))
        self.sequence(each.body, names.with_columns(heading(each.table)))

    def item(self, item: Item, names: Names) -> None:
        for expression in (item.condition, item.repeat, item.label.index if item.label else None):
            if expression is not None:
                self.expression(expression, names)
        if item.label is not None and item.label.index is None:
            self.label(item.label)
        if item.otherwise is not None:
            self.item(item.otherwise, names)
        primary = item.primary
        with self.findings:
            if isinstance(primary, Thing):
                self.thing(primary, names)
            elif isinstance(primary, Call):
                self.call(primary, names)
            elif isinstance(primary, From):
                self.point(primary, names)
            else:
                self.sequence(primary.body, names)

    def label(self, point: PointRef) -> None:
        """The name that an item gives to its end."""
        span = point.place.span
        with self.findings:
            check_name(point.name, span, "point")

    def thing(self, thing: Thing, names: Names) -> None:
        self.names((thing.word, (thing.split() or ("",))[0]))
        for operand in (thing.tail, thing.amount):
            if operand is not None:
                self.operand(operand, names)

        def meaning(word: str) -> Block | type[Layer] | object | None:
            if word in self.document.blocks:
                return self.document.blocks[word]
            if names.values is None or word in names.values:
                return registry.get(word, VARIABLE)
            return registry.get(word)

        found, kernel = resolve(thing, meaning, chain(registry, self.document.blocks, names.values or ()))
        options: Mapping[str, Option] = {}
        if isinstance(found, Block):
            match_thing(found, thing, kernel)
        elif isinstance(found, type) and issubclass(found, Layer):
            if found.merge_key:
                raise merged_kind(found, thing.name.span)
            match(thing, found, kernel, self.document.defaults)
            options = found.notation.options
        for word in thing.options:
            with self.findings:
                self.option(word, options.get(word.key), names)

    def option(self, word: OptionWord, option: Option | None, names: Names) -> None:
        """The value of one option: a word that the option knows, a point or tensor, or an expression."""
        value = word.value
        if value is None or value.word == "none" or (option and (option.takes or value.word in option.words)):
            return
        if option and option.words and value.word and names.values is not None and value.word not in names.values:
            raise unknown_word(option, value)
        self.operand(value, names)

    def call(self, call: Call, names: Names) -> None:
        self.names((call.word,))
        for argument in call.arguments:
            self.operand(argument.value, names)
        block = self.document.blocks.get(call.word)
        if block is not None:
            match_call(block, call)
        elif names.values is not None and call.word not in names.values:
            raise unknown_call(call, self.document.blocks)

    def point(self, source: From, names: Names) -> None:
        point = source.point
        if point.index is not None or names.values is None or point.name in names.points | names.values:
            return
        if point.every or not names.computed([point.name]):
            named = [name for name in names.points if not name.endswith("*")]
            hint = did_you_mean(point.name, named) or "name one with `as`, or use a stage's name"
            raise ArchspecError("unknown-point", f"there is no point `{point.place.text}` here", point.place.span, hint)

    def operand(self, operand: Operand, names: Names) -> None:
        self.names(WORD.findall(operand.place.text))
        for expression in operand.expressions():
            self.expression(expression, names)

    def expression(self, expression: Expression, names: Names) -> None:
        if names.values is None or all(name in self.known or name in names.values for name in expression.names):
            return
        points = {*names.points, *names.computed(expression.names)}
        known = {*self.known, *names.values, *points}
        known |= {name for name in expression.names if name not in known and find_kind(name)}  # only those it names
        with self.findings:
            expression.check(known)


def lints(document: Document, used: Collection[str]) -> Iterator[Diagnostic]:
    """Warnings about the text: blocks that nothing uses, names that live in two name spaces."""
    network = network_points(document)
    for name, value in document.vars.items():
        if name in network:
            message = f"{name} is a variable and a point: in expressions it is the variable, behind from the point"
            yield Diagnostic("two-meanings", message, value.span(), "rename one of them", severity="warning")
    for block in document.blocks.values():
        if block.name not in used:
            message = f"the block {block.name} is never used"
            yield Diagnostic("unused-block", message, block.place.span, "use it or remove it", severity="warning")
        if block.name in document.vars:
            message = f"{block.name} is a block and a variable: as an item it is the block, in expressions the variable"
            yield Diagnostic("two-meanings", message, block.place.span, "rename one of them", severity="warning")
        if block.name in network:
            message = f"{block.name} is a block and a point: behind from it is the point, everywhere else the block"
            yield Diagnostic("two-meanings", message, block.place.span, "rename one of them", severity="warning")
