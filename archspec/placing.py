"""Placing layers: an item's layer, its facts on the shapes here, and the node that joins the network.

Everything that does not hang on the place is made once: the match of an item with its kind, equal layers, and the facts
of a layer on equal shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from archspec.binding import Plan, create, fields_of, match
from archspec.document import Document
from archspec.errors import ArchspecError, Trace
from archspec.layers import Input, Layer, Shape, ShapeError, find_merge
from archspec.meaning import merged_kind
from archspec.nodes import Facts, Group, Node, Recorder
from archspec.scope import Frame
from archspec.syntax import Operand, Place, Thing
from archspec.tensors import check_tensors, given

Known = dict[tuple[Shape, ...], Facts]
MOST_NODES = 50_000
STEPS_PER_NODE = 2  # a layer or a repeat is one, an expansion of a block one more
MOST_ELEMENTS = 2**63  # of one tensor
SMALLER = "use smaller repeats or a shallower recursion; from Python, limit= raises the bound"


class LimitError(ArchspecError):
    """A bound on size or depth is passed: nothing after it is looked at."""


class Placer:
    """The nodes of a network as they come into being."""

    def __init__(self, document: Document, limit: int = MOST_NODES) -> None:
        self.document, self.limit = document, limit
        self.nodes: list[Node] = []
        self.calls: Trace | None = None
        self._steps = 0
        self._recorders: list[Recorder] = []
        self._plans: dict[tuple[Thing, type[Layer]], Plan] = {}
        self._layers: dict[Layer, tuple[Layer, Known]] = {}
        self._written: dict[tuple[type[Layer], tuple[tuple[str, object], ...]], tuple[Layer, Known]] = {}
        self._fixed: dict[Plan, tuple[Layer, Known]] = {}
        self._counts: dict[tuple[Group | None, str], int] = {}

    # -- bounds ----------------------------------------------------------------------------------------------------

    def step(self, place: Place, count: int = 1) -> None:
        """Count steps of the elaboration; raises LimitError where there are too many, whatever they do."""
        self._steps += count
        if self._steps > self.limit * STEPS_PER_NODE:
            message = f"expanding the network takes more than {self.limit * STEPS_PER_NODE} steps"
            raise LimitError("too-large", message, place.span, SMALLER)

    def too_large(self, place: Place) -> LimitError:
        """The error for a network that grows past the limit."""
        return LimitError("too-large", f"the network grows past {self.limit} layers here", place.span, SMALLER)

    # -- layers ----------------------------------------------------------------------------------------------------

    def plan(self, thing: Thing, kind: type[Layer], kernel: Operand | None) -> Plan:
        """An item matched with its kind; raises ArchspecError for what the kind does not know."""
        plan = self._plans.get((thing, kind))
        if plan is None:
            if kind.merge_key:
                raise merged_kind(kind, thing.name.span)
            plan = self._plans[thing, kind] = match(thing, kind, kernel, self.document.defaults)
        return plan

    def layer(self, plan: Plan, frame: Frame) -> tuple[Layer, Known]:
        """The layer of a plan here, and its facts by input shapes; equal layers are one object."""
        made = self._fixed.get(plan)
        if made is None:
            fields = fields_of(plan, frame, self.document.tensors)
            key = (plan.kind, tuple(fields.items()))
            made = self._written.get(key)
            if made is None:
                made = self._written[key] = self._one(create(plan, fields))
            if plan.fixed:
                self._fixed[plan] = made
        return made

    def merge(self, key: str) -> tuple[Layer, Known]:
        """The layer that joins the branches of a YAML key."""
        kind = find_merge(key)
        assert kind is not None  # the key was read as a merge
        return self._one(kind())

    def _one(self, layer: Layer) -> tuple[Layer, Known]:
        """The one object among equal layers, however they are written, and what is known of it."""
        return self._layers.setdefault(layer, (layer, {}))

    # -- nodes -----------------------------------------------------------------------------------------------------

    def input(self, name: str, shape: Shape, place: Place) -> Node:
        """Add an input of the network."""
        node = Node(len(self.nodes), Facts(Input(shape=shape), ()), (), (), None, place, None, name=name)
        self.nodes.append(node)
        return node

    def add(
        self,
        made: tuple[Layer, Known],
        inputs: tuple[Node, ...],
        size_only: tuple[Node, ...],
        place: Place,
        group: Group | None,
    ) -> Node:
        """Add a node; raises ShapeError where its layer cannot read the inputs."""
        layer, known = made
        shapes = tuple([node.facts.output for node in inputs + size_only])
        facts = known.get(shapes)
        if facts is None:
            facts = Facts(layer, shapes)
            check_size(facts.output)
            known[shapes] = facts
            check_tensors(facts, self.document.tensors)
        if len(self.nodes) >= self.limit:
            raise self.too_large(place)
        shared = self._owner(facts) if self._recorders and facts.weights else None
        node = Node(len(self.nodes), facts, inputs, size_only, group, place, self.calls, shared)
        self.nodes.append(node)
        for recorder in self._recorders if facts.weights else ():
            if recorder.first:
                recorder.owners.append(node)
        return node

    def group(self, kind: str, name: str, described: Callable[[], str], place: Place, parent: Group | None) -> Group:
        """A group whose name is its own among its siblings: bottleneck, bottleneck.2, ..."""
        number = self._counts[parent, name] = self._counts.get((parent, name), 0) + 1
        return Group(kind, name if number == 1 else f"{name}.{number}", described, place, parent)

    # -- shared weights --------------------------------------------------------------------------------------------

    @contextmanager
    def sharing(self, tag: Place, frame: Frame) -> Iterator[None]:
        """One use of a share tag: the k-th layer with weights takes those of the k-th in the first use."""
        owners = frame.instance.shares.get(tag.text)
        recorder = Recorder([] if owners is None else owners, owners is None, tag)
        frame.instance.shares.setdefault(tag.text, recorder.owners)
        self._recorders.append(recorder)
        try:
            yield
        finally:
            self._recorders.remove(recorder)
        if frame.node and not recorder.first and recorder.position != len(recorder.owners):
            raise _clash(recorder, f"has more layers with weights: {len(recorder.owners)}")

    def _owner(self, facts: Facts) -> Node | None:
        """The node whose weights a new one uses, by the innermost share tag that was used before."""
        found: Node | None = None
        for recorder in reversed(self._recorders):
            owner = recorder.owner()
            if owner is None and not recorder.first:
                raise _clash(recorder, f"has fewer layers with weights: {len(recorder.owners)}")
            if owner is not None:
                _same_weights(recorder, facts, owner)
                found = found or owner.shared or owner
        return found


def check_size(shape: Shape) -> None:
    """Raise ShapeError for a tensor that no machine holds, before numbers grow without end."""
    if shape.elements > MOST_ELEMENTS:
        raise ShapeError("too-large", f"{shape} are more than 2^63 numbers", "use fewer channels or smaller sizes")


def _clash(recorder: Recorder, what: str) -> ArchspecError:
    tag = recorder.place
    return ArchspecError("share-clash", f"the first use of {tag.text} {what}", tag.span, "uses of one tag must match")


def _same_weights(recorder: Recorder, facts: Facts, owner: Node) -> None:
    if given(facts.layer) and given(facts.layer) != given(owner.layer):
        raise _clash(recorder, f"has other tensors ({owner.layer}, line {owner.span.line})")
    ours, theirs = (_shapes(one) for one in (facts, owner.facts))
    if ours != theirs:
        raise _clash(
            recorder,
            f"has weights of {theirs} ({owner.layer}, line {owner.span.line}), and {facts.layer} here of {ours}",
        )


def _shapes(facts: Facts) -> str:
    return ", ".join(" x ".join(map(str, weight.shape)) for weight in facts.weights.values())
