"""Elaboration: blocks, repeats, branches and variables become primitive layers, in the order in which they run.

Expressions may read the shape at the current point, so shapes are computed here, once. Nothing recurses: every
construct is a generator that hands the constructs inside it to one loop, so that a deep nest costs no stack.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any

from archspec.blocks import Given, described, match_call, match_thing, values
from archspec.declarations import Block, Output
from archspec.document import Document
from archspec.errors import ArchspecError, Findings, Trace
from archspec.expressions import shown, whole
from archspec.layers import Layer, ShapeError, Takes, absent_name, find_kind, registry
from archspec.meaning import resolve, unknown_call
from archspec.nodes import Node
from archspec.notation import parse_sequence
from archspec.placing import LimitError, Placer
from archspec.points import every, find, numbered
from archspec.rows import row_label, rows
from archspec.scope import Frame, Instance, Poisoned, Scope, Text
from archspec.syntax import (
    Call,
    Choice,
    Each,
    From,
    Item,
    Merge,
    Operand,
    Place,
    PointRef,
    Sequence,
    Stages,
    Thing,
)

Steps = Generator["Steps", None, None]
Meaning = Block | type[Layer] | Text
DEEPEST = 64
BOUNDS = ("too-large", "too-deep")  # where one value has grown out of bounds, the next ones would too


class Elaborator:
    """Expands the constructs of one document."""

    def __init__(self, document: Document, variables: Scope, findings: Findings, placer: Placer) -> None:
        self.blocks, self.variables, self.findings, self.placer = document.blocks, variables, findings, placer
        self._texts: dict[tuple[Any, int, int], Sequence] = {}
        self._starts: dict[type, Callable[[Any, Frame], Steps | None]] = {
            Item: self.item,
            Merge: self.merge,
            Each: self.each,
            Choice: self.choice,
            Stages: self.stages,
        }

    # -- the loop --------------------------------------------------------------------------------------------------

    def run(self, first: Steps) -> None:
        """Run constructs, innermost first; an error goes to the construct around it."""
        stack: list[Steps] = [first]
        error: Exception | None = None
        while stack:
            try:
                inner = stack[-1].throw(error) if error else next(stack[-1])
            except StopIteration:
                stack.pop()
                error = None
            except (ArchspecError, Poisoned) as raised:
                stack.pop()
                error = raised
            else:
                error = None
                stack.append(inner)
        if error:
            raise error

    def sequence(self, sequence: Sequence, frame: Frame) -> Steps:
        """The elements in order. One that fails is noted, and the shape behind it is unknown."""
        for element in sequence.elements:
            self.placer.step(element.place)
            try:
                if frame.absent:
                    none = absent_name()
                    raise ArchspecError("none-not-last", f"something follows {none}", hint=f"{none} ends its branch")
                inner = self._starts[type(element)](element, frame)
                if inner is not None:
                    yield inner
            except LimitError:
                raise
            except Poisoned:
                frame.node = None
            except ArchspecError as error:
                shape = str(frame.node.shape) if frame.node else None
                placed = error.at(element.place.span, shape, self.placer.calls)
                if error.code in BOUNDS:
                    raise LimitError.of(placed.diagnostics) from None
                self.findings.add(*placed.diagnostics)
                frame.node = None

    # -- items -----------------------------------------------------------------------------------------------------

    def item(self, item: Item, frame: Frame) -> Steps | None:
        """An item: done at once where it is a layer without modifiers, else handed back to the loop."""
        return self.primary(item, frame) if item.plain else self.modified(item, frame)

    def modified(self, item: Item, frame: Frame) -> Steps:
        """An item with its modifiers: condition first, then repeats, share and label."""
        if item.condition is not None and not item.condition.evaluate(frame):
            if item.otherwise is not None:
                yield self.modified(item.otherwise, frame)
            return
        for _ in range(self._repeats(item, frame)):
            yield self.once(item, frame)
            if frame.node is None:
                break  # what failed once need not be tried again
        if item.label is not None:
            frame.instance.mark(numbered(item.label, frame), frame.node, item.label.place)

    def once(self, item: Item, frame: Frame) -> Steps:
        """One repeat of an item, with the weights of its share tag."""
        self.placer.step(item.place)
        if item.share is None:
            inner = self.primary(item, frame)
            if inner is not None:
                yield inner
            return
        with self.placer.sharing(item.share, frame):
            inner = self.primary(item, frame)
            if inner is not None:
                yield inner

    def _repeats(self, item: Item, frame: Frame) -> int:
        if item.repeat is None:
            return 1
        value, place = item.repeat.evaluate(frame), Place(item.place.scalar, item.repeat.start, item.repeat.end)
        times = whole(value)
        if times is None or times < 0:
            message = f"an item cannot be repeated {shown(value)} times"
            raise ArchspecError("repeat", message, place.span, "a repeat is a whole number from 0")
        if times > self.placer.limit:
            raise self.placer.too_large(place)
        return times

    def primary(self, item: Item, frame: Frame) -> Steps | None:
        """What an item is."""
        primary = item.primary
        if isinstance(primary, Thing):
            return self.thing(primary, item.place, frame)
        if isinstance(primary, Call):
            return self.call(primary, item.place, frame)
        if isinstance(primary, From):
            frame.node = find(primary.point, frame)
            return None
        return self.sequence(primary.body, frame)

    # -- layers ----------------------------------------------------------------------------------------------------

    def thing(self, thing: Thing, place: Place, frame: Frame) -> Steps | None:
        """A layer, a block in the layer spelling, or a variable that holds text."""
        known = chain(registry, self.blocks, frame.scope.known())
        meaning: Meaning
        meaning, kernel = resolve(thing, partial(self.meaning, frame), known)
        if isinstance(meaning, Text):
            named = self.blocks.get(meaning) or find_kind(meaning)
            if named is None:
                return self.splice(meaning, thing, place, frame)
            meaning = named
        if isinstance(meaning, Block):
            return self.block(meaning, match_thing(meaning, thing, kernel), place, frame)
        self.layer(thing, meaning, kernel, place, frame)
        return None

    def meaning(self, frame: Frame, word: str) -> Meaning | None:
        """What a name means where an item stands: a block, text in a variable, a layer kind, or nothing."""
        if word in self.blocks:
            return self.blocks[word]
        try:
            value = frame.scope.find(word)
        except KeyError:
            return registry.get(word)
        return value if isinstance(value, Text) else registry.get(word)

    def layer(self, thing: Thing, kind: type[Layer], kernel: Operand | None, place: Place, frame: Frame) -> None:
        """Place one layer behind the current point."""
        plan = self.placer.plan(thing, kind, kernel)
        made = self.placer.layer(plan, frame)
        if kind.absent:
            if not frame.in_branch:
                message = f"{thing.word} leaves out a branch, and here is none"
                raise ArchspecError("none-outside-branch", message, place.span, "leave the item out")
            frame.absent = True
            return
        named = {takes: [find(PointRef(at.text, at), frame) for at in plan.named(takes)] for takes in plan.takes}
        if frame.node is None or kind.transparent:
            return
        inputs = (frame.node, *named.get(Takes.POINT, ()))
        try:
            frame.node = self.placer.add(made, inputs, tuple(named.get(Takes.SIZE_OF, ())), place, frame.group)
        except ShapeError as error:
            raise error.at(plan.setting(error.field).span if error.field else place.span) from None

    # -- blocks and text -------------------------------------------------------------------------------------------

    def call(self, call: Call, place: Place, frame: Frame) -> Steps:
        """A block called with arguments."""
        meaning = self.meaning(frame, call.word)
        block = self.blocks.get(meaning) if isinstance(meaning, Text) else meaning
        if not isinstance(block, Block):
            raise unknown_call(call, self.blocks)
        return self.block(block, match_call(block, call), place, frame)

    def splice(self, text: Text, thing: Thing, place: Place, frame: Frame) -> Steps:
        """Text in a variable, read as a sequence in the scope in which it was written."""
        if thing.tail or thing.amount or thing.options:
            hint = "only the name of a layer or block can be given a kernel, an amount or options"
            raise ArchspecError("splice", f"`{thing.word}` holds the sequence `{text}`", place.span, hint)
        key = (text.place.scalar, text.place.start, text.place.end)
        sequence = self._texts.get(key)
        if sequence is None:
            sequence = self._texts[key] = parse_sequence(*key)
        inner = frame.inner(text.scope)
        with self._expansion(place, inner):
            yield self.sequence(sequence, inner)
        frame.rejoin(inner)

    def block(self, block: Block, given: Given, place: Place, frame: Frame) -> Steps:
        """One expansion of a block."""
        arguments = values(block, given, self.variables, frame)
        group = self.placer.group("block", block.name, partial(described, block, given, arguments), place, frame.group)
        network = frame.instance.network or frame.instance
        inner = frame.inner(Scope(arguments, self.variables), Instance(network, frame.node), group)
        with self._expansion(place, inner):
            yield self.sequence(block.body, inner)
        frame.rejoin(inner)

    @contextmanager
    def _expansion(self, place: Place, inner: Frame) -> Generator[None, None, None]:
        """One level deeper: a call that errors inside it name; raises LimitError past DEEPEST."""
        inner.depth += 1
        if inner.depth > DEEPEST:
            hint = "give the recursion an end: if depth == 0"
            raise LimitError(
                "too-deep", f"blocks and variables stand more than {DEEPEST} deep in each other", place.span, hint
            )
        calls = self.placer.calls
        self.placer.calls = Trace(place.span, calls)
        try:
            yield
        finally:
            self.placer.calls = calls

    # -- structures ------------------------------------------------------------------------------------------------

    def merge(self, merge: Merge, frame: Frame) -> Steps:
        """Branches from the current point, joined; one that ends in NONE is left out."""
        ends: list[Node | None] = []
        if isinstance(merge.branches, Each):
            for scope in rows(merge.branches.table, frame):
                yield self.branch(merge.branches.body, frame.inner(scope), ends)
        else:
            for body in merge.branches:
                points = every(body, frame)
                if points is None:
                    yield self.branch(body, frame.inner(), ends)
                else:
                    ends += points
        if not ends:
            message = f"`{merge.key}` has no branch left"
            raise ArchspecError("no-branch", message, merge.place.span, f"let one branch not end in {absent_name()}")
        if len(ends) == 1 or None in ends:
            frame.node = ends[0] if len(ends) == 1 else None
            return
        inputs = tuple(end for end in ends if end)
        self.placer.step(merge.place, len(inputs))
        frame.node = self.placer.add(self.placer.merge(merge.key), inputs, (), merge.place, frame.group)

    def branch(self, body: Sequence, inner: Frame, ends: list[Node | None]) -> Steps:
        """One branch of a merge; its end is added to `ends`."""
        inner.in_branch, inner.absent = True, False
        yield self.sequence(body, inner)
        if not inner.absent:
            ends.append(inner.node)

    def each(self, each: Each, frame: Frame) -> Steps:
        """The body once per row, in series."""
        for scope in rows(each.table, frame):
            group = self.placer.group("row", "row", partial(row_label, scope), each.place, frame.group)
            inner = frame.inner(scope, group=group)
            yield self.sequence(each.body, inner)
            frame.rejoin(inner)
            if frame.node is None:
                break  # what failed in one row would fail in the next

    def choice(self, choice: Choice, frame: Frame) -> Steps | None:
        """The sequence that the condition chooses."""
        chosen = choice.then if choice.condition.evaluate(frame) else choice.otherwise
        return None if chosen is None else self.sequence(chosen, frame)

    def stages(self, stages: Stages, frame: Frame) -> Steps:
        """Named sequences in order; the end of each is a point."""
        for key, body in stages.stages:
            place = Place(key, 0, len(key.text))
            inner = frame.inner(group=self.placer.group("stage", key.text, partial(str, key.text), place, frame.group))
            yield self.sequence(body, inner)
            frame.rejoin(inner)
            frame.instance.mark(key.text, frame.node, place)

    def outputs(self, outputs: tuple[Output, ...], frame: Frame) -> dict[str, Node]:
        """The points that are outputs here; what fails is noted."""
        found: dict[str, Node] = {}
        for output in outputs:
            try:
                with self.findings:
                    if output.condition is None or output.condition.evaluate(frame):
                        found[output.point.place.text] = find(output.point, frame)
            except Poisoned:
                continue
        return found
