"""The Python interface: names, types, notebooks, errors, what importing costs, and layer kinds of a user's own."""

from __future__ import annotations

import html.parser
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import networkx as nx
import pytest
from pydantic import Field

import archspec
from archspec.layers import Window, registry
from archspec.layers.window import pointwise
from tests.command import environment, printed

PUBLIC = {
    *("Analysis", "ArchspecError", "Diagnostic", "Elementwise", "Family", "Formula", "Layer", "Node", "Role"),
    *("Shape", "ShapeError", "Source", "Span", "Spec", "Storage", "Totals", "Weight", "Weightless"),
    *("__version__", "load", "parse", "register"),
}


def python(code: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    """A run of some Python with these folders before everything else on its path."""
    path = ":".join([*map(str, paths), environment()["PYTHONPATH"]])
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment(PYTHONPATH=path), capture_output=True, text=True, check=False)


def test_importing_is_light() -> None:
    heavy = "{'torch', 'numpy', 'click', 'matplotlib', 'graphviz', 'rich'} & set(sys.modules)"
    assert python(f"import sys, archspec; print({heavy})").stdout == "set()\n"
    use = "archspec.load('resnet50').analyze()"
    assert python(f"import sys, archspec; {use}; print({heavy})").stdout == "set()\n"


def test_every_public_name_resolves_and_is_listed() -> None:
    assert set(dir(archspec)) >= PUBLIC
    assert {name for name in PUBLIC if getattr(archspec, name) is None} == set()
    with pytest.raises(AttributeError, match="module 'archspec' has no attribute 'laod'"):
        _ = archspec.laod


def test_results_are_typed() -> None:
    spec = archspec.load("tutorial/cnn")
    analysis = spec.analyze()
    assert (type(spec), type(analysis)) == (archspec.Spec, archspec.Analysis)
    assert analysis is spec.analyze()
    totals = analysis.totals
    assert type(totals) is archspec.Totals
    assert (totals.parameters, totals.buffers, totals.macs, totals.flops) == (2483, 0, 248430, 496860)
    conv = list(spec)[1]
    assert (type(conv), conv.shape) == (archspec.Node, archspec.Shape((28, 28), 10))
    assert (conv.shape.spatial, conv.shape.channels, conv.size("H"), conv.size("C")) == ((28, 28), 10, 28, 10)
    count = analysis.counts[conv].trainable
    assert (type(count), count.value, str(count)) == (archspec.Formula, 100, "3 x 3 x 1 x 10 + 10 = 100")


def test_a_spec_iterates_in_execution_order() -> None:
    spec = archspec.load("resnet18")
    nodes = list(spec)
    assert len(spec) == len(nodes) == spec.graph.number_of_nodes()
    assert [node.index for node in nodes] == list(range(len(nodes)))
    assert all(source.index < node.index for node in nodes for source in node.inputs)


def test_the_graph_is_frozen_and_its_edges_carry_slots() -> None:
    spec = archspec.parse(
        "{name: a, input: 8x8x4, layers: [{concat: [RELU, IDENTITY, IDENTITY]}, {add: [RELU, RELU]}]}"
    )
    graph = spec.graph
    assert type(graph) is nx.DiGraph
    source, relu, concat, left, right, add = graph
    slots = {(a.index, b.index): graph.edges[a, b]["slots"] for a, b in graph.edges}
    assert slots == {(0, 1): (0,), (1, 2): (0,), (0, 2): (1, 2), (2, 3): (0,), (2, 4): (0,), (3, 5): (0,), (4, 5): (1,)}
    assert concat.inputs == (relu, source, source)
    assert (left.shape, right.shape) == (add.shape, add.shape)
    with pytest.raises(nx.NetworkXError, match="Frozen graph can't be modified"):
        graph.add_node(source)


class _Html(html.parser.HTMLParser):
    """Checks that tags nest; keeps the text and the names of tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_notebook_shows_a_table_whose_names_are_escaped() -> None:
    name = '<script>alert("a & b")</script>'
    shown = archspec.parse(f"{{name: '{name}', input: 28x28x1, layers: CONV3-10}}")._repr_html_()
    reader = _Html()
    reader.feed(shown)
    reader.close()
    assert reader.open == []
    assert "script" not in reader.seen
    assert name in reader.texts
    assert [reader.seen.count(tag) for tag in ("table", "caption", "thead", "tbody", "tfoot", "tr")] == [1] * 5 + [4]
    assert {"3 x 3 x 1 x 10 + 10 = 100", "28 x 28 x 10", "70,560"} <= set(reader.texts)


def test_dictionaries_and_markdown_are_those_of_the_command_line() -> None:
    spec = archspec.load("unet")
    assert spec.to_dict() == json.loads(printed("table", "unet", "--format", "json"))
    assert spec.to_markdown() == printed("table", "unet", "--format", "markdown")
    given = ["--columns", "layer,macs", "--depth", "1"]
    assert spec.to_markdown(["layer", "macs"], depth=1) == printed("table", "unet", "--format", "markdown", *given)


def test_a_mistake_is_one_type_of_error() -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.parse("name: a\ninput: 28x28x1\nlayers: CONV3-10, CONVV3-4, FC-3 bais", "net.yaml")
    error = caught.value
    assert (error.code, error.hint) == ("unknown-layer", "did you mean CONV?")
    assert error.span is not None
    assert (error.span.source.name, error.span.line, error.span.column, error.span.text) == (
        "net.yaml",
        3,
        19,
        "CONVV3",
    )
    assert [found.code for found in error.diagnostics] == ["unknown-layer", "unknown-option"]
    assert issubclass(archspec.ShapeError, archspec.ArchspecError)
    with pytest.raises(archspec.ArchspecError, match="unknown-spec"):
        archspec.load("nosuch")
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.load("cnn", F=3)
    assert caught.value.code == "unknown-variable"


def test_the_other_distribution_of_that_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "archspec" / "cpu").mkdir(parents=True)
    for folder in ("archspec", "archspec/cpu"):
        (tmp_path / folder / "__init__.py").touch()
    code = f"import sys; sys.path.append({str(tmp_path)!r}); import archspec"
    result = python(code)
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith(
        "ImportError: another distribution called `archspec` (CPU labels, used by conda) is installed"
    )
    assert last.endswith("uninstall it, or install archspec-nn into an environment of its own")


# -- a layer kind of a user's own --------------------------------------------------------------------------------------


@pytest.fixture
def affine() -> Iterator[type[archspec.Layer]]:
    """A kind that a user defines: n numbers per channel, clipped from below."""

    @archspec.register
    class Affine(archspec.Layer):
        """y = clip(a x + b): n weights for every channel."""

        template = "TOYAFFINE-{terms} lo={lo} [fast]"
        family = archspec.Family.NORMALIZATION
        storage = archspec.Storage.FRESH
        terms: Annotated[int, Field(ge=1)]
        lo: float = 0.5
        fast: bool = False

        def output_shape(self, *inputs: archspec.Shape) -> archspec.Shape:
            if inputs[0].rank == 0:
                message = f"{self} scales maps, and here is {inputs[0]}"
                raise archspec.ShapeError("toy-rank", message, "move it before FLATTEN", field="terms")
            return inputs[0]

        def weights(self, *inputs: archspec.Shape) -> dict[str, archspec.Weight]:
            shape = (self.terms, inputs[0].size("C"))
            return {"terms": archspec.Weight(shape, archspec.Role.SCALE, 1, 1, shape)}

        def macs(self, *inputs: archspec.Shape) -> archspec.Formula:
            return archspec.Formula.product(self.terms, *inputs[0].sizes)

        def window(self, *inputs: archspec.Shape) -> tuple[Window, ...]:
            return (pointwise(inputs[0].rank),)

    yield Affine
    del registry["TOYAFFINE"]


def spec_of(layers: str, more: str = "") -> archspec.Spec:
    return archspec.parse(f"{{name: a, input: 8x8x4, {more} layers: [{layers}]}}")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("TOYAFFINE-2", "TOYAFFINE-2"),
        ("TOYAFFINE-2 lo=0.1 fast", "TOYAFFINE-2 lo=0.1 fast"),
        ("TOYAFFINE-2 fast lo=0.1", "TOYAFFINE-2 lo=0.1 fast"),
        ("TOYAFFINE-(C//2) nofast lo=0.5", "TOYAFFINE-2"),
    ],
)
def test_its_notation_is_parsed_and_printed(affine: type[archspec.Layer], written: str, shown: str) -> None:
    layer = list(spec_of(written))[1].layer
    assert (type(layer), str(layer)) == (affine, shown)
    assert list(spec_of(str(layer)))[1].layer == layer


@pytest.mark.usefixtures("affine")
def test_its_weights_and_macs_are_counted() -> None:
    spec = spec_of("TOYAFFINE-2, CONV1-3 nobias, TOYAFFINE-2 share t, TOYAFFINE-2 share t")
    assert spec.analyze().parameters == 2 * 4 + 4 * 3 + 2 * 3
    assert spec.analyze().totals.macs == 64 * (2 * 4 + 4 * 3 + 2 * 3 + 2 * 3)
    row = spec_of("TOYAFFINE-2").to_markdown().splitlines()[3]
    assert row == "| TOYAFFINE-2 | 2 x 4 = 8 | 8 x 8 x 4 | 512 |"


@pytest.mark.usefixtures("affine")
def test_defaults_reach_it() -> None:
    spec = spec_of("TOYAFFINE-2, TOYAFFINE-2 lo=0.3", more="defaults: TOYAFFINE fast lo=0.2,")
    assert [str(node.layer) for node in spec][1:] == ["TOYAFFINE-2 lo=0.2 fast", "TOYAFFINE-2 lo=0.3 fast"]


@pytest.mark.usefixtures("affine")
@pytest.mark.parametrize(
    ("written", "code", "word", "hint"),
    [
        ("TOYAFFINE-2 fats", "unknown-option", "fats", "did you mean fast?"),
        ("TOYAFINE-2", "unknown-layer", "TOYAFINE", "did you mean TOYAFFINE?"),
        ("TOYAFFINE", "amount-missing", "TOYAFFINE", "write TOYAFFINE-n, where n is the amount: TOYAFFINE-64"),
        ("TOYAFFINE3-2", "kernel-not-allowed", "3", "write TOYAFFINE-n"),
        ("TOYAFFINE-0", "size", "0", "write 1 or more"),
        ("FLATTEN, TOYAFFINE-2", "toy-rank", "2", "move it before FLATTEN"),
    ],
)
def test_its_errors_point_at_the_word(written: str, code: str, word: str, hint: str) -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        spec_of(written)
    (found,) = caught.value.diagnostics
    assert found.span is not None
    assert (found.code, found.span.text, found.hint) == (code, word, hint)
    if code == "toy-rank":
        assert (found.message, found.shape) == ("TOYAFFINE-2 scales maps, and here is 256", "256")


def test_a_kind_that_lacks_a_fact_cannot_be_created() -> None:
    with pytest.raises(
        TypeError, match=r"^layer kind Half lacks macs, window, storage: every kind states all its facts$"
    ):

        class Half(archspec.Layer):
            template = "HALF"
            family = archspec.Family.RESHAPE

            def output_shape(self, *inputs: archspec.Shape) -> archspec.Shape:
                return inputs[0]

            def weights(self, *inputs: archspec.Shape) -> dict[str, archspec.Weight]:  # noqa: ARG002
                return {}


def test_a_template_that_names_no_field_cannot_be_created() -> None:
    with pytest.raises(ValueError, match=r"names width, and the class has no such field"):

        class Wide(archspec.Elementwise):
            template = "WIDE-{width}"
            family = archspec.Family.ACTIVATION


def test_a_name_belongs_to_one_kind() -> None:
    class Other(archspec.Elementwise):
        template = "RELU"
        family = archspec.Family.ACTIVATION

    known = registry["RELU"]
    with pytest.raises(ValueError, match=r"^RELU is already the layer kind archspec\.layers\.activation\.\w+$"):
        archspec.register(Other)
    assert registry["RELU"] is known
