"""A spec as its user holds it: read, elaborated for one variant and one set of variables, ready to be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from archspec import bundle, check, graph, lints, report
from archspec.analysis import Analysis, analyze
from archspec.choices import Choices
from archspec.declarations import ALL_AXES, InputShape, read_input
from archspec.document import Document, parse_document
from archspec.errors import ArchspecError, Diagnostic, Findings, Source, did_you_mean
from archspec.expressions import shown, whole
from archspec.graph import Graph, LayerGraph
from archspec.layers import Shape
from archspec.network import elaborate
from archspec.nodes import Node
from archspec.placing import MOST_NODES, LimitError, check_size
from archspec.scope import Frame, Instance, Scope
from archspec.source import Listing, Scalar, Value, collector_paused
from archspec.syntax import Place
from archspec.tensors import check_input
from archspec.variables import evaluate, from_python, overridden

if TYPE_CHECKING:
    from visualize.curves.figure import Figure
    from visualize.diagram import Diagram, Direction
    from visualize.receptive_field.choice import Unit

InputSize = str | int | tuple[int, ...] | Mapping[str, int]  # 28x28x1, 784, (28, 28, 1), or sizes by axis


@dataclass(frozen=True, eq=False, repr=False)
class Spec:
    """One network: a document, the variant and variables chosen, and its layer graph."""

    document: Document
    choices: Choices
    layers: LayerGraph
    text_warnings: tuple[Diagnostic, ...]

    @property
    def name(self) -> str:
        """The name in the document."""
        return self.document.name

    @property
    def variant(self) -> str | None:
        """The variant chosen."""
        return self.choices.variant

    @property
    def source(self) -> Source:
        """The text that the spec was read from, and its name."""
        return self.document.layers.place.span.source

    @property
    def graph(self) -> Graph:
        """The layers as a frozen `networkx.DiGraph`; its nodes are `Node` objects in execution order."""
        return self.layers.graph

    def __iter__(self) -> Iterator[Node]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"<Spec {self.title}: {len(self)} layers>"

    def analyze(self) -> Analysis:
        """All analyses; they run once.

        >>> parse("{name: a, input: 28x28x1, layers: CONV3-10}").analyze().parameters
        100
        """
        return self._analysis

    @property
    def title(self) -> str:
        """The name, with the variant where one is chosen."""
        return f"{self.name} ({self.variant})" if self.variant else self.name

    def to_dict(self, batch: int = 1, dtype: str = "float32") -> dict[str, object]:
        """Everything as plain values, the same as the command line's JSON."""
        batch = at_least_one("batch", batch)
        return report.as_dict(self.name, self.variant, self.analyze(), self.warnings, batch, dtype)

    def to_markdown(self, columns: Sequence[str] | None = None, depth: int | None = None) -> str:
        """The table as Markdown."""
        depth = None if depth is None else at_least_one("depth", depth)
        return report.markdown(report.table(self.analyze(), columns or None, depth))

    def draw(
        self,
        depth: int | None = None,
        direction: Direction = "TB",
        show: Sequence[str] | None = None,
        every: bool = False,
        dot: str | PathLike[str] | None = None,
    ) -> Diagram:
        """The network as a diagram, which shows itself in notebooks; see `visualize.diagram.diagram`."""
        from visualize.diagram import diagram
        from visualize.diagram.labels import DEFAULT

        return diagram(self, depth, direction, DEFAULT if show is None else show, every, dot)

    def draw_receptive_field(
        self,
        layer: str | int | None = None,
        unit: Unit | None = None,
        image: str | Path | None = None,
        axis: str | None = None,
        source: str | None = None,
    ) -> Figure:
        """What a unit sees, as a picture; see `visualize.receptive_field.draw_receptive_field`."""
        from visualize.receptive_field import draw_receptive_field

        return draw_receptive_field(self, layer, unit, image, axis, source)

    def _repr_html_(self) -> str:
        return report.html_table(report.table(self.analyze()), self.title)

    @cached_property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """Probable mistakes: in the text, in the graph, and in what the layers read."""
        return (*self.text_warnings, *lints.warnings(self.analyze()))

    def node(self, point: str | int) -> Node:
        """The node of a named point, or of a number as tables show it; raises ArchspecError if there is none."""
        point = str(point)
        found = self.layers.points.get(point)
        if found is None and point.isascii() and point.isdigit() and int(point) < len(self):
            found = list(self)[int(point)]
        if found is None:
            hint = did_you_mean(point, self.layers.points) or f"its points are {', '.join(self.layers.points)}"
            raise ArchspecError("unknown-point", f"{self.title} has no point `{point}`", hint=hint)
        return found

    @cached_property
    def _analysis(self) -> Analysis:
        return analyze(self.layers)


def build(document: Document, choices: Choices) -> Spec:
    """Elaborate a document; raises ArchspecError with every independent finding."""
    with collector_paused():
        return _build(document, choices)


def _build(document: Document, choices: Choices) -> Spec:
    variables = _variables(document, choices)
    checked = check.check_document(document)
    findings = checked.findings
    shapes = _inputs(document, choices, variables, findings)
    try:
        network = elaborate(document, variables, shapes, findings, choices.limit)
    except LimitError as error:
        findings.add(*error.diagnostics)
    findings.raise_any()
    layers = graph.layer_graph(network)
    warnings = (*check.lints(document, checked.used), *graph.lints(layers))
    return Spec(document, choices, layers, warnings)


def parse(
    text: str | bytes,
    name: str = "<string>",
    /,
    *,
    variant: str | None = None,
    input: InputSize | Mapping[str, InputSize] | None = None,
    limit: int = MOST_NODES,
    **variables: object,
) -> Spec:
    """Read a spec from its text; raises ArchspecError.

    `variant` chooses one of its variants, `input` another input shape, text or a tuple of sizes (or several by name),
    `limit` the largest number of layers; every other keyword sets one of its variables.

    >>> spec = parse("{name: a, vars: {F: 4}, input: 8x8x1, layers: CONV3-F}", F=10, input="28x28x1")
    >>> print(list(spec)[-1].shape)
    28 x 28 x 10
    """
    if not isinstance(text, (str, bytes)):
        raise ArchspecError(
            "not-a-spec", f"a spec is text, and here is {type(text).__name__}", hint="load() reads files"
        )
    if variant is not None and not isinstance(variant, str):
        raise ArchspecError("unknown-variant", f"a variant is named by text, and here is {variant!r}")
    chosen = {key: from_python(value, key) for key, value in variables.items()}
    with collector_paused():
        document = parse_document(text, name)
        return build(document, Choices(variant, chosen, _shapes(input), at_least_one("limit", limit)))


def load(
    path_or_name: str | Path,
    /,
    *,
    variant: str | None = None,
    input: InputSize | Mapping[str, InputSize] | None = None,
    limit: int = MOST_NODES,
    **variables: object,
) -> Spec:
    """Load a spec from a file, or by the name of a bundled spec or of one of its variants; raises ArchspecError.

    >>> load("tutorial/cnn").analyze().parameters
    2483
    """
    text, name, bundled = bundle.read_spec(path_or_name)
    return parse(text, name, variant=variant or bundled, input=input, limit=limit, **variables)


def _shapes(given: InputSize | Mapping[str, InputSize] | None) -> dict[str | None, Value]:
    """The input shapes that a caller gives, as YAML would; the name of a single one is None."""
    if given is None:
        return {}
    several = isinstance(given, Mapping) and not set(given) <= ALL_AXES
    shapes = dict(given) if several and isinstance(given, Mapping) else {None: given}
    return {name: _given_shape(shape) for name, shape in shapes.items()}


def _given_shape(shape: object) -> Value:
    value = from_python(shape, "input")
    if isinstance(value, Listing) and all(isinstance(size, Scalar) for size in value.items):
        return Scalar.of("x".join(size.text for size in value.items if isinstance(size, Scalar)), "input")
    return value


def at_least_one(what: str, value: object) -> int:
    """A count that a caller gives; raises ArchspecError unless it is a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ArchspecError("count", f"{what} cannot be {value!r}", hint="give a whole number from 1")
    return value


def _variables(document: Document, choices: Choices) -> Scope:
    """The variables under the variant and the settings; the overrides of every variant are checked."""
    findings, chosen = Findings(), document.vars
    for name, overrides in document.variants.items():
        with findings:
            merged = overridden(document.vars, ((key.text, key.span(), value) for key, value in overrides.items))
            chosen = merged if name == choices.variant else chosen
    findings.raise_any()
    if choices.variant is not None and choices.variant not in document.variants:
        hint = did_you_mean(choices.variant, document.variants) or (
            f"its variants are {', '.join(document.variants)}" if document.variants else "it has no variants"
        )
        raise ArchspecError("unknown-variant", f"{document.name} has no variant `{choices.variant}`", hint=hint)
    given = choices.variables.items()
    return evaluate(overridden(chosen, ((name, None, value) for name, value in given)), document.blocks)


def _inputs(
    document: Document, choices: Choices, variables: Scope, findings: Findings
) -> dict[str, tuple[Shape, Place]]:
    """Every input's shape and place, other shapes than the document's where they were chosen."""
    declared = dict(document.input)
    for name, value in choices.inputs.items():
        name = next(iter(declared)) if name is None else name
        if name not in declared:
            hint = did_you_mean(name, declared) or f"its inputs are {', '.join(declared)}"
            raise ArchspecError("unknown-input", f"{document.name} has no input `{name}`", value.span(), hint)
        declared[name] = read_input(value)
    frame = Frame(variables, Instance(), None, None, document.blocks)
    found: dict[str, tuple[Shape, Place]] = {}
    for name, shape in declared.items():
        with findings:
            found[name] = (_shape(shape, frame), shape.place)
            if name in document.tensors:
                check_input(name, document.tensors[name], found[name][0].sizes)
    if len(found) < len(declared):
        findings.raise_any()
    return found


def _shape(declared: InputShape, frame: Frame) -> Shape:
    sizes: list[int] = []
    for expression in declared.sizes:
        value = expression.evaluate(frame)
        size = whole(value)
        if size is None or size < 1:
            message = f"a size is a whole number from 1, found {shown(value)}"
            raise ArchspecError("input", message, expression.span(), "28x28x1, 784, or 1024 ids")
        sizes.append(size)
    shape = Shape(tuple(sizes), None) if declared.ids else Shape(tuple(sizes[:-1]), sizes[-1])
    try:
        check_size(shape)
    except ArchspecError as error:
        raise error.at(declared.place.span) from None
    return shape
