"""Elaboration: blocks, repeats, branches and variables become primitive layers, in the order in which they run.

Expressions may read the shape at the current point, so shapes are computed here, once. Nothing recurses: every construct
is a generator that hands the constructs inside it to one loop, so that a deep nest costs memory and no stack.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import partial

from archspec.binding import Plan, create, fields_of, match
from archspec.blocks import Given, match_call, match_thing, values
from archspec.declarations import Block, Output
from archspec.document import Document
from archspec.errors import ArchspecError, Findings, Trace, did_you_mean
from archspec.layers import Layer, Shape, ShapeError, Takes, registry
from archspec.layers.base import Input
from archspec.meaning import merged_kind, resolve, unknown_call
from archspec.nodes import Facts, Group, Node, Recorder
from archspec.notation import parse_sequence
from archspec.rows import rows
from archspec.scope import Frame, Instance, Poisoned, Scope, Text
from archspec.syntax import Call, Choice, Each, Element, From, Item, Merge, Operand, Place, PointRef, Sequence, Stages, Thing
from archspec.tensors import check_tensors

Steps = Generator["Steps", None, None]
DEEPEST = 64
MOST_NODES = 100_000
STEPS_PER_NODE = 5


class LimitError(ArchspecError):
    """A bound on size or depth is passed: nothing after it is looked at."""


@dataclass(frozen=True)
class Network:
    """What elaboration gives: the nodes in execution order, and those that are outputs."""

    document: Document
    nodes: tuple[Node, ...]
    inputs: Mapping[str, Node]
    outputs: Mapping[str, Node]
    training_outputs: Mapping[str, Node]
    points: Mapping[str, Node]
    used_blocks: frozenset[str]


class Elaborator:
    """Expands one document for one set of variables."""

    def __init__(self, document: Document, variables: Scope, findings: Findings, limit: int = MOST_NODES) -> None:
        self.document, self.blocks, self.variables = document, document.blocks, variables
        self.findings, self.limit = findings, limit
        self.nodes: list[Node] = []
        self.steps = 0
        self.used: set[str] = set()
        self.recorders: list[Recorder] = []
        self.calls: Trace | None = None
        self._plans: dict[tuple[Thing, type[Layer]], Plan] = {}
        self._layers: dict[object, tuple[Layer, dict[tuple[Shape, ...], Facts]]] = {}
        self._fixed: dict[Plan, tuple[Layer, dict[tuple[Shape, ...], Facts]]] = {}
        self._texts: dict[tuple[object, int, int], Sequence] = {}
        self._counts: dict[tuple[Group | None, str], int] = {}

    # -- the loop --------------------------------------------------------------------------------------------------

    def run(self, first: Steps) -> None:
        """Run constructs, innermost first; an error goes to the construct around it."""
        stack, error = [first], None
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
            try:
                if frame.absent:
                    raise ArchspecError("none-not-last", "something follows NONE", self._place(element).span, "NONE ends a branch")
                inner = self.begin(element, frame)
                if inner is not None:
                    yield inner
            except LimitError:
                raise
            except Poisoned:
                frame.node = None
            except ArchspecError as error:
                self.note(error, element, frame)
                frame.node = None

    def note(self, error: ArchspecError, element: Element, frame: Frame) -> None:
        """Note an error with what it lacks: its place, the shape there, and the calls that led there."""
        shape = str(frame.node.shape) if frame.node else None
        self.findings.add(*error.at(self._place(element).span, shape, self.calls).diagnostics)

    def _place(self, element: Element) -> Place:
        if isinstance(element, Stages):
            key = element.stages[0][0]
            return Place(key, 0, len(key.text))
        return element.place

    def begin(self, element: Element, frame: Frame) -> Steps | None:
        """Start an element: a plain layer is done at once, anything else is handed back to the loop."""
        self.steps += 1
        if self.steps > self.limit * STEPS_PER_NODE:
            raise self._too_large(self._place(element))
        if isinstance(element, Item):
            return self.primary(element, frame) if element.plain else self.item(element, frame)
        if isinstance(element, Merge):
            return self.merge(element, frame)
        if isinstance(element, Each):
            return self.each(element, frame)
        if isinstance(element, Choice):
            return self.choice(element, frame)
        return self.stages(element, frame)

    def _too_large(self, place: Place) -> LimitError:
        return LimitError(
            "too-large",
            f"the network grows past {self.limit} layers here",
            place.span,
            "use smaller repeats; from Python, limit= raises the bound",
        )

    # -- items -----------------------------------------------------------------------------------------------------

    def item(self, item: Item, frame: Frame) -> Steps:
        """An item with its modifiers: condition first, then repeats, share and label."""
        if item.condition is not None and not item.condition.evaluate(frame):
            if item.otherwise is not None:
                yield self.item(item.otherwise, frame)
            return
        for _ in range(self._repeats(item, frame)):
            if item.share is None:
                inner = self.primary(item, frame)
                if inner is not None:
                    yield inner
            else:
                yield self.shared(item, item.share, frame)
            if frame.node is None:
                break  # what failed once need not be tried again
        if item.label is not None:
            frame.instance.mark(self._point_name(item.label, frame), frame.node, item.label.place)

    def _repeats(self, item: Item, frame: Frame) -> int:
        if item.repeat is None:
            return 1
        times, place = item.repeat.evaluate(frame), Place(item.place.scalar, item.repeat.start, item.repeat.end)
        if isinstance(times, float) and times.is_integer():
            times = int(times)
        if isinstance(times, bool) or not isinstance(times, int) or times < 0:
            raise ArchspecError("repeat", f"an item cannot be repeated {times} times", place.span, "a repeat is a whole number from 0")
        if times > self.limit:
            raise self._too_large(place)
        return times

    def shared(self, item: Item, tag: Place, frame: Frame) -> Steps:
        """One use of a share tag: the k-th layer with weights takes those of the k-th in the first use."""
        owners = frame.instance.shares.get(tag.text)
        recorder = Recorder([] if owners is None else owners, owners is None, tag)
        frame.instance.shares.setdefault(tag.text, recorder.owners)
        self.recorders.append(recorder)
        try:
            inner = self.primary(item, frame)
            if inner is not None:
                yield inner
        finally:
            self.recorders.remove(recorder)
        if frame.node and not recorder.first and recorder.position != len(recorder.owners):
            found = f"the first use of {tag.text} has {len(recorder.owners)} layers with weights, this one {recorder.position}"
            raise ArchspecError("share-clash", found, tag.span, "uses of one tag must have the same layers")

    def _point_name(self, point: PointRef, frame: Frame) -> str:
        """A point's name, its index computed: b(j) -> b3."""
        if point.index is None:
            return point.name
        value = point.index.evaluate(frame)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise ArchspecError("name", f"a point cannot be called {point.name}({value})", point.place.span, "index it by a whole number")
        return f"{point.name}{value}"

    def primary(self, item: Item, frame: Frame) -> Steps | None:
        """What an item is."""
        primary = item.primary
        if isinstance(primary, Thing):
            return self.thing(primary, item.place, frame)
        if isinstance(primary, Call):
            return self.call(primary, item.place, frame)
        if isinstance(primary, From):
            frame.node = self.find(primary.point, frame)
            return None
        return self.sequence(primary.body, frame)

    def find(self, point: PointRef, frame: Frame) -> Node:
        """The node of a point; raises ArchspecError where there is none of that name."""
        if point.every:
            raise ArchspecError("unknown-point", f"`{point.place.text}` is all points of a name", point.place.span, "let it be a whole branch: concat: [from f*]")
        name = self._point_name(point, frame)
        try:
            held = frame.scope.find(name)
            if isinstance(held, Node):
                return held
            name = held if isinstance(held, str) else name
        except KeyError:
            pass
        try:
            return frame.point(name)
        except KeyError:
            hint = did_you_mean(name, frame.points()) or "name one with `as`, or use a stage's name"
            raise ArchspecError("unknown-point", f"there is no point `{name}` here", point.place.span, hint) from None

    # -- layers ----------------------------------------------------------------------------------------------------

    def thing(self, thing: Thing, place: Place, frame: Frame) -> Steps | None:
        """A layer, a block in the layer spelling, or a variable that holds text."""
        known = (*registry, *self.blocks, *frame.scope.known())
        meaning, kernel = resolve(thing, partial(self.meaning, frame), known)
        if isinstance(meaning, Text):
            return self.spliced(meaning, thing, kernel, place, frame)
        if isinstance(meaning, Block):
            return self.block(meaning, match_thing(meaning, thing, kernel), place, frame)
        self.layer(self.plan(thing, meaning, kernel), place, frame)
        return None

    def meaning(self, frame: Frame, word: str) -> Block | type[Layer] | Text | None:
        """What a name means where an item stands: a block, text in a variable, a layer kind, or nothing."""
        if word in self.blocks:
            return self.blocks[word]
        try:
            value = frame.scope.find(word)
        except KeyError:
            return registry.get(word)
        if isinstance(value, str):
            return value if isinstance(value, Text) else None
        return registry.get(word)

    def plan(self, thing: Thing, kind: type[Layer], kernel: Operand | None) -> Plan:
        """An item matched with its kind; done once for every place in the text."""
        plan = self._plans.get((thing, kind))
        if plan is None:
            if kind.merge_key:
                raise merged_kind(kind, thing.name.span)
            plan = self._plans[thing, kind] = match(thing, kind, kernel, self.document.defaults)
        return plan

    def layer(self, plan: Plan, place: Place, frame: Frame) -> None:
        """Place one layer behind the current point."""
        layer, facts = self._made(plan, frame)
        if plan.kind.absent:
            self._leave_out(place, frame)
            return
        if frame.node is None or plan.kind.transparent:
            return
        size_only = self._named_inputs(plan, Takes.SIZE_OF, frame)
        inputs = (frame.node, *self._named_inputs(plan, Takes.POINT, frame))
        try:
            frame.node = self.place(layer, facts, inputs, size_only, place, frame)
        except ShapeError as error:
            raise error.at(plan.setting(error.field).span if error.field else place.span) from None

    def _made(self, plan: Plan, frame: Frame) -> tuple[Layer, dict[tuple[Shape, ...], Facts]]:
        """The layer of a plan here, and its facts by input shapes; equal layers are one object."""
        made = self._fixed.get(plan)
        if made is None:
            fields = fields_of(plan, frame, self.document.tensors)
            key = (plan.kind, tuple(fields.items()))
            made = self._layers.get(key)
            if made is None:
                made = self._layers[key] = (create(plan, fields), {})
            if plan.fixed:
                self._fixed[plan] = made
        return made

    def _leave_out(self, place: Place, frame: Frame) -> None:
        if not frame.in_branch:
            raise ArchspecError("none-outside-branch", "NONE leaves out a branch, and here is none", place.span, "to do nothing write IDENTITY")
        frame.absent = True

    def _named_inputs(self, plan: Plan, takes: Takes, frame: Frame) -> tuple[Node, ...]:
        """The nodes that options such as `like=` name."""
        return tuple(
            self.find(PointRef(one.operand.place.text, one.operand.place), frame)
            for one in (*plan.own, *plan.default)
            if one.option and one.option.takes is takes and one.operand
        )

    def place(
        self,
        layer: Layer,
        known: dict[tuple[Shape, ...], Facts],
        inputs: tuple[Node, ...],
        size_only: tuple[Node, ...],
        place: Place,
        frame: Frame,
    ) -> Node:
        """Make the node; raises ShapeError where the layer cannot read its inputs."""
        shapes = tuple(node.shape for node in (*inputs, *size_only))
        facts = known.get(shapes)
        if facts is None:
            facts = known[shapes] = Facts(layer, shapes)
        if len(self.nodes) >= self.limit:
            raise self._too_large(place)
        shared = self._owner(facts, frame) if self.recorders else None
        check_tensors(facts, self.document.tensors)
        node = Node(len(self.nodes), facts, inputs, size_only, frame.group, place, self.calls, shared)
        self.nodes.append(node)
        for recorder in self.recorders:
            if recorder.first and facts.weights:
                recorder.owners.append(node)
        return node

    def _owner(self, facts: Facts, frame: Frame) -> Node | None:
        """The node whose weights a new one uses, by the innermost share tag that was used before."""
        found: Node | None = None
        if not facts.weights:
            return None
        for recorder in reversed(self.recorders):
            owner = recorder.owner()
            if owner is None and not recorder.first:
                raise ArchspecError("share-clash", f"the first use of {recorder.place.text} has fewer layers with weights", recorder.place.span, "uses of one tag must have the same layers")
            if owner is not None:
                ours, theirs = ([w.shape for w in f.weights.values()] for f in (facts, owner.facts))
                if ours != theirs:
                    message = f"{facts.layer} has weights of {ours}, and {owner.layer} in line {owner.span.line} has {theirs}"
                    raise ArchspecError("share-clash", message, recorder.place.span, "uses of one tag must have the same shapes")
                found = found or owner.shared or owner
        return found

    # -- blocks and text -------------------------------------------------------------------------------------------

    def call(self, call: Call, place: Place, frame: Frame) -> Steps:
        """A block called with arguments."""
        meaning = self.meaning(frame, call.word)
        if isinstance(meaning, Text) and meaning in self.blocks:
            meaning = self.blocks[meaning]
        if not isinstance(meaning, Block):
            raise unknown_call(call, self.blocks)
        return self.block(meaning, match_call(meaning, call), place, frame)

    def spliced(self, text: Text, thing: Thing, kernel: Operand | None, place: Place, frame: Frame) -> Steps | None:
        """Text in a variable: the name of a block or layer, which takes what the item gives, or a sequence."""
        named = self.blocks.get(text) or registry.get(text)
        if named is not None:
            if isinstance(named, Block):
                return self.block(named, match_thing(named, thing, kernel), place, frame)
            self.layer(self.plan(thing, named, kernel), place, frame)
            return None
        if kernel or thing.amount or thing.options:
            hint = "only the name of a layer or block can be given a kernel, an amount or options"
            raise ArchspecError("splice", f"`{thing.word}` holds the sequence `{text}`", place.span, hint)
        return self.splice(text, place, frame)

    def splice(self, text: Text, place: Place, frame: Frame) -> Steps:
        """Text read as a sequence, in the scope in which it was written."""
        key = (text.place.scalar, text.place.start, text.place.end)
        sequence = self._texts.get(key)
        if sequence is None:
            sequence = self._texts[key] = parse_sequence(*key)
        self._check_depth(place, frame)
        calls = self.calls
        self.calls = Trace(place.span, calls)
        inner = frame.inner(scope=text.scope)
        inner.depth = frame.depth + 1
        yield self.sequence(sequence, inner)
        frame.rejoin(inner)
        self.calls = calls

    def _check_depth(self, place: Place, frame: Frame) -> None:
        if frame.depth >= DEEPEST:
            raise LimitError("too-deep", f"blocks call each other more than {DEEPEST} deep", place.span, "give the recursion an end: if depth == 0")

    def block(self, block: Block, given: Given, place: Place, frame: Frame) -> Steps:
        """One expansion of a block."""
        self._check_depth(place, frame)
        self.used.add(block.name)
        network = frame.instance.network or frame.instance
        group = self._group("block", block.name, place, frame.group)
        scope = Scope(values(block, given, self.variables, frame), self.variables)
        inner = frame.inner(scope, Instance(network, frame.node, group), group)
        inner.depth = frame.depth + 1
        calls = self.calls
        self.calls = Trace(place.span, calls)
        yield self.sequence(block.body, inner)
        frame.rejoin(inner)
        self.calls = calls

    def _group(self, kind: str, name: str, place: Place, parent: Group | None) -> Group:
        """A group whose name is its own among its siblings: bottleneck, bottleneck.2, ..."""
        number = self._counts[parent, name] = self._counts.get((parent, name), 0) + 1
        return Group(kind, name if number == 1 else f"{name}.{number}", place.text, place, parent)

    # -- structures ------------------------------------------------------------------------------------------------

    def merge(self, merge: Merge, frame: Frame) -> Steps:
        """Branches from the current point, joined; one that ends in NONE is left out."""
        ends: list[Node | None] = []
        if isinstance(merge.branches, Each):
            for scope in rows(merge.branches.table, frame):
                yield self._branch(merge.branches.body, frame.inner(scope), ends)
        else:
            for branch in merge.branches:
                points = self._every(branch, frame)
                if points is None:
                    yield self._branch(branch, frame.inner(), ends)
                else:
                    ends += points
        if not ends:
            raise ArchspecError("no-branch", f"`{merge.key}` has no branch left", merge.place.span, "let one branch not end in NONE")
        if len(ends) == 1 or None in ends:
            frame.node = ends[0] if len(ends) == 1 else None
            return
        kind = next(kind for kind in registry.values() if kind.merge_key == merge.key)
        layer, facts = self._layers.setdefault((kind, ()), (kind(), {}))
        frame.node = self.place(layer, facts, tuple(end for end in ends if end), (), merge.place, frame)

    def _branch(self, body: Sequence, inner: Frame, ends: list[Node | None]) -> Steps:
        inner.in_branch, inner.absent = True, False
        yield self.sequence(body, inner)
        if not inner.absent:
            ends.append(inner.node)

    def _every(self, branch: Sequence, frame: Frame) -> list[Node | None] | None:
        """All points of a name where `from name*` is the whole branch; None for any other branch."""
        item = branch.elements[0] if len(branch.elements) == 1 else None
        if not isinstance(item, Item) or not isinstance(item.primary, From) or not item.primary.point.every:
            return None
        point = item.primary.point
        found = frame.instance.point(point.name)
        if not found:
            hint = did_you_mean(point.name, frame.points())
            raise ArchspecError("unknown-point", f"there is no point `{point.name}` here", point.place.span, hint)
        return list(found)

    def each(self, each: Each, frame: Frame) -> Steps:
        """The body once per row, in series."""
        for scope in rows(each.table, frame):
            inner = frame.inner(scope)
            yield self.sequence(each.body, inner)
            frame.rejoin(inner)

    def choice(self, choice: Choice, frame: Frame) -> Steps:
        """The sequence that the condition chooses."""
        chosen = choice.then if choice.condition.evaluate(frame) else choice.otherwise
        if chosen is not None:
            yield self.sequence(chosen, frame)

    def stages(self, stages: Stages, frame: Frame) -> Steps:
        """Named sequences in order; the end of each is a point."""
        for key, body in stages.stages:
            place = Place(key, 0, len(key.text))
            inner = frame.inner(group=self._group("stage", key.text, place, frame.group))
            yield self.sequence(body, inner)
            frame.rejoin(inner)
            frame.instance.mark(key.text, frame.node, place)

    # -- the network -----------------------------------------------------------------------------------------------

    def network(self, shapes: Mapping[str, tuple[Shape, Place]]) -> Network:
        """Everything, from the inputs to the outputs."""
        instance = Instance(None, None, None)
        for name, (shape, place) in shapes.items():
            layer = Input(shape=shape)
            node = Node(len(self.nodes), Facts(layer, ()), (), (), None, place, None, name=name)
            self.nodes.append(node)
            instance.mark(name, node, place)
        inputs = dict(zip(shapes, self.nodes, strict=True))
        frame = Frame(self.variables, instance, self.nodes[0], None, self.blocks)
        self.run(self.sequence(self.document.layers, frame))
        outputs = self._outputs(self.document.outputs, frame)
        if not self.document.outputs and frame.node:
            outputs = {"output": frame.node}
        training = self._outputs(self.document.training_outputs, frame)
        points = {name: nodes[-1] for name, nodes in instance.points.items() if nodes[-1]}
        return Network(self.document, tuple(self.nodes), inputs, outputs, training, points, frozenset(self.used))

    def _outputs(self, outputs: tuple[Output, ...], frame: Frame) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for output in outputs:
            try:
                if output.condition is None or output.condition.evaluate(frame):
                    found[output.point.place.text] = self.find(output.point, frame)
            except Poisoned:
                pass
            except ArchspecError as error:
                self.findings.add(*error.diagnostics)
        return found
