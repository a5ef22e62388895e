"""Random networks held against brute force, against their own flat form and against their own notation; random text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from typing import Any
from unittest import mock

import pytest
import yaml
from hypothesis import HealthCheck, Phase, assume, find, given, settings
from hypothesis import strategies as st

from archspec import ArchspecError, Formula, Layer, Shape, ShapeError, Spec, elaborate, parse
from archspec.binding import create, fields_of, match
from archspec.layers import Weight, geometry, registry
from archspec.layers.base import Input
from archspec.meaning import resolve
from archspec.nodes import Facts
from archspec.notation import parse_sequence
from archspec.scope import Frame, Instance, Scope
from archspec.source import Scalar
from archspec.syntax import Item, Thing
from tests.oracles import RULES, Impossible, Measured, Size, measure, recompute, totals
from tests.strategies import EXPRESSIONS, JUNK, NETWORKS, SIZES, faulty_items, layers, mutated, trees, wild
from tests.structures import Tree

EXAMPLES = settings.default.max_examples if settings.default else 100
LARGEST = 3000  # numbers in an activation; the oracle counts one by one
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]

few = settings(max_examples=max(5, EXAMPLES // 20), suppress_health_check=SLOW)
some = settings(max_examples=EXAMPLES // 4, suppress_health_check=SLOW)
many = settings(max_examples=EXAMPLES, suppress_health_check=SLOW)
every_kind = pytest.mark.parametrize("kind", registry.values(), ids=registry)

Refusal = tuple[Layer, tuple[Shape, ...]]


# -- (a) against brute force -------------------------------------------------------------------------------------------


@contextmanager
def refusals() -> Iterator[list[Refusal]]:
    """Every layer that is refused for its inputs' shapes while networks are elaborated, with those shapes."""
    found: list[Refusal] = []
    settle = Facts.__init__

    def recorded(facts: Facts, layer: Layer, inputs: tuple[Shape, ...]) -> None:
        try:
            settle(facts, layer, inputs)
        except ShapeError:
            found.append((layer, inputs))
            raise

    with mock.patch.object(Facts, "__init__", recorded):
        yield found


def counted(formula: Formula) -> int:
    """A formula's value, which its terms must give."""
    assert formula.value == sum(map(prod, formula.terms))
    return formula.value


def stated(layer: Layer, *inputs: Shape) -> Measured | None:
    """What a layer's facts say; None where it refuses the inputs."""
    try:
        shape = layer.output_shape(*inputs)
    except ShapeError:
        return None
    weights = layer.weights(*inputs).values()
    assert all(counted(weight.count) == prod(weight.shape) for weight in weights)
    trainable, buffers = (sum(w.count.value for w in weights if w.trainable is wanted) for wanted in (True, False))
    return Measured(shape, trainable, buffers, counted(layer.macs(*inputs)))


def defined(layer: Layer, *inputs: Size) -> Measured | None:
    """What the definition says; None where it says nothing."""
    try:
        return measure(layer, *inputs)
    except Impossible:
        return None


def compiled(text: str, limit: int = 1000) -> tuple[Spec | None, ArchspecError | None]:
    """The network of a spec, or the error; both are asked for all that they have to say."""
    try:
        spec = parse(text, limit=limit)
        spec.analyze()
    except ArchspecError as error:
        return None, error
    return spec, None


def compile_or_refuse(text: str) -> Spec | None:
    """The network of a spec; None where a shape does not fit, on which the oracle must agree."""
    with refusals() as refused:
        spec, error = compiled(text)
    assert error is None or refused or error.code == "share-clash", f"{text}\n{error}"
    for layer, inputs in refused:
        assert defined(layer, *inputs) is None, f"{text}\n{layer} {inputs}"
    return spec


def agree(text: str) -> None:
    """Every node and the totals of a network are what brute force finds."""
    spec = compile_or_refuse(text)
    if spec is None:
        return
    assume(all(node.shape.elements <= LARGEST for node in spec))
    try:
        analysis, found = spec.analyze(), recompute(spec.layers)
    except Impossible as error:
        raise AssertionError(f"brute force refuses what archspec accepts\n{text}") from error
    for node in spec:
        count, one = analysis.counts[node], found[node]
        own = (one.trainable, one.buffers) if node.shared is None else (0, 0)
        assert node.shape == one.shape, f"{text}\n{node}: {one.shape}"
        assert (counted(count.trainable), counted(count.buffers)) == own, f"{text}\n{node}: {own}"
        assert counted(analysis.macs[node]) == one.macs, f"{text}\n{node}: {one.macs}"
    reported = (analysis.totals.parameters, analysis.totals.buffers, analysis.totals.macs)
    inference = totals(found, spec.layers.outputs.values())
    assert reported == inference, text
    whole = totals(found, (*spec.layers.outputs.values(), *spec.layers.training_outputs.values()))
    extra = analysis.training_only
    assert (extra.parameters, extra.buffers, extra.macs) == tuple(a - b for a, b in zip(whole, inference, strict=True))


def test_the_oracle_knows_every_kind() -> None:
    assert set(RULES) == {*registry, Input.notation.name}


@many
@given(NETWORKS)
def test_random_networks_are_what_brute_force_finds(text: str) -> None:
    agree(text)


@every_kind
def test_a_random_network_with_a_layer_of_every_kind(kind: type[Layer]) -> None:
    """Its layer stands in it, or is refused, and what joins branches or stands for nothing makes no item."""
    reached: set[str] = set()
    drawn = trees() if kind.merge_key or kind.absent else trees(wild(st.just(kind)))

    @few
    @given(drawn.map(Tree.structured))
    def check(text: str) -> None:
        with refusals() as refused:
            agree(text)
            reached.update(layer.kind for layer, _ in refused)
        reached.update(re_read(text))

    check()
    assert kind.transparent or kind.absent or kind.merge_key or kind.notation.name in reached


def re_read(text: str) -> set[str]:
    """The kinds in a network; none where it is refused."""
    spec, _ = compiled(text)
    return {node.layer.kind for node in spec or ()}


@every_kind
@some
@given(data=st.data())
def test_a_layer_alone_is_what_brute_force_finds(kind: type[Layer], data: st.DataObject) -> None:
    layer = data.draw(layers(kind))
    least, most = kind.arity
    number = data.draw(st.integers(least, most or 4))
    if most == 2:  # the second input is the one that like= names
        number = 2 if getattr(layer, "like", None) else 1
    first = data.draw(SIZES)
    near = st.one_of(st.just(first), st.just((first[0], 1)), st.just(((1,) * len(first[0]), first[1])), SIZES)
    sizes = [first, *(data.draw(near) for _ in range(number - 1))]
    shapes = [Shape(*size) for size in sizes]
    found = defined(layer, *sizes)
    assume(found is None or Shape(*found.shape).elements <= LARGEST)
    assert stated(layer, *shapes) == found


# -- (b) against the flat form -----------------------------------------------------------------------------------------


def outcome(text: str) -> object:
    """The nodes with what they read, and the totals; or the code of the first error."""
    spec, error = compiled(text)
    if spec is None:
        return error and error.code
    nodes = [(str(n.layer), n.shape, [i.index for i in n.inputs], n.shared and n.shared.index) for n in spec]
    return nodes, spec.analyze().totals, spec.analyze().training_only


@many
@given(st.one_of(trees(), trees(wild())))
def test_a_network_with_constructs_is_the_one_written_flat(tree: Tree) -> None:
    structured, flat = tree.structured(), tree.flat()
    assert outcome(structured) == outcome(flat), f"{structured}\n{flat}"


# -- (c) notation ------------------------------------------------------------------------------------------------------


def read_layer(text: str) -> Layer:
    """One layer from its notation, by the parser and the binding that networks go through."""
    (item,) = parse_sequence(Scalar.of(text)).elements
    assert isinstance(item, Item)
    assert isinstance(item.primary, Thing)
    kind, kernel = resolve(item.primary, registry.get, registry)
    frame = Frame(Scope({}, None), Instance(), None, None, {})
    plan = match(item.primary, kind, kernel, ())
    return create(plan, fields_of(plan, frame, {"image": None}))


@every_kind
@some
@given(data=st.data())
def test_a_printed_layer_reads_as_itself(kind: type[Layer], data: st.DataObject) -> None:
    most = data.draw(st.sampled_from((4, 5000, 60_000)))
    layer = data.draw(layers(kind, most, tensors=True))
    printed = str(layer)
    assert read_layer(printed) == layer
    assert str(read_layer(printed)) == printed


# -- (d) any text ------------------------------------------------------------------------------------------------------


def check_read_or_refused(text: str) -> None:
    """A text is a spec, or the error says where it is none."""
    _, error = compiled(text, limit=200)
    if error is None:
        return
    first = error.diagnostics[0]
    assert first.span is not None, f"{text}\n{error}"
    assert first.span.source.text == text, f"{text}\n{error}"
    assert 0 <= first.span.start <= first.span.end <= len(text), f"{text}\n{error}"
    assert first.span.line >= 1
    assert f"{first.span}: error[{first.code}]: {first.message}" in str(error)


def spec_of(layers: object, **more: object) -> str:
    """A spec around drawn items, with a block and variables for them to name."""
    names = {"vars": {"a": 2, "n": 2, "act": "RELU"}, "blocks": {"conv(F, k=3)": "CONV(k)-F"}}
    whole = {"name": "n", "input": "6x6x4", **names, "layers": layers, **more}
    return str(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True))


@many
@given(st.one_of(JUNK, faulty_items(), st.tuples(JUNK, faulty_items()).map(", ".join)))
def test_any_items_are_read_or_refused_at_a_place(text: str) -> None:
    check_read_or_refused(spec_of(text))


@many
@given(
    st.one_of(EXPRESSIONS, JUNK),
    st.sampled_from(["CONV3-({})", "RELU x({})", "RELU if {}", "conv({})", "POOL2 s({})", "RELU as p({})"]),
)
def test_any_expression_is_evaluated_or_refused_at_a_place(expression: str, place: str) -> None:
    check_read_or_refused(spec_of(["CONV3-4", place.format(expression)]))
    check_read_or_refused(
        spec_of(["CONV3-a", {"if": expression, "then": "RELU"}], vars={"a": 2, "b": f"={expression}"})
    )
    rows = [{"each": {"F": expression}, "layers": "FC-F"}, {"each": f"x y\n1 ={expression}", "layers": "RELU"}]
    check_read_or_refused(spec_of(rows))


@many
@given(mutated())
def test_any_document_is_read_or_refused_at_a_place(text: str) -> None:
    check_read_or_refused(text)


@some
@given(st.text())
def test_any_text_is_read_or_refused_at_a_place(text: str) -> None:
    check_read_or_refused(text)


# -- (e) these tests can fail ------------------------------------------------------------------------------------------


def _longer(shape: Shape) -> Shape:
    return Shape((shape.spatial[0] + 1, *shape.spatial[1:]), shape.channels) if shape.rank else shape


def _wider(shape: Shape) -> Shape:
    return Shape(shape.spatial, shape.sizes[-1] + 1)


def _more(formula: Formula) -> Formula:
    return formula + Formula.product(1)


def _heavier(weights: dict[str, Weight]) -> dict[str, Weight]:
    return {name: _one_more(weight) for name, weight in weights.items()}


def _one_more(weight: Weight) -> Weight:
    more = weight.count.value + 1
    return Weight((more,), weight.role, 1, 1, (more,), weight.trainable)


def _later(sides: tuple[int, int]) -> tuple[int, int]:
    return sides[0], sides[1] + 1


FAULTS: list[tuple[Any, str, Callable[[Any], Any]]] = [
    (geometry.Axis, "output", lambda size: size + 1),
    (geometry, "same_padding", _later),
    (registry["CONV"], "macs", _more),
    (registry["CONV"], "weights", _heavier),
    (registry["CONV"], "output_shape", _wider),
    (registry["UPCONV"], "output_shape", _longer),
    (registry["UPCONV"], "macs", _more),
    (registry["POOL"], "output_shape", _longer),
    (registry["FC"], "weights", _heavier),
    (registry["LINEAR"], "macs", _more),
    (registry["BN"], "weights", _heavier),
    (registry["CONCAT"], "output_shape", _wider),
    (registry["UPSAMPLE"], "output_shape", _longer),
    (registry["FLATTEN"], "output_shape", _wider),
    (registry["PAD"], "output_shape", _longer),
    (elaborate.Elaborator, "_repeats", lambda times: times + 1),
]


@pytest.mark.parametrize(("owner", "name", "fault"), FAULTS, ids=lambda part: getattr(part, "__name__", str(part)))
def test_a_planted_fault_is_found(
    owner: Any, name: str, fault: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An off-by-one in one fact or step makes a random network disagree with brute force or with its flat form."""
    right = getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda *arguments, **options: fault(right(*arguments, **options)))

    def disagrees(tree: Tree) -> bool:
        try:
            agree(tree.structured())
            assert outcome(tree.structured()) == outcome(tree.flat())
        except AssertionError:
            return True
        return False

    search = settings(many, max_examples=1000, phases=[Phase.generate], database=None, derandomize=True)
    single = isinstance(owner, type) and issubclass(owner, Layer) and not owner.merge_key
    find(trees(wild(st.just(owner))) if single else trees(), disagrees, settings=search)
